import { PRICE } from '../cost/index.js';
import { type Files, type Frames, PG_ACTIVE } from '../mm/index.js';
import { PAGE_ACTIVATE, PAGE_CLEAN, type SwapOut, type TryToUnmap, UNMAP_AGAIN, UNMAP_FAIL } from '../migrate/index.js';
import { C, type Counters } from '../stats/index.js';
import type { NodeId, Pfn } from '../units.js';
import type { PageOut } from './page-out.js';
import type { NodeScannerParts } from './parts.js';
import type { ReferenceTest } from './reference.js';
import { DEF_PRIORITY, SWAP_CLUSTER_MAX, type NodeScanner, type Scan } from './scan.js';
import { ACTIVATE, FREED, KEEP, type ShrinkPage } from './shrink-list.js';

/** The two lists of a node in 2.6.16, anonymous and file pages mixed (RC-80). */
const INACTIVE = 0;
const ACTIVE = 1;

/** RC-81: mapped pages are moved on only from this tendency on. */
export const MAPPED_TENDENCY = 100;

/** RC-81: how strongly a reclaim tends to take mapped pages. Kernel: refill_inactive_zone(), mm/vmscan.c, 2.6.16. */
export function swapTendency(
  mappedPages: number,
  totalPages: number,
  previousPriority: number,
  swappiness: number,
): number {
  const distress = 100 >> previousPriority;
  return Math.floor(Math.floor((mappedPages * 100) / totalPages) / 2) + distress + swappiness;
}

/** RC-80: counts that grow with each pass; a list is scanned only when its count has come to 32, then the whole of it. */
export class PassCounts {
  private readonly counts: Int32Array;

  constructor(lists: number) {
    this.counts = new Int32Array(lists);
  }

  /** @returns pages to scan of the list in this pass */
  add(list: number, size: number, priority: number): number {
    const count = this.counts[list] + (size >> priority) + 1;
    this.counts[list] = count >= SWAP_CLUSTER_MAX ? 0 : count;
    return count >= SWAP_CLUSTER_MAX ? count : 0;
  }
}

/** [2.6.16] Aging and shrinking of one node. Kernel: shrink_zone(), mm/vmscan.c. */
export function makeShrinkMixed(parts: NodeScannerParts): NodeScanner {
  const { frames, zones, lru, swap, counters, meter, batch, reference, shrinkInactive, swappiness } = parts;
  const totalPages = () => zones.managed.reduce((sum, pages) => sum + pages, 0); // memory can be taken away
  const counts = new PassCounts(2 * zones.nodeCount);
  const previousPriority = new Int32Array(zones.nodeCount).fill(DEF_PRIORITY);

  function mappedPages(): number {
    let mapped = 0;
    zones.forEachUsed((pfn) => {
      if (frames.mapcount(pfn) > 0) mapped++;
    });
    return mapped;
  }

  function staysActive(pfn: Pfn, takesMapped: boolean): boolean {
    if (frames.mapcount(pfn) === 0) return false;
    return !takesMapped || (swap.slots === 0 && frames.isAnon(pfn)) || reference.isReferenced(pfn);
  }

  function scanActive(node: NodeId, count: number, takesMapped: boolean, scan: Scan): void {
    lru.drain(scan.cpu);
    const taken = batch.take(node, ACTIVE, count);
    meter.payTimes(scan.account, PRICE.scanPage, taken);
    counters.add(C.pgrefill, taken);
    for (let i = 0; i < taken; i++) {
      const pfn = batch.pages[i] as Pfn;
      if (staysActive(pfn, takesMapped)) continue;
      frames.clear(pfn, PG_ACTIVE);
      counters.inc(C.pgdeactivate);
    }
    for (let i = 0; i < taken; i++) batch.giveBack(batch.pages[i] as Pfn);
  }

  function shrink(node: NodeId, scan: Scan): void {
    let active = counts.add(2 * node + ACTIVE, lru.size(node, ACTIVE), scan.priority);
    let inactive = counts.add(2 * node + INACTIVE, lru.size(node, INACTIVE), scan.priority);
    const takesMapped =
      active > 0 && swapTendency(mappedPages(), totalPages(), previousPriority[node], swappiness) >= MAPPED_TENDENCY;
    while (active > 0 || inactive > 0) {
      const fromActive = Math.min(active, SWAP_CLUSTER_MAX);
      active -= fromActive;
      if (fromActive > 0) scanActive(node, fromActive, takesMapped, scan);
      const fromInactive = Math.min(inactive, SWAP_CLUSTER_MAX);
      inactive -= fromInactive;
      if (fromInactive > 0) shrinkInactive(node, INACTIVE, fromInactive, scan);
    }
  }

  return {
    ageAnon: () => undefined,
    shrink,
    finish(node, scan) {
      previousPriority[node] = Math.max(0, scan.priority);
    },
  };
}

export interface ShrinkPage2616Parts {
  readonly frames: Frames;
  readonly files: Files;
  readonly swapOut: SwapOut;
  readonly tryToUnmap: TryToUnmap;
  readonly counters: Counters;
  readonly reference: ReferenceTest;
  readonly pageOut: PageOut;
}

/** [2.6.16] What happens to a scanned inactive page (RC-82). Kernel: shrink_list(), mm/vmscan.c. */
export function makeShrinkPage2616(parts: ShrinkPage2616Parts): ShrinkPage {
  const { frames, files, swapOut, tryToUnmap, counters, reference, pageOut } = parts;

  function isInUse(pfn: Pfn): boolean {
    if (frames.mapcount(pfn) > 0 || frames.isSwapCache(pfn)) return true;
    const mapping = frames.mapping(pfn);
    return mapping > 0 && files.get(mapping).vmas.size > 0;
  }

  function decide(pfn: Pfn, scan: Scan): number {
    if (!scan.mayUnmap && frames.mapcount(pfn) > 0) return KEEP;
    if (frames.isWriteback(pfn)) return KEEP;
    const wasReferenced = reference.isReferenced(pfn);
    if (wasReferenced && isInUse(pfn)) return ACTIVATE;
    if (frames.isAnon(pfn) && !frames.isSwapCache(pfn) && !swapOut.addToSwap(pfn)) return ACTIVATE;
    if (frames.mapcount(pfn) > 0) {
      const unmapped = tryToUnmap(pfn, scan.cpu, scan.account);
      if (unmapped === UNMAP_FAIL) return ACTIVATE;
      if (unmapped === UNMAP_AGAIN) return KEEP;
    }
    if (frames.isDirty(pfn)) {
      if (wasReferenced || !scan.mayWrite) return KEEP;
      const written = pageOut.write(pfn, scan);
      if (written === PAGE_ACTIVATE) return ACTIVATE;
      if (written !== PAGE_CLEAN) return KEEP;
    }
    if (!pageOut.releaseBuffers(pfn)) return ACTIVATE;
    return pageOut.free(pfn) ? FREED : KEEP;
  }

  return (pfn, scan) => {
    if (!frames.tryLock(pfn)) return KEEP;
    scan.scanned++;
    const outcome = decide(pfn, scan);
    if (outcome === FREED) return FREED;
    if (outcome === ACTIVATE) {
      frames.set(pfn, PG_ACTIVE);
      counters.inc(C.pgactivate);
    }
    frames.unlock(pfn);
    return outcome;
  };
}
