import type { AddressSpace } from './address-space.js';
import type { AnonVma } from './anon-vma.js';
import type { FileObject } from './files.js';
import type { Mempolicy } from './mempolicy.js';

export const VM_READ = 1 << 0;
export const VM_WRITE = 1 << 1;
export const VM_EXEC = 1 << 2;
export const VM_SHARED = 1 << 3;
export const VM_LOCKED = 1 << 4;
/** madvise(RANDOM): no read-ahead in this mapping. */
export const VM_RAND_READ = 1 << 5;
/** madvise(WIPEONFORK): the child sees zeros. */
export const VM_WIPEONFORK = 1 << 6;
/** madvise(DONTFORK): the child does not get the area. */
export const VM_DONTFORK = 1 << 7;
/** The area of a device, of huge pages only, or of persistent memory: no ordinary pages are behind it. */
export const VM_SPECIAL = 1 << 20;

/** madvise(SEQUENTIAL), DONTDUMP, HUGEPAGE and NOHUGEPAGE: marks that keep areas apart. */
export const VM_SEQ_READ = 1 << 8;
export const VM_DONTDUMP = 1 << 9;
export const VM_HUGEPAGE = 1 << 10;
export const VM_NOHUGEPAGE = 1 << 11;

/** A mapping: `pages` pages of an address space from page number `start`, all with the same attributes. */
export class Vma {
  /** Place in `Vmas.table`; 0 is none. */
  id = 0;
  /** Page number of the first page (up to 36 bits), and its halves: start = startHigh * 512 + startLow. */
  start = 0;
  startHigh = 0;
  startLow = 0;
  pages = 0;
  flags = 0;
  /** Page offset in the file; for private anonymous memory the page number it was first mapped at (MP-51, K-I2). */
  pgoff = 0;
  file: FileObject | null = null;
  /** Page of the file at `start`, as a small integer; 0 without a file. */
  filePage = 0;
  anonVma: AnonVma | null = null;
  /** Index of the first page within `anonVma`. */
  anonIndex = 0;
  policy: Mempolicy | null = null;
  /**
   * Which anon_vma of the kernel's it would be, for joining areas (K-H3): 0 while it never had an anonymous page. Parts of a
   * split share it, areas that came from a fork have one each.
   */
  anonToken = 0;
  /** Inherited by a fork: joins no area without anonymous pages. */
  isForked = false;
  /** Reading around a swapped page: page number of the last fault, pages of the last window, hits since (4 to begin with). */
  swapFaultPage = 0;
  swapWindow = 0;
  swapHits = 4;
  /** What the creator calls it: a region of the trace, a segment of a script. */
  name = '';
  /** First page in the numbering of the trace, or -1: what policies see as `fault.page`. */
  tracePage = -1;

  constructor(public space: AddressSpace) {}

  get end(): number {
    return this.start + this.pages;
  }
  get isWritable(): boolean {
    return (this.flags & VM_WRITE) !== 0;
  }
  get isShared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }
  get isLocked(): boolean {
    return (this.flags & VM_LOCKED) !== 0;
  }

  /** A part of a split, and the copy of a fork, read around as the area they come from did. */
  takeSwapWindow(from: Vma): void {
    this.swapFaultPage = from.swapFaultPage;
    this.swapWindow = from.swapWindow;
    this.swapHits = from.swapHits;
  }

  moveTo(start: number, pages: number): void {
    this.start = start;
    this.startHigh = Math.floor(start / 512);
    this.startLow = start - this.startHigh * 512;
    this.pages = pages;
  }
}
