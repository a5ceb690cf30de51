import { int32s, uint8s } from '../arrays.js';
import { bugOn } from '../errors.js';
import { C, N, type Counters } from '../stats/index.js';
import { NO_PFN, type NodeId, type Pfn } from '../units.js';
import { HUGE_PAGES, type Frames } from './frames.js';
import { FreshFrames } from './fresh-frames.js';
import { HugeFrames } from './huge-frames.js';
import { PG_FREE, PG_HEAD, PG_NOT_WHEN_FREED, PG_RESERVED, PG_TAIL } from './page-flags.js';
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
  private readonly fresh: FreshFrames;
  private readonly nextFresh: Int32Array;
  private readonly freshEnd: Int32Array;
  private readonly huge: HugeFrames;
  private readonly marks: Int32Array;
  private readonly rows: Int32Array;
  private readonly rowLength: Int32Array;
  readonly managed: Int32Array;
  /** Nodes that give nothing: another process holds all their free memory. */
  private readonly closed: Uint8Array;
  /** The frames being taken away (HR-3): what is freed there stays out of reach. Empty when none are. */
  private isolatedFrom = 0;
  private isolatedUntil = 0;
  /** Frames of isolated ranges that were freed, ever: who takes memory away sees by it whether anything happens. */
  freedIsolated = 0;
  /** Ranges of frames that were taken away (HR-9). */
  private readonly gone: (readonly [number, number])[] = [];
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
    this.freePages = int32s(nodes);
    this.freeHead = int32s(nodes);
    this.fresh = new FreshFrames(frames);
    this.nextFresh = this.fresh.next;
    this.freshEnd = this.fresh.end;
    this.huge = new HugeFrames(frames, this.fresh, this.freeHead, () => counters.values[C.pgfree]);
    this.managed = int32s(nodes);
    this.closed = uint8s(nodes);
    this.marks = int32s(nodes * MARKS);
    this.rows = int32s((nodes + 1) * nodes);
    this.rowLength = int32s(nodes + 1);
    for (let node = 0; node < nodes; node++) {
      this.managed[node] = frames.endOfNode[node] - frames.firstOfNode[node];
      this.freePages[node] = this.managed[node];
    }
    this.setMarks(marks);
    this.setRows(rows);
  }

  /** The watermarks of all nodes, anew. */
  setMarks(marks: readonly Watermarks[]): void {
    marks.forEach(({ min, low, high, promo }, node) => {
      this.marks.set([0, min, low, high, promo], node * MARKS);
    });
  }

  /** The fallback rows of all nodes, anew. Kernel: build_all_zonelists(). */
  setRows(rows: readonly (readonly NodeId[])[]): void {
    const nodes = this.nodeCount;
    this.rowLength[nodes] = 0;
    rows.forEach((row, node) => {
      this.rows.set(row, node * nodes);
      this.rowLength[node] = row.length;
      if (this.managed[node] > 0) this.rows[nodes * nodes + this.rowLength[nodes]++] = node;
    });
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
    else if (this.nextFresh[node] === this.freshEnd[node] && this.huge.breakUp(node)) {
      pfn = this.freeHead[node] as Pfn;
      this.freeHead[node] = this.frames.next(pfn);
    } else {
      pfn = this.nextFresh[node]++ as Pfn;
      if (this.nextFresh[node] === this.freshEnd[node]) this.fresh.nextRange(node);
    }
    this.frames.setFlags(pfn, 0);
    this.frames.setCounts(pfn, 1, 0);
    this.frames.setNext(pfn, NO_PFN);
    this.counters.inc(C.pgalloc_normal);
    return pfn;
  }

  /** The node has so many free huge pages, whatever else is free, and none can be made; null: what there is. */
  limitHuge(node: NodeId, pages: number | null): void {
    this.huge.setLimit(node, pages);
  }

  /** RC-3 for a huge page: would taking it leave `mark` standing? */
  isAboveHuge(node: NodeId, mark: number): boolean {
    return this.freePages[node] - (HUGE_PAGES - 1) > this.marks[node * MARKS + mark];
  }

  /** As `takeFromRow`, for a huge page: one allocation in numastat. @returns its first frame with one reference, or `NO_PFN` */
  takeHugeFromRow(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null, mark: number, cpuNode: NodeId): Pfn {
    let preferred = -1;
    for (let i = 0; i < this.rowLength[start]; i++) {
      const node = this.rows[start * this.nodeCount + i] as NodeId;
      if ((mask !== null && mask[node] === 0) || (allowed !== null && allowed[node] === 0)) continue;
      if (preferred < 0) preferred = node;
      const pfn = this.takeHuge(node, mark);
      if (pfn === NO_PFN) continue;
      this.countPlacement(preferred, node, cpuNode);
      return pfn;
    }
    return NO_PFN;
  }

  /** A huge page of exactly this node, or `NO_PFN`. */
  takeHugeFromNode(node: NodeId, mark: number, cpuNode: NodeId): Pfn {
    const pfn = this.takeHuge(node, mark);
    if (pfn !== NO_PFN) this.countPlacement(node, node, cpuNode);
    return pfn;
  }

  private takeHuge(node: NodeId, mark: number): Pfn {
    if (this.closed[node] !== 0 || !this.isAboveHuge(node, mark)) return NO_PFN;
    const head = this.huge.take(node);
    if (head === NO_PFN) return NO_PFN;
    for (let pfn = head; pfn < head + HUGE_PAGES; pfn++) {
      this.frames.setFlags(pfn, PG_TAIL);
      this.frames.setCounts(pfn, 0, 0);
    }
    this.frames.setFlags(head, PG_HEAD);
    this.frames.setCounts(head, 1, 0);
    this.frames.setNext(head, NO_PFN);
    this.freePages[node] -= HUGE_PAGES;
    this.counters.add(C.pgalloc_normal, HUGE_PAGES);
    return head;
  }

  /** Gives back a huge page that nobody references (INV-9). */
  giveHuge(head: Pfn): void {
    const { frames } = this;
    frames.clear(head, PG_HEAD);
    for (let pfn = head; pfn < head + HUGE_PAGES; pfn++) frames.clear(pfn, PG_TAIL);
    if (this.isolatedUntil !== 0) {
      for (let pfn = head; pfn < head + HUGE_PAGES; pfn++) this.give(pfn);
      return;
    }
    const node = frames.nodeOf(head);
    for (let pfn = head; pfn < head + HUGE_PAGES; pfn++) this.release(pfn);
    this.huge.give(node, head);
    this.freePages[node] += HUGE_PAGES;
  }

  /** Gives back a frame that nobody references (INV-9). */
  give(pfn: Pfn): void {
    const frames = this.frames;
    const node = frames.nodeOf(pfn);
    this.release(pfn);
    if (pfn < this.isolatedUntil && pfn >= this.isolatedFrom) {
      this.freedIsolated++;
      return;
    }
    frames.setNext(pfn, this.freeHead[node] as Pfn);
    this.freeHead[node] = pfn;
    this.freePages[node]++;
  }

  private release(pfn: Pfn): void {
    const frames = this.frames;
    bugOn(frames.count(pfn) !== 0 || frames.mapcount(pfn) !== 0, 'INV-9: freed while in use', pfn);
    bugOn(frames.has(pfn, PG_NOT_WHEN_FREED), 'INV-9: freed with a flag set that says it is in use', pfn);
    frames.setFlags(pfn, PG_FREE);
    frames.setMapping(pfn, 0, 0);
    frames.setPrivate(pfn, 0);
    if (frames.stored !== null) frames.stored[pfn] = 0;
    this.counters.inc(C.pgfree);
  }

  /**
   * HR-3: the free frames of the range leave the free count and are not given out, nor is what is freed there later. One
   * range at a time. Kernel: start_isolate_page_range().
   */
  isolate(node: NodeId, from: number, until: number): void {
    bugOn(this.isolatedUntil !== 0, 'a range is being taken away already', this.isolatedFrom);
    this.isolatedFrom = from;
    this.isolatedUntil = until;
    while (this.huge.breakUp(node)); // gathered again when they are asked for
    const untouched = this.fresh.cut(node, from, until);
    this.freePages[node] -= until - untouched + this.unlist(node);
  }

  /** Frames of the isolated range from here on were never used. */
  get isolatedUsedUntil(): number {
    return this.fresh.cutFrom(this.isolatedFrom, this.isolatedUntil);
  }

  /** Is nothing of the isolated range in use? Reserved frames are the kernel's, which lie elsewhere (HR-14). */
  isIsolatedFree(): boolean {
    for (let pfn = this.isolatedFrom; pfn < this.isolatedUsedUntil; pfn++) {
      if (!this.frames.has(pfn as Pfn, PG_FREE | PG_RESERVED)) return false;
    }
    return true;
  }

  /** HR-9: the isolated range, all free, is no memory any more. */
  takeAway(node: NodeId): void {
    this.managed[node] -= this.isolatedUntil - this.isolatedFrom;
    this.gone.push([this.isolatedFrom, this.isolatedUntil]);
    this.isolatedFrom = this.isolatedUntil = 0;
  }

  /** A failure undoes the isolation: what is free is given out again. Kernel: undo_isolate_page_range(). */
  undoIsolation(node: NodeId): void {
    const [from, until] = [this.isolatedFrom, this.isolatedUntil];
    this.isolatedFrom = this.isolatedUntil = 0;
    this.list(node, from, until);
  }

  /** HR-24: a range that was taken away is memory again, all of it free. */
  bringBack(node: NodeId, from: number, until: number): void {
    const at = this.gone.findIndex((range) => range[0] === from && range[1] === until);
    bugOn(at < 0, 'memory comes back that was not taken away', from);
    this.gone.splice(at, 1);
    this.managed[node] += until - from;
    this.list(node, from, until);
  }

  /** Has the frame been taken away? */
  isGone(pfn: Pfn): boolean {
    return this.gone.some(([from, until]) => pfn >= from && pfn < until);
  }

  /** Takes the frames of the isolated range off the free list. @returns how many */
  private unlist(node: NodeId): number {
    const { frames, isolatedFrom, isolatedUntil } = this;
    let taken = 0;
    let before = NO_PFN;
    for (let pfn = this.freeHead[node] as Pfn; pfn !== NO_PFN;) {
      const next = frames.next(pfn);
      if (pfn >= isolatedFrom && pfn < isolatedUntil) {
        if (before === NO_PFN) this.freeHead[node] = next;
        else frames.setNext(before, next);
        frames.setNext(pfn, NO_PFN);
        taken++;
      } else before = pfn;
      pfn = next;
    }
    return taken;
  }

  /** The free frames of a range may be given out again, the lowest first; those never used stay as they are. */
  private list(node: NodeId, from: number, until: number): void {
    const { frames } = this;
    const untouched = this.fresh.restore(node, from, until);
    this.freePages[node] += until - untouched;
    for (let pfn = untouched - 1; pfn >= from; pfn--) {
      if (!frames.has(pfn as Pfn, PG_FREE)) continue;
      frames.setNext(pfn as Pfn, this.freeHead[node] as Pfn);
      this.freeHead[node] = pfn;
      this.freePages[node]++;
    }
  }

  /** INV-9, INV-10: recounts the free and the used frames of each node. */
  check(): void {
    const frames = this.frames;
    for (let node = 0; node < this.nodeCount; node++) {
      const fresh = this.fresh.count(node as NodeId);
      let listed = 0;
      for (let pfn = this.freeHead[node] as Pfn; pfn !== NO_PFN; pfn = frames.next(pfn)) {
        bugOn(frames.flags(pfn) !== PG_FREE, 'INV-9: on the free list with other flags than a free frame has', pfn);
        bugOn(frames.count(pfn) !== 0 || frames.mapcount(pfn) !== 0, 'INV-9: in use, yet on the free list', pfn);
        bugOn(frames.mapping(pfn) !== 0, 'INV-9: a free frame with a mapping', pfn);
        bugOn((frames.nodeOf(pfn) as number) !== node, 'INV-16: on the free list of another node', pfn);
        bugOn(this.isOutOfReach(pfn), 'INV-9: on the free list, though taken away', pfn);
        listed++;
        bugOn(listed > this.managed[node], 'INV-9: a free list that does not close on node', node);
      }
      this.huge.forEach(node as NodeId, (run) => {
        for (let pfn = run; pfn < run + HUGE_PAGES; pfn++) {
          bugOn(frames.flags(pfn) !== PG_FREE || this.isOutOfReach(pfn), 'INV-9: in use, yet in a free run', pfn);
        }
        listed += HUGE_PAGES;
      });
      bugOn(fresh + listed !== this.freePages[node], 'INV-10: free count and free frames differ on node', node);
      let [used, withheld] = [0, this.fresh.countCut(node as NodeId)];
      this.fresh.forEachTouched(node as NodeId, (pfn) => {
        if (!frames.has(pfn, PG_FREE)) used++;
        else if (this.isOutOfReach(pfn)) withheld++;
        bugOn(this.isGone(pfn) && !frames.has(pfn, PG_FREE | PG_RESERVED), 'INV-10: in use, though taken away', pfn);
      });
      const all = frames.endOfNode[node] - frames.firstOfNode[node];
      bugOn(fresh + listed + used + withheld !== all, 'INV-10: free and used frames do not add up on node', node);
      const gone = this.gone.filter(([from]) => (frames.nodeOf(from as Pfn) as number) === node);
      const left = gone.reduce((pages, [from, until]) => pages - (until - from), all);
      bugOn(left !== this.managed[node], 'INV-10: managed frames and memory there is differ on node', node);
    }
  }

  /** Visits every frame that was ever handed out and is not free now. */
  forEachUsed(visit: (pfn: Pfn) => void): void {
    const { frames } = this;
    const visitUsed = (pfn: Pfn): void => {
      if (!frames.has(pfn, PG_FREE)) visit(pfn);
    };
    for (let node = 0; node < this.nodeCount; node++) this.fresh.forEachTouched(node as NodeId, visitUsed);
  }

  private isOutOfReach(pfn: Pfn): boolean {
    return (pfn >= this.isolatedFrom && pfn < this.isolatedUntil) || this.isGone(pfn);
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
