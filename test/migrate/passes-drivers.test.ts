import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { P } from '../../src/migrate/passes.js';
import type { PassesState } from '../../src/migrate/passes-state.js';
import { PG_DIRTY, PG_PRIVATE, VM_LOCKED, type MigrateOperation } from '../../src/mm/index.js';
import type { Pfn } from '../../src/units.js';
import {
  cacheOn,
  mapShared,
  type PinMap,
  processWithPages,
  shmemOn,
  startWriteback,
  unmapEverywhere,
} from '../support/arrange.js';
import { callOver, finish, isolated, newFrames, oldMachine, passesOf } from '../support/movers.js';
import { allCounters, memorySnapshot } from '../support/snapshot.js';
import { frameAt, processOn, touchAll } from '../support/tiny-machine.js';

// One source, two drivers: run() goes straight through the passes, an explorer takes the steps one at a time. On the same
// machine both must leave the same state.

const START = 1000;

const starts = fc.record({
  profile: fc.constantFrom('mof-2006', 'direct-2005', 'swap-2006'),
  mover: fc.constantFrom('as it is', 'passes-2.6.17'),
  pageMapping: fc.constantFrom('page_mapping' as const, 'raw' as const),
  swapPages: fc.constantFrom(0, 2, 32),
  writesAtOnce: fc.boolean(),
  operation: fc.constantFrom<MigrateOperation>('none', 'simple', 'buffers', 'fail'),
  isShared: fc.boolean(),
  news: fc.nat(6),
  /** What is odd about the first page of each kind. */
  oddity: fc.constantFrom('none', 'held', 'dirty', 'under writeback', 'buffers', 'locked area', 'unmapped', 'freed'),
});
type Start = typeof starts extends fc.Arbitrary<infer T> ? T : never;

interface Bed {
  readonly machine: Machine;
  readonly s: PassesState;
  readonly pins: PinMap;
}

/** Two anonymous pages, two of a mapped file, one of a file and one of a shmem object that nobody maps; all on node 0. */
function setUp(start: Start): Bed {
  const rules = { pageMapping: start.pageMapping, ...(start.mover === 'as it is' ? {} : { mover: start.mover }) };
  const { swapPages, writesAtOnce, operation: migrate } = start;
  const machine = oldMachine(start.profile, { framesPerNode: 24, swapPages, writesAtOnce, rules });
  const { frames, files } = machine;
  const { task, vma } = processWithPages(machine, 0, START, 2);
  if (start.isShared) machine.process.fork(task, task.cpu);
  const other = processOn(machine, 0);
  mapShared(machine, other, files.create('file', 'mapped', 2, { migrate }), START);
  touchAll(machine, other, START, 2, false);
  const [cachedPage] = cacheOn(machine, 0, files.create('file', 'cached', 1, { migrate }));
  const [shmemPage] = shmemOn(machine, 0, files.create('shmem', 'shmem', 1));
  machine.lru.drainAll();
  const at = (who: typeof task, vpn: number): Pfn => frameAt(machine, who, vpn);
  const pages = [at(task, START), at(task, START + 1), at(other, START), at(other, START + 1), cachedPage, shmemPage];
  const firsts = [pages[0], pages[2], cachedPage, shmemPage];
  const pins: PinMap = new Map();
  if (start.oddity === 'held') for (const pfn of firsts) hold(pfn);
  if (start.oddity === 'dirty') for (const pfn of firsts) frames.set(pfn, PG_DIRTY);
  if (start.oddity === 'under writeback' && !writesAtOnce) startWriteback(machine, cachedPage);
  if (start.oddity === 'buffers') {
    for (const pfn of [pages[2], cachedPage]) {
      frames.set(pfn, PG_PRIVATE);
      frames.get(pfn);
    }
  }
  if (start.oddity === 'unmapped' && swapPages > 0) unmapEverywhere(machine, task, pages[0]);
  const list = isolated(machine, pages);
  if (start.oddity === 'locked area') vma.flags |= VM_LOCKED;
  if (start.oddity === 'freed') machine.process.exit(task);
  const to = start.profile === 'swap-2006' ? null : newFrames(machine, 1, start.news);
  return { machine, s: callOver(list, to, task), pins };

  function hold(pfn: Pfn): void {
    frames.get(pfn);
    pins.set(pfn, 1);
  }
}

/** Takes the steps one at a time, as an explorer does; asleep for a write, it lets the disk go on. */
function stepThrough({ machine, s }: Bed): void {
  const passes = passesOf(machine);
  while (s.next !== 0) {
    const next = passes.step(s, s.next);
    if (next >= 0) s.next = next;
    else if (s.next === P.P4) machine.block.waitForPage(s.page);
    else {
      s.ending = 'hung';
      return;
    }
  }
}

describe('the passes and their table of steps', () => {
  it('leave the same frames, entries, caches, fates, time and counters', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(starts, (start) => {
        const [straight, stepped] = [setUp(start), setUp(start)];
        passesOf(straight.machine).run(straight.s);
        stepThrough(stepped);
        expect([...stepped.s.records.values()]).toEqual([...straight.s.records.values()]);
        expect([stepped.s.ending, stepped.s.pass, stepped.s.result]).toEqual([
          straight.s.ending,
          straight.s.pass,
          straight.s.result,
        ]);
        for (const { machine, s } of [straight, stepped]) if (s.ending === 'returned') finish(machine, s);
        expect(memorySnapshot(stepped.machine)).toEqual(memorySnapshot(straight.machine));
        expect(allCounters(stepped.machine)).toEqual(allCounters(straight.machine));
        expect(stepped.machine.meter.nowNs).toBe(straight.machine.meter.nowNs);
        seen.add(straight.s.ending);
        for (const { fate } of straight.s.records.values()) seen.add(fate);
        if (straight.s.ending !== 'returned') return;
        for (const { machine, pins } of [straight, stepped]) {
          for (const task of machine.process.tasks()) for (const vma of task.space.vmas) vma.flags &= ~VM_LOCKED;
          checkMachine(machine, pins);
        }
      }),
      { numRuns: 100, seed: 4 },
    );
    expect(seen).toEqual(new Set(['returned', 'hung', 'moved', 'swapped', 'freed', 'failed', 'left']));
  });
});
