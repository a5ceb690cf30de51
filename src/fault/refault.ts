import type { FileObject } from '../mm/files.js';
import type { Pfn, SwapSlot } from '../units.js';

/** Told when a page comes back that was evicted (RC-61); reclaim/workingset.ts answers by starting it active. */
export interface Refault {
  file(file: FileObject, index: number, pfn: Pfn): void;
  swap(slot: SwapSlot, pfn: Pfn): void;
}
