import type { Vma } from '../mm/index.js';

/**
 * Rule variant `swapReadAhead`: which pages come along when a private page is read from swap.
 * [2.6.16] The other slots of the aligned cluster, whoever they belong to. [6.x] The pages around it in its area, by how
 * many of the last ones were of use; on 6.1 each is placed as if it were the one that faulted, on 6.12 by its own index.
 * Pages of shmem objects go by slots in every era.
 */
export interface SwapReadAhead {
  readonly byArea: boolean;
  readonly ownIndex: boolean;
  /**
   * MP-14: the slots of the cluster, the faulting one among them, are placed by one address after the other, from that of
   * the fault on and over the areas that come.
   */
  readonly advances: boolean;
}
export const readAheadBySlots: SwapReadAhead = { byArea: false, ownIndex: false, advances: true };
export const readAheadByArea61: SwapReadAhead = { byArea: true, ownIndex: false, advances: false };
export const readAheadByArea612: SwapReadAhead = { byArea: true, ownIndex: true, advances: false };

/** log2 of the largest window, and the most hits that are remembered. Kernel: SWAP_RA_ORDER_CEILING, SWAP_RA_HITS_MAX */
const MAX_ORDER = 5;
const MAX_HITS = 63;
const LEAF = 512;

/** The window of one fault: pages [first, end) of the area. */
export interface SwapWindow {
  first: number;
  end: number;
}

/** A fault found its page in the swap cache. Kernel: swap_cache_get_folio(), mm/swap_state.c. */
export function noteSwapHit(vma: Vma, offset: number, wasReadAhead: boolean): void {
  vma.swapFaultPage = vma.start + offset;
  if (wasReadAhead && vma.swapHits < MAX_HITS) vma.swapHits++;
}

/**
 * Sets `window` for a fault at page `offset` of the area that has to be read: it grows with hits, shrinks by half at most,
 * lies ahead or behind if the last fault was next door, and around the page otherwise. Kernel: swap_ra_info(), mm/swap_state.c.
 */
export function swapWindow(window: SwapWindow, vma: Vma, offset: number, pageCluster: number): void {
  const page = vma.start + offset;
  window.first = offset;
  window.end = offset + 1;
  const most = 1 << Math.min(pageCluster, MAX_ORDER);
  if (most === 1) return;
  const last = vma.swapFaultPage;
  const size = windowPages(last, page, vma.swapHits, most, vma.swapWindow);
  vma.swapFaultPage = page;
  vma.swapHits = 0;
  vma.swapWindow = size;
  if (size === 1) return;
  let first = page - ((size - 1) >> 1);
  if (page === last + 1) first = page;
  else if (page === last - 1) first = page - size + 1;
  const leaf = page - (page % LEAF);
  window.first = Math.max(first, vma.start, leaf) - vma.start;
  window.end = Math.min(first + size, vma.end, leaf + LEAF) - vma.start;
}

/** Kernel: __swapin_nr_pages(). */
function windowPages(last: number, page: number, hits: number, most: number, before: number): number {
  let pages = 4;
  if (hits === 0) pages = page === last + 1 || page === last - 1 ? 2 : 1;
  else while (pages < hits + 2) pages *= 2;
  return Math.max(Math.min(pages, most), before >> 1);
}
