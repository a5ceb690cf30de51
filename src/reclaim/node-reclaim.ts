import type { Topology } from '../hardware/index.js';
import {
  type Frames,
  type Lru,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  PG_SWAPBACKED,
  type Zones,
} from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import type { CpuId, NodeId, Pfn } from '../units.js';
import { Scan, SWAP_CLUSTER_MAX, type NodeScanner } from './scan.js';

/** Bits of vm.zone_reclaim_mode. */
export const RECLAIM_ZONE = 1;
const RECLAIM_WRITE = 2;
const RECLAIM_UNMAP = 4;

/** Nodes further away than this are not worth reclaiming for. Kernel: node_reclaim_distance. */
const MAX_DISTANCE = 30;
const START_PRIORITY = 4;

/** What there is on a node, in pages: on its file lists, mapped and dirty ones among them, and its whole page cache. */
export interface CachePages {
  readonly file: number;
  readonly mapped: number;
  readonly dirty: number;
  readonly cache: number;
}

/** RC-65: pages that node_reclaim in this mode could take. Kernel: node_pagecache_reclaimable(). */
export function reclaimableCache({ file, mapped, dirty, cache }: CachePages, mode: number): number {
  const pages = (mode & RECLAIM_UNMAP) === 0 ? Math.max(0, file - mapped) : cache;
  return (mode & RECLAIM_WRITE) === 0 ? pages - Math.min(dirty, pages) : pages;
}

/** RC-65: fewer than this are left alone. min_unmapped_ratio is 1 %. */
export function minUnmappedPages(managed: number): number {
  return Math.floor(managed / 100);
}

export interface NodeReclaimParts {
  readonly topology: Topology;
  readonly frames: Frames;
  readonly zones: Zones;
  readonly lru: Lru;
  readonly counters: Counters;
  readonly scanner: NodeScanner;
}

/** Frees a page of a node that is below its low mark, before the next node is tried. Kernel: node_reclaim(). */
export type NodeReclaim = (node: NodeId, start: NodeId, cpu: CpuId) => void;

export function makeNodeReclaim(parts: NodeReclaimParts, mode: number): NodeReclaim {
  const { topology, frames, zones, lru, counters, scanner } = parts;
  const scan = new Scan(false);

  /** Counts by walking the lists: who switches this on pays for it with a slower run. */
  function countCache(node: NodeId): CachePages {
    const count = { file: 0, mapped: 0, dirty: 0, cache: 0 };
    for (const list of [LRU_INACTIVE_ANON, LRU_ACTIVE_ANON, LRU_INACTIVE_FILE, LRU_ACTIVE_FILE]) {
      const head = lru.head(node, list);
      for (let pfn: Pfn = frames.next(head); pfn !== head; pfn = frames.next(pfn)) {
        if (frames.mapping(pfn) > 0 || frames.isSwapCache(pfn)) count.cache++;
        if (frames.has(pfn, PG_SWAPBACKED)) continue; // 2.6.16 keeps both kinds on the same lists
        count.file++;
        if (frames.mapcount(pfn) > 0) count.mapped++;
        if (frames.isDirty(pfn)) count.dirty++;
      }
    }
    return count;
  }

  function isWorthwhile(node: NodeId, start: NodeId, cpu: CpuId): boolean {
    if (topology.distance(start, node) > MAX_DISTANCE) return false;
    if (topology.cpusOf(node).length > 0 && topology.nodeOfCpu[cpu] !== node) return false;
    return reclaimableCache(countCache(node), mode) > minUnmappedPages(zones.managed[node]);
  }

  return (node, start, cpu) => {
    if (!isWorthwhile(node, start, cpu)) return;
    scan.begin(cpu, SWAP_CLUSTER_MAX);
    scan.mayWrite = (mode & RECLAIM_WRITE) !== 0;
    scan.mayUnmap = (mode & RECLAIM_UNMAP) !== 0;
    for (scan.priority = START_PRIORITY; scan.priority >= 0 && scan.reclaimed === 0; scan.priority--) {
      scanner.shrink(node, scan);
    }
    counters.inc(scan.reclaimed > 0 ? C.zone_reclaim_success : C.zone_reclaim_failed);
  };
}
