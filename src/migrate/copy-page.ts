import {
  PG_ACTIVE,
  PG_CHECKED,
  PG_DIRTY,
  PG_ERROR,
  PG_EXCLUSIVE,
  PG_MAPPEDTODISK,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_UPTODATE,
  PG_WORKINGSET,
  PG_WRITTEN,
  type Contents,
  type Files,
  type Frames,
  type PageCache,
  type SwapArea,
} from '../mm/index.js';
import type { Pfn, SwapSlot } from '../units.js';

/** Flags that move with a page (page-lifecycle section 10). Dirty moves too, and is cleared on the old page. */
const CARRIED =
  PG_ERROR |
  PG_REFERENCED |
  PG_UPTODATE |
  PG_DIRTY |
  PG_ACTIVE |
  PG_CHECKED |
  PG_MAPPEDTODISK |
  PG_SWAPBACKED |
  PG_WORKINGSET |
  PG_UNEVICTABLE |
  PG_MLOCKED |
  PG_EXCLUSIVE |
  PG_WRITTEN;
const RETIRED = PG_SWAPCACHE | PG_ACTIVE | PG_PRIVATE | PG_DIRTY | PG_UNEVICTABLE | PG_MLOCKED;

export interface CopyParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly pageCache: PageCache;
  readonly swap: SwapArea;
  readonly contents: Contents | null;
}

/** The parts of a move that every way of migrating shares: the slot, the buffers, contents and flags. */
export interface CopyPage {
  /**
   * The page's cache slot now shows `fresh`, which takes the cache's reference over (M5b). In no cache: nothing.
   * The new page is complete before the slot shows it: a lookup may find it at once.
   */
  replaceSlot(old: Pfn, fresh: Pfn): void;
  /** Buffers and their reference go along (M5c). */
  moveBuffers(old: Pfn, fresh: Pfn): void;
  /** Contents and flags go along, and the old page is nobody's any more (M5d). Kernel: migrate_page_copy(). */
  copyAndRetire(old: Pfn, fresh: Pfn): void;
  /** The same in two [6.x]: as long as entries name the old page it keeps the mapping by which they are counted (PL-81). */
  copy(old: Pfn, fresh: Pfn): void;
  forget(old: Pfn): void;
  /** The same without the contents: a driver has copied them. Kernel: migrate_page_states(). */
  retire(old: Pfn, fresh: Pfn): void;
}

export function makeCopyPage({ frames, files, pageCache, swap, contents }: CopyParts): CopyPage {
  function carryFlags(old: Pfn, fresh: Pfn): void {
    frames.set(fresh, frames.flags(old) & CARRIED);
    frames.clear(old, RETIRED);
    frames.setPrivate(old, 0);
    if (frames.stored !== null) frames.stored[fresh] = frames.stored[old]; // NB-43
  }

  function forget(old: Pfn): void {
    frames.setMapping(old, 0, 0);
  }

  function copy(old: Pfn, fresh: Pfn): void {
    if (contents !== null) contents.copy(fresh, old);
    carryFlags(old, fresh);
  }

  return {
    copy,
    forget,
    retire(old, fresh) {
      carryFlags(old, fresh);
      forget(old);
    },
    replaceSlot(old, fresh) {
      const mapping = frames.mapping(old);
      const isSwap = frames.isSwapCache(old);
      if (!isSwap && mapping <= 0) return;
      frames.get(fresh);
      if (isSwap) {
        const slot = frames.private_(old);
        frames.setPrivate(fresh, slot);
        frames.set(fresh, PG_SWAPCACHE);
        swap.replace(slot as SwapSlot, fresh);
      } else pageCache.replace(files.get(mapping), frames.index(old), fresh);
      frames.drop(old);
    },
    moveBuffers(old, fresh) {
      if (!frames.has(old, PG_PRIVATE)) return;
      frames.clear(old, PG_PRIVATE);
      frames.drop(old);
      frames.set(fresh, PG_PRIVATE);
      frames.get(fresh);
    },
    copyAndRetire(old, fresh) {
      copy(old, fresh);
      forget(old);
    },
  };
}
