import {
  type FileObject,
  type Frames,
  type Lru,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  PG_ACTIVE,
  PG_SWAPBACKED,
  PG_WORKINGSET,
  type SwapArea,
} from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import type { NodeId, Pfn, SwapSlot } from '../units.js';
import type { ReclaimCosts, ReclaimCostRule } from './cost.js';

/** Told by the fault path that a page is back in memory which may have been evicted (RC-61). */
export interface Refault {
  /** Page `index` of the file was read from the disk into `pfn`, which is in the page cache. */
  file(file: FileObject, index: number, pfn: Pfn): void;
  /** The slot was read into `pfn`, which is in the swap cache. */
  swap(slot: SwapSlot, pfn: Pfn): void;
}

/** What evictions leave behind, and what is learnt from it when the page comes back. Kernel: mm/workingset.c. */
export interface Workingset {
  /** RC-60: the page leaves its file; the slot keeps a shadow. */
  evictFile(file: FileObject, index: number, pfn: Pfn): void;
  evictSwap(slot: SwapSlot, pfn: Pfn): void;
  readonly refault: Refault;
  /** RC-24: pages of the type started active since the node's last reclaim. */
  hasMoved(node: NodeId, isFile: boolean): boolean;
  /** The node's reclaim has ended: `hasMoved` starts anew. */
  snapshot(node: NodeId): void;
}

export interface WorkingsetParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly counters: Counters;
  readonly costs: ReclaimCosts;
}

/**
 * RC-61: how many pages the one that came back competes with: had it had their room, it would still be there.
 * Sizes are of the node that evicted it.
 */
export function competingPages(
  isFile: boolean,
  hasFreeSwap: boolean,
  inactiveAnon: number,
  activeAnon: number,
  inactiveFile: number,
  activeFile: number,
): number {
  let pages = activeFile;
  if (!isFile) pages += inactiveFile;
  if (hasFreeSwap) pages += activeAnon + (isFile ? inactiveAnon : 0);
  return pages;
}

/** Pages on the four evictable lists of a node. */
export function lruPages(lru: Lru, node: NodeId): number {
  return (
    lru.size(node, LRU_INACTIVE_ANON) +
    lru.size(node, LRU_ACTIVE_ANON) +
    lru.size(node, LRU_INACTIVE_FILE) +
    lru.size(node, LRU_ACTIVE_FILE)
  );
}

/** [6.x] Refault distance. A shadow is the node's age + 1 (0: none), and node * 2 + the page's mark. */
export function makeWorkingset(
  { frames, lru, swap, counters, costs }: WorkingsetParts,
  cost: ReclaimCostRule,
): Workingset {
  const { ages } = lru;
  const nodeCount = ages.length;
  /** Pages that started active, by node and type; and what the count was at the node's last reclaim. */
  const started = new Int32Array(2 * nodeCount);
  const seen = new Int32Array(2 * nodeCount);

  function shadowNode(pfn: Pfn): number {
    return 2 * frames.nodeOf(pfn) + (frames.has(pfn, PG_WORKINGSET) ? 1 : 0);
  }

  function evictFile(file: FileObject, index: number, pfn: Pfn): void {
    const node = frames.nodeOf(pfn);
    file.shadowAge.set(index, ages[node] + 1);
    file.shadowNode.set(index, shadowNode(pfn));
    ages[node]++;
  }

  function evictSwap(slot: SwapSlot, pfn: Pfn): void {
    const node = frames.nodeOf(pfn);
    swap.setShadow(slot, ages[node], shadowNode(pfn));
    ages[node]++;
  }

  function competing(node: NodeId, isFile: boolean): number {
    return competingPages(
      isFile,
      swap.free > 0,
      lru.size(node, LRU_INACTIVE_ANON),
      lru.size(node, LRU_ACTIVE_ANON),
      lru.size(node, LRU_INACTIVE_FILE),
      lru.size(node, LRU_ACTIVE_FILE),
    );
  }

  function refaulted(pfn: Pfn, age: number, nodeAndMark: number): void {
    const isFile = !frames.has(pfn, PG_SWAPBACKED);
    counters.inc(isFile ? C.workingset_refault_file : C.workingset_refault_anon);
    const home = (nodeAndMark >> 1) as NodeId;
    if (ages[home] - (age - 1) > competing(home, isFile)) return;
    const node = frames.nodeOf(pfn);
    startActive(pfn);
    ages[node]++;
    started[2 * node + (isFile ? 1 : 0)]++;
    counters.inc(isFile ? C.workingset_activate_file : C.workingset_activate_anon);
    if ((nodeAndMark & 1) === 0) return;
    frames.set(pfn, PG_WORKINGSET);
    costs.add(node, isFile, cost.ofRefault, lruPages(lru, node));
    counters.inc(isFile ? C.workingset_restore_file : C.workingset_restore_anon);
  }

  /** The page is in a CPU's vector, or already drained onto its list. */
  function startActive(pfn: Pfn): void {
    if (!frames.isOnLru(pfn)) {
      frames.set(pfn, PG_ACTIVE);
      return;
    }
    if (frames.isActive(pfn)) return;
    lru.remove(pfn);
    frames.set(pfn, PG_ACTIVE);
    lru.addToHead(pfn);
  }

  const refault: Refault = {
    file(file, index, pfn) {
      const age = file.shadowAge.get(index);
      if (age === 0) return;
      file.shadowAge.set(index, 0);
      refaulted(pfn, age, file.shadowNode.get(index));
    },
    swap(slot, pfn) {
      const age = swap.shadowAge(slot);
      if (age === 0) return;
      swap.clearShadow(slot);
      refaulted(pfn, age, swap.shadowNode(slot));
    },
  };

  return {
    evictFile,
    evictSwap,
    refault,
    hasMoved(node, isFile) {
      const at = 2 * node + (isFile ? 1 : 0);
      return started[at] !== seen[at];
    },
    snapshot(node) {
      seen[2 * node] = started[2 * node];
      seen[2 * node + 1] = started[2 * node + 1];
    },
  };
}

/** [2.6.16] Evictions leave nothing behind. */
export function makeNoWorkingset(): Workingset {
  return {
    evictFile: () => undefined,
    evictSwap: () => undefined,
    refault: { file: () => undefined, swap: () => undefined },
    hasMoved: () => false,
    snapshot: () => undefined,
  };
}
