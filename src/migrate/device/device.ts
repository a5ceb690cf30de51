import { bugOn, EOPNOTSUPP } from '../../errors.js';
import type { Task } from '../../mm/index.js';
import type { Pfn } from '../../units.js';
import { COLLECT_STEP_NAMES, makeCollect } from './migrate-vma-collect.js';
import { makeMigrateVmaEntries, type MigrateVmaParts } from './migrate-vma-entries.js';
import { FINALIZE_STEP_NAMES, makeFinalize } from './migrate-vma-finalize.js';
import { makePages, PAGES_STEP_NAMES } from './migrate-vma-pages.js';
import {
  FINALIZE,
  MIGRATE_PFN_MIGRATE,
  MIGRATE_VMA_DONE,
  MIGRATE_VMA_WAIT,
  migratePfn,
  MigrateVma,
  PAGES,
  SETTLE,
  SETUP,
  TAKE_RANGE,
} from './migrate-vma.js';

/**
 * Moving pages to and from device memory, in the three calls of a driver (MV section 2). Kernel: migrate_vma_setup(),
 * migrate_vma_pages(), migrate_vma_finalize(), mm/migrate_device.c.
 */
export interface MigrateVmaCalls {
  /**
   * Collects the range and unmaps what can migrate. Afterwards each `src` word with MIGRATE wants a destination: allocated,
   * **locked**, filled, its word in `dst`; 0 leaves the page where it is.
   *
   * @returns 0, even if nothing can be migrated, or -EINVAL for a request that makes no sense
   */
  setup(m: MigrateVma): number;
  /** Commits; MIGRATE stays set where the page is the destination from now on. */
  pages(m: MigrateVma): void;
  /** Gives everything back that is held. To be called after a setup that returned 0, whatever came between. */
  finalize(m: MigrateVma): void;
  /**
   * The setup of a device that is emptied: `frames` instead of a range [6.x, section 8]. Those that are free or locked are
   * left out. Kernel: migrate_device_range().
   *
   * @returns a request for `pages` and `finalize`; its result is -EOPNOTSUPP before 6.1
   */
  deviceRange(task: Task, frames: readonly Pfn[]): MigrateVma;
  /** The same before its first step. */
  beginDeviceRange(task: Task, frames: readonly Pfn[]): MigrateVma;
  /** One step; each call starts at `SETUP`, `PAGES` or `FINALIZE`. @returns the next step, MIGRATE_VMA_DONE or MIGRATE_VMA_WAIT */
  step(m: MigrateVma, at: number): number;
}

export function makeMigrateVma(parts: MigrateVmaParts): MigrateVmaCalls {
  const { frames, tracer, rule } = parts;
  const entries = makeMigrateVmaEntries(parts);
  const collect = makeCollect(parts, entries);
  const settle = rule.makeSettle(parts, entries);
  const pages = makePages(parts, entries, collect.isPrivate);
  const finalize = makeFinalize(parts, entries);

  function step(m: MigrateVma, at: number): number {
    if (tracer !== null && names[at] !== '') tracer.step(names[at], m.pfn, m.at);
    if (at < TAKE_RANGE) return collect.step(m, at);
    if (at < SETTLE) return takeOne(m);
    if (at < PAGES) return settle.step(m, at);
    return at < FINALIZE ? pages.step(m, at) : finalize.step(m, at);
  }

  const names = Object.assign([] as string[], { [TAKE_RANGE]: 'V-take' });
  COLLECT_STEP_NAMES.forEach((name, i) => (names[SETUP + i] = name));
  settle.stepNames.forEach((name, i) => (names[SETTLE + i] = name));
  PAGES_STEP_NAMES.forEach((name, i) => (names[PAGES + i] = name));
  FINALIZE_STEP_NAMES.forEach((name, i) => (names[FINALIZE + i] = name));

  function run(m: MigrateVma, from: number): void {
    m.next = from;
    while (m.next !== MIGRATE_VMA_DONE) {
      m.next = step(m, m.next);
      bugOn(m.next === MIGRATE_VMA_WAIT, 'migrateVma waits, and nobody is there to wait for', m.pfn);
    }
  }

  /** A frame of the device range: with a reference if it is in use, and only if its lock is free. */
  function takeOne(m: MigrateVma): number {
    if (m.at === m.npages) return m.cpages > 0 ? SETTLE : MIGRATE_VMA_DONE;
    const pfn = Number(m.src[m.at] >> 6n) as Pfn;
    m.pfn = pfn;
    if (frames.count(pfn) === 0 || !frames.tryLock(pfn)) m.word = 0n;
    else {
      frames.get(pfn);
      m.word = migratePfn(pfn) | MIGRATE_PFN_MIGRATE;
      m.cpages++;
    }
    m.at++;
    return TAKE_RANGE;
  }

  function beginDeviceRange(task: Task, range: readonly Pfn[]): MigrateVma {
    const words = (): BigUint64Array => new BigUint64Array(range.length);
    const m = new MigrateVma({ task, vma: null, start: 0, end: range.length, src: words(), dst: words(), select: 0 });
    range.forEach((pfn, i) => (m.src[i] = migratePfn(pfn)));
    if (rule.hasFaultPage) {
      m.npages = range.length;
      m.next = TAKE_RANGE;
    } else m.result = -EOPNOTSUPP;
    return m;
  }

  return {
    ...{ step, beginDeviceRange },
    setup(m) {
      run(m, SETUP);
      return m.result;
    },
    pages: (m) => {
      run(m, PAGES);
    },
    finalize: (m) => {
      run(m, FINALIZE);
    },
    deviceRange(task, range) {
      const m = beginDeviceRange(task, range);
      run(m, m.next);
      return m;
    },
  };
}
