import { float64s, int32s } from '../arrays.js';
import { PAGE_BYTES, type Pfn } from '../units.js';

const PAGE_DOUBLES = PAGE_BYTES / 8;

/**
 * What is in the frames: one 32-bit stamp per frame that every write changes and every copy carries. Exists only where
 * somebody compares it with a shadow copy (INV-13); the hot path then pays one null test without it.
 *
 * With `hasPages` each frame has 4 KiB as well, which a write of the kernel's fills with the stamp and a copy copies: for
 * benchmarks, where moving a page shall cost what moving 4 KiB costs. Frames that nothing is written to take no memory.
 */
export class Contents {
  private readonly stamps: Int32Array;
  /** In doubles: an array of bytes would end at 4 GiB. */
  private readonly pages: Float64Array | null;

  constructor(capacity: number, hasPages = false) {
    this.stamps = int32s(capacity);
    this.pages = hasPages ? float64s((capacity * PAGE_BYTES) / Float64Array.BYTES_PER_ELEMENT) : null;
  }

  get(pfn: Pfn): number {
    return this.stamps[pfn];
  }
  set(pfn: Pfn, stamp: number): void {
    this.stamps[pfn] = stamp;
    if (this.pages !== null) this.pages.fill(stamp, pfn * PAGE_DOUBLES, (pfn + 1) * PAGE_DOUBLES);
  }
  copy(to: Pfn, from: Pfn): void {
    this.stamps[to] = this.stamps[from];
    if (this.pages !== null) this.pages.copyWithin(to * PAGE_DOUBLES, from * PAGE_DOUBLES, (from + 1) * PAGE_DOUBLES);
  }
  /** The 4 KiB of a frame; null: it has none. */
  page(pfn: Pfn): Float64Array | null {
    return this.pages?.subarray(pfn * PAGE_DOUBLES, (pfn + 1) * PAGE_DOUBLES) ?? null;
  }
}
