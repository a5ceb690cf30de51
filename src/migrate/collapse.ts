import { ACCOUNT_MIGRATION, PRICE, type Meter } from '../cost/index.js';
import {
  BLOCK_EMPTY,
  BLOCK_MIGRATION,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  type PageTables,
  type Topology,
} from '../hardware/index.js';
import {
  HUGE_PAGES,
  MARK_LOW,
  PG_DIRTY,
  PG_EXCLUSIVE,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PG_WRITTEN,
  type Contents,
  type Frames,
  type HugeMapping,
  type HugePages,
  type Lru,
  type Mapping,
  type Task,
  type Vma,
  type Zones,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PAGE, NO_PFN, type CpuId, type NodeId, type PageId, type Pfn } from '../units.js';

/**
 * What came of a block: it is a huge page now; it is mapped as a whole already; nothing was ever mapped in it; its pages cannot
 * be taken together; one of them is in use; there is no huge page for it.
 */
export type Collapsed = 'done' | 'whole' | 'empty' | 'refused' | 'busy' | 'no memory';

/** What khugepaged asks of a block and madvise(COLLAPSE) does not (HP-65). */
export interface CollapseLimits {
  /** Pages that are missing or zero, in swap, mapped more than once: at most. */
  readonly none: number;
  readonly swapped: number;
  readonly shared: number;
}

export interface CollapseParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly zones: Zones;
  readonly lru: Lru;
  readonly mapping: Mapping;
  readonly blocks: HugeMapping;
  readonly huge: HugePages;
  readonly topology: Topology;
  readonly contents: Contents | null;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  readonly zeroPage: Pfn;
  /** zone_reclaim_mode is set: nodes that far apart do not go together. */
  readonly reclaimsNear: boolean;
  /** A page of private memory that is out in swap comes in and is mapped. @returns false: no memory */
  readonly readIn: (task: Task, vma: Vma, offset: number, page: PageId) => boolean;
}

/** Nodes further apart than this are not reclaimed for each other (RC-65). Kernel: node_reclaim_distance */
const RECLAIM_DISTANCE = 30;

/**
 * The small pages of a block become one huge page (K-H16, HP-65, HP-66). `offset` is that of the block's first page, and the area holds
 * all of it. For the huge page neither policy nor cpuset are asked. Whoever calls has emptied the vectors of the lists.
 * Kernel: collapse_huge_page(), mm/khugepaged.c
 *
 * @param task who does it: pages in swap come in where a fault of this task would have them
 * @param limits null: by madvise(COLLAPSE)
 * Cost: a copy per page, zeroing of those that were missing, one shootdown, on the running clock.
 */
export type CollapseBlock = (task: Task, vma: Vma, offset: number, limits: CollapseLimits | null) => Collapsed;

export function makeCollapse(parts: CollapseParts): CollapseBlock {
  const { frames, tables, zones, lru, mapping, blocks, huge, topology, contents, counters, meter, tracer } = parts;
  const { zeroPage, reclaimsNear, readIn } = parts;
  /** Pieces of the block in hand on each node; and the nodes that have most. */
  const onNode = new Int32Array(zones.nodeCount);
  const mostPieces = new Uint8Array(zones.nodeCount);

  const isMissing = (page: PageId): boolean =>
    tables.isNone(page) || (tables.isPresent(page) && tables.word[page] === (zeroPage as number));

  /** @returns what is in the way, or null */
  function scan(first: PageId, limits: CollapseLimits | null): Collapsed | null {
    let [none, swapped, shared, referenced] = [0, 0, 0, 0];
    let writable = false;
    onNode.fill(0);
    for (let page = first; page < first + HUGE_PAGES; page++) {
      if (isMissing(page)) none++;
      else if (tables.isSwap(page)) swapped++;
      else if (!tables.isPresent(page)) return 'busy';
      else {
        const pfn = tables.word[page] as Pfn;
        const head = frames.headOf(pfn);
        if (!frames.isAnon(pfn)) return 'refused';
        if (isBusy(head)) return 'busy';
        if (frames.mapcount(pfn) > 1) shared++;
        if ((tables.bits[page] & PTE_WRITE) !== 0) writable = true;
        if ((tables.bits[page] & PTE_YOUNG) !== 0 || frames.has(head, PG_REFERENCED)) referenced++;
        onNode[frames.nodeOf(pfn)]++;
      }
      if (limits !== null && exceeds(limits, none, swapped, shared)) return 'refused';
    }
    if (!writable || isSpreadFar()) return 'refused';
    const enough = swapped > 0 ? HUGE_PAGES / 2 : 1;
    return limits !== null && referenced < enough ? 'refused' : null;
  }

  function exceeds(limits: CollapseLimits, none: number, swapped: number, shared: number): boolean {
    if (none > limits.none) counters.inc(C.thp_scan_exceed_none_pte);
    else if (swapped > limits.swapped) counters.inc(C.thp_scan_exceed_swap_pte);
    else if (shared > limits.shared) counters.inc(C.thp_scan_exceed_share_pte);
    else return false;
    return true;
  }

  /** Not on a list, locked, or known to somebody else than its entries and the swap cache. */
  function isBusy(head: Pfn): boolean {
    if (!frames.isOnLru(head) || frames.isLocked(head)) return true;
    const mappings = frames.isHuge(head) ? huge.mappings(head) : frames.mapcount(head);
    return frames.count(head) !== mappings + (frames.isSwapCache(head) ? frames.pagesOf(head) : 0);
  }

  function isSpreadFar(): boolean {
    if (!reclaimsNear) return false;
    const nodes = topology.allNodes().filter((node) => onNode[node] > 0);
    return nodes.some((a) => nodes.some((b) => topology.distance(a, b) > RECLAIM_DISTANCE));
  }

  /** HP-66: on the node with most of the pieces, the lowest of several; others only if they have as many. */
  function takePage(cpu: CpuId): Pfn {
    const most = Math.max(...onNode);
    for (let node = 0; node < onNode.length; node++) mostPieces[node] = onNode[node] === most ? 1 : 0;
    const target = mostPieces.indexOf(1) as NodeId;
    const head = zones.takeHugeFromRow(target, mostPieces, null, MARK_LOW, topology.nodeOfCpu[cpu] as NodeId);
    counters.inc(head === NO_PFN ? C.thp_collapse_alloc_failed : C.thp_collapse_alloc);
    return head;
  }

  function readAllIn(task: Task, vma: Vma, offset: number, first: PageId): boolean {
    for (let i = 0; i < HUGE_PAGES; i++) {
      const page = (first + i) as PageId;
      if (tables.isSwap(page) && !readIn(task, vma, offset + i, page)) return false;
    }
    lru.drainAll();
    return true;
  }

  /** Contents of one page, and whether it was ever written: a small page of private memory is there because it was. */
  function copyPiece(page: PageId, fresh: Pfn): void {
    frames.set(fresh, PG_UPTODATE | PG_SWAPBACKED | PG_EXCLUSIVE);
    if (isMissing(page)) {
      if (contents !== null) contents.set(fresh, 0);
      meter.pay(ACCOUNT_MIGRATION, PRICE.clearPage);
      return;
    }
    const old = tables.word[page] as Pfn;
    if (contents !== null) contents.copy(fresh, old);
    meter.payCopy(ACCOUNT_MIGRATION, frames.nodeOf(old), frames.nodeOf(fresh));
    const isWritten = !frames.isHuge(old) || frames.has(old, PG_WRITTEN | PG_DIRTY);
    if (isWritten || (tables.bits[page] & PTE_DIRTY) !== 0) frames.set(fresh, PG_WRITTEN);
  }

  function replace(vma: Vma, offset: number, first: PageId, head: Pfn, cpu: CpuId): void {
    mapping.beginBatch();
    for (let i = 0; i < HUGE_PAGES; i++) {
      const page = (first + i) as PageId;
      copyPiece(page, (head + i) as Pfn);
      if (!tables.isNone(page)) mapping.zap(vma.space, page, cpu);
    }
    mapping.endBatch();
    mapping.payFlushes(ACCOUNT_MIGRATION);
    if (vma.isLocked) frames.set(head, PG_MLOCKED);
    blocks.mapWhole(vma, offset, first, head, PTE_YOUNG | (vma.isWritable ? PTE_WRITE : 0));
    lru.cacheAddAnon(cpu, head);
  }

  return (task, vma, offset, limits) => {
    const { cpu } = task;
    const first = tables.walk(vma.space.root, vma.start + offset);
    if (first === NO_PAGE || tables.block[first >> 9] === BLOCK_EMPTY) return 'empty';
    if (tables.block[first >> 9] === BLOCK_MIGRATION) return 'busy';
    if (tables.isWhole(first)) return 'whole';
    const obstacle = scan(first, limits);
    if (obstacle !== null) return obstacle;
    const head = takePage(cpu);
    if (head === NO_PFN) return 'no memory';
    if (!readAllIn(task, vma, offset, first)) {
      lru.put(head);
      return 'refused';
    }
    if (tracer !== null) tracer.step('H-collapse', head, -1);
    replace(vma, offset, first, head, cpu);
    return 'done';
  };
}
