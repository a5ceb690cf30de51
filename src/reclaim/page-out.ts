import { type Block, type Frames, type Lru, PG_MLOCKED, type SwapArea } from '../mm/index.js';
import { makePageOutSteps, PAGE_CLEAN, PAGE_KEEP, PAGE_SUCCESS, type PageOutStepsParts } from '../migrate/index.js';
import type { Pfn } from '../units.js';
import type { Scan } from './scan.js';
import type { Workingset } from './workingset.js';

export interface PageOutParts extends Omit<PageOutStepsParts, 'shmemWritesAtOnce'> {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly block: Block;
}

/** The last steps of a page that reclaim has isolated, locked and unmapped: shared by all eras. */
export interface PageOut {
  /**
   * Writes a dirty page, which stays locked or is locked again. Results are those of pageout(); a write that has ended already
   * leaves a clean page.
   */
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
  const { frames, lru, swap, block, swapOut } = parts;
  const steps = makePageOutSteps({ ...parts, shmemWritesAtOnce }, workingset);

  function write(pfn: Pfn, scan: Scan): number {
    const result = steps.pageout(pfn);
    if (result !== PAGE_SUCCESS) return result;
    frames.tryLock(pfn);
    if (frames.isDirty(pfn)) return PAGE_KEEP; // there was nothing to write yet, or any more
    scan.written++;
    if (!frames.isWriteback(pfn)) return PAGE_CLEAN;
    scan.started++;
    return PAGE_SUCCESS;
  }

  function flush(pfn: Pfn): void {
    if (swapOut.startWrite(pfn)) block.end(pfn);
  }

  function free(pfn: Pfn): boolean {
    if (!steps.removeMapping(pfn)) return false;
    frames.unlock(pfn);
    lru.isolated--;
    lru.put(pfn);
    return true;
  }

  function giveUpSlot(pfn: Pfn): void {
    if (!frames.isSwapCache(pfn) || frames.isWriteback(pfn) || !steps.ownsSlot(pfn)) return;
    if (swap.isHalfFull || frames.has(pfn, PG_MLOCKED)) steps.leaveSwapCache(pfn);
  }

  return { write, flush, releaseBuffers: steps.tryToReleasePage, free, giveUpSlot };
}
