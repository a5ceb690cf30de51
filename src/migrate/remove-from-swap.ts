import type { PageTables } from '../hardware/index.js';
import type { ForEachPlace, Frames, SwapArea } from '../mm/index.js';
import type { Pfn, SwapSlot } from '../units.js';

export interface RemoveFromSwapParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly swap: SwapArea;
  readonly forEachPlace: ForEachPlace;
}

/**
 * Turns the swap entries of an anonymous page of the swap cache back into real ones: read-only and old, each with a reference,
 * so that a write costs one more fault (DM-21). Then the page leaves the swap cache, if no other entry names the slot.
 * Kernel: remove_from_swap(), mm/rmap.c, 2.6.16.
 *
 * @param pfn locked
 */
export function removeFromSwap({ frames, tables, swap, forEachPlace }: RemoveFromSwapParts, pfn: Pfn): void {
  if (!frames.isAnon(pfn) || !frames.isSwapCache(pfn)) return;
  const slot = frames.private_(pfn) as SwapSlot;
  forEachPlace(pfn, (vma, page) => {
    if (!tables.isSwap(page) || tables.word[page] !== (slot as number)) return;
    frames.get(pfn);
    frames.addMapping(pfn);
    vma.space.rssAnon++;
    vma.space.swapEntries--;
    tables.set(page, pfn, 0);
    swap.dropUser(slot);
  });
  if (swap.users(slot) > 1) return;
  swap.remove(pfn);
  frames.drop(pfn);
}
