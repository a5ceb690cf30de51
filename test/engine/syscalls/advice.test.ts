import { describe, expect, it } from 'vitest';
import { checkMachine, makeCalls } from '../../../src/engine/index.js';
import { EACCES, EEXIST, EFAULT, EINVAL, ENOMEM } from '../../../src/errors.js';
import { VM_RAND_READ, VM_READ, VM_WRITE } from '../../../src/mm/index.js';
import { evict, mapPrivate, mapShared, moveTo } from '../../support/arrange.js';
import {
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  setPolicy,
  tinyMachine,
  touchAll,
  type TinyOptions,
} from '../../support/tiny-machine.js';

// madvise and mremap as the recordings' rules and the kernel's argument checks have them.

const START = 1040;

function bed(options: TinyOptions = {}) {
  const machine = tinyMachine({
    ...{ profile: 'linux-6.12', writesAtOnce: true },
    switches: {
      ...{ hookSwap: false, hookFile: false, hookShmem: false },
      ...{ pageCluster: 0, readahead: true, faultAround: false },
    },
    ...options,
  });
  const calls = makeCalls(machine, { modes: new Map(), cgroup: 2, possibleNodes: 4 });
  const task = processOn(machine, 0);
  const advise = (advice: string | number, first = 0, pages = 4) =>
    calls.advice.madvise(task, START + first, pages, String(advice));
  const starts = () => Array.from(task.space.vmas, (vma) => vma.start - START);
  return { machine, calls, task, advise, starts };
}

describe('advice by its number', () => {
  it('marks an area for what lies in the range, and joins it again when the mark goes', () => {
    const { machine, task, advise, starts } = bed();
    mapAnon(machine, task, START, 4);
    const pairs: readonly (readonly [set: number, clear: number])[] = [
      [1, 0], // RANDOM, NORMAL
      [2, 0], // SEQUENTIAL, NORMAL
      [10, 11], // DONTFORK, DOFORK
      [16, 17], // DONTDUMP, DODUMP
      [18, 19], // WIPEONFORK, KEEPONFORK
    ];
    for (const [set, clear] of pairs) {
      expect([advise(set, 1, 2), starts()]).toEqual([0, [0, 1, 3]]);
      expect([advise(clear, 1, 2), starts()]).toEqual([0, [0]]);
    }
    expect([advise(14, 1, 2), advise(15, 1, 2), starts()]).toEqual([0, 0, [0, 1, 3]]); // HUGEPAGE, NOHUGEPAGE
    checkMachine(machine);
  });

  it('RANDOM and SEQUENTIAL take the place of each other', () => {
    const { machine, task, advise } = bed();
    const vma = mapAnon(machine, task, START, 4);
    advise('random');
    expect(vma.flags & VM_RAND_READ).not.toBe(0);
    advise('sequential');
    expect(vma.flags & VM_RAND_READ).toBe(0);
  });

  it('K-A8: nobody knows 5, 99 or a word', () => {
    const { machine, task, advise } = bed();
    mapAnon(machine, task, START, 4);
    for (const advice of [5, 99, -1, 'sometimes']) expect(advise(advice)).toBe(-EINVAL);
  });

  it('DONTNEED refuses a locked area, DONTNEED_LOCKED does not', () => {
    const { machine, calls, task, advise } = bed();
    mapAnon(machine, task, START, 4);
    expect(calls.areas.mlock(task, START, 4, true)).toBe(0);
    expect(advise(4)).toBe(-EINVAL);
    expect(advise(24)).toBe(0);
    expect(frameAt(machine, task, START)).toBe(0);
    checkMachine(machine);
  });

  it('K-A6: REMOVE wants a shared mapping of an object that is not locked', () => {
    const { machine, calls, task, advise } = bed();
    mapAnon(machine, task, START, 2);
    mapPrivate(machine, task, machine.files.create('shmem', 'p', 2), START + 2);
    expect(advise('remove', 0, 2)).toBe(-EINVAL);
    expect(advise('remove', 2, 2)).toBe(-EACCES);
    mapShared(machine, task, machine.files.create('shmem', 's', 2), START + 4);
    expect(calls.areas.mprotect(task, START + 4, 2, VM_READ)).toBe(0);
    expect(advise('remove', 4, 2)).toBe(0); // writable or not
  });
});

describe('WILLNEED', () => {
  it('K-S4: private pages come into the swap cache where the task is now; the fault finds them there', () => {
    const { machine, task, advise } = bed();
    mapAnon(machine, task, START, 4);
    touchAll(machine, task, START, 4, true);
    for (const page of [0, 1, 2, 3]) evict(machine, task, frameAt(machine, task, START + page));
    moveTo(machine, task, 2);
    expect(advise('willneed', 1, 2)).toBe(0);
    moveTo(machine, task, 3);
    const before = [task.minorFaults, task.majorFaults];
    touchAll(machine, task, START, 4, false);
    expect([0, 1, 2, 3].map((page) => nodeAt(machine, task, START + page))).toEqual([3, 2, 2, 3]);
    expect([task.minorFaults - before[0], task.majorFaults - before[1]]).toEqual([2, 2]);
    checkMachine(machine);
  });

  it.each([
    ['linux-6.1', 'the task policy by its rotor, and one page too many', [1, 2, 3]],
    ['linux-6.12', "each page's own index, and the range alone", [3, 1]],
  ])('under %s pages of a shmem object come by %s', (profile, _, nodes) => {
    const { machine, task, advise } = bed({ profile });
    const file = machine.files.create('shmem', 's', 4, { inode: 2 });
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 4, true);
    for (const page of [0, 1, 2, 3]) evict(machine, task, frameAt(machine, task, START + page));
    setPolicy(machine, task, POLICIES.interleave, 1, 2, 3);
    expect(advise('willneed', 0, 2)).toBe(0);
    const cached = [0, 1, 2, 3].map((page) => machine.swap.cached(-file.slots.get(page) as never));
    expect(cached.filter((pfn) => pfn > 0).map((pfn) => machine.frames.nodeOf(pfn))).toEqual(nodes);
    checkMachine(machine);
  });

  it('of a private mapping of an object leaves its own pages in swap', () => {
    const { machine, task, advise } = bed();
    mapPrivate(machine, task, machine.files.create('shmem', 's', 4), START);
    touchAll(machine, task, START, 4, true);
    machine.lru.drainAll();
    expect(advise('pageout')).toBe(0);
    const before = machine.counters.get('pswpin');
    expect(advise('willneed')).toBe(0);
    expect(machine.counters.get('pswpin')).toBe(before);
  });

  it('K-P3: reads just these pages of a file, by the task policy', () => {
    const { machine, task, advise } = bed();
    const file = machine.files.create('file', 'f', 64);
    mapShared(machine, task, file, START);
    setPolicy(machine, task, POLICIES.preferred, 3);
    expect(advise('willneed', 8, 3)).toBe(0);
    expect(file.cachedPages).toBe(3);
    machine.touch(task, START + 9, false);
    expect([nodeAt(machine, task, START + 9), task.majorFaults]).toEqual([3, 0]);
    checkMachine(machine);
  });
});

describe('FREE', () => {
  it('gives up what is in swap, and takes pages out of the swap cache', () => {
    const { machine, task, advise } = bed();
    mapAnon(machine, task, START, 2);
    touchAll(machine, task, START, 2, true);
    for (const page of [0, 1]) evict(machine, task, frameAt(machine, task, START + page));
    machine.touch(task, START + 1, false);
    machine.lru.drainAll();
    expect(machine.frames.isSwapCache(frameAt(machine, task, START + 1))).toBe(true);
    expect(advise('free', 0, 2)).toBe(0);
    expect(frameAt(machine, task, START)).toBe(0);
    expect(machine.frames.isSwapCache(frameAt(machine, task, START + 1))).toBe(false);
    checkMachine(machine);
    const majors = task.majorFaults;
    machine.touch(task, START, false);
    expect(task.majorFaults).toBe(majors);
  });
});

describe('mremap', () => {
  it('is refused across areas, over itself, from nowhere, to nothing and into a neighbour', () => {
    const { machine, calls, task, starts } = bed();
    mapAnon(machine, task, START, 4);
    const { mremap, mprotect } = calls.areas;
    expect(mremap(task, START, 4, 4, START + 2)).toBe(-EINVAL);
    expect(mremap(task, START, 4, 0, null)).toBe(-EINVAL);
    expect(mremap(task, START + 50, 4, 8, null)).toBe(-EFAULT);
    expect(mprotect(task, START + 2, 2, VM_READ)).toBe(0);
    expect(mremap(task, START, 4, 8, null)).toBe(-EFAULT);
    expect(mremap(task, START, 4, 4, START + 100)).toBe(-EFAULT);
    mapAnon(machine, task, START + 5, 1);
    expect(mremap(task, START + 2, 2, 4, null)).toBe(-ENOMEM);
    expect(starts()).toEqual([0, 2, 5]);
    const request = { flags: VM_READ | VM_WRITE, file: null, filePage: 0, populate: false, name: '' };
    expect(calls.areas.mmap(task, { vpn: START + 4, pages: 2, ...request })).toBe(-EEXIST);
    checkMachine(machine);
  });

  it('grows an area in place, which then joins what comes behind', () => {
    const { machine, calls, task, starts } = bed();
    mapAnon(machine, task, START, 2);
    touchAll(machine, task, START, 2, true);
    mapAnon(machine, task, START + 4, 2);
    expect(calls.areas.mremap(task, START, 2, 4, null)).toBe(0);
    expect(starts()).toEqual([0, 4]); // who has pages of its own joins nobody who has none
    mapAnon(machine, task, START + 20, 2);
    mapAnon(machine, task, START + 24, 2);
    expect(calls.areas.mremap(task, START + 20, 2, 4, null)).toBe(0);
    expect(starts()).toEqual([0, 4, 20]);
    checkMachine(machine);
  });
});

describe('K-H3: areas that became alike join', () => {
  it('one that never had a page joins a neighbour that has, not the other way round', () => {
    const { machine, calls, task, starts } = bed();
    const { mprotect } = calls.areas;
    mapAnon(machine, task, START, 6);
    expect(mprotect(task, START + 2, 2, VM_READ)).toBe(0);
    expect(starts()).toEqual([0, 2, 4]);
    touchAll(machine, task, START, 2, true); // the first has pages
    expect(mprotect(task, START + 2, 2, VM_READ | VM_WRITE)).toBe(0);
    expect(starts()).toEqual([0]);
    expect(mprotect(task, START, 6, VM_READ)).toBe(0);
    mapAnon(machine, task, START + 10, 4);
    expect(mprotect(task, START + 12, 2, VM_READ)).toBe(0);
    touchAll(machine, task, START + 10, 2, true);
    expect(mprotect(task, START + 10, 2, VM_READ)).toBe(0); // this one has pages, its neighbour none
    expect(starts()).toEqual([0, 10, 12]);
    checkMachine(machine);
  });
});

describe('K-S5: swapoff', () => {
  it.each(['linux-6.1', 'linux-6.12'])('under %s is no fault, and the owner takes one at its next write', (profile) => {
    const { machine, calls, task } = bed({ profile });
    mapAnon(machine, task, START, 2);
    touchAll(machine, task, START, 2, true);
    for (const page of [0, 1]) evict(machine, task, frameAt(machine, task, START + page));
    const faults = () => [machine.counters.get('pgfault'), task.minorFaults, task.majorFaults];
    const before = faults();
    expect(calls.swap.swapoff()).toBe(0);
    expect(faults()).toEqual(before);
    touchAll(machine, task, START, 2, true);
    expect(task.minorFaults - before[1]).toBe(2);
    checkMachine(machine);
  });
});
