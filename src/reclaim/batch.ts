import { type Frames, type Lru, PG_ACTIVE, PG_MLOCKED } from '../mm/index.js';
import type { NodeId, Pfn } from '../units.js';
import { SWAP_CLUSTER_MAX } from './scan.js';

/** Pages taken off a list to be looked at, at most 32 at a time; whoever took them gives back or frees each. */
export interface Batch {
  /** The pages last taken, oldest first. */
  readonly pages: Int32Array;
  /** Takes up to `count` pages from the tail of a list, each with a reference. Kernel: isolate_lru_folios(). @returns how many */
  take(node: NodeId, list: number, count: number): number;
  /** Puts a page at the head of the list its flags say (RC-20); one that nobody else holds any more is freed (PL-23). */
  giveBack(pfn: Pfn): void;
}

export function makeBatch(frames: Frames, lru: Lru): Batch {
  const pages = new Int32Array(SWAP_CLUSTER_MAX);

  function take(node: NodeId, list: number, count: number): number {
    const head = lru.head(node, list);
    let taken = 0;
    while (taken < count) {
      const pfn = frames.previous(head);
      if (pfn === head || !lru.isolate(pfn)) break;
      pages[taken++] = pfn;
    }
    return taken;
  }

  function giveBack(pfn: Pfn): void {
    lru.isolated--;
    if (frames.count(pfn) > 1) {
      if (frames.has(pfn, PG_MLOCKED)) frames.clear(pfn, PG_ACTIVE);
      lru.addToHead(pfn);
      if (frames.isActive(pfn)) lru.ages[frames.nodeOf(pfn)] += frames.pagesOf(pfn); // RC-60
    }
    lru.put(pfn);
  }

  return { pages, take, giveBack };
}
