import { int32s } from '../../arrays.js';
import type { PageTables } from '../../hardware/index.js';
import { PTE_SWAP } from '../../hardware/index.js';
import type { Frames, SwapArea } from '../../mm/index.js';
import { NO_PFN, type PageId, type Pfn, type SwapSlot } from '../../units.js';

/** Rows looked at together: enough loads to keep memory busy, few enough that what they bring is still there when it is used. */
export const AHEAD = 32;

export interface ReadAheadParts {
  readonly tables: PageTables;
  readonly swap: SwapArea;
  readonly frames: Frames;
}

/**
 * Loads what the rows [from, until), at most `AHEAD` of them, will need, and changes nothing.
 *
 * @param moves pages are being migrated: they leave their lists, so their neighbours there are needed too
 */
export type ReadAhead = (pages: Uint32Array, from: number, until: number, ids: Int32Array, moves: boolean) => void;

/**
 * Faults in random order wait for memory: entry, slot, frame and its neighbours on the list lie anywhere, each is found
 * through the one before, and the work between them is too long for a processor to look past it. Here each kind is loaded
 * for many rows at once, so that the waits overlap. Worth it only where rows miss: who calls this has seen them miss.
 */
export function makeReadAhead({ tables, swap, frames }: ReadAheadParts): ReadAhead {
  const entries = int32s(AHEAD);
  const found = int32s(AHEAD);
  /** Where the loads go, so that they are made. */
  const sink = int32s(4);

  /** Entries; kept are those that hold a swap slot. @returns how many */
  function readEntries(pages: Uint32Array, from: number, until: number, ids: Int32Array): number {
    let kept = 0;
    let sum = 0;
    for (let i = from; i < until; i++) {
      const id = Math.max(0, ids[pages[i]]) as PageId; // below 0: no mapping covers it; entry 0 is nobody's
      sum ^= tables.word[id];
      if ((tables.bits[id] & PTE_SWAP) !== 0) entries[kept++] = id;
    }
    sink[0] ^= sum;
    return kept;
  }

  function readSlots(count: number): void {
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const slot = tables.word[entries[k]] as SwapSlot;
      sum ^= swap.users(slot);
      found[k] = swap.cached(slot);
    }
    sink[1] ^= sum;
  }

  function readFrames(count: number): void {
    let sum = 0;
    for (let k = 0; k < count; k++) sum ^= frames.flags(found[k] as Pfn);
    sink[2] ^= sum;
  }

  function readNeighbours(count: number): void {
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const pfn = found[k] as Pfn;
      if (pfn !== NO_PFN) sum ^= frames.flags(frames.next(pfn)) ^ frames.flags(frames.previous(pfn));
    }
    sink[3] ^= sum;
  }

  return (pages, from, until, ids, moves) => {
    const count = readEntries(pages, from, until, ids);
    if (count === 0) return;
    readSlots(count);
    readFrames(count);
    if (moves) readNeighbours(count);
  };
}
