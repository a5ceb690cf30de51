import { describe, expect, it, vi } from 'vitest';
import { checkMachine, profileNamed } from '../../../src/engine/index.js';
import { MIGRATE_VMA_DONE, MIGRATE_VMA_SETUP } from '../../../src/migrate/index.js';
import { SETTLE } from '../../../src/migrate/device/migrate-vma.js';
import { intoVector, processWithPages } from '../../support/arrange.js';
import { oppositeOrders } from '../../support/device-actors.js';
import {
  deviceMachine,
  entryOf,
  fill,
  FORMS,
  migrateAll,
  OLD,
  requestFor,
  wordAt,
  wordOf,
  type Form,
} from '../../support/device.js';
import { cpuOf, frameAt, mapAnon, processOn } from '../../support/tiny-machine.js';

// The test vectors of migrate-vma.md section 9.

const START = 1000;
const PAGES = [0, 1, 2, 3];
type Vector = readonly [setup: string, forms: readonly Form[], run: (form: Form) => void];

const atStart = (form: Form, pages = 4) => {
  const { machine } = deviceMachine(form);
  const { task, vma } = processWithPages(machine, 0, START, pages);
  const frames = PAGES.slice(0, pages).map((i) => frameAt(machine, task, START + i));
  frames.forEach((pfn, i) => machine.contents?.set(pfn, 50 + i));
  return { machine, task, vma, frames };
};

const stampAt = (machine: ReturnType<typeof atStart>['machine'], task: Parameters<typeof wordAt>[1], vpn: number) =>
  machine.contents?.get(wordAt(machine, task, vpn));

const VECTORS: readonly Vector[] = [
  [
    '4 pages, page 2 locked by another task',
    FORMS,
    (form) => {
      const { machine, task, frames } = atStart(form);
      machine.frames.tryLock(frames[2]);
      const m = requestFor(task, START, 4);
      expect(machine.migrateVma.setup(m)).toBe(0);
      expect([m.cpages, m.src[2]]).toEqual([3, 0n]);
      expect(PAGES.map((i) => entryOf(machine, task, START + i))).toEqual([
        ...['migration+w', 'migration+w', 'present+w', 'migration+w'],
      ]);
      machine.frames.unlock(frames[2]);
      fill(machine, m);
      machine.migrateVma.pages(m);
      machine.migrateVma.finalize(m);
      expect(PAGES.map((i) => entryOf(machine, task, START + i))).toEqual([
        ...['device+w', 'device+w', 'present+w', 'device+w'],
      ]);
      expect(PAGES.map((i) => stampAt(machine, task, START + i))).toEqual([50, 51, 52, 53]);
      checkMachine(machine);
    },
  ],
  [
    'page with an extra pin',
    FORMS,
    (form) => {
      const { machine, task, frames } = atStart(form, 1);
      const [pfn] = frames;
      machine.frames.get(pfn);
      const m = requestFor(task, START, 1);
      expect(machine.migrateVma.setup(m)).toBe(0);
      machine.lru.drainAll();
      expect([m.src[0], m.cpages, machine.frames.count(pfn)]).toEqual([0n, 0, 2]);
      expect([entryOf(machine, task, START), frameAt(machine, task, START)]).toEqual(['present+w', pfn]);
      checkMachine(machine, new Map([[pfn, 1]]));
    },
  ],
  [
    'page in an LRU vector of another CPU',
    FORMS,
    (form) => {
      const { machine, task, frames } = atStart(form);
      for (const i of [0, 2]) intoVector(machine, cpuOf(machine, 1), frames[i]);
      const drainAll = vi.spyOn(machine.lru, 'drainAll');
      const m = migrateAll(machine, requestFor(task, START, 4));
      expect([m.cpages, drainAll.mock.calls.length]).toEqual([4, 1]);
      expect(PAGES.map((i) => entryOf(machine, task, START + i))).toEqual(PAGES.map(() => 'device+w'));
      checkMachine(machine);
    },
  ],
  [
    'hole + CPU write fault before pages',
    FORMS,
    (form) => {
      const { machine } = deviceMachine(form);
      const task = processOn(machine, 0);
      mapAnon(machine, task, START, 2);
      const m = requestFor(task, START, 2);
      expect([machine.migrateVma.setup(m), m.cpages, ...Array.from(m.src, wordOf)]).toEqual([0, 2, 'hole', 'hole']);
      const [fresh] = fill(machine, m);
      const own = machine.touch(task, START, true);
      machine.migrateVma.pages(m);
      expect(Array.from(m.src, wordOf)).toEqual(['0', 'hole']);
      expect(machine.frames.count(fresh)).toBe(1);
      machine.migrateVma.finalize(m);
      expect(machine.frames.count(fresh)).toBe(0);
      expect(frameAt(machine, task, START)).toBe(own);
      expect([START, START + 1].map((vpn) => entryOf(machine, task, vpn))).toEqual(['present+w', 'device+w']);
      expect(machine.devices.free(machine.devices.named('gpu'))).toBe(15);
      checkMachine(machine);
    },
  ],
  [
    'page shared by two tasks',
    FORMS,
    (form) => {
      const { machine, task } = atStart(form, 1);
      const child = machine.process.fork(task, task.cpu);
      const m = requestFor(task, START, 1);
      m.next = MIGRATE_VMA_SETUP;
      while (m.next !== SETTLE) m.next = machine.migrateVma.step(m, m.next);
      expect([task, child].map((each) => entryOf(machine, each, START))).toEqual(['migration', 'present']);
      while (m.next !== MIGRATE_VMA_DONE) m.next = machine.migrateVma.step(m, m.next);
      expect([task, child].map((each) => entryOf(machine, each, START))).toEqual(['migration', 'migration']);
      const [fresh] = fill(machine, m);
      machine.migrateVma.pages(m);
      machine.migrateVma.finalize(m);
      expect([task, child].map((each) => entryOf(machine, each, START))).toEqual(['device', 'device']);
      expect([task, child].map((each) => wordAt(machine, each, START))).toEqual([fresh, fresh]);
      expect([machine.frames.mapcount(fresh), machine.contents?.get(fresh)]).toEqual([2, 50]);
      checkMachine(machine);
    },
  ],
  [
    'driver fills no dst',
    FORMS,
    (form) => {
      const { machine, task, vma, frames } = atStart(form);
      machine.memory.discard(vma.space, START + 3, 1, task.cpu);
      const m = requestFor(task, START, 4);
      expect([machine.migrateVma.setup(m), m.cpages]).toEqual([0, 4]);
      machine.migrateVma.pages(m);
      machine.migrateVma.finalize(m);
      machine.lru.drainAll();
      expect(PAGES.map((i) => entryOf(machine, task, START + i))).toEqual([
        ...['present+w', 'present+w', 'present+w', 'none'],
      ]);
      expect(PAGES.map((i) => frameAt(machine, task, START + i))).toEqual([...frames.slice(0, 3), 0]);
      expect(PAGES.slice(0, 3).map((i) => stampAt(machine, task, START + i))).toEqual([50, 51, 52]);
      expect(frames.map((pfn) => machine.frames.count(pfn))).toEqual([1, 1, 1, 0]);
      checkMachine(machine);
    },
  ],
  [
    'lock free at collect, page isolated by reclaim before prepare',
    [OLD],
    (form) => {
      const { machine, task, frames } = atStart(form, 2);
      const m = requestFor(task, START, 2);
      m.next = MIGRATE_VMA_SETUP;
      while (m.next !== SETTLE) m.next = machine.migrateVma.step(m, m.next);
      expect(wordOf(m.src[0])).toBe(`page ${String(frames[0])} migrate locked write`);
      machine.lru.isolate(frames[0]); // reclaim was faster
      while (m.next !== MIGRATE_VMA_DONE) m.next = machine.migrateVma.step(m, m.next);
      expect([m.cpages, m.src[0], wordOf(m.src[1])]).toEqual([
        ...[1, 0n, `page ${String(frames[1])} migrate locked write`],
      ]);
      expect([entryOf(machine, task, START), frameAt(machine, task, START)]).toEqual(['present+w', frames[0]]);
      expect([machine.frames.isLocked(frames[0]), machine.frames.count(frames[0])]).toEqual([false, 2]);
      fill(machine, m);
      machine.migrateVma.pages(m);
      machine.migrateVma.finalize(m);
      machine.lru.putback(task.cpu, frames[0]);
      expect([0, 1].map((i) => entryOf(machine, task, START + i))).toEqual(['present+w', 'device+w']);
      checkMachine(machine);
    },
  ],
  [
    'two migrations, opposite order',
    [OLD, 'linux-6.12'], // whose variant is that of the others
    (form) => {
      const { schedules, outcomes } = oppositeOrders(form);
      // Before the change, who waits for a second try holds a reference that looks like a pin to the other: each can give up
      // the page it locked and then get the other's (BA).
      if (form === OLD) expect([schedules, ...outcomes]).toEqual([275, 'AA', 'AB', 'BA', 'BB']);
      else expect([schedules, ...outcomes]).toEqual([144, 'AA', 'AB', 'BB']);
    },
  ],
];

describe('MV section 9: test vectors', () => {
  it('are eight', () => {
    expect(VECTORS).toHaveLength(8);
  });

  it('are run in two forms: of the four profiles three take the same variant', () => {
    const variants = FORMS.map((form) => profileNamed(form).rules.migrateVma);
    expect(variants).toEqual(['5.15', '6.x', '6.x', '6.x']);
  });

  for (const [setup, forms, run] of VECTORS) {
    it.each(forms)(`${setup} [%s]`, (form) => {
      run(form);
    });
  }
});
