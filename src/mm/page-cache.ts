import { bugOn } from '../errors.js';
import { NO_PFN, type Pfn } from '../units.js';
import type { Contents } from './contents.js';
import { cachedFrame, type FileObject, type Files } from './files.js';
import { HUGE_PAGES, type Frames } from './frames.js';
import { PG_PRIVATE, PG_SWAPBACKED, PG_UPTODATE } from './page-flags.js';

/** The pages of files and shmem objects that are in memory (page-lifecycle sections 5 and 7). */
export class PageCache {
  constructor(
    private readonly frames: Frames,
    private readonly files: Files,
    private readonly contents: Contents | null,
  ) {}

  /** Looks a page up and takes a reference, or `NO_PFN`. Kernel: find_get_page(). */
  findAndGet(file: FileObject, index: number): Pfn {
    const pfn = cachedFrame(file, index);
    if (pfn !== NO_PFN) this.frames.get(pfn);
    return pfn;
  }

  /** Puts a new page at an empty slot; the cache takes a reference. */
  add(file: FileObject, index: number, pfn: Pfn): void {
    bugOn(cachedFrame(file, index) !== NO_PFN, 'INV-5: two frames for one page of a file', pfn);
    file.slots.set(index, pfn);
    file.cachedPages++;
    this.frames.get(pfn);
    this.frames.setMapping(pfn, file.id, index);
    if (file.isShmem) this.frames.set(pfn, PG_SWAPBACKED);
  }

  /** A huge page at 512 empty slots: the cache takes a reference for each, all to the first page. */
  addHuge(file: FileObject, first: number, head: Pfn): void {
    for (let i = 0; i < HUGE_PAGES; i++) {
      const pfn = (head + i) as Pfn;
      this.add(file, first + i, pfn);
      if (i === 0) continue;
      this.frames.drop(pfn);
      this.frames.get(head);
    }
  }

  /** Takes a huge page out; the cache's references are still to be dropped. */
  removeHuge(head: Pfn): void {
    for (let i = 0; i < HUGE_PAGES; i++) this.remove((head + i) as Pfn);
  }

  /** The slot now shows `to` where it showed `from`; flags and references are the caller's (M5b). */
  replace(file: FileObject, index: number, to: Pfn): void {
    file.slots.set(index, to);
  }

  /** Takes the page out and leaves `slotValue` (0, or minus a swap slot); the cache's reference is still to be dropped. */
  remove(pfn: Pfn, slotValue = 0): void {
    const file = this.files.get(this.frames.mapping(pfn));
    file.slots.set(this.frames.index(pfn), slotValue);
    file.cachedPages--;
    this.frames.setMapping(pfn, 0, 0);
  }

  /** The file system lets go of the page's buffers, and of their reference. Kernel: try_to_release_page(). */
  releaseBuffers(pfn: Pfn): void {
    if (!this.frames.has(pfn, PG_PRIVATE)) return;
    this.frames.clear(pfn, PG_PRIVATE);
    this.frames.drop(pfn);
  }

  /** The page has been read from the disk, or filled with zeros. */
  fill(file: FileObject, index: number, pfn: Pfn): void {
    this.frames.set(pfn, PG_UPTODATE);
    this.contents?.set(pfn, file.isShmem ? 0 : file.disk.get(index));
  }

  /** INV-5: every slot's page points back. */
  check(): void {
    for (const file of this.files.all()) {
      let cached = 0;
      file.slots.forEach((index, value) => {
        if (value < 0) return;
        cached++;
        const pfn = value as Pfn;
        bugOn(
          this.frames.mapping(pfn) !== file.id || this.frames.index(pfn) !== index,
          'INV-5: page does not point back',
          pfn,
        );
        bugOn(this.frames.isSwapCache(pfn), 'INV-4: in the page cache and the swap cache', pfn);
      });
      bugOn(cached !== file.cachedPages, 'INV-5: cached pages and their number differ', file.id);
    }
  }
}
