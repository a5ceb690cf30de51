import {
  type Block,
  type Contents,
  type Files,
  type Frames,
  type PageCache,
  PG_DIRTY,
  PG_SWAPBACKED,
  PG_UPTODATE,
  type SwapArea,
} from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_SLOT, type Pfn, type SwapSlot } from '../units.js';

export interface SwapOutParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly pageCache: PageCache;
  readonly swap: SwapArea;
  readonly block: Block;
  readonly contents: Contents | null;
  readonly counters: Counters;
}

export interface SwapOut {
  /**
   * Gives an anonymous page a slot and puts it into the swap cache: uptodate and dirty, one more reference, one user
   * of the slot (page-lifecycle section 6). The page is locked. Kernel: add_to_swap().
   * @returns false if no slot is free
   */
  addToSwap(pfn: Pfn): boolean;
  /**
   * HP-55: the same for the pages of a huge page that was broken up for it, in slots that follow each other.
   * @param first the first of them, from `SwapArea.allocateRun`
   */
  addRunToSwap(pages: readonly Pfn[], first: SwapSlot): void;
  /**
   * Turns a page-cache page of a shmem object into a swap-cache page without writing anything (PL-50). The page is
   * locked and mapped nowhere. Kernel: shmem_writepage().
   * @returns false if no slot is free; then the page stays as it was
   */
  shmemToSwap(pfn: Pfn): boolean;
  /** Starts writing a dirty page to its slot or file. @returns whether the write has already ended (RAM disk) */
  startWrite(pfn: Pfn): boolean;
}

/** The ways of a page to its backing store. Kernel: mm/swap_state.c, mm/shmem.c, mm/page_io.c. */
export function makeSwapOut({ frames, files, pageCache, swap, block, contents, counters }: SwapOutParts): SwapOut {
  function addToSwap(pfn: Pfn): boolean {
    const slot = swap.allocate();
    if (slot === NO_SLOT) return false;
    insert(pfn, slot);
    return true;
  }

  function insert(pfn: Pfn, slot: SwapSlot): void {
    swap.insert(slot, pfn);
    frames.set(pfn, PG_UPTODATE | PG_DIRTY | PG_SWAPBACKED); // MADV_FREE no longer holds for a page with a slot
  }

  function shmemToSwap(pfn: Pfn): boolean {
    const slot = swap.allocate();
    if (slot === NO_SLOT) return false;
    swap.insert(slot, pfn); // user 1: the cache
    pageCache.remove(pfn, -slot); // user 2: the object's slot
    swap.addUser(slot);
    frames.drop(pfn);
    frames.set(pfn, PG_DIRTY);
    return true;
  }

  function startWrite(pfn: Pfn): boolean {
    frames.clear(pfn, PG_DIRTY);
    let position = 0;
    if (frames.isSwapCache(pfn)) {
      const slot = frames.private_(pfn) as SwapSlot;
      position = slot;
      if (contents !== null) swap.device?.set(slot as number as Pfn, contents.get(pfn));
      counters.inc(C.pswpout);
    } else {
      const file = files.get(frames.mapping(pfn));
      position = file.positionOf(frames.index(pfn));
      if (contents !== null) file.disk.set(frames.index(pfn), contents.get(pfn));
    }
    return block.startWrite(pfn, position);
  }

  return {
    addToSwap,
    addRunToSwap(pages, first) {
      pages.forEach((pfn, i) => {
        insert(pfn, (first + i) as SwapSlot);
      });
    },
    shmemToSwap,
    startWrite,
  };
}
