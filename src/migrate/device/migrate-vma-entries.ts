import { ACCOUNT_MIGRATION, PRICE, type Meter } from '../../cost/index.js';
import { PTE_DIRTY, PTE_WRITE, type PageTables } from '../../hardware/index.js';
import {
  PG_DIRTY,
  PG_MLOCKED,
  PG_PRIVATE,
  type DeviceMemory,
  type Files,
  type ForEachPlace,
  type Frames,
  type Lru,
  type Mapping,
  type Spaces,
  type SwapArea,
  type Vma,
} from '../../mm/index.js';
import type { Tracer } from '../../stats/index.js';
import { NO_PAGE, type PageId, type Pfn } from '../../units.js';
import type { CopyPage } from '../copy-page.js';
import type { BreakUp } from '../split-huge.js';
import { frameOfWord, isMigrating, MIGRATE_PFN_MIGRATE, MIGRATE_VMA_WAIT, type MigrateVma } from './migrate-vma.js';
import type { MigrateVmaRule } from './migrate-vma-rules.js';

export interface MigrateVmaParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly files: Files;
  readonly lru: Lru;
  readonly spaces: Spaces;
  readonly swap: SwapArea;
  readonly devices: DeviceMemory;
  readonly mapping: Mapping;
  readonly copyPage: CopyPage;
  readonly forEachPlace: ForEachPlace;
  /** PL-41: exactly one entry uses the page. */
  readonly isExclusive: (pfn: Pfn) => boolean;
  /** null: the machine has no huge pages. */
  readonly breakUp: BreakUp | null;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  readonly zeroPage: Pfn;
  readonly rule: MigrateVmaRule;
}

/** The steps between collected and unmapped, from `SETTLE` on. @returns the next step, DONE or WAIT */
export interface Settle {
  /** Names of its steps, from `SETTLE` on; '' for those that only choose what is next. */
  readonly stepNames: readonly string[];
  step(m: MigrateVma, at: number): number;
}
export type MakeSettle = (parts: MigrateVmaParts, entries: MigrateVmaEntries) => Settle;

/** What several of the steps do to a page and its entries. */
export interface MigrateVmaEntries {
  /**
   * One entry that maps the page in hand becomes a migration entry. Kernel: try_to_migrate(), an entry at a time.
   * @returns the next step: `again` as long as there may be more, `after` when none is left, or WAIT
   */
  unmapOne(m: MigrateVma, again: number, after: number): number;
  /** One migration entry that names the page in hand shows `now`. Kernel: remove_migration_ptes(). @returns as `unmapOne` */
  restoreOne(m: MigrateVma, now: Pfn, again: number, after: number): number;
  /** The pin check (MV section 4). Kernel: migrate_vma_check_page(), the other way round. */
  isPinned(m: MigrateVma, pfn: Pfn): boolean;
  /** System pages: into the lists, after draining all CPUs once if it is in a vector. @returns whether it is isolated now */
  isolate(m: MigrateVma): boolean;
  /** The page in hand is not to migrate and waits for the restore loop. */
  giveUp(m: MigrateVma): void;
  /** Puts the next entry in hand that `wants`, from the one in hand on. @returns false at the end */
  seek(m: MigrateVma, wants: (word: bigint) => boolean): boolean;
  /** The next page for the restore loop: a source that is not to migrate. @returns false if none is left */
  seekRestore(m: MigrateVma): boolean;
  /** The page in hand is put back and forgotten; its reference stays. */
  release(m: MigrateVma): void;
  /** The entry's lock is held by a collect under way. */
  isHeld(vma: Vma): boolean;
}

export function makeMigrateVmaEntries(parts: MigrateVmaParts): MigrateVmaEntries {
  const { frames, tables, lru, mapping, forEachPlace, meter, rule } = parts;

  let foundVma: Vma | null = null;
  let found = NO_PAGE;

  /** Finds a place of the page whose entry `holds`; `foundVma` is null if there is none. */
  function find(pfn: Pfn, holds: (page: PageId) => boolean): Vma | null {
    foundVma = null;
    forEachPlace(pfn, (vma, page) => {
      if (foundVma !== null || !holds(page)) return;
      foundVma = vma;
      found = page;
    });
    return foundVma;
  }

  const isHeld = (vma: Vma): boolean => vma.space.tablesHeld;

  function unmapOne(m: MigrateVma, again: number, after: number): number {
    const { pfn } = m;
    const vma = find(pfn, (page) => tables.maps(page, pfn));
    if (vma === null) return after;
    if (isHeld(vma)) return MIGRATE_VMA_WAIT;
    const bits = tables.bits[found];
    if ((bits & PTE_DIRTY) !== 0) frames.set(pfn, PG_DIRTY);
    const wasPresent = tables.isPresent(found);
    tables.setMigration(found, pfn, bits & rule.carries);
    if (wasPresent) mapping.flush(vma.space, found, m.cpu);
    frames.removeMapping(pfn);
    frames.drop(pfn);
    meter.pay(ACCOUNT_MIGRATION, PRICE.unmapPage);
    mapping.payFlushes(ACCOUNT_MIGRATION);
    return again;
  }

  function restoreOne({ pfn: old }: MigrateVma, now: Pfn, again: number, after: number): number {
    const vma = find(now, (page) => tables.isMigration(page) && tables.word[page] === (old as number));
    if (vma === null) return after;
    if (isHeld(vma)) return MIGRATE_VMA_WAIT;
    frames.get(now);
    frames.addMapping(now);
    const bits = tables.bits[found];
    if (vma.isLocked && now !== old && !frames.isDevice(now)) frames.set(now, PG_MLOCKED);
    if (frames.isDevice(now)) tables.setDevice(found, now, (bits & PTE_WRITE) !== 0);
    else tables.set(found, now, bits & rule.carries);
    return again;
  }

  function isPinned(m: MigrateVma, pfn: Pfn): boolean {
    let extra = 1;
    if (pfn === m.faultPage) extra++;
    if (frames.isDevice(pfn)) extra += rule.deviceExtra;
    if (frames.isSwapCache(pfn) || frames.mapping(pfn) > 0) extra += 1 + (frames.has(pfn, PG_PRIVATE) ? 1 : 0);
    return frames.count(pfn) - extra > frames.mapcount(pfn);
  }

  function isolate(m: MigrateVma): boolean {
    if (!frames.isOnLru(m.pfn) && !m.hasDrained) {
      lru.drainAll();
      m.hasDrained = true;
    }
    return lru.isolate(m.pfn);
  }

  function giveUp(m: MigrateVma): void {
    m.word &= ~MIGRATE_PFN_MIGRATE;
    m.restore++;
  }

  function seek(m: MigrateVma, wants: (word: bigint) => boolean): boolean {
    while (m.at < m.npages && !wants(m.word)) m.at++;
    if (m.at === m.npages) return false;
    m.pfn = frameOfWord(m.word);
    return true;
  }

  function release(m: MigrateVma): void {
    m.word = 0n;
    frames.unlock(m.pfn);
    m.restore--;
    m.at++;
  }

  return {
    ...{ unmapOne, restoreOne, isPinned, isolate, giveUp, seek, release, isHeld },
    seekRestore: (m) => m.restore > 0 && seek(m, (word) => frameOfWord(word) > 0 && !isMigrating(word)),
  };
}
