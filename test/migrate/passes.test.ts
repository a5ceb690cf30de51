import { describe, expect, it } from 'vitest';
import { checkMachine, TRACER, type Machine } from '../../src/engine/index.js';
import { EIO, ENOMEM, EPERM } from '../../src/errors.js';
import { makeTryToUnmap, moverPasses } from '../../src/migrate/index.js';
import { P } from '../../src/migrate/passes.js';
import type { PassesState } from '../../src/migrate/passes-state.js';
import { PG_DIRTY, PG_PRIVATE, VM_LOCKED, type MigrateOperation, type Task } from '../../src/mm/index.js';
import type { Pfn } from '../../src/units.js';
import { cacheOn, mapShared, processWithPages, shmemOn, startWriteback, type PinMap } from '../support/arrange.js';
import { callOver, finish, isolated, newFrames, oldMachine, passesOf } from '../support/movers.js';
import { frameAt, nodeAt, processOn, touchAll, type TinyOptions } from '../support/tiny-machine.js';

// migrate_pages() of 2.6.16, step by step (section 3). Pages lie on node 0 and are to go to node 1.

const START = 1000;

/** The names of the steps taken, in order. */
function traced(profile: string, options: TinyOptions = {}): { machine: Machine; steps: string[] } {
  const steps: string[] = [];
  const rebind: TinyOptions['rebind'] = (container) => {
    container.unbind(TRACER);
    const ignore = () => undefined;
    const step = (name: string) => void steps.push(name.replace('P-', ''));
    container.bind(TRACER).toConstantValue({ who: ignore, enter: ignore, leave: ignore, step });
  };
  return { machine: oldMachine(profile, { ...options, rebind }), steps };
}

function anonymous(machine: Machine, pages: number): { task: Task; pfns: Pfn[] } {
  const { task } = processWithPages(machine, 0, START, pages);
  const pfns = Array.from({ length: pages }, (_, i) => frameAt(machine, task, START + i));
  pfns.forEach((pfn, i) => machine.contents?.set(pfn, 70 + i));
  return { task, pfns };
}

/** Pages of a file on node 0 that nobody maps, and a task that calls. */
function cached(machine: Machine, migrate: MigrateOperation, pages = 1): { task: Task; pfns: Pfn[] } {
  const pfns = cacheOn(machine, 0, machine.files.create('file', 'f', pages, { migrate }));
  return { task: processOn(machine, 0), pfns };
}

/** Pages of a file on node 0, mapped by a task that has only read them. */
function mapped(machine: Machine, migrate: MigrateOperation): { task: Task; pfns: Pfn[] } {
  const task = processOn(machine, 0);
  const vma = mapShared(machine, task, machine.files.create('file', 'f', 1, { migrate }), START);
  touchAll(machine, task, START, vma.pages, false);
  machine.lru.drainAll();
  return { task, pfns: [frameAt(machine, task, START)] };
}

function begin(machine: Machine, task: Task, pfns: readonly Pfn[], news: number | null = pfns.length): PassesState {
  return callOver(isolated(machine, pfns), news === null ? null : newFrames(machine, 1, news), task);
}

const fates = (s: PassesState) => [...s.records.values()].map(({ fate, retries, errno }) => ({ fate, retries, errno }));
const MOVED = { fate: 'moved', retries: 0, errno: 0 };

function end(machine: Machine, s: PassesState, pins: PinMap = new Map()): void {
  finish(machine, s);
  checkMachine(machine, pins);
}

describe('P1..P13', () => {
  it('P1: a page that everybody else has freed takes no new page', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 1);
    const s = begin(machine, task, pfns);
    machine.process.exit(task);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ fate: 'freed', retries: 0, errno: 0 }]);
    expect([s.moved, s.to?.length, s.result]).toEqual([pfns, 1, 0]);
    end(machine, s);
  });

  it('P2: the pass is over when the new pages are', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 3);
    const s = begin(machine, task, pfns, 2);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([MOVED, MOVED, { fate: 'left', retries: 0, errno: 0 }]);
    expect([s.from, s.result]).toEqual([[pfns[2]], 0]);
    end(machine, s);
    expect([0, 1, 2].map((i) => nodeAt(machine, task, START + i))).toEqual([1, 1, 0]);
  });

  it('P3, DM-11: a locked page is left alone in passes 0, 1 and 2, and slept for in the next', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 1);
    const s = begin(machine, task, pfns);
    const passes = passesOf(machine);
    machine.frames.tryLock(pfns[0]);
    let at: number = P.NEXT;
    for (let next = passes.step(s, at); next > 0; next = passes.step(s, at)) at = next;
    expect([at, s.pass, s.record.retries]).toEqual([P.P3, 3, 3]);
    expect(passes.step(s, at)).toBe(-1);
    machine.frames.unlock(pfns[0]);
    while (at > 0) at = passes.step(s, at);
    expect(fates(s)).toEqual([{ ...MOVED, retries: 3 }]);
    end(machine, s);
  });

  it('P3: a sleeper that nobody wakes hangs, and the call says so', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 1);
    const s = begin(machine, task, pfns);
    machine.frames.tryLock(pfns[0]);
    passesOf(machine).run(s);
    expect([s.ending, s.pass]).toEqual(['hung', 3]);
    machine.frames.unlock(pfns[0]);
    end(machine, s);
  });

  it('P4: under writeback the first pass puts it off, the next waits', () => {
    const { machine, steps } = traced('mof-2006', { writesAtOnce: false });
    const { task, pfns } = cached(machine, 'simple');
    machine.frames.set(pfns[0], PG_DIRTY);
    startWriteback(machine, pfns[0]);
    const s = begin(machine, task, pfns);
    steps.length = 0; // how the page came into the cache
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ ...MOVED, retries: 1 }]);
    expect(steps.join(' ')).toMatch(
      /^NEXT P1 P2 P3 P4 NEXT NEXT P1 P2 P3 P4 P4 P5 P6 P7 P8 P9 R1 R2 R3 C1 C2 C3 C4 NEXT$/,
    );
    end(machine, s);
  });

  it('P5: an anonymous page needs a slot, which it gives back when it has moved', () => {
    const machine = oldMachine('mof-2006', { swapPages: 1 });
    const { task, pfns } = anonymous(machine, 3);
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect([fates(s), s.slots, machine.swap.free]).toEqual([[MOVED, MOVED, MOVED], 3, 1]);
    end(machine, s);
  });

  it('P5: without a slot it fails for good with ENOMEM', () => {
    const machine = oldMachine('mof-2006', { swapPages: 0 });
    const { task, pfns } = anonymous(machine, 1);
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ fate: 'failed', retries: 0, errno: ENOMEM }]);
    expect([s.failed, s.result, s.pass]).toEqual([pfns, 1, 0]);
    end(machine, s);
  });

  it('P6: without new pages it goes out to swap', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 1);
    const s = begin(machine, task, pfns, null);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ fate: 'swapped', retries: 1, errno: 0 }]); // one pass to write, one to free
    expect(machine.swap.users(machine.tables.word[machine.tables.walk(task.space.root, START)] as never)).toBe(1);
    end(machine, s);
    expect(machine.contents?.get(machine.touch(task, START, false))).toBe(70);
  });

  it('P7, DM-18: the last new page goes first, and is tried again by the next old page if it was not used', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 3);
    const s = begin(machine, task, pfns);
    const [first, second, third] = [...(s.to ?? [])];
    machine.frames.get(pfns[0]); // somebody's reference: this one never moves
    passesOf(machine).run(s);
    const to = [...s.records.values()].map((record) => record.to);
    expect(to).toEqual([0, third, second]);
    expect(s.to).toEqual([first]);
    end(machine, s, new Map([[pfns[0], 1]]));
  });

  it('P8: truncated meanwhile and still held by somebody: put off until the passes end', () => {
    const { machine, steps } = traced('mof-2006');
    const { task, pfns } = cached(machine, 'simple');
    const s = begin(machine, task, pfns);
    machine.pageCache.remove(pfns[0]); // the cache's reference is the test's now
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ fate: 'left', retries: 11, errno: 0 }]);
    expect(steps.filter((name) => name === 'P8')).toHaveLength(11);
    expect(steps).not.toContain('P9');
    end(machine, s, new Map([[pfns[0], 1]]));
  });

  it.each([
    ['simple', 'R1', MOVED],
    ['buffers', 'R1', MOVED],
    ['fail', 'NEXT', { fate: 'failed', retries: 0, errno: EIO }],
    ['none', 'P11', MOVED],
  ] as const)('P9: a mapping whose operation is %s goes on with %s', (operation, then, fate) => {
    const { machine, steps } = traced('mof-2006');
    const { task, pfns } = cached(machine, operation);
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([fate]);
    expect(steps[steps.indexOf('P9') + 1]).toBe(then);
    end(machine, s);
  });

  it.each([
    // operation, with buffers: what it comes to. PL-70: buffers go along; the plain way does not expect their reference.
    ['buffers', true, MOVED],
    ['simple', true, { fate: 'left', retries: 11, errno: 0 }],
    ['none', true, MOVED],
  ] as const)('P9, P12, PL-70: %s, with buffers %s', (operation, hasBuffers, fate) => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = cached(machine, operation);
    if (hasBuffers) {
      machine.frames.set(pfns[0], PG_PRIVATE);
      machine.frames.get(pfns[0]);
    }
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([fate]);
    const [{ to }] = s.records.values();
    if (operation !== 'simple') expect(machine.frames.has(to, PG_PRIVATE)).toBe(operation === 'buffers');
    end(machine, s);
  });

  const DIRTY_IN_ENTRY = [
    // the file system is never asked, and its disk does not have what was written.
    { mover: 'passes', asked: false },
    { mover: 'passes-2.6.17', asked: true },
  ] as const;
  it.each(DIRTY_IN_ENTRY)(
    'P10, R-13: only the entry knows that the page is dirty; mover=$mover',
    ({ mover, asked }) => {
      const { machine, steps } = traced('mof-2006', { rules: { mover } });
      const task = processOn(machine, 0);
      const file = machine.files.create('file', 'f', 1, { migrate: 'none' });
      mapShared(machine, task, file, START);
      touchAll(machine, task, START, 1, true);
      machine.lru.drainAll();
      const pfn = frameAt(machine, task, START);
      machine.contents?.set(pfn, 7);
      expect(machine.frames.isDirty(pfn)).toBe(false);
      const s = begin(machine, task, [pfn]);
      passesOf(machine).run(s);
      expect(steps.includes('P10')).toBe(asked);
      expect(file.disk.get(0) === 7).toBe(asked);
      const [{ to, fate }] = s.records.values();
      expect(fate).toBe('moved');
      expect(machine.frames.isDirty(to)).toBe(!asked); // dirt is conserved either way
      expect(machine.contents?.get(to)).toBe(7);
      end(machine, s);
    },
  );

  it('P10: a locked area is EPERM, at once', () => {
    const machine = oldMachine('mof-2006', { rules: { mover: 'passes-2.6.17' } });
    const { task, pfns } = mapped(machine, 'none');
    [...task.space.vmas][0].flags |= VM_LOCKED;
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ fate: 'failed', retries: 0, errno: EPERM }]);
    [...task.space.vmas][0].flags &= ~VM_LOCKED;
    end(machine, s);
  });

  it('P11, DM-17: a mapped dirty page is kept by pageout in every pass', () => {
    const { machine, steps } = traced('mof-2006');
    const { task, pfns } = mapped(machine, 'none');
    machine.frames.set(pfns[0], PG_DIRTY);
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ fate: 'left', retries: 11, errno: 0 }]);
    expect(steps.filter((name) => name === 'P11')).toHaveLength(11);
    expect(steps).not.toContain('P12');
    end(machine, s);
  });

  it('P11: a dirty page that nobody maps is written in one pass and moves in the next', () => {
    const machine = oldMachine('mof-2006', { writesAtOnce: false });
    const { task, pfns } = cached(machine, 'none');
    machine.frames.set(pfns[0], PG_DIRTY);
    machine.contents?.set(pfns[0], 9);
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ ...MOVED, retries: 1 }]);
    expect(machine.files.all()[0].disk.get(0)).toBe(9);
    end(machine, s);
  });

  it('P11: tmpfs without a swap slot wants its page back in every pass', () => {
    const machine = oldMachine('mof-2006', { swapPages: 0 });
    const pfns = shmemOn(machine, 0, machine.files.create('shmem', 's', 1));
    machine.frames.set(pfns[0], PG_DIRTY);
    const s = begin(machine, processOn(machine, 0), pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([{ fate: 'left', retries: 11, errno: 0 }]);
    end(machine, s);
  });

  it.each([
    // Asked in each pass by P12, and by W3 when swap_page() has it: the file system lets go at the nth question.
    { busyFor: 5, fate: { ...MOVED, retries: 5 }, fallbacks: 0 },
    { busyFor: 6, fate: { fate: 'swapped', retries: 5, errno: 0 }, fallbacks: 1 },
    { busyFor: 7, fate: { ...MOVED, retries: 6 }, fallbacks: 1 },
    { busyFor: 99, fate: { fate: 'left', retries: 11, errno: 0 }, fallbacks: 6 },
  ])('P12, P13: buffers that stay for $busyFor questions; after pass 4 the page is written out', (row) => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = cached(machine, 'none');
    machine.frames.set(pfns[0], PG_PRIVATE);
    machine.frames.get(pfns[0]);
    let asked = 0;
    const mover = moverPasses.make({
      ...machine,
      tryToUnmap: makeTryToUnmap(machine),
      buffersBusy: () => ++asked <= row.busyFor,
    });
    const s = begin(machine, task, pfns);
    mover.passes?.run(s);
    expect([fates(s), s.fallbacks]).toEqual([[row.fate], row.fallbacks]);
    end(machine, s);
  });
});

describe('what a call comes to', () => {
  it('DM-10, DM-12: passes 0 to 10, and a result of what failed and what is still to be tried', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 3);
    const [, locked] = task.space.vmas;
    expect(locked).toBeUndefined();
    machine.spaces.isolateRange(task.space, START + 2, 1)[0].flags |= VM_LOCKED;
    machine.frames.get(pfns[1]);
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(fates(s)).toEqual([
      MOVED,
      { fate: 'left', retries: 11, errno: 0 },
      { fate: 'failed', retries: 0, errno: EPERM },
    ]);
    expect([s.pass, s.result]).toEqual([10, 2]);
    end(machine, s, new Map([[pfns[1], 1]]));
  });

  it('DM-13: only the isolation holds an old page that has moved', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 2);
    const s = begin(machine, task, pfns);
    passesOf(machine).run(s);
    expect(s.moved).toEqual(pfns);
    expect(pfns.map((pfn) => [machine.frames.count(pfn), machine.frames.flags(pfn) & PG_DIRTY])).toEqual([
      [1, 0],
      [1, 0],
    ]);
    const before = machine.zones.free(0 as never);
    end(machine, s);
    expect(machine.zones.free(0 as never)).toBe(before + 2);
  });

  it('the record of a call tells each page, the passes, the slots and the fallbacks (section 11)', () => {
    const machine = oldMachine('mof-2006');
    const { task, pfns } = anonymous(machine, 3);
    machine.frames.get(pfns[1]);
    const result = machine.mover.migratePages(isolated(machine, pfns), () => newFrames(machine, 1, 1)[0], task.cpu);
    machine.lru.drainAll();
    expect(result).toMatchObject({
      failed: 1,
      noMemory: false,
      record: { result: 1, passes: 11, slots: 3, fallbacks: 0, ending: 'returned' },
    });
    expect(machine.counters.snapshot()).toMatchObject({ pgmigrate_success: 2, pgmigrate_fail: 1 });
    checkMachine(machine, new Map([[pfns[1], 1]]));
  });
});
