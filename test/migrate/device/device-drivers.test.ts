import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../../src/engine/index.js';
import {
  isMigrating,
  MIGRATE_VMA_DONE,
  MIGRATE_VMA_FINALIZE,
  MIGRATE_VMA_PAGES,
  MIGRATE_VMA_SETUP,
  type MigrateVma,
} from '../../../src/migrate/index.js';
import { DONE, FaultState, firstStep, RETRY, WAIT } from '../../../src/fault/index.js';
import { TRY_LOCK } from '../../../src/migrate/device/migrate-vma-collect.js';
import { SETTLE, TAKE_RANGE } from '../../../src/migrate/device/migrate-vma.js';
import type { Task, Vma } from '../../../src/mm/index.js';
import type { Pfn } from '../../../src/units.js';
import { intoVector, pageOf, processWithPages, unmapEverywhere, type PinMap } from '../../support/arrange.js';
import { beginOpposite, moveActor, oneMove } from '../../support/device-actors.js';
import {
  collect,
  deviceMachine,
  entryOf,
  fill,
  finish,
  goOn,
  FORMS,
  OLD,
  requestFor,
  TWO_FORMS,
  wordAt,
  type Form,
} from '../../support/device.js';
import { everySchedule, type Actor, type Play } from '../../support/schedules.js';
import { allCounters, memorySnapshot } from '../../support/snapshot.js';
import { cpuOf, frameAt, mapAnon, processOn } from '../../support/tiny-machine.js';

// One source, two drivers; and what others do between two steps.

const START = 1000;
const PAGES = 4;

const ODDITIES = [
  ...['none', 'shared', 'hole', 'zero page', 'in a vector', 'pinned', 'locked', 'isolated', 'in the swap cache'],
  ...['swapped', 'in the device'],
] as const;

const starts = fc.record({
  form: fc.constantFrom(...FORMS),
  pages: fc.array(fc.constantFrom(...ODDITIES), { minLength: PAGES, maxLength: PAGES }),
  to: fc.constantFrom('gpu', 'nic', 1),
  skips: fc.nat(PAGES),
});
type Start = typeof starts extends fc.Arbitrary<infer T> ? T : never;

interface Arranged {
  readonly machine: Machine;
  readonly task: Task;
  readonly m: MigrateVma;
  readonly pins: PinMap;
  /** Ends what would be no state at rest. */
  readonly settle: () => void;
}

function setUp({ form, pages }: Start): Arranged {
  const { machine, gpu } = deviceMachine(form);
  const { task, vma } = processWithPages(machine, 0, START, PAGES);
  const { frames, lru } = machine;
  const pins: PinMap = new Map();
  const after: (() => void)[] = [];
  pages.forEach((oddity, i) => {
    const vpn = START + i;
    if (oddity === 'in the device') gpu.toDevice(task, vpn, 1);
    machine.contents?.set(wordAt(machine, task, vpn), 50 + i);
    if (oddity === 'in the swap cache' || oddity === 'swapped')
      unmapEverywhere(machine, task, frameAt(machine, task, vpn));
    if (oddity === 'in the swap cache') machine.touch(task, vpn, false);
    if (oddity === 'hole' || oddity === 'zero page') machine.memory.discard(vma.space, vpn, 1, task.cpu);
    if (oddity === 'zero page') machine.touch(task, vpn, false);
  });
  if (pages.includes('shared')) machine.process.fork(task, task.cpu);
  lru.drainAll();
  pages.forEach((oddity, i) => makeOdd(oddity, frameAt(machine, task, START + i)));
  return {
    machine,
    task,
    m: requestFor(task, START, PAGES),
    pins,
    settle: () => {
      after.forEach((undo) => {
        undo();
      });
    },
  };

  function makeOdd(oddity: (typeof ODDITIES)[number], pfn: Pfn): void {
    if (oddity === 'in a vector') intoVector(machine, cpuOf(machine, 1), pfn);
    if (oddity === 'pinned') {
      frames.get(pfn);
      pins.set(pfn, 1);
    }
    if (oddity === 'locked') {
      frames.tryLock(pfn);
      after.push(() => {
        frames.unlock(pfn);
      });
    }
    if (oddity === 'isolated') {
      lru.isolate(pfn);
      after.push(() => {
        lru.putback(task.cpu, pfn);
      });
    }
  }
}

/** Destinations, but for the first `skips` entries. */
function destinations({ machine, m }: Arranged, { to, skips }: Start): void {
  fill(machine, m, to);
  for (let i = 0; i < skips; i++) {
    const fresh = Number(m.dst[i] >> 6n) as Pfn;
    m.dst[i] = 0n;
    if (fresh === 0) continue;
    machine.frames.unlock(fresh);
    machine.lru.put(fresh);
  }
}

describe('migrateVma and its table of steps', () => {
  it('leave the same words, frames, entries, lists, time and counters', () => {
    const moved = new Set<string>();
    fc.assert(
      fc.property(starts, (start) => {
        const [straight, stepped] = [setUp(start), setUp(start)];
        const steps = (m: MigrateVma, from: number): void => {
          m.next = from;
          while (m.next !== MIGRATE_VMA_DONE) m.next = stepped.machine.migrateVma.step(m, m.next);
        };
        straight.machine.migrateVma.setup(straight.m);
        steps(stepped.m, MIGRATE_VMA_SETUP);
        expect([...stepped.m.src, stepped.m.cpages]).toEqual([...straight.m.src, straight.m.cpages]);
        for (const each of [straight, stepped]) destinations(each, start);
        straight.machine.migrateVma.pages(straight.m);
        steps(stepped.m, MIGRATE_VMA_PAGES);
        expect([...stepped.m.src]).toEqual([...straight.m.src]);
        straight.machine.migrateVma.finalize(straight.m);
        steps(stepped.m, MIGRATE_VMA_FINALIZE);
        expect(memorySnapshot(stepped.machine)).toEqual(memorySnapshot(straight.machine));
        expect(allCounters(stepped.machine)).toEqual(allCounters(straight.machine));
        expect(stepped.machine.meter.nowNs).toBe(straight.machine.meter.nowNs);
        stepped.settle();
        stepped.machine.lru.drainAll();
        checkMachine(stepped.machine, stepped.pins);
        start.pages.forEach((oddity, i) => {
          if ((stepped.m.src[i] & 2n) !== 0n) moved.add(oddity);
          const pfn = wordAt(stepped.machine, stepped.task, START + i);
          const hasContents = pfn > 0 && oddity !== 'hole' && oddity !== 'zero page';
          if (hasContents) expect(stepped.machine.contents?.get(pfn)).toBe(50 + i);
        });
      }),
      { numRuns: 40, seed: 1 },
    );
    expect([...moved].sort()).toEqual(
      ['hole', 'in a vector', 'in the device', 'in the swap cache', 'none', 'shared', 'zero page'].sort(),
    );
  });
});

describe('R-18: two migrations over the same pages in opposite order', () => {
  it.each(TWO_FORMS)('any order of their single steps shares the pages out, and loses nothing [%s]', (form) => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 100, maxLength: 100 }), (turns) => {
        const { actors, end } = beginOpposite(form, null);
        playTurns(actors, turns);
        outcomes.add(end());
      }),
      { numRuns: 40, seed: 3 },
    );
    // MV-30: with references held for a second try, each can make the other fail.
    expect([...outcomes].sort()).toEqual(form === OLD ? ['--', '-A', 'A-', 'AA', 'AB'] : ['AA', 'AB']);
  });

  it.each(TWO_FORMS)('a planted mistake is found: collect sleeps for page locks [%s]', (form) => {
    const begin = (): Play => {
      const { actors } = beginOpposite(
        form,
        undefined,
        (machine, { next, m }) => next === TRY_LOCK && machine.frames.isLocked(m.pfn),
      );
      return { actors, end: () => undefined };
    };
    expect(() => everySchedule(begin)).toThrow('all actors wait');
  });

  // Driver unload goes by frame number; here the pages' frames descend, so it meets them in the other order.
  it('migrateVma back to memory, and the device emptied by frame number: each page moves once [6.x]', () => {
    const outcomes = new Set<string>();
    const begin = (): Play => {
      const { machine, gpu } = deviceMachine('linux-6.12');
      const { task } = processWithPages(machine, 0, START, 2);
      [0, 1].forEach((i) => machine.contents?.set(frameAt(machine, task, START + i), 50 + i));
      gpu.toDevice(task, START, 2);
      const [first, second] = [0, 1].map((i) => wordAt(machine, task, START + i));
      const moves = [gpu.begin(task, START, 2, false), gpu.beginUnload(task, [second, first])];
      return {
        actors: moves.map((move) => moveActor(machine, oneMove(gpu, move), new Set([TRY_LOCK, TAKE_RANGE, SETTLE]))),
        end() {
          outcomes.add(moves.map((move) => move.moved).join(' and '));
          checkMachine(machine);
          [0, 1].forEach((i) => {
            expect(machine.contents?.get(wordAt(machine, task, START + i))).toBe(50 + i);
          });
        },
      };
    };
    expect(everySchedule(begin).length).toBeGreaterThan(10);
    expect([...outcomes].sort()).toEqual(['0 and 2', '1 and 1', '2 and 0']);
  });
});

function playTurns(actors: readonly Actor[], turns: readonly boolean[]): void {
  const alive = actors.map(() => true);
  for (let i = 0; alive.includes(true); i++) {
    const wanted = turns[i % turns.length] ? 1 : 0;
    const at = alive[wanted] ? wanted : 1 - wanted;
    const result = actors[at].step();
    if (result === 'ended') alive[at] = false;
    if (result !== 'waits') continue;
    const other = 1 - at;
    if (!alive[other]) throw new Error('waits for nobody');
    const next = actors[other].step();
    if (next === 'waits') throw new Error('both wait');
    if (next === 'ended') alive[other] = false;
  }
}

describe('R-19: a CPU touches a hole while a device is to get it', () => {
  function beginRace(form: Form, tell: (entry: string) => void): Play {
    const { machine, gpu } = deviceMachine(form);
    const task = processOn(machine, 0);
    mapAnon(machine, task, START, 1);
    const toucher = machine.process.newThread(task, cpuOf(machine, 1));
    const touch = (): 'waits' | 'ended' => {
      if (task.space.tablesHeld) return 'waits';
      return machine.touch(toucher, START, true) === -RETRY ? 'waits' : 'ended'; // its page is locked until finalize
    };
    const move = gpu.begin(task, START, 1, true);
    return {
      actors: [moveActor(machine, oneMove(gpu, move)), { step: touch }],
      end() {
        machine.lru.drainAll();
        checkMachine(machine); // exactly one page, and no leak
        const [used, entry] = [machine.devices.free(machine.devices.named('gpu')), entryOf(machine, task, START)];
        expect([used, task.space.rssAnon]).toEqual([entry.startsWith('device') ? 15 : 16, 1]);
        tell(entry);
      },
    };
  }

  it.each(TWO_FORMS)('a write: either the CPU has its page or the device [%s]', (form) => {
    const seen = new Map<string, number>();
    const schedules = everySchedule(() => beginRace(form, (entry) => seen.set(entry, (seen.get(entry) ?? 0) + 1)));
    // Before collect the page is one to migrate; between collect and insert the CPU wins; afterwards it brings the page back.
    expect([...seen]).toEqual([
      ['present+w', 10],
      ['device+w', 2],
    ]);
    expect(schedules).toHaveLength(12);
  });
});

describe('MV-31, R-21: CPU threads that touch a page under migration', () => {
  /** A thread's fault on the migration entry, a step at a time, until it waits; and on to its end, and the access again. */
  function waiter(machine: Machine, task: Task, vma: Vma) {
    const thread = machine.process.newThread(task, cpuOf(machine, 1));
    const f = new FaultState(thread, vma);
    f.page = pageOf(machine, vma, START);
    f.next = firstStep(machine.tables, f.page);
    const run = (): boolean => {
      while (f.next !== DONE) {
        const next = machine.swapFault.step(f, f.next);
        if (next === WAIT) return false;
        f.next = next;
      }
      return true;
    };
    return { run, access: () => machine.access(thread, f.page, false) };
  }

  it.each([
    [OLD, 0, true],
    [OLD, 1, false],
    [OLD, 3, false],
    ['linux-6.12', 0, true],
    ['linux-6.12', 1, true],
    ['linux-6.12', 3, true],
  ] as const)('[%s] with %d waiting the page moves: %s', (form, waiting, moves) => {
    const { machine } = deviceMachine(form);
    const { task, vma } = processWithPages(machine, 0, START, 1);
    const pfn = frameAt(machine, task, START);
    machine.contents?.set(pfn, 50);
    const m = collect(machine, requestFor(task, START, 1));
    const waiters = Array.from({ length: waiting }, () => waiter(machine, task, vma));
    for (const { run } of waiters) expect(run()).toBe(false);
    expect(machine.frames.count(pfn)).toBe(1 + (form === OLD ? waiting : 0)); // collect's, and what they hold
    goOn(machine, m);
    expect(isMigrating(m.src[0])).toBe(moves);
    fill(machine, m);
    for (const { run } of waiters) expect(run()).toBe(!moves); // it is locked until finalize
    machine.migrateVma.pages(m);
    machine.migrateVma.finalize(m);
    expect(entryOf(machine, task, START)).toBe(moves ? 'device+w' : 'present+w');
    for (const { run, access } of waiters) {
      expect(run()).toBe(true);
      expect(machine.contents?.get(access())).toBe(50); // and the first of them brings it back
    }
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it.each(TWO_FORMS)('an access that goes straight through is told so, and changes nothing [%s]', (form) => {
    const { machine } = deviceMachine(form);
    const { task } = processWithPages(machine, 0, START, 1);
    const m = requestFor(task, START, 1);
    machine.migrateVma.setup(m);
    const before = memorySnapshot(machine);
    expect(machine.touch(task, START, true)).toBe(-RETRY);
    expect(memorySnapshot(machine)).toEqual(before);
    finish(machine, m);
    expect(machine.touch(task, START, true)).toBeGreaterThan(0);
    checkMachine(machine);
  });
});
