import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import type { PageTables } from '../hardware/index.js';
import {
  type AddressSpace,
  type Files,
  type Frames,
  HUGE_PAGES,
  type Lru,
  type Mapping,
  type Mempolicy,
  PG_FREE,
  PG_PRIVATE,
  type Task,
  type Vma,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PAGE, NO_PFN, type PageId, type Pfn } from '../units.js';
import type { LazyUnmap } from './rules.js';
import type { BreakUp } from './split-huge.js';
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
  readonly tracer: Tracer | null;
  /** null: the machine has no huge pages. */
  readonly breakUp: BreakUp | null;
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

type Unmapped = 0 | 1 | 2 | 3;
const UNMAPPED = 0;
const SKIPPED = 1;
const NO_SLOT = 2;
const FAILED = 3;

/** One unmapping on its way. */
export class LazyState implements LazyResult {
  looked = 0;
  unmapped = 0;
  left = 0;
  noSlot = 0;
  /** Pages that were tried and still are mapped. */
  failed = 0;
  /** Next step for a table driver. */
  next = L1;
  /** The page in hand, where it was found, and what became of it. */
  pfn = NO_PFN;
  offset: number;
  result: Unmapped = SKIPPED;

  constructor(
    readonly task: Task,
    /** null: single pages that are isolated already. */
    readonly vma: Vma | null,
    first: number,
    readonly end: number,
    readonly policy: Mempolicy | null,
  ) {
    this.offset = first - 1;
  }
}

/** Steps of an unmapping, per page. Another actor may come in between any two. */
export const LAZY_DONE = 0;
const L1 = 1;
const L2 = 2;
const L3 = 3;
const L4 = 4;
const L5 = 5;
const L6 = 6;
const L7 = 7;
const STEP_NAMES = ['', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7'];

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
  /** `unmapArea` before its first step, for drivers that switch between actors. It drains all vectors first, as the call does. */
  begin(task: Task, vma: Vma, first: number, pages: number, policy: Mempolicy | null): LazyState;
  /** One step; starts at `state.next`. @returns the next step or `LAZY_DONE` */
  step(state: LazyState, at: number): number;
}

export function makeLazy(parts: LazyParts): Lazy {
  const { frames, files, tables, lru, mapping, swapOut, tryToUnmap, counters, meter, zeroPage, flushBatch } = parts;
  const { rule, tracer, breakUp } = parts;

  function isOutside(pfn: Pfn, policy: Mempolicy | null): boolean {
    return policy === null || !policy.nodes.includes(frames.nodeOf(pfn));
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

  /** Of an anonymous huge page that is one process's alone each page is to follow its own next toucher: it is broken up first (decision). */
  function smallFrameToMove(s: LazyState, space: AddressSpace, page: PageId): Pfn | null {
    const pfn = frameToMove(space, page, s.policy);
    if (pfn !== null && frames.mapping(pfn) > 0 && frames.mapcount(pfn) === 1 && tables.isWhole(page)) {
      mapping.blocks?.zapBlock(space, page, s.task.cpu); // of an object: it waits in the page cache as one, and moves as one (HP-60)
      s.looked += HUGE_PAGES;
      s.unmapped += HUGE_PAGES;
      return null;
    }
    if (pfn === null || breakUp === null || !frames.isHuge(pfn) || frames.mapcount(pfn) !== 1) return pfn;
    return breakUp(frames.headOf(pfn), s.task.cpu) ? frameToMove(space, page, s.policy) : pfn;
  }

  /** The next page that would move is isolated; its entry pins it meanwhile. */
  function l1Isolate(s: LazyState): number {
    if (s.vma === null) return L7;
    const { space, start } = s.vma;
    while (++s.offset < s.end) {
      const pfn = smallFrameToMove(s, space, tables.walk(space.root, start + s.offset));
      if (pfn === null) continue;
      s.looked++;
      meter.pay(ACCOUNT_MIGRATION, PRICE.scanPage);
      s.pfn = pfn;
      tell(s, L1);
      if (frames.mapcount(pfn) === 1 && !frames.isHuge(pfn) && lru.isolate(pfn)) return L2;
      s.left++;
    }
    return L7;
  }

  function l2Lock(s: LazyState): number {
    s.result = SKIPPED;
    return frames.count(s.pfn) > 1 && frames.tryLock(s.pfn) ? L3 : L6;
  }

  function l3AddToSwap(s: LazyState): number {
    const { pfn } = s;
    if (frames.isWriteback(pfn) || (rule.skipsUnmovable && !isMovable(pfn))) return L5;
    if (!frames.isAnon(pfn) || frames.isSwapCache(pfn) || swapOut.addToSwap(pfn)) return L4;
    s.result = NO_SLOT;
    return L5;
  }

  function l4Unmap(s: LazyState): number {
    const { pfn } = s;
    const known = frames.mapcount(pfn) + 2 + (frames.has(pfn, PG_PRIVATE) ? 1 : 0); // cache, isolation, buffers (PL-10)
    s.result = frames.count(pfn) === known && tryToUnmap(pfn, s.task.cpu) === UNMAP_SUCCESS ? UNMAPPED : FAILED;
    return L5;
  }

  function l5Unlock(s: LazyState): number {
    frames.unlock(s.pfn);
    return L6;
  }

  function l6Putback(s: LazyState): number {
    lru.putback(s.task.cpu, s.pfn);
    if (s.result === NO_SLOT) s.noSlot++;
    else if (s.result !== UNMAPPED) s.left++;
    if (s.result === FAILED || (s.result === NO_SLOT && rule.countsNoSlot)) s.failed++;
    if (s.result === UNMAPPED) nextBatch(++s.unmapped);
    return L1;
  }

  /** Flush, and drain vectors, so that the next fault can isolate the pages. */
  function l7Finish(s: LazyState): number {
    mapping.endBatch();
    mapping.payFlushes(ACCOUNT_MIGRATION);
    if (s.vma !== null || s.unmapped > 0) drain(s.task);
    counters.add(C.mof_pages_unmapped, s.unmapped);
    return LAZY_DONE;
  }

  /** L1 tells itself, once it knows which page. */
  function tell(s: LazyState, at: number): void {
    if (tracer === null) return;
    const page = at === L7 ? NO_PFN : s.pfn;
    tracer.who(s.task.id, s.task.cpu, page === NO_PFN || s.vma === null ? -1 : s.vma.start + s.offset);
    tracer.step(STEP_NAMES[at], page, at === L6 ? s.result : -1);
  }

  function step(s: LazyState, at: number): number {
    if (at !== L1) tell(s, at);
    switch (at) {
      case L1:
        return l1Isolate(s);
      case L2:
        return l2Lock(s);
      case L3:
        return l3AddToSwap(s);
      case L4:
        return l4Unmap(s);
      case L5:
        return l5Unlock(s);
      case L6:
        return l6Putback(s);
      default:
        return l7Finish(s);
    }
  }

  function begin(task: Task, vma: Vma, first: number, pages: number, policy: Mempolicy | null): LazyState {
    lru.drainAll();
    mapping.beginBatch();
    return new LazyState(task, vma, first, first + pages, policy);
  }

  function unmapArea(task: Task, vma: Vma, first: number, pages: number, policy: Mempolicy | null): LazyResult {
    const s = begin(task, vma, first, pages, policy);
    while (s.next !== LAZY_DONE) s.next = step(s, s.next);
    return s;
  }

  /** The pages of an isolated huge page, each isolated now; none if it cannot be broken up: it stays. */
  function smallPages(task: Task, page: Pfn): Pfn[] {
    if (breakUp === null || !frames.isHuge(page)) return [page];
    lru.putback(task.cpu, page);
    lru.drain(task.cpu);
    if (!breakUp(page, task.cpu)) return [];
    const small = Array.from({ length: HUGE_PAGES }, (_, i) => (page + i) as Pfn);
    return small.filter((each) => !frames.has(each, PG_FREE) && lru.isolate(each));
  }

  function unmapPages(task: Task, pages: readonly Pfn[]): number {
    mapping.beginBatch();
    const s = new LazyState(task, null, 0, 0, null);
    for (const pfn of pages.flatMap((page) => smallPages(task, page))) {
      s.pfn = pfn;
      tell(s, L1);
      for (let at = L2; at !== L1;) at = step(s, at);
    }
    step(s, L7);
    return s.failed;
  }

  return { unmapArea, unmapPages, begin, step };
}
