import { float64s, int32s } from '../arrays.js';
import { FaultKind, type CostModel } from './cost-model.js';
import { faultCosts, FILE_CALL_SHARE, SCAN_SHARE, UNMAP_SHARE, ZEROING_SHARE } from './fault-shares.js';
import { settledFactor } from './load-curve.js';
import { MmError } from '../errors.js';
import type { CostDescription } from '../hardware/index.js';
import { PAGE_BYTES, type NodeId } from '../units.js';

export interface CostOptions {
  /** An access that hits a cache, ns. */
  readonly hitNs: number;
  /** Memory-level parallelism: misses in flight at once, by which their latency is divided. At least 1. */
  readonly mlp: number;
  /** Time over which bandwidth is counted, ns of virtual time. */
  readonly epochNs: number;
}
const DEFAULT_COST_OPTIONS: CostOptions = { hitNs: 1, mlp: 2, epochNs: 100_000 };

/** What a miss moves: a cache line. */
const LINE_BYTES = 64;

/** What the default cost model takes for granted beside `--hit-ns` and `--mlp`. */
export const COST_ASSUMPTIONS: readonly string[] = [
  'Every miss moves a line of 64 bytes and takes the idle latency times 1 + u/2 + 3u⁸/4, u being the load of the memory or of the link, whichever is more; a full one slows down until demand is what it delivers.',
  'Bandwidth is counted per node and per pair of nodes, in both cases reads and writes together.',
  'Kinds of fault cost fixed shares of an anonymous first touch, as measured on Linux 6.18.',
  'A page copy takes longer between nodes with more than the mean latency, shorter with less.',
  'A TLB shootdown takes one interrupt for the first CPU told and a shorter time for each further one; copies and faults do not slow each other down.',
  'Swap and files lie on one device, which serves so many reads and writes at once; the others wait in the order in which they were asked for.',
];

/**
 * The default cost model: idle latency by pair of nodes, slowed by the load of memory and links (load-curve.ts).
 *
 * Bytes are counted per pair of nodes [CPU's node][memory's node] during an epoch; the memory of a node carries the
 * sum over its column. What is counted is demand: bytes times the factor they were slowed by, which is what the
 * threads would have asked of idle memory. At the end of an epoch (or later, if the clock leapt: the
 * mean over what passed) each loaded link and node gets its factor for the next one; an access takes the larger of the two.
 */
export class LoadedLatency implements CostModel {
  readonly walkNs: number;
  readonly zeroingNs: number;
  readonly migrateCallNs: number;
  readonly migratePageNs: number;
  readonly migrateHugeNs: number;
  readonly scanPageNs: number;
  readonly unmapPageNs: number;
  readonly fileCallNs: number;
  readonly swapReadNs: number;
  readonly writebackNs: number;
  readonly deviceAtOnce: number;
  readonly deviceNextNs: number;
  readonly assumptions: readonly string[];

  private readonly hitNs: number;
  private readonly ipiNs: number;
  private readonly ipiFurtherNs: number;
  private readonly epochNs: number;
  private readonly nodeCount: number;
  /** Per link, index cpuNode * nodeCount + memNode: one miss on an idle machine, divided by mlp; ns. */
  private readonly idleNs: Float64Array;
  private readonly linkPeak: Float64Array;
  private readonly nodePeak: Float64Array;
  /** Factors in force. */
  private readonly linkFactor: Float64Array;
  private readonly nodeFactor: Float64Array;
  /** Bytes wanted in the epoch that runs; of nodes only while an epoch is closed. */
  private readonly linkWanted: Float64Array;
  private readonly nodeWanted: Float64Array;
  /** Links with bytes in this epoch, and links whose factor is not 1: so closing an epoch costs what was used. */
  private readonly used: Int32Array;
  private readonly slowed: Int32Array;
  private usedCount = 0;
  private slowedCount = 0;
  private startNs = 0;
  private endNs: number;
  private readonly faults: Float64Array;
  private readonly copies: Float64Array;

  /** @throws MmError BAD_OPTION for a negative hit cost, an mlp below 1 or an empty epoch */
  constructor(cost: CostDescription, options: Partial<CostOptions> = {}) {
    const { hitNs, mlp, epochNs } = checked({ ...DEFAULT_COST_OPTIONS, ...options });
    const nodes = cost.latencyNs.length;
    this.nodeCount = nodes;
    this.hitNs = hitNs;
    this.epochNs = epochNs;
    this.endNs = epochNs;
    this.idleNs = filled(cost.latencyNs.flat().map((ns) => ns / mlp));
    this.linkPeak = filled(cost.bandwidthGbs.flat());
    this.nodePeak = filled(cost.bandwidthGbs.map((row, node) => row[node]));
    this.linkFactor = filled(Array.from({ length: nodes * nodes }, () => 1));
    this.nodeFactor = filled(Array.from({ length: nodes }, () => 1));
    this.linkWanted = float64s(nodes * nodes);
    this.nodeWanted = float64s(nodes);
    this.used = int32s(nodes * nodes);
    this.slowed = int32s(nodes * nodes);
    this.faults = faultCosts(cost.minorFaultNs);
    this.copies = filled(copyTable(cost));
    this.walkNs = cost.walkNs;
    this.zeroingNs = ZEROING_SHARE * cost.minorFaultNs;
    this.migrateCallNs = cost.migrateBaseNs;
    this.migratePageNs = cost.migratePerPageNs;
    this.migrateHugeNs = cost.migratePerFolioNs;
    this.scanPageNs = SCAN_SHARE * cost.minorFaultNs;
    this.unmapPageNs = UNMAP_SHARE * cost.minorFaultNs;
    this.fileCallNs = FILE_CALL_SHARE * cost.minorFaultNs;
    this.swapReadNs = Math.max(0, cost.majorFaultNs - this.faults[FaultKind.major]);
    this.writebackNs = cost.writebackNs;
    this.deviceAtOnce = cost.deviceAtOnce;
    this.deviceNextNs = cost.deviceNextNs;
    this.ipiNs = cost.ipiNs;
    this.ipiFurtherNs = cost.ipiFurtherNs;
    this.assumptions = [
      `An access that hits a cache takes ${String(hitNs)} ns (--hit-ns).`,
      `${String(mlp)} misses are in flight at once, so each counts its latency divided by ${String(mlp)} (--mlp).`,
      ...COST_ASSUMPTIONS,
    ];
  }

  accessNs(cpuNode: NodeId, memNode: NodeId, hits: number, misses: number): number {
    if (misses === 0) return hits * this.hitNs;
    const link = cpuNode * this.nodeCount + memNode;
    return hits * this.hitNs + misses * this.idleNs[link] * this.factorOf(link, memNode);
  }

  charge(cpuNode: NodeId, memNode: NodeId, misses: number): void {
    if (misses === 0) return;
    const link = cpuNode * this.nodeCount + memNode;
    if (this.linkWanted[link] === 0) this.used[this.usedCount++] = link;
    this.linkWanted[link] += misses * LINE_BYTES * this.factorOf(link, memNode);
  }

  advance(nowNs: number): void {
    if (nowNs < this.endNs) return;
    const lengthNs = nowNs - this.startNs;
    this.startNs = nowNs;
    this.endNs = nowNs + this.epochNs;
    this.closeEpoch(lengthNs);
  }

  /** How much slower than idle memory answers now. */
  loadOf(cpuNode: NodeId, memNode: NodeId): number {
    return this.factorOf(cpuNode * this.nodeCount + memNode, memNode);
  }

  faultNs(kind: FaultKind): number {
    return this.faults[kind];
  }

  copyNs(fromNode: NodeId, toNode: NodeId): number {
    return this.copies[toNode * this.nodeCount + fromNode];
  }

  shootdownNs(cpuCount: number): number {
    return cpuCount === 0 ? 0 : this.ipiNs + (cpuCount - 1) * this.ipiFurtherNs;
  }

  private factorOf(link: number, memNode: number): number {
    const ofLink = this.linkFactor[link];
    const ofNode = this.nodeFactor[memNode];
    return ofLink > ofNode ? ofLink : ofNode;
  }

  /** 1 GB/s is 1 byte per ns, so wanted bytes / (peak × ns) is the demand. */
  private closeEpoch(lengthNs: number): void {
    for (let i = 0; i < this.slowedCount; i++) this.linkFactor[this.slowed[i]] = 1;
    for (let i = 0; i < this.usedCount; i++) {
      const link = this.used[i];
      this.linkFactor[link] = settledFactor(this.linkWanted[link] / (this.linkPeak[link] * lengthNs));
      this.nodeWanted[link % this.nodeCount] += this.linkWanted[link];
      this.linkWanted[link] = 0;
      this.slowed[i] = link;
    }
    this.slowedCount = this.usedCount;
    this.usedCount = 0;
    for (let node = 0; node < this.nodeCount; node++) {
      this.nodeFactor[node] = settledFactor(this.nodeWanted[node] / (this.nodePeak[node] * lengthNs));
      this.nodeWanted[node] = 0;
    }
  }
}

/**
 * ns to copy a page, [to][from], as the CPU of the target reads it. `pageCopyGbs` is what one thread copies between two
 * nodes; other pairs take it in proportion to their latency over the mean between different nodes, and no pair beats its link.
 */
function copyTable(cost: CostDescription): number[] {
  const remote = cost.latencyNs.flatMap((row, to) => row.filter((_, from) => from !== to));
  const mean = remote.length === 0 ? cost.latencyNs[0][0] : remote.reduce((a, b) => a + b, 0) / remote.length;
  return cost.latencyNs.flatMap((row, to) =>
    row.map((ns, from) =>
      Math.max((PAGE_BYTES / cost.pageCopyGbs) * (ns / mean), PAGE_BYTES / cost.bandwidthGbs[to][from]),
    ),
  );
}

function filled(values: readonly number[]): Float64Array {
  const array = float64s(values.length);
  array.set(values);
  return array;
}

function checked(options: CostOptions): CostOptions {
  const refuse = (name: string, value: number, expected: string): never => {
    throw new MmError('BAD_OPTION', `${name} is ${String(value)}: expected ${expected}`);
  };
  const { hitNs, mlp, epochNs } = options;
  if (!(hitNs >= 0 && hitNs < Infinity)) refuse('--hit-ns', hitNs, 'nanoseconds, at least 0');
  if (!(mlp >= 1 && mlp < Infinity)) refuse('--mlp', mlp, 'a number of misses in flight, at least 1');
  if (!(epochNs > 0 && epochNs < Infinity)) refuse('epochNs', epochNs, 'nanoseconds, above 0');
  return options;
}
