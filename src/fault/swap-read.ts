import { ACCOUNT_FAULT, ACCOUNT_REFAULT, type DeviceQueue } from '../cost/index.js';
import {
  type Contents,
  type FileObject,
  type Frames,
  type Lru,
  PG_READAHEAD,
  PG_SWAPBACKED,
  PG_UPTODATE,
  type SwapArea,
  type Task,
  type Vma,
} from '../mm/index.js';
import type { PageTables } from '../hardware/index.js';
import type { Refault } from '../reclaim/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PFN, type PageId, type Pfn, type SwapSlot } from '../units.js';
import { FaultState } from './fault-state.js';
import type { Placement } from './placement.js';
import type { FaultSwitches } from './rules.js';
import { noteSwapHit, swapWindow, type SwapReadAhead, type SwapWindow } from './swap-window.js';

export interface SwapReadParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly placement: Placement;
  readonly refault: Refault;
  readonly contents: Contents | null;
  readonly counters: Counters;
  readonly disk: DeviceQueue;
  readonly tables: PageTables;
  /** Its `pageCluster` may be written while the machine runs: up to 2^n pages are read together. */
  readonly switches: Pick<FaultSwitches, 'pageCluster'>;
  readonly rules: { readonly swapReadAhead: SwapReadAhead };
}

/** Reading from the swap device into the swap cache. Kernel: swapin_readahead(), read_swap_cache_async(). */
export interface SwapRead {
  /** The page in the swap cache at a slot, with a reference, or `NO_PFN`. Counts what read-ahead had brought. */
  lookup(slot: SwapSlot): Pfn;
  /** The same for the fault of a private page, whose area remembers how it went. */
  lookupFor(f: FaultState): Pfn;
  /**
   * Reads a slot for a fault: a page by the policy of the faulting area and address (MP-14, K-S2), in the swap cache,
   * uptodate, with a reference for the caller; its neighbours come in the same read.
   * @returns `NO_PFN`: out of memory
   */
  read(f: FaultState, slot: SwapSlot): Pfn;
  /**
   * The page of a slot that nobody else names, not in the swap cache and without its neighbours: from a device that reads
   * at once there is nothing to wait for. Kernel: SWP_SYNCHRONOUS_IO in do_swap_page()
   */
  readAlone(f: FaultState, slot: SwapSlot): Pfn;
  /** Reads a slot of a shmem object by the caller's task policy, rotor included. */
  readByTask(task: Task, file: FileObject, index: number, slot: SwapSlot): Pfn;
  /** Like `read` without a fault (madvise WILLNEED, swapoff). */
  readFor(task: Task, vma: Vma, offset: number, slot: SwapSlot, readsObject: boolean): Pfn;
}

/** No address: the page is placed by that of the fault. */
const NOWHERE = -1;

export function makeSwapRead(parts: SwapReadParts): SwapRead {
  const { frames, lru, tables, swap, placement, refault, contents, counters, disk, switches } = parts;
  const { byArea, ownIndex, advances } = parts.rules.swapReadAhead;
  const window: SwapWindow = { first: 0, end: 0 };

  /** A page found in the swap cache. @returns whether read-ahead had brought it, which is counted the first time */
  function use(pfn: Pfn): boolean {
    frames.get(pfn);
    if (!frames.has(pfn, PG_READAHEAD)) return false;
    frames.clear(pfn, PG_READAHEAD);
    counters.inc(C.swap_ra_hit);
    return true;
  }

  function lookup(slot: SwapSlot): Pfn {
    const pfn = swap.cached(slot);
    if (pfn !== NO_PFN) use(pfn);
    return pfn;
  }

  function lookupFor(f: FaultState): Pfn {
    const pfn = swap.cached(f.slot);
    if (pfn !== NO_PFN) noteSwapHit(f.vma, f.offset, use(pfn));
    return pfn;
  }

  function bringIn(f: FaultState, slot: SwapSlot, offset: number): Pfn {
    const pfn = f.readsObject
      ? placement.forShmem(f.task, f.vma, offset, f.isWrite)
      : placement.forVma(f.task, f.vma, offset, f.isWrite);
    return cacheAndFill(f.task, slot, pfn);
  }

  function cacheAndFill(task: Task, slot: SwapSlot, pfn: Pfn): Pfn {
    if (pfn === NO_PFN) return NO_PFN;
    swap.addUser(slot); // the cache's
    swap.insert(slot, pfn);
    return fill(task, slot, pfn);
  }

  function fill(task: Task, slot: SwapSlot, pfn: Pfn): Pfn {
    frames.set(pfn, PG_SWAPBACKED | PG_UPTODATE);
    if (contents !== null && swap.device !== null) contents.set(pfn, swap.device.get(slot as number as Pfn));
    lru.cacheAddAnon(task.cpu, pfn);
    refault.swap(slot, pfn);
    counters.inc(C.pswpin);
    return pfn;
  }

  function waitForRead(slot: SwapSlot): void {
    disk.read(swap.isMoved(slot) ? ACCOUNT_REFAULT : ACCOUNT_FAULT, slot);
  }

  /** A neighbour of the page that faulted, marked so that its use is noticed. @returns false: out of memory */
  function bringNeighbour(f: FaultState, slot: SwapSlot, offset: number, vpn = NOWHERE): boolean {
    if (swap.users(slot) === 0 || swap.cached(slot) !== NO_PFN) return true;
    const pfn = vpn === NOWHERE ? bringIn(f, slot, offset) : bringInAt(f.task, vpn, slot);
    if (pfn === NO_PFN) return false;
    frames.set(pfn, PG_READAHEAD);
    counters.inc(C.swap_ra);
    lru.put(pfn);
    return true;
  }

  /** The swapped pages around the fault, as far as its area and its leaf table go. Kernel: swap_vma_readahead() */
  function readAround(f: FaultState): Pfn {
    swapWindow(window, f.vma, f.offset, switches.pageCluster);
    const { first, end } = window;
    let read = NO_PFN;
    for (let offset = first; offset < end; offset++) {
      if (offset === f.offset) read = bringIn(f, f.slot, offset);
      const page = (f.page + offset - f.offset) as PageId;
      if (offset === f.offset || !tables.isSwap(page)) continue;
      if (!bringNeighbour(f, tables.word[page] as SwapSlot, ownIndex ? offset : f.offset)) break;
    }
    return read === NO_PFN && swap.cached(f.slot) === NO_PFN ? bringIn(f, f.slot, f.offset) : read;
  }

  /** The other slots of the aligned cluster that hold something and are not cached. */
  function readCluster(f: FaultState, slot: SwapSlot): void {
    const size = 1 << switches.pageCluster;
    const first = Math.max(1, slot - (slot & (size - 1)));
    const end = Math.min(swap.end, first + size);
    const isAlong = advances && !f.readsObject;
    let vpn = f.vma.start + f.offset;
    for (let other = first as SwapSlot; other < end; other++) {
      if (swap.users(other) === 0 || (other === slot && !isAlong)) continue;
      if (other === slot ? !bringOwn(f, slot, vpn) : !bringNeighbour(f, other, f.offset, isAlong ? vpn : NOWHERE))
        return;
      vpn++;
    }
  }

  /** MP-14 [2.6.16]: by the policy of whatever lies at an address that may have nothing to do with the slot. */
  function bringInAt(task: Task, vpn: number, slot: SwapSlot): Pfn {
    const vma = task.space.find(vpn);
    const pfn = vma === null ? placement.withoutArea(task) : placement.forVma(task, vma, vpn - vma.start, false);
    return cacheAndFill(task, slot, pfn);
  }

  /** MP-14: the slot of the fault comes when its turn is, by an address that is not its own. */
  function bringOwn(f: FaultState, slot: SwapSlot, vpn: number): boolean {
    const pfn = bringInAt(f.task, vpn, slot);
    if (pfn !== NO_PFN) lru.put(pfn);
    return pfn !== NO_PFN;
  }

  function readOne(f: FaultState, slot: SwapSlot): Pfn {
    const cached = swap.cached(slot);
    if (cached === NO_PFN) return bringIn(f, slot, f.offset);
    frames.get(cached); // the cluster brought it
    return cached;
  }

  function read(f: FaultState, slot: SwapSlot): Pfn {
    const around = byArea && !f.readsObject;
    if (!around && switches.pageCluster > 0) readCluster(f, slot);
    const pfn = around ? readAround(f) : readOne(f, slot);
    if (pfn !== NO_PFN) waitForRead(slot);
    return pfn;
  }

  function readFor(task: Task, vma: Vma, offset: number, slot: SwapSlot, readsObject: boolean): Pfn {
    const f = new FaultState(task, vma);
    f.offset = offset;
    f.readsObject = readsObject;
    return bringIn(f, slot, offset);
  }

  return {
    ...{ lookup, lookupFor, read, readFor },
    readAlone(f, slot) {
      const pfn = placement.forVma(f.task, f.vma, f.offset, f.isWrite);
      if (pfn === NO_PFN) return NO_PFN;
      waitForRead(slot);
      return fill(f.task, slot, pfn);
    },
    readByTask: (task, file, index, slot) => cacheAndFill(task, slot, placement.forPageCache(task, file, index, false)),
  };
}
