import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { FaultState, S2 } from '../../src/fault/index.js';
import { EntryState, I1, makeIsolateEntry } from '../../src/migrate/isolate-entry.js';
import { P } from '../../src/migrate/passes.js';
import type { PassesState } from '../../src/migrate/passes-state.js';
import { cachedFrame, PG_DIRTY, PG_UPTODATE, VM_LOCKED } from '../../src/mm/index.js';
import type { Pfn, SwapSlot } from '../../src/units.js';
import { cacheOn, mapShared, pageOf, processWithPages, shmemOn } from '../support/arrange.js';
import { callOver, finish, isolated, newFrames, oldMachine, passesOf } from '../support/movers.js';
import { everySchedule, type Actor } from '../support/schedules.js';
import { frameAt, mapAnon, processOn, touchAll } from '../support/tiny-machine.js';

// Two actors, every order of their steps: the broken rule goes wrong in one of them at least, the mended one in none.

const START = 1000;

/** A migrate_pages() call as an actor; with `cuts`, the others come in only before these steps. */
function migrator(machine: Machine, s: PassesState, cuts: readonly number[] | null = null): Actor {
  const passes = passesOf(machine);
  return {
    step() {
      for (let taken = 0; ; taken++) {
        const next = passes.step(s, s.next);
        if (next < 0) return taken === 0 ? 'waits' : 'went';
        s.next = next;
        if (next === 0) return 'ended';
        if (cuts === null || cuts.includes(next)) return 'went';
      }
    },
  };
}

/** An actor that does one thing after the other; one that answers false waits. */
function inTurn(...acts: readonly (() => unknown)[]): Actor {
  let at = 0;
  return {
    step() {
      if (acts[at]() === false) return 'waits';
      return ++at === acts.length ? 'ended' : 'went';
    },
  };
}

const fateOf = (s: PassesState) => [...s.records.values()][0].fate;

describe('R-01: isolation, and somebody who unmaps the page meanwhile', () => {
  /** @returns by schedule, whose page was isolated */
  function play(isolation: 'under-ptl' | 'drops-ptl'): Map<string, string> {
    const outcomes = new Map<string, string>();
    everySchedule(() => {
      const machine = oldMachine('mof-2006', { rules: { isolation } });
      const { task, vma } = processWithPages(machine, 0, START, 1);
      const other = processOn(machine, 0);
      const theirs = mapAnon(machine, other, START, 1);
      pageOf(machine, theirs, START);
      const list: Pfn[] = [];
      const selection = makeIsolateEntry(machine.tables, machine.lru, machine.rules.isolation);
      const entry = new EntryState(pageOf(machine, vma, START), list);
      expect(entry.next).toBe(I1);
      const mover: Actor = {
        step() {
          entry.next = selection.step(entry, entry.next);
          return entry.next === 0 ? 'ended' : 'went';
        },
      };
      let isTheirs = false;
      const unmapper = inTurn(
        () => machine.memory.munmap(task.space, START, 1, task.cpu),
        () => {
          touchAll(machine, other, START, 1, true);
          machine.lru.drainAll();
          return undefined;
        },
      );
      return {
        actors: [mover, unmapper],
        end(schedule) {
          isTheirs = list.includes(frameAt(machine, other, START));
          outcomes.set(schedule, list.length === 0 ? 'none' : isTheirs ? 'a stranger' : 'its own');
          for (const pfn of list) machine.lru.putback(task.cpu, pfn);
          checkMachine(machine);
        },
      };
    });
    return outcomes;
  }

  it('drops-ptl isolates the page of a stranger in one order', () => {
    const outcomes = play('drops-ptl');
    expect(Object.fromEntries(outcomes)).toEqual({
      AABB: 'its own',
      ABAB: 'none',
      ABBA: 'a stranger',
      BAB: 'none',
      BBA: 'none',
    });
  });

  it('under-ptl only ever isolates the page that the entry named', () => {
    expect(Object.fromEntries(play('under-ptl'))).toEqual({ ABB: 'its own', BAB: 'none', BBA: 'none' });
  });
});

describe('R-03: the count is checked, then a reader finds the old page', () => {
  /** @returns fates of the page, and how often the reader held a page that was in no cache any more */
  function play(profile: string): { schedules: number; dead: number; fates: Set<string> } {
    let dead = 0;
    const fates = new Set<string>();
    const schedules = everySchedule(() => {
      const machine = oldMachine(profile, { nodes: 2, framesPerNode: 8 });
      const file = machine.files.create('file', 'f', 1);
      const pfns = cacheOn(machine, 0, file);
      const task = processOn(machine, 0);
      const s = callOver(isolated(machine, pfns), newFrames(machine, 1, 1), task);
      let found = 0 as Pfn;
      const reader = inTurn(
        () => {
          found = machine.pageCache.findAndGet(file, 0);
          return undefined;
        },
        () => {
          if (!machine.frames.has(found, PG_UPTODATE)) return false; // a new page, not complete yet
          if (machine.frames.mapping(found) === 0) dead++;
          machine.lru.put(found);
          return undefined;
        },
      );
      return {
        actors: [migrator(machine, s, [P.R1, P.R3, P.C2]), reader],
        end() {
          fates.add(fateOf(s));
          finish(machine, s);
          checkMachine(machine);
        },
      };
    });
    return { schedules: schedules.length, dead, fates };
  }

  it('V1 leaves the reader with a dead page', () => {
    expect(play('direct-2005').dead).toBeGreaterThan(0);
  });

  it('the second check under the lock does not', () => {
    const { schedules, dead, fates } = play('mof-2006');
    expect(schedules).toBeGreaterThan(10);
    expect(dead).toBe(0);
    expect(fates).toEqual(new Set(['moved', 'left'])); // left: the reader held on to it through all passes
  });
});

describe('R-05: the range is locked after the selection', () => {
  function play(profile: string, fates: Set<string>): void {
    everySchedule(() => {
      const machine = oldMachine(profile, { nodes: 2, framesPerNode: 8 });
      const task = processOn(machine, 0);
      const vma = mapShared(machine, task, machine.files.create('file', 'f', 1), START);
      touchAll(machine, task, START, 1, false);
      machine.lru.drainAll();
      const s = callOver(isolated(machine, [frameAt(machine, task, START)]), newFrames(machine, 1, 1), task);
      const locker = inTurn(() => void (vma.flags |= VM_LOCKED));
      return {
        actors: [migrator(machine, s), locker],
        end() {
          fates.add(fateOf(s));
          vma.flags &= ~VM_LOCKED;
          finish(machine, s);
          checkMachine(machine);
        },
      };
    });
  }

  it('V1 has replaced the slot and must unmap: it never ends, with both pages locked', () => {
    expect(() => {
      play('direct-2005', new Set());
    }).toThrow('all actors wait');
  });

  it('V1 alone: the call says that it hangs', () => {
    const machine = oldMachine('direct-2005');
    const task = processOn(machine, 0);
    const vma = mapShared(machine, task, machine.files.create('file', 'f', 1), START);
    touchAll(machine, task, START, 1, false);
    const pages = isolated(machine, [frameAt(machine, task, START)]);
    vma.flags |= VM_LOCKED;
    const [fresh] = newFrames(machine, 1, 1);
    const result = machine.mover.migratePages(pages, () => fresh, task.cpu);
    expect(result).toMatchObject({ failed: 1, neverReturns: true, record: { ending: 'hung' } });
    expect([pages[0], fresh].map((pfn) => machine.frames.isLocked(pfn))).toEqual([true, true]);
  });

  it('unmapping first ends with EPERM, or has moved before', () => {
    const fates = new Set<string>();
    play('mof-2006', fates);
    expect(fates).toEqual(new Set(['moved', 'failed']));
  });
});

describe('R-06, PL-52: a tmpfs page that goes into the swap cache between two passes', () => {
  function play(pageMapping: 'page_mapping' | 'raw', isDirty: boolean): Set<string> {
    const outcomes = new Set<string>();
    everySchedule(() => {
      const machine = oldMachine('mof-2006', { nodes: 2, framesPerNode: 8, rules: { pageMapping } });
      const { frames, swap } = machine;
      const object = machine.files.create('shmem', 's', 1);
      const [old] = shmemOn(machine, 0, object);
      const stamp = isDirty ? 77 : 0;
      machine.contents?.set(old, stamp);
      if (isDirty) frames.set(old, PG_DIRTY);
      const task = processOn(machine, 0);
      const s = callOver(isolated(machine, [old]), newFrames(machine, 1, 1), task);
      /** shmem_writepage() of somebody else: reclaim, or sync. */
      const writer = inTurn(
        () => frames.tryLock(old),
        () => {
          if (frames.mapping(old) > 0 && frames.count(old) === 2) {
            frames.set(old, PG_DIRTY);
            machine.swapOut.shmemToSwap(old);
          }
          frames.unlock(old);
          return undefined;
        },
      );
      return {
        actors: [migrator(machine, s, [P.P3, P.C2]), writer],
        end() {
          const where = object.slots.get(0) < 0 ? 'swap cache' : 'page cache';
          outcomes.add(`${fateOf(s)}, ${where}`);
          const shown =
            object.slots.get(0) < 0 ? swap.cached(-object.slots.get(0) as SwapSlot) : cachedFrame(object, 0);
          expect(machine.contents?.get(shown)).toBe(stamp); // INV-13
          expect(frames.nodeOf(shown)).toBe(fateOf(s) === 'moved' ? 1 : 0);
          finish(machine, s);
          checkMachine(machine); // INV-4, INV-7
        },
      };
    });
    return outcomes;
  }

  it('raw: once it is there, its mapping is null and it is never moved', () => {
    expect(play('raw', false)).toEqual(new Set(['moved, page cache', 'left, swap cache']));
  });

  it('raw: a dirty page gets there by the migration itself, in every order', () => {
    expect(play('raw', true)).toEqual(new Set(['left, swap cache']));
  });

  it('page_mapping: it moves in every order, and the swap entry with it', () => {
    expect(play('page_mapping', false)).toEqual(new Set(['moved, page cache', 'moved, swap cache']));
    expect(play('page_mapping', true)).toEqual(new Set(['moved, swap cache']));
  });
});

describe('DM-22, R-07: a fault on the swap entry while the page moves', () => {
  it('ends with the contents it should see, whichever page it slept on', () => {
    const places = new Set<string>();
    const schedules = everySchedule(() => {
      const machine = oldMachine('mof-2006', { nodes: 2, framesPerNode: 8 });
      const { task, vma } = processWithPages(machine, 0, START, 1);
      const old = frameAt(machine, task, START);
      machine.contents?.set(old, 55);
      const s = callOver(isolated(machine, [old]), newFrames(machine, 1, 1), task);
      const passes = passesOf(machine);
      while (s.next !== P.R3) s.next = passes.step(s, s.next); // entries name the slot from here on
      const f = new FaultState(task, vma);
      f.page = pageOf(machine, vma, START);
      f.slot = machine.tables.word[f.page] as SwapSlot;
      f.next = S2;
      const toucher: Actor = {
        step() {
          const next = machine.swapFault.step(f, f.next);
          if (next < 0) return 'waits';
          f.next = next;
          return next === 0 ? 'ended' : 'went';
        },
      };
      return {
        actors: [migrator(machine, s, [P.C2, P.C3, P.C4, P.P3]), toucher],
        end() {
          finish(machine, s);
          checkMachine(machine);
          const pfn = machine.access(task, f.page, false);
          expect(machine.contents?.get(pfn)).toBe(55);
          places.add(`${fateOf(s)}, node ${String(machine.frames.nodeOf(pfn))}`);
          checkMachine(machine);
        },
      };
    });
    expect(schedules.length).toBeGreaterThan(50);
    // It stays where the fault holds a reference through all passes (as in R-09).
    expect(places).toEqual(new Set(['moved, node 1', 'left, node 0']));
  });
});
