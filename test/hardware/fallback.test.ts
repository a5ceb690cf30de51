import { describe, expect, test } from 'vitest';
import { RECORDED_MACHINES } from './recorded-machines.js';
import { fallbackRows, loadByNodesLeft, loadByOne } from '../../src/hardware/fallback.js';
import { Topology } from '../../src/hardware/topology.js';
import { asNodeId } from '../../src/units.js';

const square = (size: number, value: (i: number, j: number) => number) =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => value(i, j)));
const flat = (size: number) => square(size, (i, j) => (i === j ? 10 : 20));
const machine = (distance: number[][], pages = distance.map(() => 100)) =>
  new Topology({ nodes: pages.map((size, id) => ({ cpus: [id], pages: size })), distance });

describe('K-F2: fallback rows equal those that Linux 6.1 and 6.12 printed', () => {
  let rows = 0;
  for (const recorded of RECORDED_MACHINES) {
    const computed = fallbackRows(new Topology(recorded));
    recorded.fallback.forEach((row, node) => {
      rows++;
      test(`${recorded.name}, node ${String(node)}`, () => {
        expect(computed[node]).toEqual(row.filter((other) => recorded.nodes[other].pages > 0));
      });
    });
  }
  test('eight machines with 33 rows are covered', () => {
    expect(RECORDED_MACHINES).toHaveLength(8);
    expect(rows).toBe(33);
  });
});

test('K-F2: a node without memory is in no row, not even its own', () => {
  expect(fallbackRows(machine(flat(3), [100, 0, 100]))).toEqual([
    [0, 2],
    [2, 0],
    [2, 0],
  ]);
});

test('MP-41: with equal distances node 2 of four tries the next node, 3, before 0 and 1', () => {
  for (const loadOf of [loadByOne, loadByNodesLeft]) {
    expect(fallbackRows(machine(flat(4)), loadOf)[2]).toEqual([2, 3, 0, 1]);
  }
});

/**
 * Worked by hand. Node 0 ranks 1 (20), 3 (20), 2 (30): 1 opens the group of 20 and 2 that of 30. Raised by one, both have
 * load 1. Raised by the nodes left, 1 has 3 and 2 has 1. Node 1 has only 20s, of which 2 and 3 lie above it: 3 has no load
 * and goes first, raised to 1 or 3. Node 3 sees 0, 1, 2 at 20, all below: 0 has no load; then 1 and 2 are equal
 * by one, and apart by the nodes left, where 2 (load 1) goes before 1 (load 3).
 */
test('MP-40: the load of a new distance group grows by one in 6.x, by the nodes left in 2.6.16', () => {
  const distance = flat(4);
  distance[0][2] = 30;
  expect(fallbackRows(machine(distance), loadByOne)).toEqual([
    [0, 1, 3, 2],
    [1, 3, 2, 0],
    [2, 3, 0, 1],
    [3, 0, 1, 2],
  ]);
  expect(fallbackRows(machine(distance), loadByNodesLeft)).toEqual([
    [0, 1, 3, 2],
    [1, 3, 2, 0],
    [2, 3, 0, 1],
    [3, 0, 2, 1],
  ]);
});

test('MP-40: with 256 nodes each row starts with its node and holds every node once', () => {
  const rows = fallbackRows(machine(flat(256)));
  rows.forEach((row, node) => {
    expect(row[0]).toBe(node);
    expect(new Set(row).size).toBe(256);
  });
  expect(rows[255][1]).toBe(asNodeId(0));
});
