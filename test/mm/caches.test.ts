import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { PTE_WRITE } from '../../src/hardware/index.js';
import { makeSwapOut } from '../../src/migrate/index.js';
import { migrateOperationOf } from '../../src/migrate/operation.js';
import {
  cachedFrame,
  PG_ACTIVE,
  PG_CHECKED,
  PG_DIRTY,
  PG_ERROR,
  PG_MAPPEDTODISK,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PG_WORKINGSET,
  PG_WRITEBACK,
} from '../../src/mm/index.js';
import { asNodeId, type Pfn, type SwapSlot } from '../../src/units.js';
import {
  cacheOn,
  evict,
  mapShared,
  moveTo,
  pageOf,
  processWithPages,
  shmemOn,
  startWriteback,
  stepTo,
  swapFaultState,
  unmapEverywhere,
} from '../support/arrange.js';
import { S4 } from '../../src/fault/swap.js';
import { frameRecord, memorySnapshot } from '../support/snapshot.js';
import { cpuOf, frameAt, processOn, tinyMachine, type TinyOptions, unmapLazily } from '../support/tiny-machine.js';

// Page cache and swap cache, what a page is while it is in one of them, and how it goes from one to the other:
// PL-1..PL-3, PL-40..PL-42, PL-50..PL-54, PL-60..PL-62, PL-80.

const START = 1000;

function lazyPage(options: TinyOptions = {}) {
  const machine = tinyMachine(options);
  const { task, vma } = processWithPages(machine, 1, START, 1);
  const pfn = frameAt(machine, task, START);
  machine.contents?.set(pfn, 42);
  unmapLazily(machine, task);
  return { machine, task, vma, pfn, slot: machine.frames.private_(pfn) as SwapSlot };
}

function objectPage(options: TinyOptions = {}) {
  const machine = tinyMachine(options);
  const object = machine.files.create('shmem', 'shared', 1);
  const [pfn] = shmemOn(machine, 1, object);
  machine.contents?.set(pfn, 42);
  return { machine, object, pfn };
}

/** Locks the page, sends it to the swap cache, unlocks it. */
function toSwap(machine: Machine, pfn: Pfn): boolean {
  machine.frames.tryLock(pfn);
  const done = makeSwapOut(machine).shmemToSwap(pfn);
  machine.frames.unlock(pfn);
  return done;
}

describe('whose page it is', () => {
  it('PL-1: a page in the swap cache moves the plain way, whatever its mapping says', () => {
    const { machine, pfn } = lazyPage();
    expect(machine.frames.isAnon(pfn)).toBe(true); // the anon_vma stays in its mapping word
    expect(migrateOperationOf(machine.frames, machine.files, pfn)).toBe('simple');
  });

  it('PL-1: an anonymous page outside the swap cache belongs to nobody that could move it', () => {
    const machine = tinyMachine();
    const { task } = processWithPages(machine, 1, START, 1);
    expect(migrateOperationOf(machine.frames, machine.files, frameAt(machine, task, START))).toBe('none');
  });

  it.each(['none', 'simple', 'buffers', 'fail'] as const)('PL-1: a page of a file moves by its file: %s', (migrate) => {
    const machine = tinyMachine();
    const [pfn] = cacheOn(machine, 1, machine.files.create('file', 'data', 1, { migrate }));
    expect(migrateOperationOf(machine.frames, machine.files, pfn)).toBe(migrate);
  });

  it('PL-2: a page of an object that went to the swap cache is found by its slot, and no longer by its index', () => {
    const { machine, object, pfn } = objectPage({});
    expect(toSwap(machine, pfn)).toBe(true);
    const slot = machine.frames.private_(pfn) as SwapSlot;
    expect(machine.swap.cached(slot)).toBe(pfn);
    expect(cachedFrame(object, 0)).toBe(0);
    expect(machine.pageCache.findAndGet(object, 0)).toBe(0);
  });

  it('PL-3: a page that was just read from swap is not anonymous before it is mapped', () => {
    const { machine, task, vma, pfn } = lazyPage({ writesAtOnce: true });
    evict(machine, task, pfn);
    const f = swapFaultState(machine, task, vma, START, false);
    stepTo(machine, f, S4);
    expect([machine.frames.isAnon(f.pfn), machine.frames.isSwapCache(f.pfn)]).toEqual([false, true]);
    stepTo(machine, f);
    expect(machine.frames.isAnon(f.pfn)).toBe(true);
  });
});

describe('the swap cache', () => {
  it('PL-42: a page unmapped lazily has no mapping, the reference of the cache, and a slot with two users', () => {
    const { machine, pfn, slot } = lazyPage();
    expect(frameRecord(machine, pfn)).toMatchObject({ count: 1, mapcount: 0 });
    expect(machine.swap.users(slot)).toBe(2); // the cache and the entry
    expect(machine.frames.isDirty(pfn)).toBe(true);
    checkMachine(machine);
  });

  it.each([
    ['more than half full: the cache lets go of the page at once', 1, false],
    ['half free: the page stays in the cache', 2, true],
  ])('PL-40: swap is %s', (_, swapPages, isCached) => {
    const { machine, task, slot } = lazyPage({ swapPages });
    machine.touch(task, START, false);
    expect(machine.frames.isSwapCache(frameAt(machine, task, START))).toBe(isCached);
    expect(machine.swap.users(slot)).toBe(isCached ? 1 : 0);
    expect(machine.frames.isDirty(frameAt(machine, task, START))).toBe(true);
    checkMachine(machine);
  });

  it.each([
    ['more than half full: the last entry to go takes a mapped page out of the cache', 1, false],
    ['half free: a mapped page stays in the cache when the last entry goes', 2, true],
  ])('PL section 6, swap is %s', (_, swapPages, isCached) => {
    const machine = tinyMachine({ swapPages });
    const { task } = processWithPages(machine, 1, START, 1);
    const child = machine.process.fork(task, task.cpu);
    const pfn = frameAt(machine, task, START);
    unmapEverywhere(machine, task, pfn);
    const slot = machine.frames.private_(pfn) as SwapSlot;
    machine.touch(task, START, false);
    expect([machine.frames.isSwapCache(pfn), machine.swap.users(slot)]).toEqual([true, 2]); // the cache, the child
    machine.memory.munmap(child.space, START, 1, child.cpu);
    expect([machine.frames.isSwapCache(pfn), machine.swap.users(slot)]).toEqual([isCached, isCached ? 1 : 0]);
    expect(machine.frames.isDirty(pfn)).toBe(true);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('PL-40 [2.6.16]: a page that somebody else holds does not leave the cache', () => {
    const { machine, task, pfn } = lazyPage({ swapPages: 1, rules: { swapIn: '2.6.16' } });
    machine.frames.get(pfn);
    machine.touch(task, START, false);
    expect(machine.frames.isSwapCache(pfn)).toBe(true);
    checkMachine(machine, new Map([[pfn, 1]]));
  });

  it('PL-41: nobody else has the page: a write maps it writable; somebody has it in swap: a write copies', () => {
    const alone = lazyPage();
    alone.machine.touch(alone.task, START, true);
    expect(frameAt(alone.machine, alone.task, START)).toBe(alone.pfn);
    expect(alone.machine.counters.get('fault_cow')).toBe(0);

    const machine = tinyMachine();
    const { task } = processWithPages(machine, 1, START, 1);
    machine.process.fork(task, task.cpu);
    const pfn = frameAt(machine, task, START);
    unmapEverywhere(machine, task, pfn);
    machine.touch(task, START, true);
    expect(frameAt(machine, task, START)).not.toBe(pfn);
    expect(machine.counters.get('fault_cow')).toBe(1);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('PL-41: once the other has copied, the last one writes in place', () => {
    const machine = tinyMachine();
    const { task } = processWithPages(machine, 1, START, 1);
    const child = machine.process.fork(task, task.cpu);
    const pfn = frameAt(machine, task, START);
    unmapEverywhere(machine, task, pfn);
    machine.touch(child, START, true);
    machine.touch(task, START, true);
    expect(frameAt(machine, task, START)).toBe(pfn);
    expect(machine.counters.get('fault_cow')).toBe(1);
  });

  it('a discarded entry takes along the slot and the page that only the cache still knows', () => {
    const { machine, task, pfn, slot } = lazyPage();
    machine.memory.discard(task.space, START, 1, task.cpu);
    expect([machine.swap.users(slot), machine.swap.cached(slot)]).toEqual([0, 0]);
    expect(machine.frames.count(pfn)).toBe(0);
    checkMachine(machine);
  });
});

describe('a page of a shared object', () => {
  it('PL-50: goes to the swap cache without being written: two users, no mapping, dirty, its slot in the object', () => {
    const { machine, object, pfn } = objectPage();
    expect(toSwap(machine, pfn)).toBe(true);
    const slot = machine.frames.private_(pfn) as SwapSlot;
    expect(frameRecord(machine, pfn)).toMatchObject({ count: 1, mapcount: 0, mapping: 0, index: 0 });
    expect(machine.frames.isDirty(pfn)).toBe(true);
    expect([machine.swap.users(slot), object.slots.get(0), object.cachedPages]).toEqual([2, -slot, 0]);
    expect(machine.counters.get('pswpout')).toBe(0);
    checkMachine(machine);
  });

  it('PL-50: stays in the page cache if no slot is free', () => {
    const { machine, pfn } = objectPage({ swapPages: 0 });
    const before = memorySnapshot(machine);
    expect(toSwap(machine, pfn)).toBe(false);
    expect(memorySnapshot(machine)).toEqual(before);
  });

  it('PL-51: comes back by a fault: same page, dirty, slot free, contents kept', () => {
    const { machine, object, pfn } = objectPage();
    toSwap(machine, pfn);
    const slot = -object.slots.get(0) as SwapSlot;
    const task = processOn(machine, 1);
    mapShared(machine, task, object, START);
    expect(machine.touch(task, START, false)).toBe(pfn);
    expect([machine.swap.users(slot), object.slots.get(0)]).toEqual([0, pfn]);
    expect(frameRecord(machine, pfn)).toMatchObject({ count: 2, mapcount: 1, mapping: object.id, stamp: 42 });
    expect(machine.frames.has(pfn, PG_DIRTY) && machine.frames.has(pfn, PG_SWAPBACKED)).toBe(true);
    checkMachine(machine);
  });

  it('PL-51: waits for the end of a write before it comes back', () => {
    const { machine, object, pfn } = objectPage();
    toSwap(machine, pfn);
    startWriteback(machine, pfn);
    const task = processOn(machine, 1);
    mapShared(machine, task, object, START);
    const begin = machine.meter.nowNs;
    expect(machine.touch(task, START, false)).toBe(pfn);
    expect(machine.frames.isWriteback(pfn)).toBe(false);
    expect(machine.meter.nowNs - begin).toBeGreaterThanOrEqual(machine.cost.writebackNs);
    checkMachine(machine);
  });

  it('PL-51: comes back from the swap device with what was written there', () => {
    const { machine, object, pfn } = objectPage({ writesAtOnce: true });
    const task = processOn(machine, 3);
    machine.frames.set(pfn, PG_DIRTY);
    evict(machine, task, pfn);
    mapShared(machine, task, object, START);
    const read = machine.touch(task, START, false);
    expect([machine.frames.nodeOf(read), machine.contents?.get(read)]).toEqual([3, 42]);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('PL-53: a page without a mapping word is mapped nowhere', () => {
    const { machine, pfn } = objectPage();
    toSwap(machine, pfn);
    let places = 0;
    machine.forEachMapping(pfn, () => places++);
    expect([places, machine.frames.mapping(pfn), machine.frames.mapcount(pfn)]).toEqual([0, 0, 0]);
  });

  it('PL-52, PL-53: moves while it is in the swap cache, by its slot', () => {
    const { machine, object, pfn } = objectPage();
    toSwap(machine, pfn);
    const task = processOn(machine, 2);
    machine.frames.get(pfn);
    machine.frames.tryLock(pfn);
    const moved = machine.moveMisplaced.migrate(task, pfn, asNodeId(2), machine.defaultPolicy);
    machine.frames.unlock(moved);
    machine.lru.put(moved);
    machine.lru.drainAll();
    expect(machine.frames.nodeOf(moved)).toBe(2);
    expect(machine.swap.cached(-object.slots.get(0) as SwapSlot)).toBe(moved);
    checkMachine(machine);
  });
});

describe('writing and dirt', () => {
  it('PL-60: a page under writeback is not moved', () => {
    const { machine, task, pfn } = lazyPage();
    startWriteback(machine, pfn);
    moveTo(machine, task, 2);
    machine.touch(task, START, false);
    expect(frameAt(machine, task, START)).toBe(pfn);
    expect(machine.counters.get('mof_stay_c2_writeback')).toBe(1);
  });

  it('PL-61: unmapping takes the dirty bit of the entry into the page', () => {
    const machine = tinyMachine();
    const file = machine.files.create('file', 'data', 1);
    const [pfn] = cacheOn(machine, 1, file);
    const task = processOn(machine, 1);
    mapShared(machine, task, file, START);
    machine.touch(task, START, true);
    machine.contents?.set(pfn, 42);
    expect(machine.frames.isDirty(pfn)).toBe(false);
    unmapLazily(machine, task);
    expect(machine.frames.isDirty(pfn)).toBe(true);
    checkMachine(machine);
  });

  it('PL-62, PL-80: a move carries over what is known of the contents, and neither lock, list nor the wish to reclaim', () => {
    const machine = tinyMachine();
    const file = machine.files.create('file', 'data', 1);
    const [pfn] = cacheOn(machine, 1, file);
    machine.lru.activate(pfn);
    const known = PG_DIRTY | PG_REFERENCED | PG_ERROR | PG_CHECKED | PG_MAPPEDTODISK | PG_WORKINGSET;
    machine.frames.set(pfn, known | PG_RECLAIM);
    machine.contents?.set(pfn, 42);
    const task = processOn(machine, 2);
    const vma = mapShared(machine, task, file, START);
    machine.handleMmFault(task, pageOf(machine, vma, START), false);
    const moved = frameAt(machine, task, START);
    expect(machine.frames.flags(moved)).toBe(known | PG_UPTODATE | PG_ACTIVE);
    expect(frameRecord(machine, pfn)).toMatchObject({ flags: 'free', count: 0, mapping: 0, private: 0 });
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it.each([
    [PG_DIRTY, true],
    [0, false],
  ])('PL-62: a clean page stays clean, a dirty one dirty', (flag, isDirty) => {
    const machine = tinyMachine();
    const file = machine.files.create('file', 'data', 1);
    const [pfn] = cacheOn(machine, 1, file);
    machine.frames.set(pfn, flag);
    const task = processOn(machine, 2);
    mapShared(machine, task, file, START);
    expect(machine.frames.isDirty(machine.touch(task, START, false))).toBe(isDirty);
    expect(machine.frames.has(pfn, PG_WRITEBACK)).toBe(false);
  });

  it('a read of a swapped page maps it writable in 6.12, read-only where the rule says so', () => {
    const bits = (['writable', 'read-only'] as const).map((swapIn) => {
      const { machine, task, vma } = lazyPage({ rules: { swapIn } });
      machine.touch(task, START, false);
      const page = pageOf(machine, vma, START);
      const isWritable = (machine.tables.bits[page] & PTE_WRITE) !== 0;
      machine.touch(task, START, true);
      return [isWritable, machine.counters.get('fault_write_in_place')];
    });
    expect(bits).toEqual([
      [true, 0],
      [false, 1],
    ]);
  });

  it('writing a page through one thread is read by a thread of another CPU', () => {
    const { machine, task } = lazyPage();
    const thread = machine.process.newThread(task, cpuOf(machine, 3));
    const pfn = machine.touch(task, START, true);
    machine.contents?.set(pfn, 77);
    expect(machine.contents?.get(machine.touch(thread, START, false))).toBe(77);
  });
});
