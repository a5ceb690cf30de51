import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { MINOR, S2, S6, SIGBUS } from '../../src/fault/index.js';
import { HOOK, S3, S4, S5 } from '../../src/fault/swap.js';
import { PG_SWAPCACHE, PG_UPTODATE, type Task } from '../../src/mm/index.js';
import type { Pfn, SwapSlot } from '../../src/units.js';
import {
  evict,
  fillNode,
  mapShared,
  moveTo,
  pageOf,
  processWithPages,
  shmemOn,
  stepTo,
  swapFaultState,
  unmapEverywhere,
} from '../support/arrange.js';
import { countedSince, frameRecord, memorySnapshot } from '../support/snapshot.js';
import {
  cpuOf,
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  setPolicy,
  tinyMachine,
  type TinyOptions,
  touchAll,
  unmapLazily,
} from '../support/tiny-machine.js';

// Migrate-on-fault in the swap fault, and what the other users of the page see of it.

const START = 1000;

/** A page on node 1, unmapped lazily; the thread that had it is on node 2 now. */
function lazyPage(options: TinyOptions = {}) {
  const machine = tinyMachine(options);
  const { task, vma } = processWithPages(machine, 1, START, 1);
  const pfn = frameAt(machine, task, START);
  machine.contents?.set(pfn, 42);
  unmapLazily(machine, task);
  moveTo(machine, task, 2);
  return { machine, task, vma, pfn, slot: machine.frames.private_(pfn) as SwapSlot };
}

/** A page on node 1 of a process and its child, unmapped from both; the process is on node 2 now. */
function sharedLazyPage(options: TinyOptions = {}): {
  machine: Machine;
  task: Task;
  child: Task;
  pfn: Pfn;
  slot: SwapSlot;
} {
  const machine = tinyMachine(options);
  const { task } = processWithPages(machine, 1, START, 1);
  const child = machine.process.fork(task, cpuOf(machine, 3));
  const pfn = frameAt(machine, task, START);
  unmapEverywhere(machine, task, pfn);
  moveTo(machine, task, 2);
  return { machine, task, child, pfn, slot: machine.frames.private_(pfn) as SwapSlot };
}

describe('backing out', () => {
  it('FP-1: the entry was served by a sibling: the fault lets go of the page and changes nothing else', () => {
    const { machine, task, vma } = lazyPage();
    const sibling = machine.process.newThread(task, cpuOf(machine, 3));
    const f = swapFaultState(machine, task, vma, START, false);
    machine.touch(sibling, START, false);
    const before = memorySnapshot(machine);
    stepTo(machine, f);
    expect(f.outcome).toBe(MINOR);
    expect(memorySnapshot(machine)).toEqual(before);
    expect(nodeAt(machine, task, START)).toBe(3);
  });

  it('R-11: the area is unmapped after the move: the moved page goes back to where nobody needs it', () => {
    const { machine, task, vma, slot } = lazyPage();
    const f = swapFaultState(machine, task, vma, START, false);
    stepTo(machine, f, S6);
    expect(machine.counters.get('mof_migrate_done')).toBe(1);
    machine.memory.discard(vma.space, START, 1, task.cpu);
    stepTo(machine, f);
    machine.lru.drainAll();
    expect(f.outcome).toBe(MINOR);
    expect(machine.swap.users(slot)).toBe(1); // it was locked when its entry went: only the cache knows it now
    expect(frameRecord(machine, machine.swap.cached(slot))).toMatchObject({ count: 1, mapcount: 0 });
    checkMachine(machine);
  });

  it('FP-40, PL-30: the page belongs to another slot when its lock comes: S5 goes back to S2', () => {
    const { machine, task, vma, pfn } = lazyPage();
    const f = swapFaultState(machine, task, vma, START, false);
    stepTo(machine, f, S4);
    machine.swap.remove(pfn);
    machine.frames.drop(pfn);
    machine.swap.insert(machine.swap.allocate(), pfn);
    stepTo(machine, f, S5);
    expect(machine.frames.has(pfn, PG_SWAPCACHE)).toBe(true);
    expect(machine.swapFault.step(f, S5)).toBe(S2);
    expect(frameRecord(machine, pfn)).toMatchObject({ count: 1, mapcount: 0 });
    expect(machine.frames.isLocked(pfn)).toBe(false);
  });

  it('S3: a slot that nobody uses any more is not read, and the access is tried again', () => {
    const { machine, task, vma, pfn } = lazyPage();
    const f = swapFaultState(machine, task, vma, START, false);
    machine.memory.discard(vma.space, START, 1, task.cpu);
    expect(machine.swap.users(f.slot)).toBe(0);
    stepTo(machine, f);
    expect(f.outcome).toBe(MINOR);
    expect(machine.counters.get('pswpin')).toBe(0);
    expect(machine.frames.count(pfn)).toBe(0);
    checkMachine(machine);
  });
});

describe('FP-50, FP-51: where the hook sits', () => {
  it('FP-50: in 2006 a move happens with the entry locked, and each counts as a sleep that must not be', () => {
    const { machine, task } = lazyPage({ profile: 'mof-2006' });
    machine.touch(task, START, false);
    expect(machine.counters.get('mof_migrate_done')).toBe(1);
    expect(machine.counters.get('mof_atomic_sleeps')).toBe(1);
  });

  it('FP-50: in 2006 a page that is well placed makes nobody sleep', () => {
    const { machine, task } = lazyPage({ profile: 'mof-2006' });
    moveTo(machine, task, 1);
    machine.touch(task, START, false);
    expect(machine.counters.get('mof_atomic_sleeps')).toBe(0);
  });

  it('FP-50: before the entry is locked nobody sleeps where he must not', () => {
    const { machine, task } = lazyPage();
    machine.touch(task, START, false);
    expect(machine.counters.get('mof_migrate_done')).toBe(1);
    expect(machine.counters.get('mof_atomic_sleeps')).toBe(0);
  });

  it.each(['mof', 'mof-2006'])(
    'FP-51: [%s] a page that is not uptodate is not moved, and ends the fault at S7',
    (profile) => {
      const { machine, task, vma, pfn } = lazyPage({ profile });
      machine.frames.clear(pfn, PG_UPTODATE);
      const before = memorySnapshot(machine);
      expect(machine.handleMmFault(task, pageOf(machine, vma, START), false)).toBe(SIGBUS);
      expect(machine.counters.get('mof_migrate_tried')).toBe(0);
      expect(machine.counters.get('mof_stay_c3_not_uptodate')).toBe(profile === 'mof' ? 1 : 0);
      if (profile === 'mof') expect(memorySnapshot(machine)).toEqual(before);
    },
  );
});

describe('whose pages are moved', () => {
  it('FP-60: a page that was just read has no mappings, so it is checked too', () => {
    const { machine, task, pfn } = lazyPage({ writesAtOnce: true });
    evict(machine, task, pfn);
    const before = machine.counters.snapshot();
    machine.touch(task, START, false);
    expect(nodeAt(machine, task, START)).toBe(2);
    expect(countedSince(machine, before, 'mof_')).toEqual({ mof_anon_faults: 1, mof_stay_c6_well_placed: 1 });
  });

  it('FP-60: read while its node was full, it is tried again at its next fault without mappings', () => {
    const { machine, task, pfn } = lazyPage({ writesAtOnce: true });
    evict(machine, task, pfn);
    const pins = fillNode(machine, 2);
    machine.touch(task, START, false);
    expect(nodeAt(machine, task, START)).toBe(3);
    unmapLazily(machine, task);
    for (const page of pins.keys()) machine.lru.put(page);
    machine.touch(task, START, false);
    expect(nodeAt(machine, task, START)).toBe(2);
    expect(machine.counters.get('mof_migrate_tried')).toBe(2);
  });

  it('FP-61: a page that another process maps is never moved', () => {
    const { machine, task, child, pfn } = sharedLazyPage();
    moveTo(machine, task, 1);
    machine.touch(task, START, false);
    machine.touch(child, START, false);
    expect(frameAt(machine, child, START)).toBe(pfn);
    expect(machine.counters.get('mof_stay_c1_mapped')).toBe(1);
    checkMachine(machine);
  });

  it('FP-61: a page that the task itself maps at another address is not moved either', () => {
    const machine = tinyMachine();
    const object = machine.files.create('shmem', 'shared', 1);
    const [pfn] = shmemOn(machine, 1, object);
    const task = processOn(machine, 1);
    mapShared(machine, task, object, START);
    mapShared(machine, task, object, START + 100);
    machine.touch(task, START, false);
    moveTo(machine, task, 2);
    machine.touch(task, START + 100, false);
    expect(frameAt(machine, task, START + 100)).toBe(pfn);
    expect(machine.counters.get('mof_stay_c1_mapped')).toBe(1);
  });

  it('FP-62: of two tasks with different policies the one that faults first decides', () => {
    const { machine, task, child } = sharedLazyPage();
    setPolicy(machine, task, POLICIES.preferred, 0);
    setPolicy(machine, child, POLICIES.preferred, 3);
    machine.touch(task, START, false);
    machine.touch(child, START, false);
    expect([nodeAt(machine, task, START), nodeAt(machine, child, START)]).toEqual([0, 0]);
    expect(frameAt(machine, child, START)).toBe(frameAt(machine, task, START));
  });
});

describe('what a move leaves alone', () => {
  it("FP-71, FP-72: the slot, its users and the other task's entry stay; the other finds the new page in the cache", () => {
    const { machine, task, child, pfn, slot } = sharedLazyPage();
    const childPage = pageOf(machine, child.space.find(START)!, START);
    const stamp = machine.contents?.get(pfn);
    machine.touch(task, START, false);
    const moved = frameAt(machine, task, START);
    expect(machine.frames.nodeOf(moved)).toBe(2);
    expect(machine.swap.users(slot)).toBe(2); // the cache and the child
    expect([machine.tables.isSwap(childPage), machine.tables.word[childPage]]).toEqual([true, slot]);
    expect(machine.frames.mapcount(moved)).toBe(1);
    machine.touch(child, START, false);
    expect(frameAt(machine, child, START)).toBe(moved);
    expect(machine.contents?.get(moved)).toBe(stamp);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('FP-74: somebody who waits for the page lock holds a reference, so the page is mapped where it is', () => {
    const { machine, task, vma, pfn } = lazyPage();
    const sibling = machine.process.newThread(task, cpuOf(machine, 3));
    const waiting = swapFaultState(machine, sibling, vma, START, false);
    stepTo(machine, waiting, S4);
    machine.touch(task, START, false);
    expect(frameAt(machine, task, START)).toBe(pfn);
    expect(machine.counters.get('mof_fail_m5a_count')).toBe(1);
    stepTo(machine, waiting);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('FP-75: a page fresh from swap has no mapping yet and moves all the same; nor has the new one', () => {
    const switches = { ...{ hookSwap: true, hookFile: true, hookShmem: true }, readahead: false, faultAround: false };
    const machine = tinyMachine({ writesAtOnce: true, switches: { ...switches, pageCluster: 2 } });
    const { task, vma } = processWithPages(machine, 1, START, 3);
    const slots = [0, 1, 2].map((page) => {
      evict(machine, task, frameAt(machine, task, START + page));
      return machine.tables.word[pageOf(machine, vma, START + page)] as SwapSlot;
    });
    machine.touch(task, START, false); // reads its neighbours along
    machine.lru.drainAll();
    const [, pfn] = slots.map((slot) => machine.swap.cached(slot));
    expect(frameRecord(machine, pfn)).toMatchObject({ mapping: 0, mapcount: 0, private: slots[1] });
    moveTo(machine, task, 2);
    machine.frames.get(pfn);
    machine.frames.tryLock(pfn);
    const moved = machine.misplaced.check(task, vma, 1, pfn, false);
    machine.frames.unlock(moved);
    machine.lru.put(moved);
    machine.lru.drainAll();
    expect(machine.frames.nodeOf(moved)).toBe(2);
    expect(frameRecord(machine, moved)).toMatchObject({ mapping: 0, mapcount: 0, count: 1, private: slots[1] });
    checkMachine(machine);
    machine.touch(task, START + 1, false);
    expect(frameAt(machine, task, START + 1)).toBe(moved);
  });
});

describe('FP-76: the five counters of the first measurements', () => {
  it('count thread moves between nodes, pages unmapped, faults on them, migrations tried and done', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 1);
    mapAnon(machine, task, START, 8);
    touchAll(machine, task, START, 8, true);
    unmapLazily(machine, task);
    moveTo(machine, task, 2);
    machine.process.moveTask(task, cpuOf(machine, 2)); // where it is: no move
    const pins = fillNode(machine, 2, 3);
    touchAll(machine, task, START, 5, false);
    for (const pfn of pins.keys()) machine.lru.put(pfn);
    moveTo(machine, task, 1);
    touchAll(machine, task, START + 5, 1, false); // well placed: a fault, and nothing to move
    expect(countedSince(machine, {}, 'mof_')).toEqual({
      ...{ mof_task_moves: 2, mof_pages_unmapped: 8, mof_anon_faults: 6 },
      ...{ mof_migrate_tried: 5, mof_migrate_done: 3 },
      ...{ mof_fail_m2_no_page: 2, mof_stay_c6_well_placed: 1 },
    });
  });

  it('a read by a thread where the page is costs no copy, one elsewhere pays for it', () => {
    const [near, far] = [1, 2].map((node) => {
      const { machine, task } = lazyPage();
      moveTo(machine, task, node);
      const begin = machine.meter.nowNs;
      machine.touch(task, START, false);
      return machine.meter.nowNs - begin;
    });
    const { cost } = tinyMachine();
    expect(far - near).toBeCloseTo(cost.migratePageNs + cost.copyNs(1 as never, 2 as never), 6);
  });
});

describe('the steps of a swap fault', () => {
  it('are S2 S4 S5 hook S6 … on a hit, and S2 S3 S4 … on a miss', () => {
    const { machine, task, vma } = lazyPage();
    expect(machine.swapFault.step(swapFaultState(machine, task, vma, START, false), S2)).toBe(S4);
    const f = swapFaultState(machine, task, vma, START, false);
    stepTo(machine, f, HOOK);
    machine.frames.unlock(f.pfn);
    const second = lazyPage({ writesAtOnce: true });
    evict(second.machine, second.task, second.pfn);
    expect(
      second.machine.swapFault.step(swapFaultState(second.machine, second.task, second.vma, START, false), S2),
    ).toBe(S3);
  });
});
