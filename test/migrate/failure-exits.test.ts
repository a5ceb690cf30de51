import { afterAll, describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { PG_LOCKED, PG_PRIVATE, PG_UPTODATE, PG_WRITEBACK, VM_READ, VM_SHARED, type Task } from '../../src/mm/index.js';
import { COUNTER_NAMES, type CounterName } from '../../src/stats/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import { recordOf } from '../support/page-record.js';
import {
  cpuOf,
  frameAt,
  mapAnon,
  processOn,
  tinyMachine,
  touchAll,
  unmapLazily,
  type TinyOptions,
} from '../support/tiny-machine.js';

const VPN = 1000;
/** Exits that are no failure of a page to move: they say that it was not looked at, or that it is right where it is. */
const NOT_EXITS: readonly CounterName[] = ['mof_stay_would_copy', 'mof_stay_lock_busy'];
const reached = new Set<CounterName>();

/** A page of process memory on node 0, in the swap cache, that nobody maps; and a thread on node 1. */
function lazyPage(options: TinyOptions = {}): { machine: Machine; task: Task; pfn: Pfn } {
  const machine = tinyMachine({ nodes: 2, framesPerNode: 16, ...options });
  const task = processOn(machine, 0);
  mapAnon(machine, task, VPN, 1);
  touchAll(machine, task, VPN, 1, true);
  const pfn = frameAt(machine, task, VPN);
  machine.contents?.set(pfn, 77);
  unmapLazily(machine, task);
  machine.process.moveTask(task, cpuOf(machine, 1));
  return { machine, task, pfn };
}

/** A page of a file on node 0, cached, mapped by nobody; and a thread on node 1 that maps the file. */
function cachedPage(migrate: 'none' | 'simple' | 'fail', options: TinyOptions = {}) {
  const machine = tinyMachine({ nodes: 2, framesPerNode: 16, ...options });
  const file = machine.files.create('file', 'f', 4, { migrate });
  const task = processOn(machine, 0);
  machine.file.access(task, file, 0, false);
  machine.lru.drainAll();
  machine.process.moveTask(task, cpuOf(machine, 1));
  machine.memory.mmap(task.space, VPN, 4, { flags: VM_READ | VM_SHARED, file }, task.cpu);
  return { machine, task, pfn: file.slots.get(0) as Pfn };
}

/** Asks the check about a page, as a fault of `task` would: locked, with one reference. */
function check({ machine, task, pfn }: { machine: Machine; task: Task; pfn: Pfn }): Pfn {
  machine.frames.get(pfn);
  expect(machine.frames.tryLock(pfn)).toBe(true);
  const vma = machine.frames.isSwapCache(pfn) ? task.space.vmas[0] : null;
  const kept = machine.misplaced.check(task, vma, 0, pfn, false);
  machine.frames.unlock(kept);
  machine.lru.put(kept);
  return kept;
}

/** The page stays, by exactly the exit named, and everything is as it was. */
function expectExit(exit: CounterName, page: { machine: Machine; task: Task; pfn: Pfn }, run = check): void {
  const { machine, pfn } = page;
  const before = recordOf(machine, pfn);
  const counted = machine.counters.get(exit);
  expect(run(page)).toBe(pfn);
  expect(machine.counters.get(exit) - counted, exit).toBe(1);
  expect(recordOf(machine, pfn)).toEqual(before);
  reached.add(exit);
}

describe('a failed check leaves the page as found (FP-70)', () => {
  it('C1: somebody maps the page', () => {
    const page = lazyPage();
    page.machine.touch(page.task, VPN, false);
    const pfn = frameAt(page.machine, page.task, VPN);
    expectExit('mof_stay_c1_mapped', { ...page, pfn });
    checkMachine(page.machine);
  });

  it('C2: the page is under writeback', () => {
    const page = lazyPage();
    page.machine.frames.set(page.pfn, PG_WRITEBACK);
    expectExit('mof_stay_c2_writeback', page);
  });

  it('C3: the contents are not valid', () => {
    const page = lazyPage();
    page.machine.frames.clear(page.pfn, PG_UPTODATE);
    expectExit('mof_stay_c3_not_uptodate', page);
  });

  it('C4: the mapping has no migrate operation; no frame is allocated to find that out', () => {
    const page = cachedPage('none');
    const allocated = page.machine.counters.get('pgalloc_normal');
    expectExit('mof_stay_c4_no_operation', page);
    expect(page.machine.counters.get('pgalloc_normal')).toBe(allocated);
    checkMachine(page.machine);
  });

  it('C5: only marked policies count, and this one is not', () => {
    const page = lazyPage({ rules: { misplacedGate: 'marked-only' } });
    expectExit('mof_stay_c5_no_flag', page);
    checkMachine(page.machine);
  });

  it('C6: the policy wants it where it is', () => {
    const page = lazyPage();
    page.machine.process.moveTask(page.task, cpuOf(page.machine, 0));
    expectExit('mof_stay_c6_well_placed', page);
    checkMachine(page.machine);
  });
});

describe('a failed migration leaves the page as found (FP-70)', () => {
  it('M1: the page is on no list (it waits in a vector)', () => {
    const page = lazyPage();
    page.machine.lru.remove(page.pfn);
    const before = page.machine.frames.flags(page.pfn);
    const count = page.machine.frames.count(page.pfn);
    expect(check(page)).toBe(page.pfn);
    expect(page.machine.counters.get('mof_fail_m1_isolate')).toBe(1);
    expect(page.machine.frames.flags(page.pfn)).toBe(before);
    expect(page.machine.frames.count(page.pfn)).toBe(count);
    reached.add('mof_fail_m1_isolate');
  });

  it('M2: the target node is full', () => {
    const page = lazyPage();
    while (page.machine.zones.free(asNodeId(1)) > 0) page.machine.zones.take(asNodeId(1));
    expectExit('mof_fail_m2_no_page', page);
  });

  it('M4: a memory controller refuses', () => {
    const page = lazyPage({ refuseMove: () => true });
    expectExit('mof_fail_m4_refused', page);
    checkMachine(page.machine);
  });

  it('M5: no migrate operation, found out late (C4 off): the new page is freed', () => {
    const page = cachedPage('none', { rules: { operationTest: 'late' } });
    expectExit('mof_fail_m5_no_operation', page);
    checkMachine(page.machine);
  });

  it('M5: an operation that always fails', () => {
    expectExit('mof_fail_m5_no_operation', cachedPage('fail'));
  });

  it('M5 [MoF-0.2]: the new page is leaked, locked and unreferenced by anyone, and that is counted', () => {
    const page = cachedPage('none', { rules: { operationTest: 'late-leaking' } });
    const free = page.machine.zones.free(asNodeId(1));
    expect(check(page)).toBe(page.pfn);
    expect(page.machine.zones.free(asNodeId(1))).toBe(free - 1);
    expect(page.machine.counters.get('mof_leaked_pages')).toBe(1);
    expect(() => checkMachine(page.machine)).toThrow('INV-3: page is locked');
  });

  /** M4 is the last moment before the three conditions are tested: there somebody else comes in. */
  function tamperedWith(tamper: (machine: Machine, pfn: Pfn) => void, mend: (machine: Machine, pfn: Pfn) => void) {
    const holder: { page?: ReturnType<typeof cachedPage> } = {};
    const page = cachedPage('simple', {
      refuseMove: (pfn) => {
        if (holder.page !== undefined) tamper(holder.page.machine, pfn);
        return false;
      },
    });
    holder.page = page;
    return {
      page,
      run: (of: typeof page) => {
        const kept = check(of);
        mend(of.machine, of.pfn);
        return kept;
      },
    };
  }

  it('M5a: the mapping is gone (truncated meanwhile)', () => {
    let [mapping, index] = [0, 0];
    const { page, run } = tamperedWith(
      ({ frames }, pfn) => {
        [mapping, index] = [frames.mapping(pfn), frames.index(pfn)];
        frames.setMapping(pfn, 0, 0);
      },
      ({ frames }, pfn) => {
        frames.setMapping(pfn, mapping, index);
      },
    );
    expectExit('mof_fail_m5a_mapping', page, run);
    checkMachine(page.machine);
  });

  it('M5a: somebody else holds a reference (FP-74)', () => {
    const { page, run } = tamperedWith(
      ({ frames }, pfn) => {
        frames.get(pfn);
      },
      ({ lru }, pfn) => {
        lru.put(pfn);
      },
    );
    expectExit('mof_fail_m5a_count', page, run);
    checkMachine(page.machine);
  });

  it('M5a: the slot shows another page', () => {
    const { page, run } = tamperedWith(
      ({ files, frames }, pfn) => {
        files.get(frames.mapping(pfn)).slots.set(0, pfn + 1);
      },
      ({ files, frames }, pfn) => {
        files.get(frames.mapping(pfn)).slots.set(0, pfn);
      },
    );
    expectExit('mof_fail_m5a_slot', page, run);
    checkMachine(page.machine);
  });

  it('buffers are one more expected reference, and go along (M5a, M5c)', () => {
    const { machine, task, pfn } = cachedPage('simple');
    machine.frames.set(pfn, PG_PRIVATE);
    machine.frames.get(pfn);
    const moved = check({ machine, task, pfn });
    expect(machine.frames.nodeOf(moved)).toBe(1);
    expect(machine.frames.has(moved, PG_PRIVATE)).toBe(true);
    expect(machine.frames.has(moved, PG_LOCKED)).toBe(false);
    machine.lru.drainAll();
    checkMachine(machine);
  });
});

afterAll(() => {
  const exits = COUNTER_NAMES.filter((name) => /^mof_(stay|fail)_/.test(name) && !NOT_EXITS.includes(name));
  expect([...reached].sort(), 'every failure exit is reached by a test above').toEqual([...exits].sort());
});
