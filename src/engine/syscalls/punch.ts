import type { BreakUp } from '../../migrate/index.js';
import {
  HUGE_PAGES,
  PG_DIRTY,
  type Block,
  type FileObject,
  type ForEachHugePlace,
  type ForEachPlace,
  type Frames,
  type Lru,
  type Mapping,
  type PageCache,
  type SwapArea,
  type Task,
} from '../../mm/index.js';
import type { PageTables } from '../../hardware/index.js';
import { NO_PFN, type Pfn, type SwapSlot } from '../../units.js';

export interface PunchParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly swap: SwapArea;
  readonly block: Block;
  readonly pageCache: PageCache;
  readonly mapping: Mapping;
  readonly forEachMapping: ForEachPlace;
  /** null: the machine has no huge pages. */
  readonly forEachHugePlace: ForEachHugePlace | null;
  readonly breakUp: BreakUp | null;
}

/** Frees the pages of an object from `first` on, for everybody (truncate, MADV_REMOVE). Kernel: shmem_undo_range(), truncate_inode_pages_range() */
export type Punch = (task: Task, file: FileObject, first: number, pages: number) => void;

export function makePunch(parts: PunchParts): Punch {
  const { frames, lru, tables, swap, block, pageCache, mapping, forEachMapping, forEachHugePlace, breakUp } = parts;

  /** What stood there before will not come back: a new page is no refault (RC-60). */
  function forgetEviction(file: FileObject, index: number): void {
    if (file.shadowAge.get(index) !== 0) file.shadowAge.set(index, 0);
  }

  function dropSlot(file: FileObject, index: number, slot: SwapSlot): void {
    file.slots.set(index, 0);
    const cached = swap.cached(slot);
    swap.dropUser(slot);
    if (cached === NO_PFN || swap.users(slot) > 1) return;
    block.waitForPage(cached);
    swap.remove(cached);
    lru.put(cached);
  }

  function dropPage(task: Task, pfn: Pfn): void {
    frames.get(pfn);
    block.waitForPage(pfn);
    forEachMapping(pfn, (vma, page) => {
      mapping.zap(vma.space, page, task.cpu);
    });
    pageCache.releaseBuffers(pfn);
    frames.clear(pfn, PG_DIRTY); // whoever still holds it holds a page of nothing (page-lifecycle section 5)
    pageCache.remove(pfn);
    frames.drop(pfn);
    lru.put(pfn);
  }

  function dropHuge(task: Task, head: Pfn): void {
    frames.get(head);
    block.waitForPage(head);
    forEachHugePlace?.(head, (vma, page, part) => {
      if (!tables.isPresent(page) || tables.word[page] !== (part as number)) return;
      if (tables.isWhole(page)) mapping.blocks?.zapBlock(vma.space, page, task.cpu);
      else mapping.zap(vma.space, page, task.cpu);
    });
    pageCache.removeHuge(head);
    for (let i = 0; i < HUGE_PAGES; i++) {
      frames.clear((head + i) as Pfn, PG_DIRTY);
      frames.drop(head);
    }
    lru.put(head);
  }

  /** K-H18: of a huge page of which the range has a part, that part goes; the others are small pages then. */
  function dropFromHuge(task: Task, pfn: Pfn, hasAll: boolean): void {
    const head = frames.headOf(pfn);
    if (hasAll) dropHuge(task, head);
    else if (breakUp?.(head, task.cpu) === true) dropPage(task, pfn);
  }

  return (task, file, first, pages) => {
    file.truncateCount++;
    const end = Math.min(first + pages, file.sizePages);
    for (let index = first; index < end; index++) {
      if (!file.isShmem) file.disk.set(index, 0);
      const value = file.slots.get(index);
      const start = index - (index % HUGE_PAGES);
      if (value === 0) forgetEviction(file, index);
      else if (value < 0) dropSlot(file, index, -value as SwapSlot);
      else if (frames.isHuge(value as Pfn))
        dropFromHuge(task, value as Pfn, start >= first && start + HUGE_PAGES <= end);
      else dropPage(task, value as Pfn);
    }
  };
}
