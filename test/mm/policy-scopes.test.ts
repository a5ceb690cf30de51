import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { cachedFrame, Cpuset, type FileObject, type Mempolicy, type Task } from '../../src/mm/index.js';
import { asNodeId, type SwapSlot } from '../../src/units.js';
import { cacheOn, evict, mapPrivate, mapShared, moveTo, processWithPages, shmemOn } from '../support/arrange.js';
import {
  cpuOf,
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  request,
  setPolicy,
  tinyMachine,
  touchAll,
  unmapLazily,
} from '../support/tiny-machine.js';

// Which policy governs a page: of the task, of the area, of the shared object (mempolicy sections 1 and 2).

const START = 1000;

/** mbind of a range with a policy of its own. */
function bindRange(
  machine: Machine,
  task: Task,
  start: number,
  pages: number,
  ...words: [keyof typeof POLICIES, ...number[]]
): Mempolicy {
  const policy = machine.policy.newPolicy(task, request(POLICIES[words[0]], ...(words.slice(1) as number[])));
  machine.policy.mbind(task.space, start, pages, policy);
  policy.refs--;
  return policy;
}

function nodesOf(machine: Machine, task: Task, start: number, pages: number): number[] {
  return Array.from({ length: pages }, (_, i) => nodeAt(machine, task, start + i));
}

function object(machine: Machine, pages: number): FileObject {
  return machine.files.create('shmem', 'shared', pages, { inode: 12 });
}

describe('private memory', () => {
  it('MP-1: without any policy the node of the CPU', () => {
    const machine = tinyMachine();
    const { task, vma } = processWithPages(machine, 2, START, 1);
    expect([task.policy, vma.policy]).toEqual([null, null]);
    expect(nodeAt(machine, task, START)).toBe(2);
  });

  it('MP-10, MP-12: the policy of the area comes before that of the task', () => {
    for (const profile of ['mof', 'mof-2006']) {
      const machine = tinyMachine({ profile });
      const task = processOn(machine, 0);
      setPolicy(machine, task, POLICIES.preferred, 1);
      mapAnon(machine, task, START, 3);
      bindRange(machine, task, START + 1, 1, 'preferred', 3);
      touchAll(machine, task, START, 3, true);
      expect(nodesOf(machine, task, START, 3)).toEqual([1, 3, 1]);
      checkMachine(machine);
    }
  });

  it('MP-10: taking the policy of the area away leaves that of the task', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 0);
    setPolicy(machine, task, POLICIES.preferred, 1);
    mapAnon(machine, task, START, 2);
    const policy = bindRange(machine, task, START, 2, 'preferred', 3);
    expect(policy.refs).toBe(1);
    machine.policy.mbind(task.space, START, 2, null);
    expect(policy.refs).toBe(0);
    touchAll(machine, task, START, 2, true);
    expect(nodesOf(machine, task, START, 2)).toEqual([1, 1]);
  });

  it('MP-13: an area over a file: its policy places the copies of pages, the policy of the task the pages of the file', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 0);
    setPolicy(machine, task, POLICIES.preferred, 1);
    const file = machine.files.create('file', 'data', 2);
    mapPrivate(machine, task, file, START);
    bindRange(machine, task, START, 2, 'preferred', 3);
    machine.touch(task, START, false);
    machine.touch(task, START + 1, true);
    expect(nodesOf(machine, task, START, 2)).toEqual([1, 3]);
    expect(machine.frames.nodeOf(cachedFrame(file, 1))).toBe(1);
    checkMachine(machine);
  });

  it('MP-14: a page from swap is placed by the policy and the CPU of the fault that reads it', () => {
    const machine = tinyMachine({ writesAtOnce: true });
    const { task } = processWithPages(machine, 1, START, 2);
    for (const page of [0, 1]) evict(machine, task, frameAt(machine, task, START + page));
    moveTo(machine, task, 3);
    machine.touch(task, START, false);
    bindRange(machine, task, START + 1, 1, 'preferred', 2);
    machine.touch(task, START + 1, false);
    expect(nodesOf(machine, task, START, 2)).toEqual([3, 2]);
  });

  it.each([
    ['mof-2006', 'slot, by one address after the other', [0, 1, 1, 2], 2],
    ['mof', 'area, which ends here', [0, 2], 0],
  ])('MP-14: under %s pages are read along by %s', (profile, _, expected, readAhead) => {
    const switches = { ...{ hookSwap: true, hookFile: true, hookShmem: true }, readahead: false, faultAround: false };
    const machine = tinyMachine({ profile, writesAtOnce: true, switches: { ...switches, pageCluster: 3 } });
    const { task } = processWithPages(machine, 1, START, 3);
    for (const page of [0, 1, 2]) evict(machine, task, frameAt(machine, task, START + page));
    bindRange(machine, task, START, 1, 'preferred', 2);
    machine.touch(task, START, false);
    const used: number[] = [];
    machine.zones.forEachUsed((pfn) => used.push(machine.frames.nodeOf(pfn)));
    expect(used.sort()).toEqual(expected); // the zero page, the page, and what was read along
    expect(machine.counters.get('swap_ra')).toBe(readAhead);
  });

  describe('MP-14 [2.6.16]: read-ahead gives the slots of the cluster one address after the other', () => {
    /** Pages swapped out in this order; a fault on the first one. @returns node of each cached slot, in order of slots */
    function readAlong(order: readonly number[], arrange: (machine: Machine, task: Task) => void): (number | string)[] {
      const switches = { ...{ hookSwap: true, hookFile: true, hookShmem: true }, readahead: false, faultAround: false };
      const machine = tinyMachine({
        ...{ profile: 'mof-2006', writesAtOnce: true, switches: { ...switches, pageCluster: 3 } },
      });
      const { task } = processWithPages(machine, 1, START, order.length);
      for (const page of order) evict(machine, task, frameAt(machine, task, START + page));
      arrange(machine, task);
      expect(machine.touch(task, START + order[0], false)).toBeGreaterThan(0);
      expect(machine.counters.get('swap_ra')).toBe(order.length - 1);
      checkMachine(machine);
      return order.map((_, i) => {
        const pfn = machine.swap.cached((i + 1) as SwapSlot);
        return pfn > 0 ? machine.frames.nodeOf(pfn) : '-';
      });
    }

    it('slots in order of address: each page gets the policy of its own address', () => {
      const nodes = readAlong([0, 1, 2], (machine, task) => {
        for (const page of [0, 1, 2]) bindRange(machine, task, START + page, 1, 'preferred', [2, 3, 0][page]);
      });
      expect(nodes).toEqual([2, 3, 0]);
    });

    it('slots in another order: the pages get the policies of addresses that are not theirs', () => {
      const nodes = readAlong([0, 2, 1], (machine, task) => {
        for (const page of [0, 1, 2]) bindRange(machine, task, START + page, 1, 'preferred', [2, 3, 0][page]);
      });
      expect(nodes).toEqual([2, 3, 0]); // slot 2 holds page 2, and was placed as page 1
    });

    it('behind the area comes the next one', () => {
      const nodes = readAlong([2, 1, 0], (machine, task) => {
        bindRange(machine, task, START + 2, 1, 'preferred', 2);
        mapAnon(machine, task, START + 3, 1);
        bindRange(machine, task, START + 3, 1, 'preferred', 3);
        setPolicy(machine, task, POLICIES.preferred, 0);
      });
      expect(nodes).toEqual([2, 3, 0]); // the third lies behind all areas: the task's policy
    });

    it('where no area is, the policy of the task goes by its rotor', () => {
      const nodes = readAlong([2, 1, 0], (machine, task) => {
        bindRange(machine, task, START + 2, 1, 'preferred', 2);
        setPolicy(machine, task, POLICIES.interleave, 1, 3);
      });
      expect(nodes).toEqual([2, 1, 3]);
    });
  });
});

describe('MP-17: what happens to policies with their areas', () => {
  it('a range of its own splits the area, the same policy again joins it', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, START, 4);
    const policy = bindRange(machine, task, START + 1, 2, 'preferred', 3);
    expect(Array.from(task.space.vmas, ({ start, pages }) => [start - START, pages])).toEqual([
      [0, 1],
      [1, 2],
      [3, 1],
    ]);
    policy.refs++;
    machine.policy.mbind(task.space, START, 4, policy);
    policy.refs--;
    expect(task.space.vmas).toHaveLength(1);
    expect(policy.refs).toBe(1);
    checkMachine(machine);
  });

  it('a child has the policies of its parent, as copies of its own', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 0);
    setPolicy(machine, task, POLICIES.preferred, 1);
    mapAnon(machine, task, START, 2);
    bindRange(machine, task, START + 1, 1, 'preferred', 3);
    const child = machine.process.fork(task, cpuOf(machine, 2));
    setPolicy(machine, task, POLICIES.preferred, 2);
    machine.policy.mbind(task.space, START, 2, null);
    touchAll(machine, child, START, 2, true);
    expect(nodesOf(machine, child, START, 2)).toEqual([1, 3]);
    checkMachine(machine);
    machine.process.exit(child);
    checkMachine(machine);
  });

  it('a thread inherits the policy of its creator and the place of its rotor', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 0);
    setPolicy(machine, task, POLICIES.interleave, 1, 2, 3);
    const file = machine.files.create('file', 'data', 3);
    machine.file.access(task, file, 0, false);
    const thread = machine.process.newThread(task, cpuOf(machine, 0));
    machine.file.access(thread, file, 1, false);
    machine.file.access(task, file, 2, false);
    const nodes = [0, 1, 2].map((i) => machine.frames.nodeOf(cachedFrame(file, i)) as number);
    expect(nodes).toEqual([1, 2, 2]); // each goes on by itself
  });
});

describe('shared objects', () => {
  it('MP-2: their policy goes by page, is seen through every mapping, and survives unmapping', () => {
    const machine = tinyMachine();
    const shared = object(machine, 3);
    const first = processOn(machine, 0);
    mapShared(machine, first, shared, START);
    bindRange(machine, first, START + 1, 1, 'preferred', 3);
    machine.process.exit(first);
    const second = processOn(machine, 2);
    mapShared(machine, second, shared, START + 50);
    touchAll(machine, second, START + 50, 3, true);
    expect(nodesOf(machine, second, START + 50, 3)).toEqual([2, 3, 2]);
    expect(shared.policyAt(1)?.refs).toBe(1);
    checkMachine(machine);
  });

  it('MP-12: without a policy of the object, that of the task, for allocations and questions alike', () => {
    const machine = tinyMachine();
    const shared = object(machine, 2);
    const [page] = shmemOn(machine, 1, shared);
    const task = processOn(machine, 2);
    setPolicy(machine, task, POLICIES.preferred, 3);
    const vma = mapShared(machine, task, shared, START);
    expect(machine.misplaced.mpolMisplaced(task, vma, 0, page, false)).toBe(3);
  });

  it('MP-11 [2006]: questions then go by the system default, while allocations go by the task', () => {
    const machine = tinyMachine({ profile: 'mof-2006' });
    const shared = object(machine, 2);
    const task = processOn(machine, 2);
    setPolicy(machine, task, POLICIES.preferred, 3);
    const vma = mapShared(machine, task, shared, START);
    machine.touch(task, START, true);
    const page = cachedFrame(shared, 0);
    expect(machine.frames.nodeOf(page)).toBe(3);
    expect(machine.misplaced.mpolMisplaced(task, vma, 0, page, false)).toBe(2); // the two disagree
  });

  it('MP-11, MP-12: with a policy of the object both go by it, in every era', () => {
    for (const profile of ['mof', 'mof-2006']) {
      const machine = tinyMachine({ profile });
      const shared = object(machine, 1);
      const task = processOn(machine, 2);
      setPolicy(machine, task, POLICIES.preferred, 3);
      const vma = mapShared(machine, task, shared, START);
      bindRange(machine, task, START, 1, 'preferred', 1);
      machine.touch(task, START, true);
      expect(nodeAt(machine, task, START)).toBe(1);
      expect(machine.misplaced.mpolMisplaced(task, vma, 0, frameAt(machine, task, START), false)).toBe(-1);
    }
  });

  it('MP-24: a task that may use no node of the object’s policy gets its pages where it may', () => {
    const machine = tinyMachine({ swapPages: 0 });
    const shared = object(machine, 1);
    const owner = processOn(machine, 2);
    mapShared(machine, owner, shared, START);
    bindRange(machine, owner, START, 1, 'bind', 2, 3);
    const task = processOn(machine, 1);
    task.cpuset = new Cpuset('left', 4, [0, 1].map(asNodeId));
    mapShared(machine, task, shared, START);
    machine.touch(task, START, true);
    expect(nodeAt(machine, task, START)).toBe(1);
  });
});

describe('page cache', () => {
  it('MP-13: pages of files come by the policy of whoever reads them, a mapping’s policy is not asked', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 0);
    const file = machine.files.create('file', 'data', 3);
    mapShared(machine, task, file, START);
    bindRange(machine, task, START, 3, 'preferred', 3);
    machine.touch(task, START, false);
    machine.file.access(task, file, 1, true);
    setPolicy(machine, task, POLICIES.bind, 2);
    machine.touch(task, START + 2, true);
    const nodes = [0, 1, 2].map((i) => machine.frames.nodeOf(cachedFrame(file, i)) as number);
    expect(nodes).toEqual([0, 0, 2]);
  });

  it('a plug-in that goes by the rotor gets the next node each time, whatever its name', () => {
    const { mode: _, ...plain } = POLICIES.interleave;
    const machine = tinyMachine();
    const task = processOn(machine, 0);
    setPolicy(machine, task, { ...plain, name: 'mine' }, 1, 3);
    const file = machine.files.create('file', 'data', 4);
    for (let i = 0; i < 4; i++) machine.file.access(task, file, i, false);
    const nodes = [0, 1, 2, 3].map((i) => machine.frames.nodeOf(cachedFrame(file, i)) as number);
    expect(nodes).toEqual([1, 3, 1, 3]);
  });

  it('the rotor of a task without a set stands still', () => {
    const machine = tinyMachine();
    const [page] = cacheOn(machine, 1, machine.files.create('file', 'data', 1));
    const task = processOn(machine, 2);
    machine.file.access(task, machine.files.create('file', 'more', 1), 0, false);
    machine.misplaced.mpolMisplaced(task, null, 0, page, false);
    expect(task.ilPrev).toBe(-1);
  });
});

describe('the lazy call', () => {
  it('DM-4: under a policy without nodes every page is outside it', () => {
    for (const words of [['default'], ['preferred']] as const) {
      const machine = tinyMachine();
      const { task } = processWithPages(machine, 1, START, 2);
      setPolicy(machine, task, POLICIES[words[0]]);
      expect(unmapLazily(machine, task).unmapped).toBe(2);
    }
  });

  it('DM-3: leaves pages that are mapped more than once, and says how many', () => {
    const machine = tinyMachine();
    const { task } = processWithPages(machine, 1, START, 3);
    machine.process.fork(task, task.cpu);
    machine.touch(task, START, true); // its own copy now
    expect(unmapLazily(machine, task)).toEqual({ looked: 3, unmapped: 1, left: 2, noSlot: 0 });
    checkMachine(machine);
  });

  it('says for how many pages swap had no slot', () => {
    const machine = tinyMachine({ swapPages: 2 });
    const { task } = processWithPages(machine, 1, START, 5);
    expect(unmapLazily(machine, task)).toEqual({ looked: 5, unmapped: 2, left: 0, noSlot: 3 });
    checkMachine(machine);
  });
});
