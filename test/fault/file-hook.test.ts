import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine, PROFILES } from '../../src/engine/index.js';
import { MAJOR, MINOR, RETRY } from '../../src/fault/index.js';
import { cachedFrame, type MigrateOperation, PG_FREE, PG_PRIVATE, type Task } from '../../src/mm/index.js';
import { definePolicy } from '../../src/policy/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import {
  cacheOn,
  evict,
  mapPrivate,
  mapShared,
  moveTo,
  pageOf,
  processWithPages,
  shmemOn,
} from '../support/arrange.js';
import { countedSince, frameRecord, freePages, memorySnapshot } from '../support/snapshot.js';
import {
  frameAt,
  nodeAt,
  POLICIES,
  processOn,
  request,
  setPolicy,
  tinyMachine,
  type TinyOptions,
  touchAll,
  unmapLazily,
} from '../support/tiny-machine.js';

// Migrate-on-fault for pages of files and of shared objects, and the switches of the hooks.

const START = 1000;

/** A file whose pages are cached on node 1 and mapped by a task on node 2, which has touched none of them. */
function cachedFile(options: TinyOptions = {}, migrate: MigrateOperation = 'simple', pages = 4) {
  const machine = tinyMachine(options);
  const file = machine.files.create('file', 'data', pages, { migrate });
  const cached = cacheOn(machine, 1, file);
  const task = processOn(machine, 2);
  const vma = mapShared(machine, task, file, START);
  return { machine, file, cached, task, vma };
}

/** A shared object whose pages lie on node 1, mapped by a task on node 2. */
function sharedObject(pages = 6, options: TinyOptions = {}) {
  const machine = tinyMachine(options);
  const object = machine.files.create('shmem', 'shared', pages, { inode: 12 });
  const cached = shmemOn(machine, 1, object);
  const task = processOn(machine, 2);
  const vma = mapShared(machine, task, object, START);
  return { machine, object, cached, task, vma };
}

const nodesOf = (machine: Machine, task: Task, pages: number): number[] =>
  Array.from({ length: pages }, (_, page) => nodeAt(machine, task, START + page));

describe('FP-80: the hook for pages of files', () => {
  it('V16: a page with buffers on 1, read on 2: moved, its buffers and its place in the file with it', () => {
    const { machine, file, cached, task } = cachedFile({}, 'buffers');
    const [old] = cached;
    machine.frames.set(old, PG_PRIVATE);
    machine.frames.get(old);
    machine.contents?.set(old, 42);
    machine.touch(task, START, false);
    machine.lru.drainAll();
    const moved = frameAt(machine, task, START);
    expect(machine.frames.nodeOf(moved)).toBe(2);
    expect(cachedFrame(file, 0)).toBe(moved);
    expect(frameRecord(machine, moved)).toMatchObject({ count: 3, mapcount: 1, mapping: file.id, index: 0, stamp: 42 });
    expect(machine.frames.has(moved, PG_PRIVATE)).toBe(true); // their reference is the third
    expect(machine.frames.has(old, PG_FREE)).toBe(true);
    expect(file.cachedPages).toBe(4);
  });

  it.each([
    ['mof', { mof_stay_c4_no_operation: 1 }, 0],
    ['mof-2006 with the file hook', { mof_migrate_tried: 1, mof_fail_m5_no_operation: 1, mof_leaked_pages: 1 }, 1],
  ] as const)('V17: [%s] a file system without a migrate operation: the page stays', (name, counted, leaked) => {
    const { machine, cached, task } = cachedFile({ profile: name.startsWith('mof-2006') ? 'mof-2006' : 'mof' }, 'none');
    const before = freePages(machine);
    machine.touch(task, START, false);
    expect(frameAt(machine, task, START)).toBe(cached[0]);
    expect(countedSince(machine, {}, 'mof_')).toEqual(counted);
    expect(before[2] - freePages(machine)[2]).toBe(leaked);
  });

  it('goes by the task policy, whatever the area says (MP-13)', () => {
    const { machine, task, vma } = cachedFile();
    const policy = machine.policy.newPolicy(task, request(POLICIES.preferred, 3));
    machine.policy.mbind(vma.space, START, 4, policy);
    policy.refs--;
    machine.touch(task, START, false);
    setPolicy(machine, task, POLICIES.preferred, 0);
    machine.touch(task, START + 1, false);
    expect(nodesOf(machine, task, 2)).toEqual([2, 0]);
    checkMachine(machine);
  });

  it('under an interleaving task any node of the set will do, else the rotor decides and advances (MP-66)', () => {
    const { machine, cached, task, file } = cachedFile();
    setPolicy(machine, task, POLICIES.interleave, 1, 3);
    touchAll(machine, task, START, 2, false);
    expect([frameAt(machine, task, START), frameAt(machine, task, START + 1)]).toEqual(cached.slice(0, 2));
    setPolicy(machine, task, POLICIES.interleave, 0, 2, 3);
    touchAll(machine, task, START + 2, 2, false);
    expect(nodesOf(machine, task, 4)).toEqual([1, 1, 0, 2]);
    const other = machine.files.create('file', 'more', 1);
    machine.file.access(task, other, 0, false);
    expect(machine.frames.nodeOf(cachedFrame(other, 0))).toBe(3); // the rotor has come to 3
    expect(file.cachedPages).toBe(4);
    checkMachine(machine);
  });

  it('FP-30: maps a page whose lock is taken, and does not wait for it', () => {
    const { machine, cached, task, vma } = cachedFile();
    machine.frames.tryLock(cached[0]);
    const begin = machine.meter.nowNs;
    expect(machine.handleMmFault(task, pageOf(machine, vma, START), false)).toBe(MINOR);
    expect(frameAt(machine, task, START)).toBe(cached[0]);
    expect(machine.frames.isLocked(cached[0])).toBe(true);
    const untroubled = cachedFile({ switches: { ...machine.options.switches, hookFile: false } });
    untroubled.machine.handleMmFault(untroubled.task, pageOf(untroubled.machine, untroubled.vma, START), false);
    const { nowNs } = untroubled.machine.meter;
    expect(machine.meter.nowNs - begin).toBe(nowNs - begin);
  });

  it('starts over with a page that lost its mapping before it was locked', () => {
    const { machine, cached, task, vma } = cachedFile();
    machine.frames.setMapping(cached[0], 0, 0);
    expect(machine.handleMmFault(task, pageOf(machine, vma, START), false)).toBe(RETRY);
    expect(frameRecord(machine, cached[0]).count).toBe(1);
    expect(machine.frames.isLocked(cached[0])).toBe(false);
    expect(frameAt(machine, task, START)).toBe(0);
  });

  it('FP-81: the file is truncated after the page was checked: nothing is mapped, no reference is left', () => {
    let truncate: (() => void) | null = null;
    const defaultPolicy = definePolicy({
      ...{ name: 'late', about: '', nodes: 'none', fallback: 'any', rebind: 'keep' },
      create: () => ({
        place: (fault) => fault.cpuNode,
        misplaced(fault) {
          truncate?.();
          return fault.cpuNode;
        },
      }),
    });
    const { machine, file, task, vma } = cachedFile({ defaultPolicy });
    truncate = () => file.truncateCount++;
    expect(machine.handleMmFault(task, pageOf(machine, vma, START), false)).toBe(RETRY);
    machine.lru.drainAll();
    const moved = cachedFrame(file, 0);
    expect(machine.frames.nodeOf(moved)).toBe(2); // the move itself is done
    expect(frameRecord(machine, moved)).toMatchObject({ count: 1, mapcount: 0 });
    expect(frameAt(machine, task, START)).toBe(0);
    truncate = null;
    expect(machine.touch(task, START, false)).toBe(moved);
    checkMachine(machine);
  });

  it('FP-82: a write to a private mapping copies the page, so the original is not looked at', () => {
    const { machine, cached, task, file } = cachedFile();
    mapPrivate(machine, task, file, START + 100);
    machine.touch(task, START + 100, true);
    expect(nodeAt(machine, task, START + 100)).toBe(2);
    expect(cachedFrame(file, 0)).toBe(cached[0]);
    expect(countedSince(machine, {}, 'mof_')).toEqual({});
    expect(machine.counters.get('fault_cow')).toBe(1);
  });

  it('FP-82: a read of a private mapping maps the page of the file, and may move it', () => {
    const { machine, task, file } = cachedFile();
    mapPrivate(machine, task, file, START + 100);
    machine.touch(task, START + 100, false);
    expect(machine.frames.nodeOf(cachedFrame(file, 0))).toBe(2);
    expect(frameAt(machine, task, START + 100)).toBe(cachedFrame(file, 0));
  });

  it('FP-84: a page is decided anew each time nobody maps it any more', () => {
    const { machine, task, file } = cachedFile();
    for (const node of [2, 3, 0]) {
      moveTo(machine, task, node);
      machine.touch(task, START, false);
      machine.lru.drainAll();
      expect(machine.frames.nodeOf(cachedFrame(file, 0))).toBe(node);
      unmapLazily(machine, task);
    }
    expect(machine.counters.get('mof_migrate_done')).toBe(3);
    checkMachine(machine);
  });

  it('V10 for files: a page that had to be read is where its policy placed it', () => {
    const machine = tinyMachine();
    const file = machine.files.create('file', 'data', 1);
    const task = processOn(machine, 2);
    const vma = mapShared(machine, task, file, START);
    expect(machine.handleMmFault(task, pageOf(machine, vma, START), false)).toBe(MAJOR);
    expect(nodeAt(machine, task, START)).toBe(2);
    expect(countedSince(machine, {}, 'mof_')).toEqual({ mof_stay_c6_well_placed: 1 });
  });
});

describe('FP-83: the hook for pages of shared objects', () => {
  it('moves a page that nobody maps to the node of the task that touches it', () => {
    const { machine, cached, task, object } = sharedObject();
    machine.touch(task, START, false);
    machine.lru.drainAll();
    expect(nodeAt(machine, task, START)).toBe(2);
    expect(machine.frames.has(cached[0], PG_FREE)).toBe(true);
    expect(cachedFrame(object, 0)).toBe(frameAt(machine, task, START));
    checkMachine(machine);
  });

  it('goes by the policy of the object and interleaves by its offset', () => {
    const { machine, task, vma, object } = sharedObject();
    const policy = machine.policy.newPolicy(task, request(POLICIES.interleave, 0, 2, 3));
    machine.policy.mbind(vma.space, START, 6, policy);
    policy.refs--;
    machine.memory.munmap(vma.space, START, 6, task.cpu);
    machine.memory.mmap(task.space, START, 4, { flags: vma.flags, file: object, filePage: 2 }, task.cpu);
    touchAll(machine, task, START, 4, false);
    expect(nodesOf(machine, task, 4)).toEqual([3, 0, 2, 3]); // offsets 2..5 of {0, 2, 3}; the inode number is a multiple of 3
    checkMachine(machine);
  });

  it('does not look at a page that this fault has made', () => {
    const machine = tinyMachine();
    const object = machine.files.create('shmem', 'shared', 1);
    const task = processOn(machine, 2);
    mapShared(machine, task, object, START);
    machine.touch(task, START, true);
    expect(countedSince(machine, {}, 'mof_')).toEqual({});
  });

  it('tries again while somebody has the page lock', () => {
    const { machine, cached, task, vma } = sharedObject();
    machine.frames.tryLock(cached[0]);
    const before = memorySnapshot(machine);
    expect(machine.handleMmFault(task, pageOf(machine, vma, START), false)).toBe(RETRY);
    expect(memorySnapshot(machine)).toEqual(before);
    machine.frames.unlock(cached[0]);
    machine.touch(task, START, false);
    expect(nodeAt(machine, task, START)).toBe(2);
  });

  it('read and write calls move no page of a file', () => {
    const { machine, file, cached, task } = cachedFile();
    expect(machine.file.access(task, file, 0, false)).toBe(MINOR);
    expect(machine.file.access(task, file, 1, true)).toBe(MINOR);
    expect([cachedFrame(file, 0), cachedFrame(file, 1)]).toEqual(cached.slice(0, 2));
    expect(countedSince(machine, {}, 'mof_')).toEqual({});
  });
});

/** A page on node 1 that a task on node 2 is about to touch, of each kind that has a hook. */
const KINDS: readonly { hook: 'hookSwap' | 'hookFile' | 'hookShmem'; touch: (machine: Machine) => Pfn }[] = [
  {
    hook: 'hookSwap',
    touch(machine) {
      const { task } = processWithPages(machine, 1, START, 1);
      unmapLazily(machine, task);
      moveTo(machine, task, 2);
      return machine.touch(task, START, false);
    },
  },
  {
    hook: 'hookFile',
    touch(machine) {
      const file = machine.files.create('file', 'data', 1);
      cacheOn(machine, 1, file);
      const task = processOn(machine, 2);
      mapShared(machine, task, file, START);
      return machine.touch(task, START, false);
    },
  },
  {
    hook: 'hookShmem',
    touch(machine) {
      const object = machine.files.create('shmem', 'shared', 1);
      shmemOn(machine, 1, object);
      const task = processOn(machine, 2);
      mapShared(machine, task, object, START);
      return machine.touch(task, START, false);
    },
  },
];

describe('FP-84: each hook is a switch of its own', () => {
  it.each(KINDS.flatMap(({ hook, touch }) => KINDS.map((on) => ({ hook, touch, on: on.hook }))))(
    'with $on on, the page of $hook moves only if that is its own',
    ({ hook, touch, on }) => {
      const off = { hookSwap: false, hookFile: false, hookShmem: false };
      const others = { pageCluster: 0, readahead: false, faultAround: false };
      const machine = tinyMachine({ switches: { ...off, ...others, [on]: true } });
      const pfn = touch(machine);
      expect(machine.frames.nodeOf(pfn)).toBe(asNodeId(hook === on ? 2 : 1));
      expect(machine.counters.get('mof_migrate_done')).toBe(hook === on ? 1 : 0);
      machine.lru.drainAll();
      checkMachine(machine);
    },
  );

  it('without hooks nothing of migrate-on-fault is counted', () => {
    for (const { touch } of KINDS) {
      const others = { pageCluster: 0, readahead: false, faultAround: false };
      const machine = tinyMachine({ switches: { hookSwap: false, hookFile: false, hookShmem: false, ...others } });
      expect(machine.frames.nodeOf(touch(machine))).toBe(1);
      const counted = countedSince(machine, {}, 'mof_');
      expect(Object.keys(counted).filter((name) => !/unmapped|task_moves/.test(name))).toEqual([]);
    }
  });

  it('MP-72: the profiles of mainline have no hooks to switch on', () => {
    expect(PROFILES.map(({ name, hooks }) => [name, hooks.length])).toEqual([
      ['mof', 3],
      ['mof-2006', 1],
      ['direct-2005', 0],
      ['swap-2006', 0],
      ['linux-5.15', 0],
      ['linux-6.1', 0],
      ['linux-6.12', 0],
    ]);
  });

  it('a page of a shared object that comes back from swap is placed by policy and not moved', () => {
    const { machine, cached, task, object } = sharedObject(1, { writesAtOnce: true });
    evict(machine, task, cached[0]);
    machine.touch(task, START, false);
    expect(machine.frames.nodeOf(cachedFrame(object, 0))).toBe(2);
    expect(machine.counters.get('mof_migrate_tried')).toBe(0);
    machine.lru.drainAll();
    checkMachine(machine);
  });
});
