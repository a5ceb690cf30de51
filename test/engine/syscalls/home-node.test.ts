import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../../src/engine/index.js';
import { EOPNOTSUPP } from '../../../src/errors.js';
import { mapShared } from '../../support/arrange.js';
import { BIND, bytes, callsBed, INTERLEAVE, mbind, PREFERRED, PREFERRED_MANY } from '../../support/calls.js';
import { mapAnon, nodeAt, touchAll } from '../../support/tiny-machine.js';

// Where the policy of an area starts from: its home node, and the page number that interleaving counts with.

const START = 1000;

describe('MP-32: the home node', () => {
  it.each([
    ['BIND', BIND],
    ['PREFERRED_MANY', PREFERRED_MANY],
  ])("takes the place of the CPU's node for %s", (_, mode) => {
    const bed = callsBed({ profile: 'linux-6.12' });
    const { machine, calls, task } = bed;
    mapAnon(machine, task, START, 2);
    expect(mbind(bed, START, 2, mode, [0, 3])).toBe(0);
    machine.touch(task, START, true);
    expect(calls.policy.setHomeNode(task, bytes(START), bytes(2), 3, 0)).toBe(0);
    machine.touch(task, START + 1, true);
    expect([nodeAt(machine, task, START), nodeAt(machine, task, START + 1)]).toEqual([0, 3]);
    checkMachine(machine);
  });

  it.each([
    ['PREFERRED', PREFERRED, 2],
    ['INTERLEAVE', INTERLEAVE, START % 4],
  ])('is refused for %s, whose pages go on as before', (_, mode, expected) => {
    const bed = callsBed({ profile: 'linux-6.12' });
    const { machine, calls, task } = bed;
    mapAnon(machine, task, START, 1);
    expect(mbind(bed, START, 1, mode, mode === PREFERRED ? [2] : [0, 1, 2, 3])).toBe(0);
    expect(calls.policy.setHomeNode(task, bytes(START), bytes(1), 3, 0)).toBe(-EOPNOTSUPP);
    machine.touch(task, START, true);
    expect(nodeAt(machine, task, START)).toBe(expected);
    checkMachine(machine);
  });
});

describe('MP-51: what interleaving counts', () => {
  const nodesAt = (bed: ReturnType<typeof callsBed>, start: number, pages: number): number[] => {
    expect(mbind(bed, start, pages, INTERLEAVE, [0, 1, 2, 3])).toBe(0);
    touchAll(bed.machine, bed.task, start, pages, true);
    return Array.from({ length: pages }, (_, i) => nodeAt(bed.machine, bed.task, start + i));
  };

  it.each([START, START + 1, START + 7])('private memory at page %d: the virtual page number', (start) => {
    const bed = callsBed();
    mapAnon(bed.machine, bed.task, start, 5);
    expect(nodesAt(bed, start, 5)).toEqual([0, 1, 2, 3, 4].map((i) => (start + i) % 4));
    checkMachine(bed.machine);
  });

  it.each([START, START + 1, START + 7])('shared memory at page %d: the page of the object', (start) => {
    const bed = callsBed();
    mapShared(bed.machine, bed.task, bed.machine.files.create('shmem', 'data', 5, { inode: 4 }), start);
    expect(nodesAt(bed, start, 5)).toEqual([0, 1, 2, 3, 0]);
    checkMachine(bed.machine);
  });
});
