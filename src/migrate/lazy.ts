import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import type { PageTables } from '../hardware/index.js';
import {
  type AddressSpace,
  type Files,
  type Frames,
  type Lru,
  type Mapping,
  type Mempolicy,
  PG_PRIVATE,
  type Task,
  type Vma,
} from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PAGE, type PageId, type Pfn } from '../units.js';
import type { LazyUnmap } from './rules.js';
import type { SwapOut } from './swap-out.js';
import { UNMAP_SUCCESS, type TryToUnmap } from './unmap.js';

export interface LazyParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly mapping: Mapping;
  readonly swapOut: SwapOut;
  readonly tryToUnmap: TryToUnmap;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly zeroPage: Pfn;
  /** Pages whose flushes are joined into one interrupt per CPU: 512 [6.x], 1 [2.6.16]. */
  readonly flushBatch: number;
  readonly rule: LazyUnmap;
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
  /**
   * Unmaps pages that mbind has selected and isolated (DM section 8, "Unmap-only"), from every mapper (DM-40), and puts all back.
   * Kernel: migrate_pages_unmap_only(), migrate-on-fault series 2006.
   * @returns failures: pages that still are mapped although they were tried
   */
  unmapPages(task: Task, pages: readonly Pfn[]): number;
}

type Unmapped = 0 | 1 | 2 | 3;
const UNMAPPED = 0;
const SKIPPED = 1;
const NO_SLOT = 2;
const FAILED = 3;

export function makeLazy(parts: LazyParts): Lazy {
  const { frames, files, tables, lru, mapping, swapOut, tryToUnmap, counters, meter, zeroPage, flushBatch } = parts;
  const { rule } = parts;

  function isOutside(pfn: Pfn, policy: Mempolicy | null): boolean {
    return policy === null || !policy.nodes.includes(frames.nodeOf(pfn));
  }

  /** One isolated page; its isolation goes on. */
  function unmapOne(task: Task, pfn: Pfn): Unmapped {
    if (frames.count(pfn) === 1 || !frames.tryLock(pfn)) return SKIPPED;
    const result = unmapLocked(task, pfn);
    frames.unlock(pfn);
    return result;
  }

  function unmapLocked(task: Task, pfn: Pfn): Unmapped {
    if (frames.isWriteback(pfn) || (rule.skipsUnmovable && !isMovable(pfn))) return SKIPPED;
    if (frames.isAnon(pfn) && !frames.isSwapCache(pfn) && !swapOut.addToSwap(pfn)) return NO_SLOT;
    const known = frames.mapcount(pfn) + 2 + (frames.has(pfn, PG_PRIVATE) ? 1 : 0); // cache, isolation, buffers (PL-10)
    if (frames.count(pfn) !== known) return FAILED;
    return tryToUnmap(pfn, task.cpu) === UNMAP_SUCCESS ? UNMAPPED : FAILED;
  }

  /** DM-41: file pages need a migrate operation, or no fault will ever move them. */
  function isMovable(pfn: Pfn): boolean {
    const mapping = frames.mapping(pfn);
    return mapping < 0 || (mapping > 0 && files.get(mapping).migrate !== 'none');
  }

  /** Pages put back are in this CPU's vector: a fault can isolate them only once it is drained. */
  function drain(task: Task): void {
    if (rule.drainsAll) lru.drainAll();
    else lru.drain(task.cpu);
  }

  function unmapPages(task: Task, pages: readonly Pfn[]): number {
    let [unmapped, failed] = [0, 0];
    mapping.beginBatch();
    for (const pfn of pages) {
      const result = unmapOne(task, pfn);
      if (result === FAILED || (result === NO_SLOT && rule.countsNoSlot)) failed++;
      lru.putback(task.cpu, pfn);
      if (result !== UNMAPPED) continue;
      unmapped++;
      nextBatch(unmapped);
    }
    mapping.endBatch();
    meter.payTimes(ACCOUNT_MIGRATION, PRICE.shootdown, mapping.takeInterrupts());
    if (unmapped > 0) drain(task);
    counters.add(C.mof_pages_unmapped, unmapped);
    return failed;
  }

  function nextBatch(unmapped: number): void {
    if (unmapped % flushBatch !== 0) return;
    mapping.endBatch();
    mapping.beginBatch();
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
      const result = unmapOne(task, pfn);
      lru.putback(task.cpu, pfn);
      if (result === NO_SLOT) noSlot++;
      else if (result !== UNMAPPED) left++;
      else nextBatch(++unmapped);
    }
    mapping.endBatch();
    meter.payTimes(ACCOUNT_MIGRATION, PRICE.shootdown, mapping.takeInterrupts());
    drain(task);
    counters.add(C.mof_pages_unmapped, unmapped);
    return { looked, unmapped, left, noSlot };
  }

  return { unmapArea, unmapPages };
}
