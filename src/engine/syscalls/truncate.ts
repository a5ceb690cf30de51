import { EFBIG, EINVAL } from '../../errors.js';
import type { FileObject, Lru, Task } from '../../mm/index.js';
import { NO_PFN, PAGE_BYTES, type Pfn } from '../../units.js';
import type { Punch } from './punch.js';
import type { MemorySyscalls } from './memory.js';

export interface TruncateParts {
  readonly lru: Lru;
  readonly memory: MemorySyscalls;
  /** Frees pages and swap slots of an object and unmaps them everywhere. */
  readonly punch: Punch;
  /** The page of a shmem object, read from swap if it must be; with a reference. */
  readonly bringIn: (task: Task, file: FileObject, index: number) => Pfn;
}

/** Page numbers within a file stay small integers. Kernel: s_maxbytes. */
const MAX_PAGES = 2 ** 31 - 1;

/**
 * The size of a file becomes `bytes`. What lies behind the new end goes: mappings of it first, private copies too, then the
 * pages and swap slots (page-lifecycle sections 5 and 7); the page that holds the new end stays. A fault behind the end is
 * SIGBUS, and one that found its page before sees the changed `truncateCount` and starts over. A larger size adds a hole.
 *
 * @returns 0, -EINVAL or -EFBIG. Kernel: truncate(2) and ftruncate(2); vmtruncate(), shmem_notify_change() in 2.6.16
 */
export type Truncate = (task: Task, file: FileObject, bytes: number) => number;

export function makeTruncate({ lru, memory, punch, bringIn }: TruncateParts): Truncate {
  return (task, file, bytes) => {
    if (!(bytes >= 0)) return -EINVAL;
    const pages = Math.ceil(bytes / PAGE_BYTES);
    if (pages > MAX_PAGES) return -EFBIG;
    const behind = file.sizePages - pages;
    if (behind > 0) {
      unmapBehind(task, file, pages);
      punch(task, file, pages, behind);
    }
    if (bytes % PAGE_BYTES !== 0) keepLast(task, file, pages - 1);
    file.sizePages = pages;
    return 0;
  };

  /** Copies in private mappings go too, unlike with MADV_REMOVE. Kernel: unmap_mapping_range(), even_cows. */
  function unmapBehind(task: Task, file: FileObject, pages: number): void {
    for (const vma of file.vmas) {
      const first = Math.max(0, pages - vma.filePage);
      if (first < vma.pages) memory.discard(vma.space, vma.start + first, vma.pages - first, task.cpu);
    }
  }

  /** The rest of the last page is cleared, and for that a swapped page has to be in memory. */
  function keepLast(task: Task, file: FileObject, index: number): void {
    if (file.slots.get(index) >= 0) return;
    const pfn = bringIn(task, file, index);
    if (pfn !== NO_PFN) lru.put(pfn);
  }
}
