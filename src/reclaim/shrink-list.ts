import {
  type Frames,
  HUGE_PAGES,
  type HugePages,
  type Lru,
  PG_ACTIVE,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_RECLAIM,
  PG_SWAPBACKED,
  type SwapArea,
} from '../mm/index.js';
import {
  PAGE_ACTIVATE,
  PAGE_KEEP,
  PAGE_SUCCESS,
  type SplitHuge,
  type SwapOut,
  type TryToUnmap,
} from '../migrate/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_SLOT, type Pfn, type SwapSlot } from '../units.js';
import type { PageOut } from './page-out.js';
import { REF_ACTIVATE, REF_KEEP, REF_RECLAIM_CLEAN, type ReferenceTest } from './reference.js';
import type { Scan } from './scan.js';

/** What became of a scanned page. */
export const FREED = 0;
/** Back to the list it came from. */
export const KEEP = 1;
/** To the active list, or the unevictable one if it is mlocked. */
export const ACTIVATE = 2;
/** As `ACTIVATE`, and its write is the flusher's (RC-49). */
export const FLUSH = 3;
/** Of a step: nothing speaks against it, so the next step looks. */
const GO_ON = -1;

/**
 * A reference of get_user_pages weighs this much, so that it stands out among all others; whoever pins a page takes as
 * many. Kernel: GUP_PIN_COUNTING_BIAS, include/linux/mm.h.
 */
export const PIN_REFERENCES = 1024;

export interface ShrinkPageParts {
  readonly frames: Frames;
  readonly swapOut: SwapOut;
  readonly tryToUnmap: TryToUnmap;
  readonly counters: Counters;
  readonly reference: ReferenceTest;
  readonly pageOut: PageOut;
  readonly lru: Lru;
  readonly swap: SwapArea;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly splitHuge: SplitHuge | null;
}

/**
 * Decides about one inactive page that was taken off its list, and takes it as far as it gets.
 * @param pfn isolated, unlocked
 * @returns what became of it; `FREED` pages are gone, the caller gives the others back
 */
export type ShrinkPage = (pfn: Pfn, scan: Scan) => number;

/** [6.x] The steps RC-40..RC-53, in order. Kernel: shrink_folio_list(), mm/vmscan.c. */
export function makeShrinkPage(parts: ShrinkPageParts): ShrinkPage {
  const { frames, lru, swap, swapOut, tryToUnmap, counters, reference, pageOut, splitHuge } = parts;
  /** The reference test's answer for the page in hand. */
  let answer = 0;

  function isPinned(pfn: Pfn): boolean {
    return frames.count(pfn) >= PIN_REFERENCES;
  }

  function rc41Mlocked(pfn: Pfn): number {
    return frames.has(pfn, PG_MLOCKED) ? ACTIVATE : GO_ON;
  }

  function rc42MayUnmap(pfn: Pfn, scan: Scan): number {
    return !scan.mayUnmap && frames.mapcount(pfn) > 0 ? KEEP : GO_ON;
  }

  /** On its way out already: it comes off the active list when the write ends (RC-54). */
  function rc43Writeback(pfn: Pfn): number {
    if (!frames.isWriteback(pfn)) return GO_ON;
    frames.set(pfn, PG_RECLAIM);
    return ACTIVATE;
  }

  function rc44Referenced(pfn: Pfn, scan: Scan): number {
    if (scan.ignoresReferences) return GO_ON;
    answer = reference.ofInactive(pfn);
    if (answer === REF_ACTIVATE) return ACTIVATE;
    return answer === REF_KEEP ? KEEP : GO_ON;
  }

  function rc46AddToSwap(pfn: Pfn, scan: Scan): number {
    if (splitHuge !== null && frames.isHuge(pfn) && !frames.isAnon(pfn)) return breakUp(splitHuge, pfn, scan);
    if (!frames.isAnon(pfn) || frames.isSwapCache(pfn)) return GO_ON;
    if (isPinned(pfn)) return KEEP;
    if (splitHuge !== null && frames.isHuge(pfn)) {
      const left = leaveHuge(splitHuge, pfn, scan);
      if (left !== GO_ON || frames.isSwapCache(pfn)) return left;
    }
    return swapOut.addToSwap(pfn) ? GO_ON : ACTIVATE;
  }

  /**
   * HP-55: a huge page goes out whole if swap has 512 slots that follow each other, else it is broken up, and one with unmapped
   * parts always. Either way this is the first of its pages, and the others come next on the list (decision: pages that are
   * on their way out are small ones).
   */
  function leaveHuge(split: SplitHuge, head: Pfn, scan: Scan): number {
    const isPartial = parts.huge?.isPartial(head) === true;
    const run = isPartial ? NO_SLOT : swap.allocateRun();
    const pages = split(head, scan.cpu, run !== NO_SLOT);
    if (run !== NO_SLOT) {
      if (pages === null) for (let i = 0; i < HUGE_PAGES; i++) swap.dropUser((run + i) as SwapSlot);
      else swapOut.addRunToSwap(pages, run);
    } else if (!isPartial) counters.inc(C.thp_swpout_fallback);
    return pages === null ? ACTIVATE : othersFollow(pages, head);
  }

  /** HP-55: one of tmpfs is broken up first (decision: in 6.12 too, where it can go out whole). */
  function breakUp(split: SplitHuge, head: Pfn, scan: Scan): number {
    const pages = split(head, scan.cpu);
    return pages === null ? ACTIVATE : othersFollow(pages, head);
  }

  /** The first page is the one in hand, the others come next on the list. */
  function othersFollow(pages: readonly Pfn[], head: Pfn): number {
    for (let i = 1; i < pages.length; i++) {
      lru.isolated--;
      frames.clear(pages[i], PG_ACTIVE);
      if (frames.count(pages[i]) > 1) lru.addToTail(pages[i]);
      lru.put(pages[i]);
    }
    frames.tryLock(head);
    return frames.count(head) > 1 ? GO_ON : KEEP; // nobody maps it: it is freed when it is given back
  }

  function rc47Unmap(pfn: Pfn, scan: Scan): number {
    if (frames.mapcount(pfn) === 0) return GO_ON;
    tryToUnmap(pfn, scan.cpu, scan.account);
    return frames.mapcount(pfn) > 0 ? ACTIVATE : GO_ON;
  }

  function rc48Pinned(pfn: Pfn): number {
    return isPinned(pfn) ? ACTIVATE : GO_ON;
  }

  /** Only the background reclaimer, meeting the page again, writes it itself. */
  function rc49DirtyFile(pfn: Pfn, scan: Scan): number {
    if (!frames.isDirty(pfn) || frames.has(pfn, PG_SWAPBACKED)) return GO_ON;
    if (!scan.isBackground || !frames.has(pfn, PG_RECLAIM)) {
      frames.set(pfn, PG_RECLAIM);
      counters.inc(C.nr_vmscan_immediate_reclaim);
      return FLUSH;
    }
    return answer === REF_RECLAIM_CLEAN ? KEEP : writeOut(pfn, scan);
  }

  function rc50DirtyAnon(pfn: Pfn, scan: Scan): number {
    return frames.isDirty(pfn) && frames.has(pfn, PG_SWAPBACKED) ? writeOut(pfn, scan) : GO_ON;
  }

  function writeOut(pfn: Pfn, scan: Scan): number {
    if (!scan.mayWrite) return KEEP;
    const written = pageOut.write(pfn, scan);
    if (written === PAGE_ACTIVATE) return ACTIVATE;
    return written === PAGE_KEEP || written === PAGE_SUCCESS ? KEEP : GO_ON;
  }

  function rc51Buffers(pfn: Pfn): number {
    return !frames.has(pfn, PG_PRIVATE) || pageOut.releaseBuffers(pfn) ? GO_ON : ACTIVATE;
  }

  function rc52Free(pfn: Pfn): number {
    return pageOut.free(pfn) ? FREED : KEEP;
  }

  function decide(pfn: Pfn, scan: Scan): number {
    let outcome = rc41Mlocked(pfn);
    if (outcome === GO_ON) outcome = rc42MayUnmap(pfn, scan);
    if (outcome === GO_ON) outcome = rc43Writeback(pfn);
    if (outcome === GO_ON) outcome = rc44Referenced(pfn, scan);
    if (outcome === GO_ON) outcome = rc46AddToSwap(pfn, scan);
    if (outcome === GO_ON) outcome = rc47Unmap(pfn, scan);
    if (outcome === GO_ON) outcome = rc48Pinned(pfn);
    if (outcome === GO_ON) outcome = rc49DirtyFile(pfn, scan);
    if (outcome === GO_ON) outcome = rc50DirtyAnon(pfn, scan);
    if (outcome === GO_ON) outcome = rc51Buffers(pfn);
    return outcome === GO_ON ? rc52Free(pfn) : outcome;
  }

  function activate(pfn: Pfn): void {
    pageOut.giveUpSlot(pfn);
    if (frames.has(pfn, PG_MLOCKED)) return;
    frames.set(pfn, PG_ACTIVE);
    counters.inc(C.pgactivate);
  }

  return (pfn, scan) => {
    if (!frames.tryLock(pfn)) return KEEP; // RC-40
    scan.scanned++;
    const outcome = decide(pfn, scan);
    if (outcome === FREED) return FREED;
    if (outcome !== KEEP) activate(pfn);
    frames.unlock(pfn);
    return outcome;
  };
}
