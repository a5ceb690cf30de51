import { ACCOUNT_FAULT, PRICE, type Meter } from '../cost/index.js';
import { BLOCK_EMPTY, type PageTables } from '../hardware/index.js';
import {
  HUGE_PAGES,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  VM_NOHUGEPAGE,
  type FileObject,
  type Frames,
  type HugeMapping,
  type HugePages,
  type Lru,
  type PageCache,
} from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PFN, type Pfn } from '../units.js';
import type { FaultState } from './fault-state.js';
import type { Placement } from './placement.js';

export interface HugeShmemParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly pageCache: PageCache;
  readonly blocks: HugeMapping;
  readonly huge: HugePages;
  readonly placement: Placement;
  readonly counters: Counters;
  readonly meter: Meter;
}

/** tmpfs with `huge=always` (K-H18). */
export interface HugeShmem {
  /**
   * A huge page for the block of the object in which a page lies that is neither there nor in swap. The block has to be empty,
   * and (decision) to lie inside the object. @returns the page's part of it, with the allocation's reference to its first page; `NO_PFN`: a small page will do
   */
  create(f: FaultState, file: FileObject, index: number): Pfn;
  /** Maps it as a whole, if the area can and the block is empty; takes the reference over. @returns false: its page alone is to be mapped */
  mapWhole(f: FaultState, head: Pfn, bits: number): boolean;
}

export function makeHugeShmem(parts: HugeShmemParts): HugeShmem {
  const { frames, tables, lru, pageCache, blocks, huge, placement, counters, meter } = parts;

  /** The area contains the block, and addresses and page indices agree modulo 512. */
  function fits({ vma, offset, page }: FaultState, file: FileObject): boolean {
    if ((vma.flags & VM_NOHUGEPAGE) !== 0) return false;
    const inBlock = (vma.filePage + offset) % HUGE_PAGES;
    const first = offset - inBlock;
    const isAligned = file.vmas.has(vma) ? page % HUGE_PAGES === inBlock : true; // a call's pseudo-area has no addresses
    return isAligned && first >= 0 && first + HUGE_PAGES <= vma.pages;
  }

  function isEmpty(file: FileObject, first: number): boolean {
    for (let index = first; index < first + HUGE_PAGES; index++) if (file.slots.get(index) !== 0) return false;
    return true;
  }

  return {
    create(f, file, index) {
      const first = index - (index % HUGE_PAGES);
      if ((f.vma.flags & VM_NOHUGEPAGE) !== 0 || first + HUGE_PAGES > file.sizePages) return NO_PFN;
      if (!huge.rule.fillsForParts && !fits(f, file)) return NO_PFN;
      if (!isEmpty(file, first)) return NO_PFN;
      const head = placement.forHugeShmem(f.task, f.vma, f.offset);
      counters.inc(head === NO_PFN ? C.thp_file_fallback : C.thp_file_alloc);
      if (head === NO_PFN) return NO_PFN;
      for (let i = 0; i < HUGE_PAGES; i++) frames.set((head + i) as Pfn, PG_UPTODATE | PG_SWAPBACKED);
      pageCache.addHuge(file, first, head);
      if (file.isUnevictable) frames.set(head, PG_UNEVICTABLE);
      lru.cacheAddAnon(f.task.cpu, head);
      meter.payTimes(ACCOUNT_FAULT, PRICE.clearPage, HUGE_PAGES - 1); // one is in the fault's own price
      return (head + index - first) as Pfn;
    },
    mapWhole(f, head, bits) {
      const { file } = f.vma;
      if (file === null || tables.block[f.page >> 9] !== BLOCK_EMPTY || !fits(f, file)) return false;
      blocks.mapWholeFile(f.vma, f.page, head, bits);
      return true;
    },
  };
}
