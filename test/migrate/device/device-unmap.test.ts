import { describe, expect, it, vi } from 'vitest';
import { checkMachine, type Machine } from '../../../src/engine/index.js';
import { MIGRATE_VMA_DONE } from '../../../src/migrate/index.js';
import { SETTLE } from '../../../src/migrate/device/migrate-vma.js';
import { PG_PRIVATE, type Task } from '../../../src/mm/index.js';
import { NO_PFN, type Pfn } from '../../../src/units.js';
import { mapShared, processWithPages, unmapEverywhere } from '../../support/arrange.js';
import {
  collect,
  deviceMachine,
  entryOf,
  fill,
  finish,
  goOn,
  migrateAll,
  OLD,
  requestFor,
  TWO_FORMS,
  wordAt,
  type Form,
} from '../../support/device.js';
import { frameAt, mapAnon, processOn, touchAll } from '../../support/tiny-machine.js';

// migrate-vma.md section 4: from collected to unmapped, in both forms.

const START = 1000;

interface PinCase {
  readonly page: string;
  /** Pins beyond what the page's own users hold that setup, and then pages, still let through: by form, -1: not there. */
  readonly setup: readonly [old: number, now: number];
  readonly pages: readonly [old: number, now: number];
  readonly arrange: (machine: Machine, task: Task) => Pfn;
  readonly isFaultPage?: true;
}

const written = (machine: Machine, task: Task): Pfn => {
  mapAnon(machine, task, START, 1);
  touchAll(machine, task, START, 1, true);
  machine.lru.drainAll();
  return frameAt(machine, task, START);
};
const ofFile = (machine: Machine, task: Task): Pfn => {
  mapShared(machine, task, machine.files.create('file', 'f', 1, { migrate: 'buffers' }), START);
  touchAll(machine, task, START, 1, false);
  machine.lru.drainAll();
  return frameAt(machine, task, START);
};
const inDevice = (machine: Machine, task: Task): Pfn => {
  written(machine, task);
  migrateAll(machine, requestFor(task, START, 1));
  return wordAt(machine, task, START);
};

/** The pin check, summand by summand; `pages` compares the count exactly. Destinations are on node 1. */
const PINS: readonly PinCase[] = [
  { page: 'extra = 1: isolation', setup: [0, 0], pages: [0, 0], arrange: written },
  { page: 'extra = 1: collect, for device pages; +1 for them', setup: [0, 1], pages: [0, 0], arrange: inDevice },
  {
    page: '+1 if it is the page whose CPU fault is being served',
    ...{ setup: [-1, 1], pages: [-1, 0], isFaultPage: true },
    arrange(machine, task) {
      const pfn = inDevice(machine, task);
      machine.frames.get(pfn); // the fault's
      return pfn;
    },
  },
  {
    page: '+1 if it has a mapping: a swap-cache page counts',
    ...{ setup: [0, 0], pages: [0, 0] },
    arrange(machine, task) {
      unmapEverywhere(machine, task, written(machine, task));
      machine.touch(task, START, true);
      machine.lru.drainAll();
      expect(machine.frames.isSwapCache(frameAt(machine, task, START))).toBe(true);
      return frameAt(machine, task, START);
    },
  },
  { page: '+1 if it has a mapping: a file', setup: [0, 0], pages: [0, 0], arrange: ofFile },
  {
    page: '+1 more if private',
    ...{ setup: [0, 0], pages: [0, 0] },
    arrange(machine, task) {
      const pfn = ofFile(machine, task);
      if (!machine.frames.has(pfn, PG_PRIVATE)) {
        machine.frames.set(pfn, PG_PRIVATE);
        machine.frames.get(pfn);
      }
      return pfn;
    },
  },
];

describe('MV section 4: the pin check', () => {
  it('has six summands', () => {
    expect(PINS).toHaveLength(6);
  });

  /** Whether a page with so many pins is there after setup, and after pages. */
  function survives(form: Form, pin: PinCase, pins: number): [boolean, boolean] {
    const { machine } = deviceMachine(form);
    const task = processOn(machine, 0);
    const pfn = pin.arrange(machine, task);
    for (let i = 0; i < pins; i++) machine.frames.get(pfn);
    const faultPage = pin.isFaultPage === true ? pfn : NO_PFN;
    const m = requestFor(task, START, 1, { faultPage });
    expect(machine.migrateVma.setup(m)).toBe(0);
    const afterSetup = m.src[0] !== 0n;
    fill(machine, m, 1);
    machine.migrateVma.pages(m);
    const afterPages = (m.src[0] & 2n) !== 0n;
    machine.migrateVma.finalize(m);
    machine.lru.drainAll();
    expect(wordAt(machine, task, START) !== pfn).toBe(afterPages);
    const held = pins + (pin.isFaultPage === true ? 1 : 0);
    checkMachine(machine, new Map(held > 0 ? [[pfn, held]] : []));
    return [afterSetup, afterPages];
  }

  const rows = PINS.flatMap((pin) =>
    TWO_FORMS.map((form, i) => [pin.page, form, pin, pin.setup[i], pin.pages[i]] as const),
  ).filter(([, , , setup]) => setup >= 0);

  it.each(rows)('%s [%s]', (_, form, pin, setup, pages) => {
    for (let pins = 0; pins < 3; pins++) expect(survives(form, pin, pins)).toEqual([pins <= setup, pins <= pages]);
  });
});

/** Where in the restore path the page in hand is looked at, and the references its users hold. */
function restoredWith(form: Form, spoil: (machine: Machine, pfn: Pfn) => number): number[] {
  const { machine } = deviceMachine(form);
  const { task } = processWithPages(machine, 0, START, 1);
  const pfn = frameAt(machine, task, START);
  const m = collect(machine, requestFor(task, START, 1));
  const held = spoil(machine, pfn);
  const seen: number[] = [];
  while (m.next !== MIGRATE_VMA_DONE) {
    if (m.next === SETTLE + 5) {
      const inVector = [...machine.lru.vectorHolds().values()].reduce((sum, n) => sum + n, 0);
      seen.push(machine.frames.count(pfn) - machine.frames.mapcount(pfn) - held - inVector);
    }
    m.next = machine.migrateVma.step(m, m.next);
  }
  machine.lru.drainAll();
  expect([m.src[0], m.cpages, machine.frames.isLocked(pfn)]).toEqual([0n, 0, false]);
  expect([entryOf(machine, task, START), frameAt(machine, task, START)]).toEqual(['present+w', pfn]);
  return seen;
}

describe('MV-10: every page reaches the restore loop with exactly one reference more than it has users', () => {
  it.each(TWO_FORMS)('if it could not be isolated [%s]', (form) => {
    const seen = restoredWith(form, (machine, pfn) => {
      machine.lru.isolate(pfn); // somebody else's, with its reference
      return 1;
    });
    expect(seen).toEqual([1, 1]); // with the entry still to be restored, and with none left
  });

  it.each(TWO_FORMS)('if it is pinned, after isolation [%s]', (form) => {
    const seen = restoredWith(form, (machine, pfn) => {
      machine.frames.get(pfn);
      return 1;
    });
    expect(seen).toEqual([1, 1]);
  });
});

/** [5.15] The two shapes of giving up: by whether collect has replaced the entry, and before or after isolation. */
const SHAPES: readonly (readonly [lock: 'in collect' | 'in prepare', cause: 'isolated' | 'pinned'])[] = [
  ['in collect', 'isolated'],
  ['in collect', 'pinned'],
  ['in prepare', 'isolated'],
  ['in prepare', 'pinned'],
];

describe('MV-11: giving up in prepare had two shapes [5.15]', () => {
  it('by four ways', () => {
    expect(SHAPES).toHaveLength(4);
  });

  it.each(SHAPES)('locked %s, %s by somebody else: everything is as it was', (lock, cause) => {
    const { machine } = deviceMachine(OLD);
    const { task } = processWithPages(machine, 0, START, 2);
    const { frames, lru } = machine;
    const [pfn, other] = [START, START + 1].map((vpn) => frameAt(machine, task, vpn));
    if (lock === 'in prepare') frames.tryLock(pfn);
    const m = collect(machine, requestFor(task, START, 2));
    expect(m.cpages).toBe(2);
    if (lock === 'in prepare') frames.unlock(pfn);
    if (cause === 'isolated') lru.isolate(pfn);
    else frames.get(pfn);
    const entries: string[] = [];
    while (m.next !== MIGRATE_VMA_DONE) {
      m.next = machine.migrateVma.step(m, m.next);
      const entry = entryOf(machine, task, START);
      if (entries.at(-1) !== entry) entries.push(entry);
    }
    expect(entries).toEqual(lock === 'in prepare' ? ['present+w'] : ['migration+w', 'present+w']);
    expect([m.src[0], m.cpages, frames.isLocked(pfn)]).toEqual([0n, 1, false]);
    lru.drainAll();
    expect(frames.count(pfn)).toBe(2);
    fill(machine, m);
    finish(machine, m);
    if (cause === 'isolated') lru.putback(task.cpu, pfn);
    expect([wordAt(machine, task, START), frames.count(other)]).toEqual([pfn, 0]);
    checkMachine(machine, new Map(cause === 'pinned' ? [[pfn, 1]] : []));
  });

  it('a lock busy in collect and free in prepare is had by the second try alone', () => {
    const seen = TWO_FORMS.map((form) => {
      const { machine } = deviceMachine(form);
      const { task } = processWithPages(machine, 0, START, 1);
      const pfn = frameAt(machine, task, START);
      machine.frames.tryLock(pfn);
      const m = collect(machine, requestFor(task, START, 1));
      machine.frames.unlock(pfn);
      if (m.next !== MIGRATE_VMA_DONE) goOn(machine, m);
      fill(machine, m);
      finish(machine, m);
      checkMachine(machine);
      return entryOf(machine, task, START);
    });
    expect(seen).toEqual(['device+w', 'present+w']);
  });

  it('prepare ends early once nothing is left to migrate', () => {
    const { machine } = deviceMachine(OLD);
    const { task } = processWithPages(machine, 0, START, 2);
    const pages = [START, START + 1].map((vpn) => frameAt(machine, task, vpn));
    for (const pfn of pages) machine.frames.tryLock(pfn);
    const m = collect(machine, requestFor(task, START, 2));
    const unmaps = vi.spyOn(machine.mapping, 'flush');
    goOn(machine, m);
    expect([m.cpages, unmaps.mock.calls.length, ...m.src]).toEqual([0, 0, 0n, 0n]);
    for (const pfn of pages) machine.frames.unlock(pfn);
    checkMachine(machine);
  });
});

describe('MV-12, MV-13: cpages', () => {
  it.each(TWO_FORMS)('counts holes, and what is left unmapped [%s]', (form) => {
    const { machine } = deviceMachine(form);
    const { task } = processWithPages(machine, 0, START, 4);
    machine.memory.discard(task.space, START + 1, 1, task.cpu);
    const pinned = frameAt(machine, task, START + 2);
    machine.frames.get(pinned);
    const m = requestFor(task, START, 4);
    expect([machine.migrateVma.setup(m), m.cpages, m.npages]).toEqual([0, 3, 4]);
    finish(machine, m);
    checkMachine(machine, new Map([[pinned, 1]]));
  });
});
