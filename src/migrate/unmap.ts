import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import { PTE_YOUNG, type PageTables } from '../hardware/index.js';
import type { ForEachPlace, Frames, Lru, Mapping, Vma } from '../mm/index.js';
import { NO_PFN, type CpuId, type PageId, type Pfn, type SwapSlot } from '../units.js';

/** Results of unmapping a page everywhere. Kernel: SWAP_SUCCESS and its siblings, include/linux/rmap.h. */
export const UNMAP_SUCCESS = 0;
/** Some entry still maps it. */
export const UNMAP_AGAIN = 1;
/** A locked area maps it. */
export const UNMAP_FAIL = 2;

export interface UnmapParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly mapping: Mapping;
  readonly forEachMapping: ForEachPlace;
  readonly meter: Meter;
}

/**
 * Unmaps a page from every address space. An anonymous page must be in the swap cache: its entries become the swap slot
 * (DM-20); file and shmem entries are cleared and will be faulted in again. Kernel: try_to_unmap(), mm/rmap.c.
 *
 * @param cpu CPU that does it; the others that may hold the entries are interrupted
 * @param account who pays
 * @param sparesYoung an entry used since the last time only loses its young bit, and stays (until Feb 2006)
 */
export type TryToUnmap = (pfn: Pfn, cpu: CpuId, account?: number, sparesYoung?: boolean) => number;

export function makeTryToUnmap({ frames, tables, lru, mapping, forEachMapping, meter }: UnmapParts): TryToUnmap {
  // What the walk is for; kept here so that no page of a reclaim scan leaves a closure behind.
  let current = NO_PFN;
  let currentCpu = 0 as CpuId;
  let payer = ACCOUNT_MIGRATION;
  let slot = 0 as SwapSlot;
  let toSwap = false;
  let isLocked = false;
  let spares = false;

  const unmapOne = (vma: Vma, page: PageId): void => {
    if (vma.isLocked) {
      isLocked = true;
      return;
    }
    if (spares && (tables.bits[page] & PTE_YOUNG) !== 0) {
      tables.bits[page] &= ~PTE_YOUNG;
      mapping.flush(vma.space, page, currentCpu);
      return;
    }
    if (toSwap) mapping.unmapToSwap(vma.space, page, currentCpu, slot);
    else mapping.unmap(vma.space, page, currentCpu);
    meter.pay(payer, PRICE.unmapPage);
    lru.put(current);
  };

  return (pfn, cpu, account = ACCOUNT_MIGRATION, sparesYoung = false) => {
    current = pfn;
    currentCpu = cpu;
    payer = account;
    slot = frames.private_(pfn) as SwapSlot;
    toSwap = frames.isAnon(pfn);
    isLocked = false;
    spares = sparesYoung;
    forEachMapping(pfn, unmapOne);
    mapping.payFlushes(account);
    if (isLocked) return UNMAP_FAIL;
    return frames.mapcount(pfn) > 0 ? UNMAP_AGAIN : UNMAP_SUCCESS;
  };
}
