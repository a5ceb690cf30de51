import { int32s } from '../arrays.js';
import { NO_PFN, type NodeId, type Pfn } from '../units.js';
import { HUGE_PAGES, type Frames } from './frames.js';
import type { FreshFrames } from './fresh-frames.js';
import { PG_FREE } from './page-flags.js';

/**
 * Free runs of 512 aligned frames per node, for huge pages: those that were given back whole, those cut from frames never
 * used, and those found among single free frames when there is no other. `Zones` keeps the count of free frames, in which
 * these are included, and the list of single ones.
 */
export class HugeFrames {
  /** First frame of the last run given back, by node; linked like the single ones. */
  private readonly head: Int32Array;
  /** Runs that are left by decree, or -1: no limit. */
  private readonly limit: Int32Array;
  /** Frames freed on the machine when the single ones were last looked through in vain. */
  private readonly lookedAt: Float64Array;

  /**
   * @param singles the list of single free frames, by node
   * @param freed frames freed so far
   */
  constructor(
    private readonly frames: Frames,
    private readonly fresh: FreshFrames,
    private readonly singles: Int32Array,
    private readonly freed: () => number,
  ) {
    const nodes = frames.firstOfNode.length;
    this.head = int32s(nodes);
    this.limit = int32s(nodes).fill(-1);
    this.lookedAt = new Float64Array(nodes).fill(-HUGE_PAGES);
  }

  /** From now on the node has so many runs and no way to make more; null: as many as there are. */
  setLimit(node: NodeId, runs: number | null): void {
    this.limit[node] = runs ?? -1;
  }

  /** Takes a run. @returns its first frame, or `NO_PFN` */
  take(node: NodeId): Pfn {
    if (this.limit[node] === 0) return NO_PFN;
    let run = this.pop(node);
    if (run === NO_PFN) run = this.cut(node);
    if (run === NO_PFN && this.gather(node)) run = this.pop(node);
    if (run !== NO_PFN && this.limit[node] > 0) this.limit[node]--;
    return run;
  }

  /** Gives a run back; its frames are marked free. */
  give(node: NodeId, run: Pfn): void {
    this.push(node, run);
    if (this.limit[node] >= 0) this.limit[node]++;
  }

  /** A run becomes single free frames, the lowest first to be given out. @returns false if there is none */
  breakUp(node: NodeId): boolean {
    const run = this.pop(node);
    if (run === NO_PFN) return false;
    for (let pfn = run + HUGE_PAGES - 1; pfn >= run; pfn--) this.pushSingle(node, pfn as Pfn);
    return true;
  }

  /** Visits the first frame of every run on the list. */
  forEach(node: NodeId, visit: (run: Pfn) => void): void {
    for (let run = this.head[node] as Pfn; run !== NO_PFN; run = this.frames.next(run)) visit(run);
  }

  private pop(node: NodeId): Pfn {
    const run = this.head[node] as Pfn;
    if (run !== NO_PFN) this.head[node] = this.frames.next(run);
    return run;
  }

  private push(node: NodeId, run: Pfn): void {
    this.frames.setNext(run, this.head[node] as Pfn);
    this.head[node] = run;
  }

  private pushSingle(node: NodeId, pfn: Pfn): void {
    this.frames.setFlags(pfn, PG_FREE);
    this.frames.setNext(pfn, this.singles[node] as Pfn);
    this.singles[node] = pfn;
  }

  /** The first aligned run of frames never used; those before it become single free frames. */
  private cut(node: NodeId): Pfn {
    const { next, end } = this.fresh;
    const run = (next[node] + HUGE_PAGES - 1) & -HUGE_PAGES;
    if (run + HUGE_PAGES > end[node]) return NO_PFN;
    for (let pfn = run - 1; pfn >= next[node]; pfn--) this.pushSingle(node, pfn as Pfn);
    next[node] = run + HUGE_PAGES;
    if (next[node] === end[node]) this.fresh.nextRange(node);
    return run as Pfn;
  }

  /** Looks for whole runs among the single free frames, unless too few came since the last time. Kernel: buddies merge. */
  private gather(node: NodeId): boolean {
    if (this.freed() - this.lookedAt[node] < HUGE_PAGES) return false;
    this.lookedAt[node] = this.freed();
    const { frames } = this;
    const first = frames.firstOfNode[node] >> 9;
    const inRun = new Uint16Array(((frames.endOfNode[node] - 1) >> 9) - first + 1);
    for (let pfn = this.singles[node] as Pfn; pfn !== NO_PFN; pfn = frames.next(pfn)) inRun[(pfn >> 9) - first]++;
    let before = NO_PFN;
    for (let pfn = this.singles[node] as Pfn; pfn !== NO_PFN;) {
      const next = frames.next(pfn);
      if (inRun[(pfn >> 9) - first] === HUGE_PAGES) {
        if (before === NO_PFN) this.singles[node] = next;
        else frames.setNext(before, next);
        frames.setNext(pfn, NO_PFN);
      } else before = pfn;
      pfn = next;
    }
    for (let run = inRun.length - 1; run >= 0; run--) {
      if (inRun[run] === HUGE_PAGES) this.push(node, ((run + first) << 9) as Pfn);
    }
    return this.head[node] !== NO_PFN;
  }
}
