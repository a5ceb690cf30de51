import { EACCES, EFAULT, EINVAL, ENOMEM } from '../../errors.js';
import { PTE_DIRTY, type PageTables } from '../../hardware/index.js';
import { SIGBUS, SIGSEGV, type FaultRetry, type FileFault, type SwapRead } from '../../fault/index.js';
import {
  CALL_FAULTS,
  OWN_FAULTS,
  PG_ACTIVE,
  PG_DIRTY,
  PG_HEAD,
  PG_SWAPBACKED,
  POPULATE_FAULTS,
  VM_DONTDUMP,
  VM_DONTFORK,
  VM_EXEC,
  VM_HUGEPAGE,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_WIPEONFORK,
  VM_WRITE,
  type FileObject,
  HUGE_PAGES,
  type Frames,
  type HugePages,
  type Lru,
  type Mapping,
  type Spaces,
  type SwapArea,
  type Task,
  type Vma,
} from '../../mm/index.js';
import { NO_PAGE, NO_PFN, type CpuId, type PageId, type Pfn, type SwapSlot } from '../../units.js';
import type { CollapseArea } from './collapse.js';
import type { BreakUp } from '../../migrate/index.js';
import type { MemorySyscalls } from './memory.js';
import type { Punch } from './punch.js';

/** Advice by its number in the system call. Kernel: include/uapi/asm-generic/mman-common.h */
const NUMBERS: Readonly<Record<number, string>> = {
  ...{ 0: 'normal', 1: 'random', 2: 'sequential', 3: 'willneed', 4: 'dontneed', 8: 'free', 9: 'remove' },
  ...{ 10: 'dontfork', 11: 'dofork', 14: 'hugepage', 15: 'nohugepage', 16: 'dontdump', 17: 'dodump' },
  ...{ 18: 'wipeonfork', 19: 'keeponfork', 20: 'cold', 21: 'pageout', 22: 'populate_read', 23: 'populate_write' },
  ...{ 24: 'dontneed_locked', 25: 'collapse' },
};
/** Advice that only marks an area: the flags it takes away and those it sets. */
const MARKS: Readonly<Record<string, readonly [clears: number, sets: number]>> = {
  normal: [VM_RAND_READ | VM_SEQ_READ, 0],
  random: [VM_SEQ_READ, VM_RAND_READ],
  sequential: [VM_RAND_READ, VM_SEQ_READ],
  dontfork: [0, VM_DONTFORK],
  dofork: [VM_DONTFORK, 0],
  wipeonfork: [0, VM_WIPEONFORK],
  keeponfork: [VM_WIPEONFORK, 0],
  dontdump: [0, VM_DONTDUMP],
  dodump: [VM_DONTDUMP, 0],
  hugepage: [VM_NOHUGEPAGE, VM_HUGEPAGE],
  nohugepage: [VM_HUGEPAGE, VM_NOHUGEPAGE],
};
const ADVICE: ReadonlySet<string> = new Set(Object.values(NUMBERS));

/** Rule variant `populateHoles`: MADV_POPULATE over a hole goes on behind it (6.1) or ends there (6.12); ENOMEM either way. */
export interface PopulateHoles {
  readonly goesOn: boolean;
}
export const populateGoesOn: PopulateHoles = { goesOn: true };
export const populateStops: PopulateHoles = { goesOn: false };

/**
 * Rule variant `advice`: what madvise does differently.
 *
 * WILLNEED of a shmem mapping whose pages are in swap: [6.12] each is placed as a fault would; [6.1] the kernel forgets for
 * which area it reads: the caller's task policy and its rotor decide, and the page behind the range is read too.
 */
export interface AdviceRule {
  readonly readsByTask: boolean;
  readonly pagesMore: number;
}
export const advice612: AdviceRule = { readsByTask: false, pagesMore: 0 };
export const advice61: AdviceRule = { readsByTask: true, pagesMore: 1 };

export interface MadviseParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly swap: SwapArea;
  readonly mapping: Mapping;
  readonly memory: MemorySyscalls;
  readonly punch: Punch;
  /** reclaim/: takes one isolated page out of memory if it can be. */
  readonly pageOut: (pfn: Pfn, cpu: CpuId) => boolean;
  readonly touch: (task: Task, vpn: number, isWrite: boolean) => Pfn;
  /** Reads a slot into the swap cache for an area's page; the reference is the caller's. */
  readonly readSwap: (task: Task, vma: Vma, offset: number, slot: SwapSlot, readsObject: boolean) => Pfn;
  readonly readSwapByTask: SwapRead['readByTask'];
  readonly readFile: FileFault['readExactly'];
  readonly populateHoles: PopulateHoles;
  readonly adviceRule: AdviceRule;
  readonly faultRetry: FaultRetry;
  readonly zeroPage: Pfn;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly collapseArea: CollapseArea | null;
  readonly breakUp: BreakUp | null;
}

export interface MadviseCalls {
  /** Kernel: madvise(2). Over holes it does what it can and returns -ENOMEM (K-A8). */
  madvise(task: Task, vpn: number, pages: number, advice: string): number;
}

export function makeMadviseCalls(parts: MadviseParts): MadviseCalls {
  const { frames, lru, tables, spaces, swap, mapping, memory, touch, readSwap } = parts;
  const { populateHoles, adviceRule, faultRetry, zeroPage, huge, breakUp } = parts;

  function madvise(task: Task, vpn: number, pages: number, given: string): number {
    const advice = NUMBERS[Number(given)] ?? given;
    if (!ADVICE.has(advice)) return -EINVAL;
    if (pages === 0) return 0;
    if (advice === 'populate_read' || advice === 'populate_write') {
      task.faults = faultRetry.adviceIsTask ? CALL_FAULTS : POPULATE_FAULTS;
      const errno = populateRange(task, vpn, pages, advice === 'populate_write');
      task.faults = OWN_FAULTS;
      return errno;
    }
    const end = vpn + pages;
    let unmapped = false;
    for (let at = vpn; at < end;) {
      const { space } = task;
      const vma = space.vmas.endingAfter(at);
      if (vma === undefined || vma.start >= end) return -ENOMEM;
      if (vma.start > at) unmapped = true;
      const from = Math.max(at, vma.start);
      const until = Math.min(end, vma.end);
      at = until;
      const errno = adviseArea(task, vma, from, until - from, advice);
      if (errno !== 0) return errno;
    }
    return unmapped ? -ENOMEM : 0;
  }

  function adviseArea(task: Task, vma: Vma, from: number, pages: number, advice: string): number {
    const first = from - vma.start;
    switch (advice) {
      case 'dontneed':
      case 'dontneed_locked':
        if (vma.isLocked && advice === 'dontneed') return -EINVAL;
        memory.discard(task.space, from, pages, task.cpu);
        return 0;
      case 'free':
        if (vma.file !== null || vma.isLocked) return -EINVAL;
        markFree(task, vma, first, pages);
        return 0;
      case 'collapse':
        return parts.collapseArea?.(task, vma, from, pages) ?? -EINVAL;
      case 'cold':
        if (vma.isLocked) return -EINVAL;
        if (huge !== null) for (let at = first; at < first + pages; at++) smallAt(task, vma, at, first, first + pages);
        return 0;
      case 'remove':
        return remove(task, vma, first, pages);
      case 'pageout':
        if (vma.isLocked) return -EINVAL;
        pageOut(task, vma, first, pages);
        return 0;
      case 'willneed':
        willNeed(task, vma, first, pages);
        return 0;
      case 'wipeonfork':
        return vma.file !== null || vma.isShared ? -EINVAL : mark(vma, from, pages, advice);
      default:
        return mark(vma, from, pages, advice);
    }
  }

  function mark(vma: Vma, from: number, pages: number, advice: string): number {
    const [clears, sets] = MARKS[advice];
    const flags = (vma.flags & ~clears) | sets;
    if (flags === vma.flags) return 0;
    const { space } = vma;
    const [part] = spaces.isolateRange(space, from, pages);
    part.flags = flags;
    if (advice === 'hugepage') huge?.see(space);
    spaces.joinAround(space, from, from + pages);
    return 0;
  }

  function remove(task: Task, vma: Vma, first: number, pages: number): number {
    if (vma.isLocked) return -EINVAL;
    if (vma.file === null) return -EINVAL;
    if (!vma.isShared) return -EACCES;
    parts.punch(task, vma.file, vma.filePage + first, pages);
    return 0;
  }

  /** MADV_FREE: clean, and of no use to anybody unless they are written again; freed when somebody is short of memory. */
  function markFree(task: Task, vma: Vma, first: number, pages: number): void {
    lru.drain(task.cpu);
    for (let offset = first; offset < first + pages; offset++) {
      if (huge !== null && !smallAt(task, vma, offset, first, first + pages)) continue; // a huge page that stays is kept as it is
      const page = tables.walk(vma.space.root, vma.start + offset);
      if (page === NO_PAGE || tables.isNone(page)) continue;
      if (tables.isSwap(page)) {
        mapping.zap(vma.space, page, task.cpu); // nothing to be gained by reading it again
        continue;
      }
      const pfn = tables.word[page] as Pfn;
      if (!tables.isPresent(page) || pfn === zeroPage || frames.mapcount(pfn) !== 1) continue;
      if (!leavesSwapCache(pfn) || !frames.isOnLru(pfn)) continue;
      lru.remove(pfn);
      frames.clear(pfn, PG_SWAPBACKED | PG_DIRTY | PG_ACTIVE);
      lru.addToHead(pfn);
      tables.bits[page] &= ~PTE_DIRTY;
      mapping.flush(vma.space, page, task.cpu);
    }
  }

  /** @returns whether the page is not, or no longer, in the swap cache. Kernel: folio_free_swap() */
  function leavesSwapCache(pfn: Pfn): boolean {
    if (!frames.isSwapCache(pfn)) return true;
    if (swap.users(frames.private_(pfn) as SwapSlot) > 1 || frames.isWriteback(pfn) || !frames.tryLock(pfn))
      return false;
    swap.remove(pfn);
    frames.unlock(pfn);
    frames.drop(pfn);
    return true;
  }

  /** A page given up by MADV_FREE: gone if it was not written since, else kept as before. */
  function dropIfFree(task: Task, vma: Vma, page: PageId, pfn: Pfn): boolean {
    if (frames.has(pfn, PG_SWAPBACKED) || !frames.isAnon(pfn)) return false;
    if ((tables.bits[page] & PTE_DIRTY) !== 0 || frames.isDirty(pfn)) {
      lru.remove(pfn);
      frames.set(pfn, PG_SWAPBACKED);
      lru.addToHead(pfn);
      return false;
    }
    mapping.zap(vma.space, page, task.cpu);
    return true;
  }

  /**
   * K-H9: a huge page of which a range has a part is broken up, if one process alone maps it. @returns false: the page at
   * `offset` is part of a huge page that stays one: the range has all of it, or somebody else maps it
   */
  function smallAt(task: Task, vma: Vma, offset: number, first: number, end: number): boolean {
    const page = tables.walk(vma.space.root, vma.start + offset);
    if (page === NO_PAGE || !tables.isPresent(page)) return true;
    const pfn = tables.word[page] as Pfn;
    if (huge === null || breakUp === null || !frames.isHuge(pfn)) return true;
    const head = frames.headOf(pfn);
    if (!huge.isMappedOnce(tables.isWhole(page) ? head : pfn) || hasAll(vma, offset, first, end, page)) return false;
    return breakUp(head, task.cpu);
  }

  /** The range has the whole block; [6.12] or all pages of a huge page that is mapped in small pieces, one after the other. */
  function hasAll(vma: Vma, offset: number, first: number, end: number, page: PageId): boolean {
    const part = tables.word[page] % HUGE_PAGES;
    if (offset - part < first || offset - part + HUGE_PAGES > end) return false;
    if (tables.isWhole(page)) return true;
    if (huge?.rule.breaksPartial !== true) return false;
    for (let i = 0; i < HUGE_PAGES; i++) {
      const other = tables.walk(vma.space.root, vma.start + offset - part + i);
      if (other === NO_PAGE || !tables.isPresent(other)) return false;
      if (tables.word[other] !== tables.word[page] - part + i) return false;
    }
    return true;
  }

  /** All of a huge page is in the range. */
  function pageOutHuge(known: HugePages, task: Task, vma: Vma, offset: number): void {
    const page = tables.walk(vma.space.root, vma.start + offset);
    const head = tables.word[page] as Pfn;
    if (!frames.has(head, PG_HEAD)) return; // with the first page
    if (!known.isMappedOnce(head)) return;
    if (frames.isAnon(head)) pageOutOne(task, head);
    else if (breakUp?.(head, task.cpu) === true) {
      // Nobody maps the pages of an object any more, so the walk does not come to them.
      for (let i = 0; i < HUGE_PAGES; i++) pageOutOne(task, (head + i) as Pfn);
    }
    lru.drain(task.cpu);
  }

  function pageOutOne(task: Task, pfn: Pfn): void {
    if (lru.isolate(pfn) && !parts.pageOut(pfn, task.cpu)) lru.putback(task.cpu, pfn);
  }

  /** K-S1: pages mapped exactly once go; shared ones stay. Clean file pages are dropped. */
  function pageOut(task: Task, vma: Vma, first: number, pages: number): void {
    lru.drain(task.cpu); // what this CPU mapped last can be isolated too
    for (let offset = first; offset < first + pages; offset++) {
      if (huge !== null && !smallAt(task, vma, offset, first, first + pages)) {
        pageOutHuge(huge, task, vma, offset);
        continue;
      }
      const page = tables.walk(vma.space.root, vma.start + offset);
      if (page === NO_PAGE || !tables.isPresent(page)) continue;
      const pfn = tables.word[page] as Pfn;
      if (pfn === zeroPage || frames.mapcount(pfn) !== 1) continue;
      if (!dropIfFree(task, vma, page, pfn)) pageOutOne(task, pfn);
    }
    lru.drainAll();
  }

  /** K-S4: swapped pages of private anonymous memory come into the swap cache; their node is chosen now. Files are read. */
  function willNeed(task: Task, vma: Vma, first: number, pages: number): void {
    if (vma.file !== null) {
      if (vma.file.isShmem) objectWillNeed(task, vma, vma.file, first, pages);
      else parts.readFile(task, vma.file, vma.filePage + first, pages);
      return;
    }
    for (let offset = first; offset < first + pages; offset++) {
      const page = tables.walk(vma.space.root, vma.start + offset);
      if (page === NO_PAGE || !tables.isSwap(page)) continue;
      const slot = tables.word[page] as SwapSlot;
      if (swap.cached(slot) !== NO_PFN) continue;
      const pfn = readSwap(task, vma, offset, slot, false);
      if (pfn !== NO_PFN) lru.put(pfn);
    }
  }

  /** The same for pages of a shmem object that are out in swap. */
  function objectWillNeed(task: Task, vma: Vma, file: FileObject, first: number, pages: number): void {
    for (let offset = first; offset < first + pages + adviceRule.pagesMore; offset++) {
      const index = vma.filePage + offset;
      const value = file.slots.get(index);
      if (value >= 0 || swap.cached(-value as SwapSlot) !== NO_PFN) continue;
      const slot = -value as SwapSlot;
      const pfn = adviceRule.readsByTask
        ? parts.readSwapByTask(task, file, index, slot)
        : readSwap(task, vma, offset, slot, true);
      if (pfn !== NO_PFN) lru.put(pfn);
    }
  }

  function populateRange(task: Task, vpn: number, pages: number, isWrite: boolean): number {
    const end = vpn + pages;
    let hole = false;
    for (let at = vpn; at < end;) {
      const { space } = task;
      const vma = space.find(at);
      if (vma === null) {
        hole = true;
        const next = space.vmas.endingAfter(at);
        if (!populateHoles.goesOn || next === undefined) return -ENOMEM;
        at = next.start;
        continue;
      }
      const needed = isWrite ? VM_WRITE : VM_READ | VM_EXEC;
      if ((vma.flags & needed) === 0) return -EINVAL;
      const until = Math.min(end, vma.end);
      for (; at < until; at++) {
        const pfn = touch(task, at, isWrite);
        if (pfn > 0) continue;
        return -pfn === SIGBUS || -pfn === SIGSEGV ? -EFAULT : -ENOMEM;
      }
    }
    return hole ? -ENOMEM : 0;
  }

  return { madvise };
}
