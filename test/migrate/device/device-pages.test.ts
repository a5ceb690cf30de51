import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../../src/engine/index.js';
import { isMigrating, MIGRATE_VMA_SELECT_SYSTEM } from '../../../src/migrate/index.js';
import { PG_DIRTY, PG_WRITEBACK, VM_READ, type Task } from '../../../src/mm/index.js';
import type { Pfn } from '../../../src/units.js';
import { mapShared, unmapEverywhere } from '../../support/arrange.js';
import {
  deviceMachine,
  entryOf,
  fill,
  finish,
  requestFor,
  TWO_FORMS,
  wordAt,
  wordsOf,
  type Form,
} from '../../support/device.js';
import { frameAt, mapAnon, processOn, touchAll } from '../../support/tiny-machine.js';

// migrate-vma.md sections 5 and 6: pages and finalize.

const START = 1000;

interface Case {
  readonly says: string;
  readonly arrange: (machine: Machine, task: Task) => void;
  /** Where the destination is: a device, a node, or nowhere. */
  readonly to: string | number | null;
  /** Between setup and pages. */
  readonly meanwhile?: (machine: Machine, task: Task, page: Pfn) => void;
  /** After pages MIGRATE is set; and the entry at the end. */
  readonly moves: boolean;
  readonly entry: string;
  /** Undoes what would be no state at rest. */
  readonly after?: (machine: Machine, page: Pfn) => void;
}

const written = (machine: Machine, task: Task): void => {
  mapAnon(machine, task, START, 1);
  touchAll(machine, task, START, 1, true);
};
const untouched = (machine: Machine, task: Task): void => {
  mapAnon(machine, task, START, 1);
};
const zeroes = (machine: Machine, task: Task): void => {
  mapAnon(machine, task, START, 1);
  touchAll(machine, task, START, 1, false);
};
const inSwapCache = (machine: Machine, task: Task): void => {
  written(machine, task);
  unmapEverywhere(machine, task, frameAt(machine, task, START));
  machine.touch(task, START, true);
};
/** A second task's entry still names the slot. */
const halfSwapped = (machine: Machine, task: Task): void => {
  written(machine, task);
  machine.process.fork(task, task.cpu);
  unmapEverywhere(machine, task, frameAt(machine, task, START));
  machine.touch(task, START, false);
};
const ofFile = (kind: 'file' | 'shmem') => (machine: Machine, task: Task) => {
  mapShared(machine, task, machine.files.create(kind, kind, 1), START);
  touchAll(machine, task, START, 1, true);
  machine.frames.set(frameAt(machine, task, START), PG_DIRTY); // else 5.15 loses that it is (MV-2)
};

/** The table of section 5, each row with what it leaves open. */
const CASES: readonly (readonly [row: string, cases: readonly Case[]])[] = [
  [
    'dst empty',
    [
      { says: 'a page', arrange: written, to: null, moves: false, entry: 'present+w' },
      { says: 'a hole', arrange: untouched, to: null, moves: false, entry: 'none' },
    ],
  ],
  [
    'hole',
    [
      { says: 'none', arrange: untouched, to: 'gpu', moves: true, entry: 'device+w' },
      { says: 'none, of a node', arrange: untouched, to: 1, moves: true, entry: 'present+w' },
      { says: 'zero page', arrange: zeroes, to: 'gpu', moves: true, entry: 'device+w' },
      { says: 'zero page, of a node', arrange: zeroes, to: 1, moves: true, entry: 'present+w' },
      {
        says: 'read-only area',
        arrange: (machine, task) => machine.memory.mmap(task.space, START, 1, { flags: VM_READ }, task.cpu),
        ...{ to: 'gpu', moves: true, entry: 'device' },
      },
      {
        says: 'read meanwhile: the zero page is replaced',
        ...{ arrange: untouched, to: 'gpu', moves: true, entry: 'device+w' },
        meanwhile: (machine, task) => machine.touch(task, START, false),
      },
      {
        says: 'written meanwhile (R-19)',
        ...{ arrange: untouched, to: 'gpu', moves: false, entry: 'present+w' },
        meanwhile: (machine, task) => machine.touch(task, START, true),
      },
      { says: 'destination of another kind', arrange: untouched, to: 'log', moves: false, entry: 'none' },
    ],
  ],
  [
    'destination device, source in a cache',
    [
      { says: 'swap cache, dropped', arrange: inSwapCache, to: 'gpu', moves: true, entry: 'device+w' },
      { says: 'swap cache, slot in use', arrange: halfSwapped, to: 'gpu', moves: false, entry: 'present' },
      {
        says: 'swap cache, being written',
        ...{ arrange: inSwapCache, to: 'gpu', moves: false, entry: 'present+w' },
        meanwhile: (machine, _, page) => {
          machine.frames.set(page, PG_WRITEBACK);
        },
        after: (machine, page) => {
          machine.frames.clear(page, PG_WRITEBACK);
        },
      },
      { says: 'file', arrange: ofFile('file'), to: 'gpu', moves: false, entry: 'present+w' },
      { says: 'shmem', arrange: ofFile('shmem'), to: 'gpu', moves: false, entry: 'present+w' },
    ],
  ],
  [
    'destination other device type',
    [{ says: 'a page', arrange: written, to: 'log', moves: false, entry: 'present+w' }],
  ],
  [
    'otherwise',
    [
      { says: 'to a device', arrange: written, to: 'gpu', moves: true, entry: 'device+w' },
      { says: 'to a node', arrange: written, to: 1, moves: true, entry: 'present+w' },
      { says: 'in the swap cache, to a node', arrange: inSwapCache, to: 1, moves: true, entry: 'present+w' },
      { says: 'of a file, to a node', arrange: ofFile('file'), to: 1, moves: true, entry: 'present+w' },
      { says: 'of shmem, to a node', arrange: ofFile('shmem'), to: 1, moves: true, entry: 'present+w' },
      {
        says: 'referenced meanwhile: EAGAIN',
        ...{ arrange: written, to: 'gpu', moves: false, entry: 'present+w' },
        meanwhile: (machine, _, page) => {
          machine.frames.get(page);
        },
        after: (machine, page) => {
          machine.frames.drop(page);
        },
      },
    ],
  ],
];

/** One case from setup to the end of finalize. */
function play(form: Form, { arrange, to, meanwhile, moves, entry, after }: Case): void {
  const { machine } = deviceMachine(form);
  const task = processOn(machine, 0);
  arrange(machine, task);
  machine.lru.drainAll();
  const page = frameAt(machine, task, START);
  const isPage = page !== machine.zeroPage && page > 0;
  if (isPage) machine.contents?.set(page, 77);
  const m = requestFor(task, START, 1, { select: MIGRATE_VMA_SELECT_SYSTEM });
  expect([machine.migrateVma.setup(m), m.cpages]).toEqual([0, 1]);
  const [fresh] = to === null ? [] : fill(machine, m, to);
  meanwhile?.(machine, task, page);
  machine.migrateVma.pages(m);
  expect(isMigrating(m.src[0])).toBe(moves);
  machine.migrateVma.finalize(m);
  machine.lru.drainAll();
  after?.(machine, page);
  expect(entryOf(machine, task, START)).toBe(entry);
  if (moves) expect(wordAt(machine, task, START)).toBe(fresh);
  if (isPage) expect(machine.contents?.get(wordAt(machine, task, START))).toBe(77);
  if (isPage) expect(machine.frames.count(page) === 0).toBe(moves);
  if (fresh !== undefined && !moves) expect(machine.frames.count(fresh)).toBe(0);
  checkMachine(machine); // MV-20: no migration entry, no locked page, nothing leaked
}

describe('MV section 5: pages', () => {
  it('is a table of five rows', () => {
    expect(CASES).toHaveLength(5);
    expect(CASES.flatMap(([, cases]) => cases)).toHaveLength(22);
  });

  const rows = CASES.flatMap(([row, cases]) =>
    cases.flatMap((one) => TWO_FORMS.map((form) => [row, one.says, form, one] as const)),
  );
  it.each(rows)('%s: %s [%s]', (_, __, form, one) => {
    play(form, one);
  });

  it('a page under writeback, to a node: stops, which is an assertion of the kernel too', () => {
    const { machine } = deviceMachine('linux-6.12');
    const task = processOn(machine, 0);
    inSwapCache(machine, task);
    machine.lru.drainAll();
    const page = frameAt(machine, task, START);
    const m = requestFor(task, START, 1);
    machine.migrateVma.setup(m);
    fill(machine, m, 1);
    machine.frames.set(page, PG_WRITEBACK);
    expect(() => {
      machine.migrateVma.pages(m);
    }).toThrow('under writeback');
  });

  it('flags go along, there and back', () => {
    const { machine, gpu } = deviceMachine('linux-6.12');
    const task = processOn(machine, 0);
    written(machine, task);
    machine.lru.drainAll();
    machine.lru.activate(frameAt(machine, task, START));
    expect(gpu.toDevice(task, START, 1)).toBe(1);
    const there = wordAt(machine, task, START);
    expect([machine.frames.isActive(there), machine.frames.isOnLru(there)]).toEqual([true, false]);
    const back = machine.touch(task, START, false);
    machine.lru.drainAll();
    expect([machine.frames.isActive(back), machine.frames.isOnLru(back)]).toEqual([true, true]);
    checkMachine(machine);
  });
});

/** Section 6, clause by clause. */
const FINALIZE: readonly (readonly [clause: string, src: 'none' | 'hole' | 'stays' | 'moves', hasDst: boolean])[] = [
  ['no source: unlock and drop dst if present', 'none', true],
  ['no source, no dst', 'hole', false],
  ['a hole that was filled: dst keeps the reference of its entry', 'hole', true],
  ['source but not MIGRATE: free dst; use the source again', 'stays', true],
  ['source, no dst: use the source again', 'moves', false],
  ['migrated: unlock and drop the source, unlock and drop dst', 'moves', true],
];

describe('MV section 6: finalize', () => {
  it('has six cases', () => {
    expect(FINALIZE).toHaveLength(6);
  });

  it.each(FINALIZE.flatMap((row) => TWO_FORMS.map((form) => [row[0], form, row[1], row[2]] as const)))(
    'MV-20, %s [%s]',
    (_, form, src, hasDst) => {
      const { machine } = deviceMachine(form);
      const { frames } = machine;
      const task = processOn(machine, 0);
      (src === 'stays' || src === 'moves' ? written : untouched)(machine, task);
      machine.lru.drainAll();
      const page = frameAt(machine, task, START);
      const m = requestFor(task, START, 1);
      machine.migrateVma.setup(m);
      const [fresh] = fill(machine, m);
      if (!hasDst) {
        frames.unlock(fresh);
        machine.lru.put(fresh);
        m.dst[0] = 0n;
      }
      if (src === 'none') m.src[0] = 0n;
      if (src === 'stays') m.src[0] &= ~2n;
      const moves = hasDst && (src === 'hole' || src === 'moves');
      finish(machine, m);
      expect(frames.count(fresh)).toBe(moves ? 1 : 0);
      if (page > 0) expect([frames.count(page), frames.isOnLru(page)]).toEqual(moves ? [0, false] : [1, true]);
      expect(entryOf(machine, task, START)).toBe(moves ? 'device+w' : page > 0 ? 'present+w' : 'none');
      expect(wordsOf(m)[0].includes('migrate') || wordsOf(m)[0] === 'hole').toBe(moves);
      checkMachine(machine);
    },
  );
});
