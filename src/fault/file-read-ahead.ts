import { type FileObject, type Frames, type Lru, PG_READAHEAD, type Task } from '../mm/index.js';
import { NO_PFN, type Pfn } from '../units.js';

/** Pages of a full window (128 KiB, the block layer's default). Kernel: file_ra_state.ra_pages */
const WINDOW = 32;

export interface FileReadAheadParts {
  readonly frames: Frames;
  readonly lru: Lru;
  /** A new page of the file, read from the disk, in the cache, with the allocation's reference; `NO_PFN`: out of memory. */
  readonly bringIn: (task: Task, file: FileObject, index: number, isWrite: boolean) => Pfn;
}

/** Which pages of a file are read together. Kernel: mm/readahead.c, and do_sync_mmap_readahead() of mm/filemap.c. */
export interface FileReadAhead {
  /**
   * The neighbours of a miss come in the same read, in file order: 32 pages around it. The page that begins the last quarter
   * is marked: whoever faults on it sets the next window going. Kernel: do_sync_mmap_readahead()
   */
  around(task: Task, file: FileObject, index: number): void;
  /** A fault met the mark of `pfn`: the next window is read. Kernel: page_cache_async_ra(), ondemand_readahead() */
  next(task: Task, file: FileObject, index: number, pfn: Pfn): void;
  /** Just these pages, as far as the file goes. Kernel: force_page_cache_ra() */
  exactly(task: Task, file: FileObject, first: number, pages: number): void;
}

export function makeFileReadAhead({ frames, lru, bringIn }: FileReadAheadParts): FileReadAhead {
  /** Kernel: page_cache_ra_unbounded(); a window cut by the end of the file keeps the length of its last part. */
  function read(task: Task, file: FileObject, first: number, pages: number, ahead: number): void {
    const end = Math.min(file.sizePages, first + pages);
    const mark = ahead === 0 ? -1 : end - ahead;
    for (let index = first; index < end; index++) {
      if (file.slots.get(index) > 0) continue;
      const pfn = bringIn(task, file, index, false);
      if (pfn === NO_PFN) return;
      if (index === mark) frames.set(pfn, PG_READAHEAD);
      lru.put(pfn);
    }
  }

  /** The first page from `index` on that is not cached, as far as a window reaches; -1 for none. */
  function nextMiss(file: FileObject, index: number): number {
    for (let i = index; i < index + WINDOW; i++) if (file.slots.get(i) <= 0) return i;
    return -1;
  }

  /** @returns whether there is something to read */
  function advance(file: FileObject, index: number): boolean {
    if (index === 0) {
      file.readStart = 0;
      file.readPages = WINDOW;
      file.readAhead = WINDOW / 2; // it would meet its own mark: half of it becomes the next window
      return true;
    }
    const sequential = index === file.readStart + file.readPages - file.readAhead;
    if (sequential || index === file.readStart + file.readPages) {
      file.readStart += file.readPages;
      file.readPages = nextSize(file.readPages);
    } else {
      const miss = nextMiss(file, index + 1);
      if (miss < 0) return false;
      file.readStart = miss;
      file.readPages = nextSize(miss - index + WINDOW);
    }
    file.readAhead = file.readPages;
    return true;
  }

  return {
    around(task, file, index) {
      file.readStart = Math.max(0, index - WINDOW / 2);
      file.readPages = WINDOW;
      file.readAhead = WINDOW / 4;
      read(task, file, file.readStart, file.readPages, file.readAhead);
    },
    next(task, file, index, pfn) {
      frames.clear(pfn, PG_READAHEAD);
      if (advance(file, index)) read(task, file, file.readStart, file.readPages, file.readAhead);
    },
    exactly(task, file, first, pages) {
      read(task, file, first, pages, 0);
    },
  };
}

/** Windows grow to the full size. Kernel: get_next_ra_size() */
function nextSize(pages: number): number {
  if (pages < WINDOW / 16) return pages * 4;
  return pages <= WINDOW / 2 ? pages * 2 : WINDOW;
}
