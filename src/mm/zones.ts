import { bugOn } from '../errors.js';
import { C, N, type Counters } from '../stats/index.js';
import { NO_PFN, type NodeId, type Pfn } from '../units.js';
import type { Frames } from './frames.js';
import { PG_FREE, PG_NOT_WHEN_FREED } from './page-flags.js';
import type { Watermarks } from './watermarks.js';

/** Which mark an allocation must leave standing. */
export const MARK_MIN = 1;
export const MARK_LOW = 2;
export const MARK_HIGH = 3;
/** Where background reclaim ends under memory tiering (RC-15, TI-17). */
export const MARK_PROMO = 4;
const MARKS = 5;

/** A set of nodes as a byte per node; `null` where a function takes one means all nodes. */
export type NodeMask = Uint8Array;

/**
 * The free frames of each node (one zone per node), its watermarks and the fallback order.
 *
 * Frames never used are handed out in ascending order, freed ones last-in first-out, so an untouched part of a machine
 * stays untouched. The allocator answers, and never waits: reclaim/allocate.ts decides what to do when a node is full.
 */
export class Zones {
  private readonly freePages: Int32Array;
  private readonly freeHead: Int32Array;
  private readonly nextFresh: Int32Array;
  private readonly marks: Int32Array;
  private readonly rows: Int32Array;
  private readonly rowLength: Int32Array;
  readonly managed: Int32Array;
  /** Nodes that give nothing: another process holds all their free memory. */
  private readonly closed: Uint8Array;
  readonly nodeCount: number;
  /** Instead of a start node: the nodes with memory by their number, whatever the distance (MP-23 in 2.6.16). */
  readonly rowByNumber: NodeId;

  constructor(
    private readonly frames: Frames,
    private readonly counters: Counters,
    rows: readonly (readonly NodeId[])[],
    marks: readonly Watermarks[],
  ) {
    const nodes = rows.length;
    this.nodeCount = nodes;
    this.rowByNumber = nodes as NodeId;
    const words = (n: number) => new Int32Array(new ArrayBuffer(Math.max(64, n) * 4));
    this.freePages = words(nodes);
    this.freeHead = words(nodes);
    this.nextFresh = words(nodes);
    this.managed = words(nodes);
    this.closed = new Uint8Array(new ArrayBuffer(Math.max(64, nodes)));
    this.marks = words(nodes * MARKS);
    this.rows = words((nodes + 1) * nodes);
    this.rowLength = words(nodes + 1);
    for (let node = 0; node < nodes; node++) {
      this.nextFresh[node] = frames.firstOfNode[node];
      this.managed[node] = frames.endOfNode[node] - frames.firstOfNode[node];
      this.freePages[node] = this.managed[node];
      const { min, low, high, promo } = marks[node];
      this.marks.set([0, min, low, high, promo], node * MARKS);
      this.rows.set(rows[node], node * nodes);
      this.rowLength[node] = rows[node].length;
      if (this.managed[node] > 0) this.rows[nodes * nodes + this.rowLength[nodes]++] = node;
    }
  }

  /** Another process takes all free memory of the node, or gives it back. */
  close(node: NodeId, isClosed: boolean): void {
    this.closed[node] = isClosed ? 1 : 0;
  }

  free(node: NodeId): number {
    return this.freePages[node];
  }

  mark(node: NodeId, mark: number): number {
    return this.marks[node * MARKS + mark];
  }

  /** RC-3 for one page: would taking it leave `mark` standing? */
  isAbove(node: NodeId, mark: number): boolean {
    return this.freePages[node] > this.marks[node * MARKS + mark];
  }

  /** The `i`-th node of the fallback row of `start` (MP-40), or -1 past its end. */
  rowAt(start: NodeId, i: number): NodeId {
    return (i < this.rowLength[start] ? this.rows[start * this.nodeCount + i] : -1) as NodeId;
  }

  /** The first node of the row of `start` that both masks allow, or -1. Kernel: first_zones_zonelist(). */
  firstInRow(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null): NodeId {
    for (let i = 0; i < this.rowLength[start]; i++) {
      const node = this.rows[start * this.nodeCount + i];
      if ((mask === null || mask[node] !== 0) && (allowed === null || allowed[node] !== 0)) return node as NodeId;
    }
    return -1 as NodeId;
  }

  /**
   * One pass over the fallback row: the first allowed node that stays above `mark` gives a page (RC-10 A1, A3).
   *
   * @param cpuNode node of the CPU that asks, for numa_local and numa_other
   * @returns a frame with one reference, or `NO_PFN`
   */
  takeFromRow(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null, mark: number, cpuNode: NodeId): Pfn {
    let preferred = -1;
    for (let i = 0; i < this.rowLength[start]; i++) {
      const node = this.rows[start * this.nodeCount + i];
      if ((mask !== null && mask[node] === 0) || (allowed !== null && allowed[node] === 0)) continue;
      if (preferred < 0) preferred = node;
      if (this.closed[node] === 0 && this.freePages[node] > this.marks[node * MARKS + mark]) {
        this.countPlacement(preferred, node, cpuNode);
        return this.take(node as NodeId);
      }
    }
    return NO_PFN;
  }

  /** A page of exactly this node, or `NO_PFN` (RC-12: migration asks for "this node only"). */
  takeFromNode(node: NodeId, mark: number, cpuNode: NodeId): Pfn {
    if (this.closed[node] !== 0 || this.freePages[node] <= this.marks[node * MARKS + mark]) return NO_PFN;
    this.countPlacement(node, node, cpuNode);
    return this.take(node);
  }

  /** Takes a free frame of the node, whatever the marks say; the node must have one. One reference. */
  take(node: NodeId): Pfn {
    this.freePages[node]--;
    let pfn = this.freeHead[node] as Pfn;
    if (pfn !== NO_PFN) this.freeHead[node] = this.frames.next(pfn);
    else pfn = this.nextFresh[node]++ as Pfn;
    this.frames.setFlags(pfn, 0);
    this.frames.setCounts(pfn, 1, 0);
    this.frames.setNext(pfn, NO_PFN);
    this.counters.inc(C.pgalloc_normal);
    return pfn;
  }

  /** Gives back a frame that nobody references (INV-9). */
  give(pfn: Pfn): void {
    const frames = this.frames;
    bugOn(frames.count(pfn) !== 0 || frames.mapcount(pfn) !== 0, 'INV-9: freed while in use', pfn);
    bugOn(frames.has(pfn, PG_NOT_WHEN_FREED), 'INV-9: freed with a flag set that says it is in use', pfn);
    const node = frames.nodeOf(pfn);
    frames.setFlags(pfn, PG_FREE);
    frames.setMapping(pfn, 0, 0);
    frames.setPrivate(pfn, 0);
    frames.setNext(pfn, this.freeHead[node] as Pfn);
    this.freeHead[node] = pfn;
    this.freePages[node]++;
    this.counters.inc(C.pgfree);
  }

  /** INV-9, INV-10: recounts the free and the used frames of each node. */
  check(): void {
    const frames = this.frames;
    for (let node = 0; node < this.nodeCount; node++) {
      const fresh = frames.endOfNode[node] - this.nextFresh[node];
      let listed = 0;
      for (let pfn = this.freeHead[node] as Pfn; pfn !== NO_PFN; pfn = frames.next(pfn)) {
        bugOn(frames.flags(pfn) !== PG_FREE, 'INV-9: on the free list with other flags than a free frame has', pfn);
        bugOn(frames.count(pfn) !== 0 || frames.mapcount(pfn) !== 0, 'INV-9: in use, yet on the free list', pfn);
        bugOn(frames.mapping(pfn) !== 0, 'INV-9: a free frame with a mapping', pfn);
        bugOn((frames.nodeOf(pfn) as number) !== node, 'INV-16: on the free list of another node', pfn);
        listed++;
        bugOn(listed > this.managed[node], 'INV-9: a free list that does not close on node', node);
      }
      bugOn(fresh + listed !== this.freePages[node], 'INV-10: free count and free frames differ on node', node);
      let used = 0;
      for (let pfn = frames.firstOfNode[node]; pfn < this.nextFresh[node]; pfn++) {
        if (!frames.has(pfn as Pfn, PG_FREE)) used++;
      }
      bugOn(fresh + listed + used !== this.managed[node], 'INV-10: free and used frames do not add up on node', node);
    }
  }

  /** Visits every frame that was ever handed out and is not free now. */
  forEachUsed(visit: (pfn: Pfn) => void): void {
    for (let node = 0; node < this.nodeCount; node++) {
      for (let pfn = this.frames.firstOfNode[node]; pfn < this.nextFresh[node]; pfn++) {
        if (!this.frames.has(pfn as Pfn, PG_FREE)) visit(pfn as Pfn);
      }
    }
  }

  /** Kernel: zone_statistics(). numa_hit: the page is where the allocation started; else numa_miss there, numa_foreign here. */
  private countPlacement(preferred: number, node: number, cpuNode: NodeId): void {
    const counters = this.counters;
    if (preferred === node) counters.incNode(N.numa_hit, node);
    else {
      counters.incNode(N.numa_miss, node);
      counters.incNode(N.numa_foreign, preferred);
    }
    counters.incNode((cpuNode as number) === node ? N.numa_local : N.numa_other, node);
  }
}
