import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { DONE, MAJOR, MINOR, S6, WAIT, type FaultState, type SwapFault } from '../../src/fault/index.js';
import { HOOK, S4, S5 } from '../../src/fault/swap.js';
import type { Task, Vma } from '../../src/mm/index.js';
import { evict, processWithPages, swapFaultState } from '../support/arrange.js';
import { everySchedule, type Actor, type Play } from '../support/schedules.js';
import { cpuOf, frameAt, tinyMachine, type TinyOptions, unmapLazily } from '../support/tiny-machine.js';

// V19: two threads of one task fault on the same page at once, and every order of their steps is played. A takes its
// steps on node 1, B on node 2.

const PAGE = 1000;
const OLD_STAMP = 5;
const NEW_STAMP = 77;
type Step = SwapFault['step'];

interface Start {
  readonly says: string;
  readonly machine?: Partial<TinyOptions>;
  readonly pageNode: number;
  readonly swappedOut?: true;
  /** Accesses of A and B. */
  readonly writes?: readonly [boolean, boolean];
  /** How many schedules there are. */
  readonly schedules: number;
  /** In how many of them the page moved. */
  readonly moves: number;
}

// Alone, a fault takes nine steps: S2 S4 S5 hook S6 S7 S8 S10 S11. It holds the page lock from S4 to S11, so of the other
// one only S2 can come in between: at ten places, and either may be first: 20. Only an S2 after the hook (fourth step, in
// 2006 within the sixth) leaves the page without a second reference: 6 places of ten, in 2006 four.
// Once the cache lets go at S10, an S2 behind it misses, and S3 has one more place for each of them: 22. If both have to read, the one that
// comes second to the lock has S2 and S3: together before the other's S2, or S2 at one of two places before the other's
// S3 and its own S3 at ten, or S2 alone at nine places behind that: 2 × (1 + 20 + 9).
const HALF_FULL = { swapPages: 1 };
const STARTS: readonly Start[] = [
  { says: 'the page on 0, both want it elsewhere', pageNode: 0, schedules: 20, moves: 12 },
  { says: 'the page on 1, where A is', pageNode: 1, schedules: 20, moves: 6 },
  { says: 'both write', pageNode: 0, writes: [true, true], schedules: 20, moves: 12 },
  { says: 'A reads, B writes', pageNode: 0, writes: [false, true], schedules: 20, moves: 12 },
  { says: 'swap is half full, so the cache lets go', machine: HALF_FULL, pageNode: 1, schedules: 22, moves: 7 },
  { says: 'nothing is cached: both read the slot', pageNode: 0, swappedOut: true, schedules: 60, moves: 0 },
  { says: 'in 2006', machine: { profile: 'mof-2006' }, pageNode: 0, schedules: 20, moves: 8 },
];

function makeMachine(start: Start): Machine {
  return tinyMachine({ framesPerNode: 8, tlbSetBits: 1, writesAtOnce: start.swappedOut === true, ...start.machine });
}

type Wrap = (step: Step, machine: Machine) => Step;

/** What a schedule runs on, and the two faults in it. */
interface Faults {
  readonly machine: Machine;
  readonly vma: Vma;
  readonly threads: readonly Task[];
  readonly faults: readonly FaultState[];
  readonly writes: readonly [boolean, boolean];
  readonly actors: readonly Actor[];
}

/** Two faults before their first step. `wrap` may exchange the steps for wrong ones. */
function twoFaults(start: Start, wrap: Wrap = (step) => step): Faults {
  const machine = makeMachine(start);
  const { task, vma } = processWithPages(machine, start.pageNode, PAGE, 1);
  machine.contents?.set(frameAt(machine, task, PAGE), OLD_STAMP);
  if (start.swappedOut === true) evict(machine, task, frameAt(machine, task, PAGE));
  else unmapLazily(machine, task);
  const writes = start.writes ?? [false, false];
  const threads = [1, 2].map((node) => machine.process.newThread(task, cpuOf(machine, node)));
  machine.process.exit(task);
  const faults = threads.map((thread, i) => swapFaultState(machine, thread, vma, PAGE, writes[i]));
  const step = wrap(machine.swapFault.step, machine);
  const actors = faults.map((f) => ({ step: () => advance(step, f) }));
  return { machine, vma, threads, faults, writes, actors };
}

/** One frame with the contents written last, one mapping, one rss unit, and every invariant. */
function mustAgree({ machine, vma, threads, faults, writes }: Faults, stamp: number): void {
  for (const f of faults) expect([MINOR, MAJOR]).toContain(f.outcome);
  const [mapped, other] = threads.map((thread, i) => machine.touch(thread, PAGE, writes[i]));
  machine.lru.drainAll();
  expect(mapped).toBe(other);
  expect(machine.frames.mapcount(mapped)).toBe(1);
  expect([vma.space.rssAnon, vma.space.swapEntries]).toEqual([1, 0]);
  expect(machine.contents?.get(mapped)).toBe(stamp);
  checkMachine(machine);
}

function begin(start: Start, wrap?: Wrap, tell: (moves: number) => void = () => undefined): Play {
  const both = twoFaults(start, wrap);
  const { machine, actors } = both;
  return {
    actors,
    end() {
      mustAgree(both, OLD_STAMP);
      expect(usedFrames(machine)).toBe(2); // the page, and the zero page
      const moves = machine.counters.get('mof_migrate_done');
      expect(moves).toBeLessThanOrEqual(1);
      tell(moves);
    },
  };
}

/**
 * A's fault alone, and C, another thread, that throws the page away, writes the address anew and unmaps that page lazily:
 * its slot may be the same. C needs the lock of the entry, which A holds from S6 on.
 */
function beginWithReuse(start: Start, wrap?: Wrap): Play {
  const both = twoFaults(start, wrap);
  const { machine, threads, actors, vma, faults } = both;
  let hasDiscarded = false;
  const reuse = (): 'went' | 'waits' | 'ended' => {
    if (faults[0].next > S6) return 'waits';
    if (!hasDiscarded) {
      machine.memory.discard(vma.space, PAGE, 1, threads[1].cpu);
      hasDiscarded = true;
      return 'went';
    }
    machine.contents?.set(machine.touch(threads[1], PAGE, true), NEW_STAMP);
    unmapLazily(machine, threads[1]);
    return 'ended';
  };
  return {
    actors: [actors[0], { step: reuse }],
    end() {
      mustAgree(both, NEW_STAMP);
    },
  };
}

function advance(step: Step, f: FaultState): 'went' | 'waits' | 'ended' {
  const next = step(f, f.next);
  if (next === WAIT) return 'waits';
  f.next = next;
  return next === DONE ? 'ended' : 'went';
}

function usedFrames(machine: Machine): number {
  let used = 0;
  machine.zones.forEachUsed(() => used++);
  return used;
}

describe('every schedule of a few letters', () => {
  const lettersOnly = (...lengths: number[]): Play => {
    const left = [...lengths];
    return { actors: left.map((_, i) => ({ step: () => (--left[i] === 0 ? 'ended' : 'went') })), end: () => undefined };
  };

  it('are the ten orders of two steps of A and three of B', () => {
    const schedules = everySchedule(() => lettersOnly(2, 3));
    expect(schedules).toHaveLength(10);
    expect(new Set(schedules).size).toBe(10);
    expect(schedules.every((s) => s.split('').sort().join('') === 'AABBB')).toBe(true);
  });

  it('are the ninety orders of three actors with two steps each', () => {
    expect(new Set(everySchedule(() => lettersOnly(2, 2, 2))).size).toBe(90);
  });

  it('leave out those in which a waiting actor would go', () => {
    const waitsForA = () => {
      let hasGone = false;
      const a = { step: () => ((hasGone = true), 'ended' as const) };
      return { actors: [a, { step: () => (hasGone ? ('ended' as const) : ('waits' as const)) }], end: () => undefined };
    };
    expect(everySchedule(waitsForA)).toEqual(['AB']);
  });

  it('end with the schedule when everybody waits', () => {
    const stuck = () => ({ actors: [{ step: () => 'waits' as const }], end: () => undefined });
    expect(() => everySchedule(stuck)).toThrow('all actors wait [after ]');
  });
});

/** Steps with a mistake in them. Each has to be found by some schedule of two faults. */
const PLANTED: readonly { says: string; wrap: (step: Step, machine: Machine) => Step; finds: RegExp }[] = [
  {
    says: 'S6 does not look at the entry again',
    wrap: (step) => (f, at) => (at === S6 ? S6 + 1 : step(f, at)),
    finds: /INV-7/,
  },
  {
    says: 'S4 does not wait for the page lock',
    wrap:
      (step, { frames }) =>
      (f, at) => {
        if (at !== S4) return step(f, at);
        frames.tryLock(f.pfn);
        return S5;
      },
    finds: /INV-7/,
  },
  {
    says: 'S5 does not ask whose the page is now',
    wrap: (step) => (f, at) => (at === S5 ? HOOK : step(f, at)),
    finds: /INV-|expected 5 to be 77/,
  },
];

describe('V19: two threads of one task fault on one page', () => {
  it.each(PLANTED)('a planted mistake is found: $says', ({ says, wrap, finds }) => {
    const play = says.startsWith('S5') ? beginWithReuse : begin;
    expect(() => everySchedule(() => play(STARTS[0], wrap))).toThrow(finds);
  });

  it('is played from seven starts', () => {
    expect(STARTS).toHaveLength(7);
  });

  it.each(STARTS)('$says: in each of $schedules schedules one frame, one mapping, one rss unit', (start) => {
    let moves = 0;
    const schedules = everySchedule(() => begin(start, undefined, (n) => (moves += n)));
    expect(new Set(schedules).size).toBe(schedules.length);
    expect([schedules.length, moves]).toEqual([start.schedules, start.moves]);
  });

  it('R-08: the page is thrown away and its slot used again meanwhile: nobody maps the old page', () => {
    const schedules = everySchedule(() => beginWithReuse(STARTS[0]));
    expect(schedules).toHaveLength(18);
    expect(schedules).toContain('ABBAAAAAAAAAAA'); // A has found the page, waits, and is sent back to S2 once
  });
});
