import { PTE_YOUNG, type PageTables, type Tlb } from '../hardware/index.js';
import {
  type AddressSpace,
  type ForEachHugePlace,
  type ForEachPlace,
  type Frames,
  HUGE_PAGES,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_SWAPBACKED,
  VM_EXEC,
  VM_RAND_READ,
  type Vma,
} from '../mm/index.js';
import type { CpuId, PageId, Pfn } from '../units.js';

/** Answers about an inactive page (RC-30). */
export const REF_RECLAIM = 0;
/** Only if it is clean: writing out what was just read or written is put off. */
export const REF_RECLAIM_CLEAN = 1;
export const REF_KEEP = 2;
export const REF_ACTIVATE = 3;

/** Rule variant: whether the entries of an area tell anything about what is used next (RC-30). */
export interface RecencyRule {
  counts(vma: Vma): boolean;
}
/** [6.12] Areas that their program declared to be read at random do not. */
export const recency612: RecencyRule = { counts: (vma) => (vma.flags & VM_RAND_READ) === 0 };
export const recency61: RecencyRule = { counts: () => true };

/**
 * The table of RC-30, as a function of what was found.
 * @param young entries that were used since the last test
 * @param wasReferenced the page's referenced flag, before it was cleared
 * @param isFile on the file lists
 */
export function referenceAnswer(
  young: number,
  wasReferenced: boolean,
  isLocked: boolean,
  isExecutable: boolean,
  isFile: boolean,
): number {
  if (isLocked) return REF_ACTIVATE;
  if (young === 0) return wasReferenced && isFile ? REF_RECLAIM_CLEAN : REF_RECLAIM;
  return young > 1 || wasReferenced || (isExecutable && isFile) ? REF_ACTIVATE : REF_KEEP;
}

export interface ReferenceParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly tlb: Tlb;
  readonly forEachMapping: ForEachPlace;
  /** null: the machine has no huge pages. */
  readonly forEachHugePlace: ForEachHugePlace | null;
}

export interface ReferenceTest {
  /** RC-30: may this inactive page go? Clears what it counts. A page that a locked area maps becomes mlocked. */
  ofInactive(pfn: Pfn): number;
  /** RC-32: an active page of a program's code that was used. Clears the young bits. */
  isUsedCode(pfn: Pfn): boolean;
  /** RC-81, RC-82: used in any way since the last test. Clears the bits and the flag. */
  isReferenced(pfn: Pfn): boolean;
}

/**
 * Asks page tables and flags whether a page was used since the last time. Kernel: folio_check_references(),
 * folio_referenced(), mm/vmscan.c and mm/rmap.c.
 *
 * Real TLBs turn over many times between two scans of a page, so a used entry is walked again and young again. The
 * model's scans lie closer together and its TLBs forget nothing, so the test takes the translation along: without an
 * interrupt, and uncounted.
 */
export function makeReferenceTest(
  { frames, tables, tlb, forEachMapping, forEachHugePlace }: ReferenceParts,
  recency: RecencyRule,
): ReferenceTest {
  let young = 0;
  let isLocked = false;
  let isExecutable = false;

  function forgetTranslation(space: AddressSpace, page: PageId): void {
    const { cpus } = space;
    for (let w = 0; w < cpus.length; w++) {
      for (let left = cpus[w]; left !== 0; left &= left - 1) {
        const cpu = ((w << 5) + 31 - Math.clz32(left & -left)) as CpuId;
        if (tables.isWhole(page)) tlb.invalidateHuge(cpu, page >> 9);
        else tlb.invalidate(cpu, page);
      }
    }
  }

  const look = (vma: Vma, page: PageId): void => {
    if (!recency.counts(vma)) return;
    if (vma.isLocked) isLocked = true;
    if (isLocked || (tables.bits[page] & PTE_YOUNG) === 0) return;
    tables.bits[page] &= ~PTE_YOUNG;
    forgetTranslation(vma.space, page);
    young++;
    if ((vma.flags & VM_EXEC) !== 0) isExecutable = true;
  };

  /** An entry of a huge page: a whole block counts once, young if any of its pages is. */
  const lookAtPart = (vma: Vma, page: PageId, part: Pfn): void => {
    if (!tables.isPresent(page) || tables.word[page] !== (part as number)) return;
    if (!tables.isWhole(page)) look(vma, page);
    else if (page % HUGE_PAGES === 0) {
      for (let i = 1; i < HUGE_PAGES; i++) {
        tables.bits[page] |= tables.bits[page + i] & PTE_YOUNG;
        tables.bits[page + i] &= ~PTE_YOUNG;
      }
      look(vma, page);
    }
  };

  function countYoung(pfn: Pfn): void {
    young = 0;
    isLocked = false;
    isExecutable = false;
    if (forEachHugePlace !== null && frames.isHuge(pfn)) forEachHugePlace(pfn, lookAtPart);
    else if (frames.mapcount(pfn) > 0) forEachMapping(pfn, look);
  }

  function ofInactive(pfn: Pfn): number {
    countYoung(pfn);
    const wasReferenced = frames.has(pfn, PG_REFERENCED);
    frames.clear(pfn, PG_REFERENCED);
    if (isLocked) frames.set(pfn, PG_MLOCKED);
    else if (young > 0) frames.set(pfn, PG_REFERENCED);
    return referenceAnswer(young, wasReferenced, isLocked, isExecutable, !frames.has(pfn, PG_SWAPBACKED));
  }

  function isUsedCode(pfn: Pfn): boolean {
    countYoung(pfn);
    return young > 0 && isExecutable && !frames.has(pfn, PG_SWAPBACKED);
  }

  function isReferenced(pfn: Pfn): boolean {
    countYoung(pfn);
    const wasReferenced = frames.has(pfn, PG_REFERENCED);
    frames.clear(pfn, PG_REFERENCED);
    return young > 0 || wasReferenced;
  }

  return { ofInactive, isUsedCode, isReferenced };
}
