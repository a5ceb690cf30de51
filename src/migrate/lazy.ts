import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import type { PageTables } from '../hardware/index.js';
import type { AddressSpace, Frames, Lru, Mapping, Mempolicy, SwapArea, Task, Vma } from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PAGE, type PageId, type Pfn } from '../units.js';
import type { SwapOut } from './swap-out.js';
import { UNMAP_SUCCESS, type TryToUnmap } from './unmap.js';

export interface LazyParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly mapping: Mapping;
  readonly swapOut: SwapOut;
  readonly tryToUnmap: TryToUnmap;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly zeroPage: Pfn;
  /** Pages whose flushes are joined into one interrupt per CPU: 512 [6.x], 1 [2.6.16]. */
  readonly flushBatch: number;
}

/** What came of an unmapping. */
export interface LazyResult {
  /** Entries looked at that mapped a page. */
  readonly looked: number;
  /** Pages that are now in a cache without a mapping, waiting for their next toucher. */
  readonly unmapped: number;
  /** Mapped more than once, or not to be isolated: left where they are, silently (DM-3). */
  readonly left: number;
  /** Anonymous pages for which swap had no slot. */
  readonly noSlot: number;
}

export interface Lazy {
  /**
   * Unmaps the pages of an area that `mbind(MOVE | LAZY)` with `policy` would, so that each is placed anew by whoever
   * touches it next: mapped exactly once (DM section 2 step 5), and outside the policy's nodes; a policy without nodes
   * has an empty set, and every page is outside it (DM-4, MP-74). Anonymous pages wait in the swap cache, file and
   * shmem pages in the page cache. Kernel: mbind() with MPOL_MF_LAZY, migrate-on-fault series 2006.
   *
   * @param task who calls: its CPU does the work and pays
   */
  unmapArea(task: Task, vma: Vma, first: number, pages: number, policy: Mempolicy | null): LazyResult;
  /** Unmaps isolated pages from every mapper (DM-40), and puts all back. @returns failures */
  unmapPages(task: Task, pages: readonly Pfn[]): number;
}

export function makeLazy(parts: LazyParts): Lazy {
  const { frames, tables, lru, swap, mapping, swapOut, tryToUnmap, counters, meter, zeroPage, flushBatch } = parts;

  function isOutside(pfn: Pfn, policy: Mempolicy | null): boolean {
    return policy === null || !policy.nodes.includes(frames.nodeOf(pfn));
  }

  /** @returns whether the page is unmapped now; the isolation has ended either way */
  function unmapOne(task: Task, pfn: Pfn): boolean {
    if (!frames.tryLock(pfn)) return false;
    let done = false;
    if (!frames.isAnon(pfn) || frames.isSwapCache(pfn) || swapOut.addToSwap(pfn)) {
      done = tryToUnmap(pfn, task.cpu) === UNMAP_SUCCESS;
    }
    frames.unlock(pfn);
    return done;
  }

  function frameToMove(space: AddressSpace, page: PageId, policy: Mempolicy | null): Pfn | null {
    if (page === NO_PAGE || tables.spaceOf(page) !== space.id || !tables.isPresent(page)) return null;
    const pfn = tables.word[page] as Pfn;
    return pfn === zeroPage || !isOutside(pfn, policy) ? null : pfn;
  }

  function unmapArea(task: Task, vma: Vma, first: number, pages: number, policy: Mempolicy | null): LazyResult {
    let [looked, unmapped, left, noSlot] = [0, 0, 0, 0];
    lru.drainAll();
    mapping.beginBatch();
    for (let offset = first; offset < first + pages; offset++) {
      const pfn = frameToMove(vma.space, tables.walk(vma.space.root, vma.start + offset), policy);
      if (pfn === null) continue;
      looked++;
      meter.pay(ACCOUNT_MIGRATION, PRICE.scanPage);
      if (frames.mapcount(pfn) !== 1 || !lru.isolate(pfn)) {
        left++;
        continue;
      }
      const needsSlot = frames.isAnon(pfn) && !frames.isSwapCache(pfn);
      const done = unmapOne(task, pfn);
      if (done) unmapped++;
      else if (needsSlot && swap.free === 0) noSlot++;
      else left++;
      lru.putback(task.cpu, pfn);
      if (done && unmapped % flushBatch === 0) {
        mapping.endBatch();
        mapping.beginBatch();
      }
    }
    mapping.endBatch();
    meter.payTimes(ACCOUNT_MIGRATION, PRICE.shootdown, mapping.takeInterrupts());
    lru.drainAll();
    counters.add(C.mof_pages_unmapped, unmapped);
    return { looked, unmapped, left, noSlot };
  }

  function unmapPages(task: Task, pages: readonly Pfn[]): number {
    let unmapped = 0;
    mapping.beginBatch();
    for (const pfn of pages) {
      if (unmapOne(task, pfn)) unmapped++;
      lru.putback(task.cpu, pfn);
    }
    mapping.endBatch();
    meter.payTimes(ACCOUNT_MIGRATION, PRICE.shootdown, mapping.takeInterrupts());
    lru.drainAll();
    counters.add(C.mof_pages_unmapped, unmapped);
    return pages.length - unmapped;
  }

  return { unmapArea, unmapPages };
}
