import type { Topology } from '../hardware/index.js';
import {
  type Lru,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  MARK_HIGH,
  MARK_LOW,
  MARK_MIN,
  type NodeMask,
  type SwapArea,
  type Zones,
} from '../mm/index.js';
import { NO_PFN, type CpuId, type NodeId, type Pfn } from '../units.js';
import type { DirectReclaim } from './direct.js';
import type { Kswapd } from './kswapd.js';
import type { Listed } from './listed.js';
import type { NodeReclaim } from './node-reclaim.js';

export interface AllocatorParts {
  readonly topology: Topology;
  readonly zones: Zones;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly listed: Listed;
  readonly kswapd: Kswapd;
  readonly directReclaim: DirectReclaim;
  /** RC-65; null: switched off. */
  readonly nodeReclaim: NodeReclaim | null;
  /** RC-10 A7: direct reclaims without progress that are tried before giving up. */
  readonly roundsWithoutProgress: number;
}

/** One page, from as near as the marks allow, after reclaiming if it must be. Kernel: __alloc_pages(), mm/page_alloc.c. */
export interface Allocator {
  /**
   * RC-10 for one page.
   *
   * @param start node whose fallback row is followed
   * @param mask nodes of the policy; null: all
   * @param mayLeaveMask MP-27: the mask is tried without direct reclaim, then any node
   * @param allowed the task's mems_allowed; null: all
   * @returns a frame with one reference, or `NO_PFN`: out of memory
   * Costs nothing as long as a node is above its low mark; direct reclaim is paid for by the task.
   */
  allocatePage(start: NodeId, mask: NodeMask | null, mayLeaveMask: boolean, allowed: NodeMask | null, cpu: CpuId): Pfn;
  /** RC-12: of exactly this node, reclaiming there if it must. `NO_PFN` is no out-of-memory, the caller goes without. */
  allocateThisNode(node: NodeId, cpu: CpuId): Pfn;
}

export function makeAllocator(parts: AllocatorParts): Allocator {
  const { topology, zones, lru, swap, listed, kswapd, directReclaim, nodeReclaim, roundsWithoutProgress } = parts;
  const { nodeOfCpu } = topology;
  const onlyNode = Array.from({ length: zones.nodeCount }, (_, node) => {
    const mask = new Uint8Array(zones.nodeCount);
    mask[node] = 1;
    return mask;
  });

  function allocatePage(
    start: NodeId,
    mask: NodeMask | null,
    mayLeaveMask: boolean,
    allowed: NodeMask | null,
    cpu: CpuId,
  ): Pfn {
    const pfn = a1Low(start, mask, allowed, cpu);
    return pfn !== NO_PFN ? pfn : slowly(start, mask, mayLeaveMask, allowed, cpu);
  }

  function allocateThisNode(node: NodeId, cpu: CpuId): Pfn {
    return allocatePage(node, onlyNode[node], false, null, cpu);
  }

  function a1Low(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null, cpu: CpuId): Pfn {
    if (nodeReclaim !== null) reclaimNearNodes(nodeReclaim, start, mask, allowed, cpu);
    return take(start, mask, allowed, MARK_LOW, cpu);
  }

  function take(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null, mark: number, cpu: CpuId): Pfn {
    return zones.takeFromRow(start, mask, allowed, mark, nodeOfCpu[cpu] as NodeId);
  }

  /** A1 with node_reclaim on: each node that is below its mark is reclaimed before the next is looked at. */
  function reclaimNearNodes(
    reclaim: NodeReclaim,
    start: NodeId,
    mask: NodeMask | null,
    allowed: NodeMask | null,
    cpu: CpuId,
  ): void {
    const count = listed.list(start, mask, allowed);
    for (let i = 0; i < count; i++) {
      const node = listed.nodes[i] as NodeId;
      if (zones.isAbove(node, MARK_LOW)) return;
      reclaim(node, listed.nodes[0] as NodeId, cpu);
      if (zones.isAbove(node, MARK_LOW)) return;
    }
  }

  /** A2..A8; whatever was woken on the way runs when the allocation is over (RC-18). */
  function slowly(
    start: NodeId,
    mask: NodeMask | null,
    mayLeaveMask: boolean,
    allowed: NodeMask | null,
    cpu: CpuId,
  ): Pfn {
    let pfn: Pfn;
    if (mayLeaveMask && mask !== null) {
      pfn = withoutReclaim(start, mask, allowed, cpu);
      if (pfn === NO_PFN) pfn = a1Low(start, null, allowed, cpu);
      if (pfn === NO_PFN) pfn = withReclaim(start, null, allowed, cpu);
    } else pfn = withReclaim(start, mask, allowed, cpu);
    kswapd.runWoken(cpu);
    return pfn;
  }

  /** A2, A3, and A4 for those that may not block. */
  function withoutReclaim(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null, cpu: CpuId): Pfn {
    const count = listed.list(start, mask, allowed);
    for (let i = 0; i < count; i++) kswapd.wake(listed.nodes[i] as NodeId);
    return take(start, mask, allowed, MARK_MIN, cpu);
  }

  function withReclaim(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null, cpu: CpuId): Pfn {
    let idleRounds = 0;
    while (true) {
      let pfn = withoutReclaim(start, mask, allowed, cpu);
      if (pfn !== NO_PFN) return pfn;
      const hasProgress = directReclaim(start, mask, allowed, cpu); // A6
      pfn = take(start, mask, allowed, MARK_MIN, cpu);
      if (pfn !== NO_PFN) return pfn;
      if (hasProgress) idleRounds = 0;
      else if (++idleRounds > roundsWithoutProgress || !a7CouldPass(start, mask, allowed)) break;
    }
    return take(start, mask, allowed, MARK_HIGH, cpu); // A8: somebody may have freed a lot meanwhile
  }

  /** A7: with everything reclaimable free, some node would pass its min mark. Kernel: should_reclaim_retry(). */
  function a7CouldPass(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null): boolean {
    const count = listed.list(start, mask, allowed);
    for (let i = 0; i < count; i++) {
      const node = listed.nodes[i] as NodeId;
      if (zones.free(node) + reclaimable(node) > zones.mark(node, MARK_MIN)) return true;
    }
    return false;
  }

  function reclaimable(node: NodeId): number {
    let pages = lru.size(node, LRU_INACTIVE_FILE) + lru.size(node, LRU_ACTIVE_FILE);
    if (swap.free > 0) pages += lru.size(node, LRU_INACTIVE_ANON) + lru.size(node, LRU_ACTIVE_ANON);
    return pages;
  }

  return { allocatePage, allocateThisNode };
}
