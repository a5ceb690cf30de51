import {
  type FileObject,
  type Files,
  type Frames,
  type PageCache,
  PG_DIRTY,
  PG_PRIVATE,
  PG_RECLAIM,
  type SwapArea,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import type { Pfn, SwapSlot } from '../units.js';
import type { SwapOut } from './swap-out.js';

// Results of writing a page out. Kernel: pageout_t, mm/vmscan.c.
/** Nothing was done: somebody else holds the page, or nothing could write it. Still locked. */
export const PAGE_KEEP = 0;
/** It cannot be written now and is wanted back: no room in swap. Still locked. */
export const PAGE_ACTIVATE = 1;
/** A write was started or is over, or there is nothing to write any more; the page lock was released. */
export const PAGE_SUCCESS = 2;
/** Nothing to write. Still locked. */
export const PAGE_CLEAN = 3;

export interface PageOutStepsParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly pageCache: PageCache;
  readonly swap: SwapArea;
  readonly swapOut: SwapOut;
  readonly counters: Counters;
  /** RC-51: a file system that cannot let go of the buffers of this page now; null: every one can. */
  readonly buffersBusy: ((pfn: Pfn) => boolean) | null;
  /** A shmem page that was given a slot is written in the same step (6.x), or when it is met again. */
  readonly shmemWritesAtOnce: boolean;
  /** Who is told of writes and of pages that leave; the movers tell of their own steps. */
  readonly tracer?: Tracer | null;
}

/** Who is told that a page left its cache for good (refault distance). */
export interface EvictionNotice {
  evictSwap(slot: SwapSlot, pfn: Pfn): void;
  evictFile(file: FileObject, index: number, pfn: Pfn): void;
}

/** The last steps of a page on its way out of memory: isolated, locked, unmapped. Reclaim and the movers share them. */
export interface PageOutSteps {
  /** Writes a dirty page; one of the four results above. Kernel: pageout(), mm/vmscan.c. */
  pageout(pfn: Pfn): number;
  /** RC-51. @returns false if the page keeps its buffers. Kernel: try_to_release_page() */
  tryToReleasePage(pfn: Pfn): boolean;
  /**
   * Takes the page out of its cache if its count is exactly 2, the cache and the caller, and it is clean: tested under the
   * tree lock. The cache's reference is dropped, the caller's and the page lock stay. Kernel: remove_mapping().
   */
  removeMapping(pfn: Pfn): boolean;
  /** Nothing but the cache uses the slot of this swap-cache page. */
  ownsSlot(pfn: Pfn): boolean;
  /** The page leaves the swap cache and is dirty: only memory has its contents. */
  leaveSwapCache(pfn: Pfn): void;
}

export function makePageOutSteps(parts: PageOutStepsParts, evicted: EvictionNotice | null): PageOutSteps {
  const { frames, files, pageCache, swap, swapOut, counters, buffersBusy, shmemWritesAtOnce } = parts;
  const tracer = parts.tracer ?? null;

  function ownsSlot(pfn: Pfn): boolean {
    return swap.users(frames.private_(pfn) as SwapSlot) === 1;
  }

  function leaveSwapCache(pfn: Pfn): void {
    swap.remove(pfn);
    frames.drop(pfn);
    frames.set(pfn, PG_DIRTY);
  }

  function pageout(pfn: Pfn): number {
    const buffers = frames.has(pfn, PG_PRIVATE) ? 1 : 0;
    if (frames.count(pfn) - buffers !== 2) return PAGE_KEEP;
    const isSwap = frames.isSwapCache(pfn);
    const mapping = frames.mapping(pfn);
    if (!isSwap && mapping <= 0) return buffers === 1 && tryToReleasePage(pfn) ? PAGE_CLEAN : PAGE_KEEP;
    if (!frames.isDirty(pfn)) return PAGE_CLEAN;
    if (isSwap) {
      if (!ownsSlot(pfn)) return write(pfn);
      leaveSwapCache(pfn); // whoever used it is gone: nothing to write, and the page is freed when it is given back
      return unlocked(pfn);
    }
    const file = files.get(mapping);
    if (!file.isShmem) return write(pfn);
    if (file.isUnevictable || !swapOut.shmemToSwap(pfn)) return PAGE_ACTIVATE;
    return shmemWritesAtOnce ? write(pfn) : unlocked(pfn);
  }

  function write(pfn: Pfn): number {
    frames.set(pfn, PG_RECLAIM);
    if (tracer !== null) tracer.step('RC-write', pfn, -1);
    if (swapOut.startWrite(pfn)) frames.clear(pfn, PG_RECLAIM);
    counters.inc(C.nr_vmscan_write);
    return unlocked(pfn);
  }

  function unlocked(pfn: Pfn): number {
    frames.unlock(pfn);
    return PAGE_SUCCESS;
  }

  function tryToReleasePage(pfn: Pfn): boolean {
    if (buffersBusy !== null && frames.has(pfn, PG_PRIVATE) && buffersBusy(pfn)) return false;
    pageCache.releaseBuffers(pfn);
    return true;
  }

  function removeMapping(pfn: Pfn): boolean {
    if (frames.count(pfn) !== 2 || frames.isDirty(pfn)) return false;
    const mapping = frames.mapping(pfn);
    if (tracer !== null) tracer.step('RC-free', pfn, -1);
    if (frames.isSwapCache(pfn)) {
      evicted?.evictSwap(frames.private_(pfn) as SwapSlot, pfn);
      swap.remove(pfn);
    } else if (mapping > 0) {
      const file = files.get(mapping);
      if (!file.isShmem) evicted?.evictFile(file, frames.index(pfn), pfn);
      pageCache.remove(pfn);
    } else return false;
    frames.drop(pfn);
    return true;
  }

  return { pageout, tryToReleasePage, removeMapping, ownsSlot, leaveSwapCache };
}
