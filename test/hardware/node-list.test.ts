import { describe, expect, test } from 'vitest';
import { errorOf } from '../support/error-of.js';
import { formatNodes, parseNodes, type NodeWorld } from '../../src/hardware/node-list.js';
import { asNodeId } from '../../src/units.js';

/** Six nodes, of which 1, 2, 4, 5 are allowed; node 4 has no memory. */
const world: NodeWorld = {
  nodeCount: 6,
  hasMemory: (node) => node !== 4,
  allowed: [1, 2, 4, 5].map(asNodeId),
};

const READ: readonly (readonly [text: string, nodes: readonly number[]])[] = [
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['3,0,3', [0, 3]],
  ['2-2,4-5', [2, 4, 5]],
  ['all', [1, 2, 5]],
  ['0,all', [0, 1, 2, 5]],
  ['!1', [0, 2, 3, 4, 5]],
  ['!0-3', [4, 5]],
  ['!all', [0, 3, 4]],
  ['+0', [1]],
  ['+3', [5]],
  ['+0-1,3', [1, 2, 5]],
  ['+1,all', [1, 2, 5]],
  ['!+0', [0, 2, 3, 4, 5]],
  ['!+0-2', [0, 3, 5]],
];

const REFUSED: readonly (readonly [text: string, message: string])[] = [
  ['', 'the list is empty (position 1 of ""); a list looks like 0-3,5'],
  ['!', 'the list is empty (position 2 of "!"); a list looks like 0-3,5'],
  ['!+', 'the list is empty (position 3 of "!+"); a list looks like 0-3,5'],
  ['9', 'node 9 is not on this machine: it has nodes 0-5 (position 1 of "9")'],
  ['0,2-6', 'node 6 is not on this machine: it has nodes 0-5 (position 3 of "0,2-6")'],
  ['+4', '+4 is not there: the allowed nodes are 1-2,4-5, counted from +0 (position 2 of "+4")'],
  ['3-1', 'the range 3-1 runs backwards (position 1 of "3-1"); a list looks like 0-3,5'],
  ['0,,1', 'an empty item where a number or a range A-B belongs (position 3 of "0,,1"); a list looks like 0-3,5'],
  ['0,', 'an empty item where a number or a range A-B belongs (position 3 of "0,"); a list looks like 0-3,5'],
  ['all,0', '"all" can only be the last item (position 5 of "all,0"); a list looks like 0-3,5'],
  ['+!0', '"!0" where a number or a range A-B belongs (position 2 of "+!0"); a list looks like 0-3,5'],
  ['0,!1', '"!1" where a number or a range A-B belongs (position 3 of "0,!1"); a list looks like 0-3,5'],
  ['-1', '"-1" where a number or a range A-B belongs (position 1 of "-1"); a list looks like 0-3,5'],
  ['0 1', '"0 1" where a number or a range A-B belongs (position 1 of "0 1"); a list looks like 0-3,5'],
  [
    '99999999999',
    '"99999999999" where a number or a range A-B belongs (position 1 of "99999999999"); a list looks like 0-3,5',
  ],
  ['!0-5', '"!0-5" leaves no node: this machine has nodes 0-5'],
];

describe('node strings are read as numactl reads them', () => {
  test.each(READ)('%s', (text, nodes) => {
    expect(parseNodes(text, world)).toEqual(nodes);
  });
  test('the table has 15 rows', () => {
    expect(READ).toHaveLength(15);
  });
});

describe('a node string that does not hold is refused with its position', () => {
  test.each(REFUSED)('%s', (text, message) => {
    expect(errorOf(() => parseNodes(text, world))).toEqual({ code: 'BAD_NODES', message });
  });
  test('the table has 16 rows', () => {
    expect(REFUSED).toHaveLength(16);
  });
  test('a machine of one node says so', () => {
    const one: NodeWorld = { nodeCount: 1, hasMemory: () => true, allowed: [asNodeId(0)] };
    expect(() => parseNodes('1', one)).toThrow('node 1 is not on this machine: it has node 0 only (position 1 of "1")');
  });
});

test('nodes are written as ranges', () => {
  const written = (...nodes: number[]) => formatNodes(nodes.map(asNodeId));
  expect(written(0, 1, 2, 3, 5)).toBe('0-3,5');
  expect(written(0)).toBe('0');
  expect(written(0, 1)).toBe('0-1');
  expect(written(1, 3, 5)).toBe('1,3,5');
  expect(written()).toBe('');
});
