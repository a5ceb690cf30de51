import { PTE_DIRTY, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  HUGE_PAGES,
  PG_ACTIVE,
  PG_DIRTY,
  PG_EXCLUSIVE,
  PG_HEAD,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_TAIL,
  PG_UNEVICTABLE,
  PG_WORKINGSET,
  PG_WRITTEN,
  type ForEachHugePlace,
  type Frames,
  type HugeMapping,
  type HugePages,
  type Lru,
  type Mapping,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import type { CpuId, Pfn } from '../units.js';

export interface SplitHugeParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly mapping: Mapping;
  readonly blocks: HugeMapping;
  readonly huge: HugePages;
  readonly forEachHugePlace: ForEachHugePlace;
  readonly counters: Counters;
  readonly tracer: Tracer | null;
  readonly zeroPage: Pfn;
}

/** What its first page says of a huge page, each of its pages says of itself from then on. */
const INHERITED = PG_ACTIVE | PG_REFERENCED | PG_WORKINGSET | PG_UNEVICTABLE | PG_MLOCKED;

/**
 * HP-31, K-H9: a huge page becomes 512 small pages for everybody who maps it; where the rule says so, those that were never
 * written become the zero page. Kernel: split_huge_page_to_list(), mm/huge_memory.c
 *
 * @param head isolated and locked by the caller, who has the isolation's reference alone
 * @param cpu CPU that does it
 * @param goesToSwap all of it goes out, zeros too: no breaking up in the kernel's eyes (HP-55)
 * @returns its pages, each isolated and unlocked; those that nobody maps have no other reference. null: somebody else has
 * one to the huge page, or it is being written, and it stays as it is, locked
 */
export type SplitHuge = (head: Pfn, cpu: CpuId, goesToSwap?: boolean) => Pfn[] | null;

export function makeSplitHuge(parts: SplitHugeParts): SplitHuge {
  const { frames, tables, lru, mapping, blocks, huge, forEachHugePlace, counters, tracer, zeroPage } = parts;

  function isSplittable(head: Pfn): boolean {
    const isCached = frames.isSwapCache(head) || frames.mapping(head) > 0;
    const expected = huge.mappings(head) + 1 + (isCached ? HUGE_PAGES : 0);
    return !frames.isWriteback(head) && frames.count(head) === expected;
  }

  /** Every whole mapping goes to small pieces; what entries say of writing goes to the pages. */
  function splitMappings(head: Pfn, cpu: CpuId): void {
    forEachHugePlace(head, (vma, page, part) => {
      if (!tables.isPresent(page) || tables.word[page] !== (part as number)) return;
      blocks.splitBlock(vma.space, page, cpu);
      if ((tables.bits[page] & PTE_DIRTY) !== 0) frames.set(part, PG_WRITTEN);
    });
  }

  function dropZeros(head: Pfn, cpu: CpuId): void {
    if (!frames.isAnon(head) || frames.has(head, PG_MLOCKED)) return;
    forEachHugePlace(head, (vma, page, part) => {
      if (!tables.isPresent(page) || tables.word[page] !== (part as number)) return;
      if (frames.has(part, PG_WRITTEN | PG_DIRTY)) return;
      frames.removeMapping(part);
      frames.drop(head);
      vma.space.rssAnon--;
      tables.set(page, zeroPage, PTE_YOUNG);
      mapping.flush(vma.space, page, cpu);
    });
  }

  function separate(head: Pfn): Pfn[] {
    const isCached = frames.mapping(head) > 0;
    const inherited = frames.flags(head) & INHERITED;
    const pages: Pfn[] = [];
    for (let i = 0; i < HUGE_PAGES; i++) {
      const pfn = (head + i) as Pfn;
      frames.set(pfn, inherited);
      frames.clear(pfn, PG_HEAD | PG_TAIL | PG_EXCLUSIVE | PG_WRITTEN);
      const mappings = frames.mapcount(pfn);
      frames.setCounts(pfn, mappings + 1 + (isCached ? 1 : 0), mappings);
      pages.push(pfn);
    }
    return pages;
  }

  return (head, cpu, goesToSwap = false) => {
    if (tracer !== null) tracer.step('H-split', head, -1);
    if (!isSplittable(head)) {
      counters.inc(C.thp_split_page_failed);
      return null;
    }
    mapping.beginBatch();
    splitMappings(head, cpu);
    if (huge.rule.dropsZeros && !goesToSwap) dropZeros(head, cpu);
    mapping.endBatch();
    huge.undefer(head);
    frames.unlock(head);
    const pages = separate(head);
    lru.isolated += HUGE_PAGES - 1;
    counters.inc(goesToSwap ? C.thp_swpout : C.thp_split_page);
    return pages;
  };
}

/**
 * Breaks up a huge page that stands on a list, and puts its pages back there. Afterwards its entries are to be looked at anew.
 *
 * @returns false: it is on no list, or stays one
 */
export type BreakUp = (head: Pfn, cpu: CpuId) => boolean;

export function makeBreakUp({ frames, lru }: Pick<SplitHugeParts, 'frames' | 'lru'>, splitHuge: SplitHuge): BreakUp {
  return (head, cpu) => {
    if (frames.isLocked(head) || !lru.isolate(head)) return false;
    frames.tryLock(head);
    const pages = splitHuge(head, cpu);
    if (pages === null) frames.unlock(head);
    for (const page of pages ?? [head]) lru.putback(cpu, page);
    lru.drain(cpu);
    return pages !== null;
  };
}
