import type { Pfn } from '../units.js';

/**
 * What is in the frames: one 32-bit stamp per frame that every write changes and every copy carries. Exists only where
 * somebody compares it with a shadow copy (INV-13); the hot path then pays one null test without it.
 */
export class Contents {
  private readonly stamps: Int32Array;

  constructor(capacity: number) {
    this.stamps = new Int32Array(new ArrayBuffer(Math.max(64, capacity * 4)));
  }

  get(pfn: Pfn): number {
    return this.stamps[pfn];
  }
  set(pfn: Pfn, stamp: number): void {
    this.stamps[pfn] = stamp;
  }
  copy(to: Pfn, from: Pfn): void {
    this.stamps[to] = this.stamps[from];
  }
}
