import { describe, expect, it } from 'vitest';
import { checkMachine, makeCalls } from '../../src/engine/index.js';
import { ENOMEM } from '../../src/errors.js';
import { PG_PRIVATE, VM_READ, VM_SHARED, VM_WRITE } from '../../src/mm/index.js';
import { C } from '../../src/stats/index.js';
import { asNodeId, NO_SLOT } from '../../src/units.js';
import { makeEvict } from '../support/random/evict.js';
import {
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  request,
  tinyMachine,
  touchAll,
  unmapLazily,
} from '../support/tiny-machine.js';

const RW = VM_READ | VM_WRITE;

// What random programs found first, each as the few steps it takes.
describe('random programs found, and it is mended, that', () => {
  it('a read between fork and write let the write through: the TLB took the dirty bit for leave to write (INV-12)', () => {
    const machine = tinyMachine();
    const parent = processOn(machine, 0);
    mapAnon(machine, parent, 10, 1);
    touchAll(machine, parent, 10, 1, true);
    const child = machine.process.fork(parent, parent.cpu);
    touchAll(machine, parent, 10, 1, false);
    const written = machine.touch(parent, 10, true);
    expect(written).not.toBe(frameAt(machine, child, 10));
    checkMachine(machine);
  });

  it('a misplaced page was moved to a node outside the cpuset of the task that touched it (MP-44, INV-18)', () => {
    const machine = tinyMachine({ nodes: 2 });
    const task = processOn(machine, 1);
    machine.policy.cpusetSetMems(task.cpuset, [asNodeId(0)]);
    mapAnon(machine, task, 10, 1);
    touchAll(machine, task, 10, 1, true);
    unmapLazily(machine, task);
    touchAll(machine, task, 10, 1, false);
    expect(nodeAt(machine, task, 10)).toBe(0);
    expect(machine.counters.values[C.mof_fail_m2_no_page]).toBe(1);
    checkMachine(machine);
  });

  it('a fault on a shmem page on its way to swap started over without waiting for the write, for ever (PL-51)', () => {
    const machine = tinyMachine({ writesAtOnce: false });
    const task = processOn(machine, 0);
    const file = machine.files.create('shmem', 'pool', 4);
    machine.memory.mmap(task.space, 10, 4, { flags: RW | VM_SHARED, file }, task.cpu);
    touchAll(machine, task, 10, 1, true);
    const pfn = frameAt(machine, task, 10);
    machine.contents?.set(pfn, 42);
    machine.lru.drainAll();
    expect(makeEvict(machine)(pfn, task.cpu)).toBe('writing');
    const startNs = machine.meter.nowNs;
    expect(machine.contents?.get(machine.touch(task, 10, false))).toBe(42);
    expect(machine.meter.nowNs - startNs).toBeGreaterThan(10_000);
    expect(machine.block.inFlight).toBe(0);
    checkMachine(machine);
  });

  it('a policy of a shmem object without a node that the task may use was obeyed until out of memory (MP-24)', () => {
    const machine = tinyMachine({ nodes: 2 });
    const task = processOn(machine, 0);
    const file = machine.files.create('shmem', 'pool', 4);
    machine.memory.mmap(task.space, 10, 4, { flags: RW | VM_SHARED, file }, task.cpu);
    const policy = machine.policy.newPolicy(task, request(POLICIES.bind, 1));
    machine.policy.mbind(task.space, 10, 4, policy);
    policy.refs--;
    machine.policy.cpusetSetMems(task.cpuset, [asNodeId(0)]);
    touchAll(machine, task, 10, 4, true);
    expect(nodeAt(machine, task, 10)).toBe(0);
    checkMachine(machine);
  });

  it('a copy on write whose allocation took its own source to swap started over for ever', () => {
    const machine = tinyMachine();
    const parent = processOn(machine, 0);
    mapAnon(machine, parent, 10, 1);
    touchAll(machine, parent, 10, 1, true);
    machine.process.fork(parent, parent.cpu);
    machine.lru.drainAll();
    const source = frameAt(machine, parent, 10);
    const evict = makeEvict(machine);
    const takeFromRow = machine.zones.takeFromRow.bind(machine.zones);
    machine.zones.takeFromRow = (...args) => {
      machine.lru.drainAll(); // as a reclaim does that finds nothing else
      evict(source, parent.cpu);
      return takeFromRow(...args);
    };
    expect(machine.touch(parent, 10, true)).toBeGreaterThan(0);
    expect(frameAt(machine, parent, 10)).not.toBe(source);
    checkMachine(machine);
  });

  it('an mbind of a shmem object kept a reference to each policy it cloned for the object (INV-17)', () => {
    const { machine, task, calls } = withObject('shmem');
    expect(calls.policy.mbind(task, 10n * 4096n, 2n * 4096n, 2, [0], 65, 0)).toBe(0);
    checkMachine(machine);
  });

  it('removing pages of a file freed one whose write was in flight (INV-9)', () => {
    const { machine, task, calls } = withObject('file');
    touchAll(machine, task, 10, 1, true);
    machine.lru.drainAll();
    const pfn = frameAt(machine, task, 10);
    expect(makeEvict(machine)(pfn, task.cpu)).toBe('writing');
    expect(calls.advice.madvise(task, 10, 4, 'remove')).toBe(0);
    expect(machine.block.inFlight).toBe(0);
    checkMachine(machine);
  });

  it('removing pages of a file did not get rid of one with buffers attached', () => {
    const { machine, task, calls } = withObject('file');
    touchAll(machine, task, 10, 1, true);
    const pfn = frameAt(machine, task, 10);
    machine.frames.set(pfn, PG_PRIVATE);
    machine.frames.get(pfn);
    machine.lru.drainAll();
    expect(calls.advice.madvise(task, 10, 4, 'remove')).toBe(0);
    expect(machine.frames.count(pfn)).toBe(0);
    checkMachine(machine);
  });

  it('removing pages of a file left on the disk what was not in memory (INV-13)', () => {
    const { machine, task, calls, file } = withObject('file');
    file.disk.set(1, 42);
    expect(calls.advice.madvise(task, 10, 4, 'remove')).toBe(0);
    expect(machine.contents?.get(machine.touch(task, 11, false))).toBe(0);
    checkMachine(machine);
  });

  it('a removed page that somebody still held stayed dirty, and reclaim wrote it to no file at all', () => {
    const { machine, task, calls } = withObject('file');
    touchAll(machine, task, 10, 1, true);
    const pfn = frameAt(machine, task, 10);
    machine.frames.get(pfn);
    expect(calls.advice.madvise(task, 10, 4, 'remove')).toBe(0);
    expect(machine.frames.isDirty(pfn)).toBe(false);
    checkMachine(machine, new Map([[pfn, 1]]));
  });

  it('a page that read-ahead had brought was no hit for the fault that found it', () => {
    const machine = tinyMachine({
      switches: {
        ...{ hookSwap: false, hookFile: false, hookShmem: false, readahead: false, faultAround: false },
        pageCluster: 3,
      },
    });
    const task = processOn(machine, 0);
    mapAnon(machine, task, 10, 4);
    touchAll(machine, task, 10, 4, true);
    machine.lru.drainAll();
    const frames = [10, 11, 12, 13].map((page) => frameAt(machine, task, page));
    const evict = makeEvict(machine);
    for (const pfn of frames) evict(pfn, task.cpu);
    machine.block.completeAll();
    machine.lru.drainAll();
    for (const pfn of frames) expect(evict(pfn, task.cpu)).toBe('freed');
    touchAll(machine, task, 10, 4, false);
    expect(machine.counters.get('swap_ra')).toBe(3);
    expect(machine.counters.get('swap_ra_hit')).toBe(3);
  });

  it('a page given up by MADV_FREE, written again and lazily unmapped was dropped by MADV_PAGEOUT (INV-13)', () => {
    const { machine, task, calls } = givenUp();
    unmapLazily(machine, task);
    expect(machine.contents?.get(machine.touch(task, 10, false))).toBe(43);
    calls.advice.madvise(task, 10, 1, 'pageout');
    machine.block.completeAll();
    expect(machine.contents?.get(machine.touch(task, 10, false))).toBe(43);
    checkMachine(machine);
  });

  it('a child took a page of its parent that MADV_FREE had given up for clean, though it was written again', () => {
    const { machine, task, calls } = givenUp();
    const child = machine.process.fork(task, task.cpu);
    machine.touch(task, 10, true); // the parent's own copy: the page is the child's alone
    calls.advice.madvise(child, 10, 1, 'pageout');
    machine.block.completeAll();
    expect(machine.contents?.get(machine.touch(child, 10, false))).toBe(43);
    checkMachine(machine);
  });

  it('swap that had been turned off handed out slots that had been used before', () => {
    const { machine, task, calls } = givenUp();
    calls.advice.madvise(task, 10, 1, 'pageout');
    machine.block.completeAll();
    expect(calls.swap.swapoff()).toBe(0);
    expect(machine.contents?.get(machine.touch(task, 10, false))).toBe(43);
    expect(machine.swap.allocate()).toBe(NO_SLOT);
    checkMachine(machine);
  });

  it('swapoff went through with pages still out, for which there was no room', () => {
    const machine = tinyMachine({ nodes: 1, framesPerNode: 16, writesAtOnce: true });
    const task = processOn(machine, 0);
    const calls = makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: 1 });
    for (const start of [10, 100]) {
      mapAnon(machine, task, start, 10);
      touchAll(machine, task, start, 10, true);
      machine.lru.drainAll();
      if (start === 10) calls.advice.madvise(task, start, 10, 'pageout');
    }
    expect(calls.swap.swapoff()).toBe(-ENOMEM);
    expect(machine.swap.free).toBeGreaterThan(0);
    checkMachine(machine);
  });
});

/** A process that maps four pages of an object, shared, and its system calls. */
function withObject(kind: 'file' | 'shmem') {
  const machine = tinyMachine({ writesAtOnce: false });
  const task = processOn(machine, 0);
  const file = machine.files.create(kind, 'data', 4);
  machine.memory.mmap(task.space, 10, 4, { flags: RW | VM_SHARED, file }, task.cpu);
  const calls = makeCalls(machine, { modes: new Map([[2, POLICIES.bind]]), cgroup: 1, possibleNodes: 4 });
  return { machine, task, calls, file };
}

/** A page that was given up by MADV_FREE, and then written again: 43. */
function givenUp() {
  const machine = tinyMachine({ writesAtOnce: false });
  const task = processOn(machine, 0);
  const calls = makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: 4 });
  mapAnon(machine, task, 10, 1);
  touchAll(machine, task, 10, 1, true);
  machine.lru.drainAll();
  calls.advice.madvise(task, 10, 1, 'free');
  machine.contents?.set(machine.touch(task, 10, true), 43);
  machine.lru.drainAll();
  return { machine, task, calls };
}
