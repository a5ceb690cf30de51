import { ACCOUNT_MIGRATION, PRICE, type Meter } from '../cost/index.js';
import { BLOCK_MIGRATION, BLOCK_WHOLE, PTE_DIRTY, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  HUGE_PAGES,
  PG_DIRTY,
  PG_PARTIAL,
  PG_WRITTEN,
  type Files,
  type ForEachHugePlace,
  type Frames,
  type HugePages,
  type Mapping,
  type PageCache,
} from '../mm/index.js';
import type { CpuId, PageId, Pfn } from '../units.js';
import type { CopyPage } from './copy-page.js';

export interface MoveHugeParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly tables: PageTables;
  readonly pageCache: PageCache;
  readonly mapping: Mapping;
  readonly huge: HugePages;
  readonly forEachHugePlace: ForEachHugePlace;
  readonly copyPage: CopyPage;
  readonly meter: Meter;
}

/** The parts of migratePages() that differ for a huge page (HP-60): all its entries in one step. */
export interface MoveHuge {
  /** A damaged page is broken up before it moves (K-H14). */
  mustBreakUp(head: Pfn): boolean;
  /** Every entry becomes a migration entry, one per whole mapping. @returns CPUs that the flush has to interrupt */
  unmap(head: Pfn, cpu: CpuId): number;
  isMapped(head: Pfn): boolean;
  /** Migration entries that name `old` show `now`. */
  restore(old: Pfn, now: Pfn): void;
  /** The cache's slots show the new pages, which take the cache's references over. */
  replaceSlots(old: Pfn, fresh: Pfn): void;
  /** Contents and flags of all pages. */
  copy(old: Pfn, fresh: Pfn): void;
  /** The old pages are nobody's any more. */
  forget(old: Pfn): void;
}

export function makeMoveHuge(parts: MoveHugeParts): MoveHuge {
  const { frames, files, tables, pageCache, mapping, huge, forEachHugePlace, copyPage, meter } = parts;

  function unmapBlock(page: PageId): void {
    const head = tables.word[page] as Pfn;
    for (let i = 0; i < HUGE_PAGES; i++) makeMigrationEntry((page + i) as PageId, (head + i) as Pfn);
    tables.block[page >> 9] = BLOCK_MIGRATION;
    huge.addWhole(head, -1);
    frames.drop(head);
  }

  function makeMigrationEntry(page: PageId, part: Pfn): void {
    if ((tables.bits[page] & PTE_DIRTY) !== 0) frames.set(part, PG_DIRTY | PG_WRITTEN);
    tables.setMigration(page, part, tables.bits[page]);
    frames.removeMapping(part);
  }

  function unmap(head: Pfn, cpu: CpuId): number {
    let interrupted = 0;
    let hasSmall = false;
    forEachHugePlace(head, (vma, page, part) => {
      if (!tables.isPresent(page) || tables.word[page] !== (part as number)) return;
      if (tables.isWhole(page)) unmapBlock(page);
      else {
        hasSmall = true;
        makeMigrationEntry(page, part);
        frames.drop(head);
      }
      interrupted = Math.max(interrupted, mapping.flushLater(vma.space, page, cpu));
      meter.pay(ACCOUNT_MIGRATION, PRICE.unmapPage);
    });
    if (hasSmall) huge.defer(head); // K-H14
    return interrupted;
  }

  function restore(old: Pfn, now: Pfn): void {
    const kept = PTE_WRITE | PTE_YOUNG | PTE_DIRTY;
    const show = (page: PageId, part: number): void => {
      frames.addMapping((now + part) as Pfn);
      tables.set(page, (now + part) as Pfn, tables.bits[page] & kept);
    };
    forEachHugePlace(now, (_vma, page, partNow) => {
      const part = partNow - now;
      if (!tables.isMigration(page) || tables.word[page] !== old + part) return;
      frames.get(now);
      if (tables.block[page >> 9] !== BLOCK_MIGRATION) {
        show(page, part);
        return;
      }
      for (let i = 0; i < HUGE_PAGES; i++) show((page + i) as PageId, i);
      tables.block[page >> 9] = BLOCK_WHOLE;
      huge.addWhole(now, 1);
    });
  }

  function replaceSlots(old: Pfn, fresh: Pfn): void {
    const cache = frames.mapping(old);
    for (let i = 0; i < HUGE_PAGES; i++) {
      const part = (old + i) as Pfn;
      frames.setMapping((fresh + i) as Pfn, frames.mapping(part), frames.index(part));
      if (cache <= 0) continue;
      pageCache.replace(files.get(cache), frames.index(part), (fresh + i) as Pfn);
      frames.get(fresh);
      frames.drop(old);
    }
  }

  function copy(old: Pfn, fresh: Pfn): void {
    const isPartial = frames.has(old, PG_PARTIAL);
    huge.undefer(old);
    for (let i = 0; i < HUGE_PAGES; i++) {
      meter.payCopy(ACCOUNT_MIGRATION, frames.nodeOf(old), frames.nodeOf(fresh));
      copyPage.copy((old + i) as Pfn, (fresh + i) as Pfn);
    }
    if (isPartial) huge.defer(fresh);
  }

  return {
    mustBreakUp: (head) => huge.rule.breaksPartial && frames.has(head, PG_PARTIAL),
    unmap,
    isMapped: (head) => huge.mappings(head) > 0,
    restore,
    replaceSlots,
    copy,
    forget(old) {
      for (let i = 0; i < HUGE_PAGES; i++) copyPage.forget((old + i) as Pfn);
    },
  };
}
