import { int32s } from '../arrays.js';
import type { NodeId, Pfn } from '../units.js';
import type { Frames } from './frames.js';

type Range = readonly [from: number, until: number];

/**
 * Frames that were never handed out, in ascending ranges per node: they have no record yet, so an untouched part of a machine
 * costs nothing. `Zones` takes from the first range by itself; ranges are cut out of it when memory is taken away, and restored.
 */
export class FreshFrames {
  /** The range frames are taken from: its next frame, and the number after its last. Equal: there is none. */
  readonly next: Int32Array;
  readonly end: Int32Array;
  /** The ranges after it. */
  private readonly later: Range[][];
  /** Never used, and cut out: memory that is being taken away or is gone. */
  private readonly cuts: Range[] = [];

  constructor(private readonly frames: Frames) {
    const nodes = frames.firstOfNode.length;
    this.next = int32s(nodes);
    this.end = int32s(nodes);
    this.next.set(frames.firstOfNode);
    this.end.set(frames.endOfNode);
    this.later = Array.from({ length: nodes }, () => []);
  }

  /** The first range is used up. */
  nextRange(node: NodeId): void {
    const range = this.later[node].shift();
    if (range !== undefined) [this.next[node], this.end[node]] = range;
  }

  /** Cuts the fresh frames of a block out. @returns the first of them: they are always its last frames; `until`: none */
  cut(node: NodeId, from: number, until: number): number {
    let first = until;
    const kept: Range[] = [];
    for (const [start, end] of this.rangesOf(node)) {
      if (Math.max(start, from) < Math.min(end, until)) first = Math.min(first, Math.max(start, from));
      if (start < Math.min(end, from)) kept.push([start, Math.min(end, from)]);
      if (Math.max(start, until) < end) kept.push([Math.max(start, until), end]);
    }
    this.setRanges(node, kept);
    if (first < until) this.cuts.push([first, until]);
    return first;
  }

  /** The first frame cut out of a block, or `until`. */
  cutFrom(from: number, until: number): number {
    return this.cuts.find(([start, end]) => start >= from && end === until)?.[0] ?? until;
  }

  /** What was cut out of a block is fresh again. @returns the first of it, or `until` */
  restore(node: NodeId, from: number, until: number): number {
    const at = this.cuts.findIndex(([start, end]) => start >= from && end === until);
    if (at < 0) return until;
    const [cut] = this.cuts.splice(at, 1);
    this.setRanges(node, [...this.rangesOf(node), cut].sort(ascending));
    return cut[0];
  }

  count(node: NodeId): number {
    return sum(this.rangesOf(node));
  }

  countCut(node: NodeId): number {
    return sum(this.cutsOf(node));
  }

  /** Visits every frame of the node that was ever handed out. */
  forEachTouched(node: NodeId, visit: (pfn: Pfn) => void): void {
    let pfn = this.frames.firstOfNode[node];
    const untouched = [...this.rangesOf(node), ...this.cutsOf(node)].sort(ascending);
    for (const [from, until] of untouched) {
      for (; pfn < from; pfn++) visit(pfn as Pfn);
      pfn = until;
    }
    for (; pfn < this.frames.endOfNode[node]; pfn++) visit(pfn as Pfn);
  }

  private rangesOf(node: NodeId): Range[] {
    const [next, end] = [this.next[node], this.end[node]];
    return next < end ? [[next, end], ...this.later[node]] : this.later[node];
  }

  private cutsOf(node: NodeId): Range[] {
    return this.cuts.filter(([from]) => this.frames.nodeOf(from as Pfn) === node);
  }

  private setRanges(node: NodeId, ranges: readonly Range[]): void {
    [this.next[node], this.end[node]] = ranges.length > 0 ? ranges[0] : [0, 0];
    this.later[node] = ranges.slice(1);
  }
}

const ascending = (a: Range, b: Range): number => a[0] - b[0];
const sum = (ranges: readonly Range[]): number => ranges.reduce((pages, [from, until]) => pages + until - from, 0);
