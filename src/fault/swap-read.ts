import { ACCOUNT_FAULT, ACCOUNT_REFAULT, type Meter, PRICE } from '../cost/index.js';
import {
  type Contents,
  type Frames,
  type Lru,
  PG_READAHEAD,
  PG_SWAPBACKED,
  PG_UPTODATE,
  type SwapArea,
  type Task,
  type Vma,
} from '../mm/index.js';
import type { Refault } from '../reclaim/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PFN, type Pfn, type SwapSlot } from '../units.js';
import { FaultState } from './fault-state.js';
import type { Placement } from './placement.js';
import type { FaultSwitches } from './rules.js';

export interface SwapReadParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly placement: Placement;
  readonly refault: Refault;
  readonly contents: Contents | null;
  readonly counters: Counters;
  readonly meter: Meter;
  /** Its `pageCluster` may be written while the machine runs: 2^n aligned slots are read together. */
  readonly switches: Pick<FaultSwitches, 'pageCluster'>;
}

/** Reading from the swap device into the swap cache. Kernel: swapin_readahead(), read_swap_cache_async(). */
export interface SwapRead {
  /** The page in the swap cache at a slot, with a reference, or `NO_PFN`. Counts what read-ahead had brought. */
  lookup(slot: SwapSlot): Pfn;
  /**
   * Reads a slot for a fault: a page by the policy of the faulting area and address (MP-14, K-S2), in the swap cache,
   * uptodate, with a reference for the caller; its neighbours come in the same read.
   * @returns `NO_PFN`: out of memory
   */
  read(f: FaultState, slot: SwapSlot): Pfn;
  /** The same without a fault (madvise WILLNEED, swapoff). */
  readFor(task: Task, vma: Vma, offset: number, slot: SwapSlot, readsObject: boolean): Pfn;
}

export function makeSwapRead(parts: SwapReadParts): SwapRead {
  const { frames, lru, swap, placement, refault, contents, counters, meter, switches } = parts;

  function lookup(slot: SwapSlot): Pfn {
    const pfn = swap.cached(slot);
    if (pfn === NO_PFN) return NO_PFN;
    frames.get(pfn);
    if (frames.has(pfn, PG_READAHEAD)) {
      frames.clear(pfn, PG_READAHEAD);
      counters.inc(C.swap_ra_hit);
    }
    return pfn;
  }

  function bringIn(f: FaultState, slot: SwapSlot): Pfn {
    const pfn = f.readsObject
      ? placement.forShmem(f.task, f.vma, f.offset, f.isWrite)
      : placement.forVma(f.task, f.vma, f.offset, f.isWrite);
    if (pfn === NO_PFN) return NO_PFN;
    swap.addUser(slot); // the cache's
    swap.insert(slot, pfn);
    frames.set(pfn, PG_SWAPBACKED | PG_UPTODATE);
    if (contents !== null && swap.device !== null) contents.set(pfn, swap.device.get(slot as number as Pfn));
    lru.cacheAddAnon(f.task.cpu, pfn);
    refault.swap(slot, pfn);
    counters.inc(C.pswpin);
    return pfn;
  }

  /** The other slots of the aligned cluster that hold something and are not cached. */
  function readCluster(f: FaultState, slot: SwapSlot): void {
    const size = 1 << switches.pageCluster;
    const first = Math.max(1, slot - (slot & (size - 1)));
    const end = Math.min(swap.end, first + size);
    for (let other = first as SwapSlot; other < end; other++) {
      if (other === slot || swap.users(other) === 0 || swap.cached(other) !== NO_PFN) continue;
      const pfn = bringIn(f, other);
      if (pfn === NO_PFN) return;
      frames.set(pfn, PG_READAHEAD);
      counters.inc(C.swap_ra);
      lru.put(pfn);
    }
  }

  function read(f: FaultState, slot: SwapSlot): Pfn {
    if (switches.pageCluster > 0) readCluster(f, slot);
    const pfn = bringIn(f, slot);
    if (pfn !== NO_PFN) meter.pay(swap.isMoved(slot) ? ACCOUNT_REFAULT : ACCOUNT_FAULT, PRICE.swapRead);
    return pfn;
  }

  function readFor(task: Task, vma: Vma, offset: number, slot: SwapSlot, readsObject: boolean): Pfn {
    const f = new FaultState(task, vma);
    f.offset = offset;
    f.readsObject = readsObject;
    return bringIn(f, slot);
  }

  return { lookup, read, readFor };
}
