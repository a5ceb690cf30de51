/** Flags of a page frame (page-lifecycle section 1), names as in the kernel's PG_ flags. */
export const PG_LOCKED = 1 << 0;
export const PG_REFERENCED = 1 << 1;
export const PG_UPTODATE = 1 << 2;
export const PG_DIRTY = 1 << 3;
export const PG_LRU = 1 << 4;
export const PG_ACTIVE = 1 << 5;
export const PG_WRITEBACK = 1 << 6;
export const PG_SWAPCACHE = 1 << 7;
export const PG_RECLAIM = 1 << 8;
/** Buffers are attached: one more reference. */
export const PG_PRIVATE = 1 << 9;
/** Anonymous or shmem: belongs on the anonymous lists, and its backing store is swap. */
export const PG_SWAPBACKED = 1 << 10;
export const PG_WORKINGSET = 1 << 11;
export const PG_UNEVICTABLE = 1 << 12;
export const PG_MLOCKED = 1 << 13;
export const PG_ERROR = 1 << 14;
export const PG_CHECKED = 1 << 15;
export const PG_MAPPEDTODISK = 1 << 16;
/** Brought in by read-ahead and not used yet. */
export const PG_READAHEAD = 1 << 17;
/** On the free list: the model's own, so that a page freed twice is seen. */
export const PG_FREE = 1 << 18;
/** Never allocated to anyone: list heads and the zero page. */
export const PG_RESERVED = 1 << 19;
/** First page of a huge page: its references, lists, lock and state stand here for all 512. */
export const PG_HEAD = 1 << 20;
/** Any other page of a huge page. */
export const PG_TAIL = 1 << 21;
/** Of a page of a huge page: it belongs to one process alone, which may write it in place (K-H8). */
export const PG_EXCLUSIVE = 1 << 22;
/** Of a page of a huge page: it was written at some time, so it is not all zeros (K-H9). */
export const PG_WRITTEN = 1 << 23;
/** Of the first page: parts of the huge page are mapped by nobody while others are (HP-32, K-H14). */
export const PG_PARTIAL = 1 << 24;
/** Part of a huge page. */
export const PG_HUGE = PG_HEAD | PG_TAIL;

/** Flags that a page must not have when it is freed (INV-9). */
export const PG_NOT_WHEN_FREED =
  PG_LOCKED |
  PG_LRU |
  PG_WRITEBACK |
  PG_SWAPCACHE |
  PG_PRIVATE |
  PG_UNEVICTABLE |
  PG_FREE |
  PG_RESERVED |
  PG_HEAD |
  PG_TAIL;
