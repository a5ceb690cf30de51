import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { LAZY_DONE, makeMigratePages, MOVED, MoveState } from '../../src/migrate/index.js';
import { PG_PRIVATE, type MigrateOperation, type Task, type Vma } from '../../src/mm/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import {
  cacheOn,
  fillNode,
  mapShared,
  moveTo,
  processWithPages,
  startWriteback,
  unmapEverywhere,
  type PinMap,
} from '../support/arrange.js';
import { onNode, isolateAll } from '../support/migrator.js';
import { allCounters, memorySnapshot } from '../support/snapshot.js';
import { frameAt, touchAll, tinyMachine } from '../support/tiny-machine.js';

// One source, two drivers: what goes straight through is also a table of steps. On the same machine state both must leave
// the same state, counters and time.

const PAGES = 4;
const START = 1000;

const ODDITIES = ['none', 'held', 'locked', 'under writeback', 'unmapped', 'freed', 'shared'] as const;
const starts = fc.record({
  isFile: fc.boolean(),
  operation: fc.constantFrom<MigrateOperation>('simple', 'buffers', 'none', 'fail'),
  isWritten: fc.boolean(),
  hasBuffers: fc.boolean(),
  /** What is odd about one of the pages. */
  oddity: fc.constantFrom(...ODDITIES),
  page: fc.nat(PAGES - 1),
  /** Free frames of the target node. */
  room: fc.constantFrom(1, 2, 20),
});
type Start = typeof starts extends fc.Arbitrary<infer T> ? T : never;

interface Arranged {
  readonly machine: Machine;
  readonly task: Task;
  readonly vma: Vma;
  readonly pages: Pfn[];
  readonly pins: PinMap;
}

function setUp(start: Start): Arranged {
  const machine = tinyMachine({ nodes: 2, framesPerNode: 24, tlbSetBits: 1, swapPages: 16 });
  const { task, vma: anon } = processWithPages(machine, 0, START, start.isFile ? 1 : PAGES);
  let vma = anon;
  if (start.isFile) {
    const file = machine.files.create('file', 'data', PAGES, { migrate: start.operation });
    cacheOn(machine, 0, file);
    vma = mapShared(machine, task, file, START + 100);
    touchAll(machine, task, vma.start, PAGES, start.isWritten);
  }
  const pages = Array.from({ length: PAGES }, (_, i) => frameAt(machine, task, vma.start + i));
  pages.forEach((pfn, i) => machine.contents?.set(pfn, start.isFile && !start.isWritten ? 0 : i + 1));
  if (start.isFile && start.hasBuffers) for (const pfn of pages) addBuffers(machine, pfn);
  const pins = makeOdd(machine, task, start, pages[start.page]);
  for (const [pfn, n] of fillNode(machine, 1, start.room)) pins.set(pfn, n);
  return { machine, task, vma, pages, pins };
}

function addBuffers({ frames }: Machine, pfn: Pfn): void {
  frames.set(pfn, PG_PRIVATE);
  frames.get(pfn);
}

function makeOdd(machine: Machine, task: Task, { oddity }: Start, pfn: Pfn): PinMap {
  if (oddity === 'unmapped') unmapEverywhere(machine, task, pfn);
  if (oddity === 'shared') machine.process.fork(task, task.cpu);
  if (oddity === 'under writeback') {
    unmapEverywhere(machine, task, pfn);
    startWriteback(machine, pfn);
  }
  if (oddity === 'locked') machine.frames.tryLock(pfn);
  if (oddity !== 'held') return new Map();
  machine.frames.get(pfn);
  return new Map([[pfn, 1]]);
}

/** Everybody else lets go of an isolated page: its mover holds the last reference (P1). */
function letGo({ machine, task, vma }: Arranged, page: number): void {
  machine.memory.discard(task.space, vma.start + page, 1, task.cpu);
}

describe('migratePages and its table of steps', () => {
  it('leave the same frames, entries, caches, counters and time', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(starts, (start) => {
        const [straight, stepped] = [setUp(start), setUp(start)];
        for (const each of [straight, stepped]) {
          isolateAll(each.machine, each.pages);
          if (start.oddity === 'freed') letGo(each, start.page);
        }
        const whole = makeMigratePages(straight.machine);
        const result = whole.migratePages(straight.pages, onNode(straight.machine, 1), straight.task.cpu);
        const table = makeMigratePages(stepped.machine);
        const state = table.begin(stepped.pages, onNode(stepped.machine, 1), stepped.task.cpu);
        let waits = 0;
        while (state.next !== 0) {
          const next = table.step(state, state.next);
          if (next > -1) state.next = next;
          else if (waits++ === 0) stepped.machine.frames.unlock(stepped.pages[start.page]); // whoever had it lets go
        }
        if (waits > 0) seen.add('waited for a lock');
        else {
          expect([state.failed, state.noMemory]).toEqual([result.failed, result.noMemory]);
          expect(memorySnapshot(stepped.machine)).toEqual(memorySnapshot(straight.machine));
          expect(allCounters(stepped.machine)).toEqual(allCounters(straight.machine));
          expect(stepped.machine.meter.nowNs).toBe(straight.machine.meter.nowNs);
        }
        for (const { machine, pages } of [straight, stepped]) {
          if (start.oddity === 'locked' && result.failed > 0) machine.frames.unlock(pages[start.page]);
        }
        checkMachine(straight.machine, straight.pins);
        checkMachine(stepped.machine, stepped.pins);
        seen.add(result.noMemory ? 'no memory' : `${start.oddity}: ${result.failed > 0 ? 'some failed' : 'all moved'}`);
      }),
      { numRuns: 150, seed: 2 },
    );
    expect([...seen].sort()).toEqual([
      ...['freed: all moved', 'held: some failed', 'locked: some failed', 'no memory', 'none: all moved'],
      ...['none: some failed', 'shared: all moved', 'under writeback: all moved', 'under writeback: some failed'],
      ...['unmapped: all moved', 'waited for a lock'],
    ]);
  });
});

describe('migrateMisplacedPage and its table of steps', () => {
  const moves = fc.record({
    profile: fc.constantFrom('mof', 'mof-2006'),
    oddity: fc.constantFrom('none', 'held', 'in a vector', 'refused', 'no operation'),
    isFile: fc.boolean(),
    isFull: fc.boolean(),
  });
  type Move = typeof moves extends fc.Arbitrary<infer T> ? T : never;

  function arranged({ profile, oddity, isFile, isFull }: Move) {
    const machine = tinyMachine({
      ...{ nodes: 2, framesPerNode: 16, profile },
      ...(oddity === 'refused' ? { refuseMove: () => true } : {}),
    });
    const { task } = processWithPages(machine, 0, START, 1);
    const migrate = oddity === 'no operation' ? 'none' : 'simple';
    const file = machine.files.create('file', 'data', 1, { migrate });
    const pfn = isFile ? cacheOn(machine, 0, file)[0] : frameAt(machine, task, START);
    if (!isFile) unmapEverywhere(machine, task, pfn);
    moveTo(machine, task, 1);
    const pins = isFull ? fillNode(machine, 1) : new Map<Pfn, number>();
    const { frames, lru } = machine;
    if (oddity === 'held') {
      frames.get(pfn);
      pins.set(pfn, 1);
    }
    if (oddity === 'in a vector' && lru.isolate(pfn)) lru.putback(task.cpu, pfn);
    frames.tryLock(pfn);
    frames.get(pfn); // the fault's reference
    return { machine, task, pfn, pins };
  }

  it('leave the same, moved or not (M0..M9)', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(moves, (start) => {
        const [straight, stepped] = [arranged(start), arranged(start)];
        const page = straight.machine.moveMisplaced.migrate(
          straight.task,
          straight.pfn,
          asNodeId(1),
          straight.machine.defaultPolicy,
        );
        const { moveMisplaced, defaultPolicy } = stepped.machine;
        const state = new MoveState(stepped.task, stepped.pfn, asNodeId(1), defaultPolicy);
        while (state.next !== MOVED) state.next = moveMisplaced.step(state, state.next);
        expect(state.page).toBe(page);
        for (const { machine } of [straight, stepped]) {
          machine.frames.unlock(page);
          machine.lru.put(page);
        }
        expect(memorySnapshot(stepped.machine)).toEqual(memorySnapshot(straight.machine));
        expect(allCounters(stepped.machine)).toEqual(allCounters(straight.machine));
        expect(stepped.machine.meter.nowNs).toBe(straight.machine.meter.nowNs);
        if (straight.machine.counters.get('mof_leaked_pages') === 0) checkMachine(stepped.machine, stepped.pins);
        const [exit] = Object.entries(stepped.machine.counters.snapshot())
          .filter(([name, n]) => n > 0 && (name.startsWith('mof_fail') || name === 'mof_migrate_done'))
          .map(([name]) => name);
        seen.add(exit);
      }),
      { numRuns: 80, seed: 3 },
    );
    expect([...seen].sort()).toEqual([
      ...['mof_fail_m1_isolate', 'mof_fail_m2_no_page', 'mof_fail_m4_refused', 'mof_fail_m5_no_operation'],
      ...['mof_fail_m5a_count', 'mof_migrate_done'],
    ]);
  });
});

describe('lazy unmapping and its table of steps', () => {
  it('leave the same, with and without swap slots', () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(fc.nat(PAGES), fc.boolean(), fc.boolean(), (swapPages, isShared, isLocked) => {
        const arranged = () => {
          const machine = tinyMachine({ nodes: 2, swapPages });
          const { task, vma } = processWithPages(machine, 0, START, PAGES);
          if (isShared) {
            const child = machine.process.fork(task, task.cpu);
            machine.memory.discard(child.space, START, 2, child.cpu); // the last two stay shared
          }
          if (isLocked) machine.frames.tryLock(frameAt(machine, task, START));
          return { machine, task, vma };
        };
        const [straight, stepped] = [arranged(), arranged()];
        const result = straight.machine.lazy.unmapArea(straight.task, straight.vma, 0, PAGES, null);
        const { begin, step } = stepped.machine.lazy;
        const state = begin(stepped.task, stepped.vma, 0, PAGES, null);
        while (state.next !== LAZY_DONE) state.next = step(state, state.next);
        for (const name of ['looked', 'unmapped', 'left', 'noSlot'] as const) expect(state[name]).toBe(result[name]);
        expect(memorySnapshot(stepped.machine)).toEqual(memorySnapshot(straight.machine));
        expect(allCounters(stepped.machine)).toEqual(allCounters(straight.machine));
        expect(stepped.machine.meter.nowNs).toBe(straight.machine.meter.nowNs);
        if (isLocked) stepped.machine.frames.unlock(frameAt(stepped.machine, stepped.task, START));
        checkMachine(stepped.machine);
        seen.add(result.unmapped);
      }),
      { numRuns: 60, seed: 4 },
    );
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});
