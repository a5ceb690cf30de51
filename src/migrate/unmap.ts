import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import type { ForEachPlace, Frames, Lru, Mapping } from '../mm/index.js';
import type { CpuId, Pfn, SwapSlot } from '../units.js';

/** Results of unmapping a page everywhere. Kernel: SWAP_SUCCESS and its siblings, include/linux/rmap.h. */
export const UNMAP_SUCCESS = 0;
/** Some entry still maps it. */
export const UNMAP_AGAIN = 1;
/** A locked area maps it. */
export const UNMAP_FAIL = 2;

export interface UnmapParts {
  readonly frames: Frames;
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
 */
export type TryToUnmap = (pfn: Pfn, cpu: CpuId, account?: number) => number;

export function makeTryToUnmap({ frames, lru, mapping, forEachMapping, meter }: UnmapParts): TryToUnmap {
  return (pfn, cpu, account = ACCOUNT_MIGRATION) => {
    let isLocked = false;
    const slot = frames.private_(pfn) as SwapSlot;
    const toSwap = frames.isAnon(pfn);
    forEachMapping(pfn, (vma, page) => {
      if (vma.isLocked) {
        isLocked = true;
        return;
      }
      if (toSwap) mapping.unmapToSwap(vma.space, page, cpu, slot);
      else mapping.unmap(vma.space, page, cpu);
      meter.pay(account, PRICE.unmapPage);
      lru.put(pfn);
    });
    meter.payTimes(account, PRICE.shootdown, mapping.takeInterrupts());
    if (isLocked) return UNMAP_FAIL;
    return frames.mapcount(pfn) > 0 ? UNMAP_AGAIN : UNMAP_SUCCESS;
  };
}
