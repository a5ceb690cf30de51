import {
  type Block,
  type Files,
  type Frames,
  type Lru,
  type PageCache,
  PG_DIRTY,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_RECLAIM,
  type SwapArea,
} from '../mm/index.js';
import type { SwapOut } from '../migrate/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import type { Pfn, SwapSlot } from '../units.js';
import type { Scan } from './scan.js';
import type { Workingset } from './workingset.js';

/** Results of writing a page out. Kernel: pageout_t, mm/vmscan.c. */
export const PAGE_KEEP = 0;
export const PAGE_ACTIVATE = 1;
/** The write was started and has not ended. */
export const PAGE_SUCCESS = 2;
/** The write has already ended. */
export const PAGE_CLEAN = 3;

export interface PageOutParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly files: Files;
  readonly pageCache: PageCache;
  readonly swap: SwapArea;
  readonly block: Block;
  readonly swapOut: SwapOut;
  readonly counters: Counters;
  /** RC-51: a file system that cannot let go of the buffers of this page now; null: every one can. */
  readonly buffersBusy: ((pfn: Pfn) => boolean) | null;
  readonly tracer?: Tracer | null;
}

/** The last steps of a page that reclaim has isolated, locked and unmapped: shared by all eras. */
export interface PageOut {
  /** Writes a dirty page. Kernel: pageout(), mm/vmscan.c; the results are those of page-out.ts. */
  write(pfn: Pfn, scan: Scan): number;
  /** Hands a dirty file page, back on its list, to the flusher, which starts the write at once (RC-49). */
  flush(pfn: Pfn): void;
  /** RC-51. @returns false if the page keeps its buffers */
  releaseBuffers(pfn: Pfn): boolean;
  /** RC-52, RC-53: takes the page out of its cache and frees it, if nobody else knows it and it is clean. */
  free(pfn: Pfn): boolean;
  /** RC-54: an activated page gives up its slot if swap is over half full and nothing else uses the slot. */
  giveUpSlot(pfn: Pfn): void;
}

/**
 * @param shmemWritesAtOnce a shmem page that was given a slot is written in the same step (6.x), or when it is met again
 */
export function makePageOut(parts: PageOutParts, workingset: Workingset, shmemWritesAtOnce: boolean): PageOut {
  const { frames, lru, files, pageCache, swap, block, swapOut, counters, buffersBusy } = parts;
  const tracer = parts.tracer ?? null;

  function leaveSwapCache(pfn: Pfn): void {
    swap.remove(pfn);
    frames.drop(pfn);
    frames.set(pfn, PG_DIRTY);
  }

  /** Nothing but the cache uses the page's slot. */
  function ownsSlot(pfn: Pfn): boolean {
    return swap.users(frames.private_(pfn) as SwapSlot) === 1;
  }

  function write(pfn: Pfn, scan: Scan): number {
    const expected = frames.has(pfn, PG_PRIVATE) ? 3 : 2;
    if (frames.count(pfn) !== expected) return PAGE_KEEP;
    if (!frames.isSwapCache(pfn)) {
      const mapping = frames.mapping(pfn);
      if (mapping <= 0) return PAGE_KEEP;
      if (files.get(mapping).isShmem) {
        if (!swapOut.shmemToSwap(pfn)) return PAGE_ACTIVATE;
        if (!shmemWritesAtOnce) return PAGE_KEEP;
      }
    } else if (ownsSlot(pfn)) {
      leaveSwapCache(pfn); // whoever used it is gone: nothing to write, and the page is freed when it is given back
      return PAGE_KEEP;
    }
    frames.set(pfn, PG_RECLAIM);
    if (tracer !== null) tracer.step('RC-write', pfn, -1);
    const hasEnded = swapOut.startWrite(pfn);
    counters.inc(C.nr_vmscan_write);
    scan.written++;
    if (!hasEnded) {
      scan.started++;
      return PAGE_SUCCESS;
    }
    frames.clear(pfn, PG_RECLAIM);
    return PAGE_CLEAN;
  }

  function flush(pfn: Pfn): void {
    if (swapOut.startWrite(pfn)) block.end(pfn);
  }

  function releaseBuffers(pfn: Pfn): boolean {
    if (buffersBusy !== null && frames.has(pfn, PG_PRIVATE) && buffersBusy(pfn)) return false;
    pageCache.releaseBuffers(pfn);
    return true;
  }

  function free(pfn: Pfn): boolean {
    if (frames.count(pfn) !== 2 || frames.isDirty(pfn)) return false; // its cache, and us
    if (tracer !== null) tracer.step('RC-free', pfn, -1);
    if (frames.isSwapCache(pfn)) {
      workingset.evictSwap(frames.private_(pfn) as SwapSlot, pfn);
      swap.remove(pfn);
    } else {
      const mapping = frames.mapping(pfn);
      if (mapping <= 0) return false;
      const file = files.get(mapping);
      if (!file.isShmem) workingset.evictFile(file, frames.index(pfn), pfn);
      pageCache.remove(pfn);
    }
    frames.drop(pfn);
    frames.unlock(pfn);
    lru.isolated--;
    lru.put(pfn);
    return true;
  }

  function giveUpSlot(pfn: Pfn): void {
    if (!frames.isSwapCache(pfn) || frames.isWriteback(pfn) || !ownsSlot(pfn)) return;
    if (swap.isHalfFull || frames.has(pfn, PG_MLOCKED)) leaveSwapCache(pfn);
  }

  return { write, flush, releaseBuffers, free, giveUpSlot };
}
