import { loadFactor } from './load-curve.js';
import { LoadedLatency } from './loaded-latency.js';
import type { CostDescription } from '../hardware/index.js';
import { asNodeId, type NodeId } from '../units.js';

const LINE_BYTES = 64;
const EPOCH_NS = 100_000;
/** Loads settle within some ten epochs; the rest is for slow approaches near the knee of the curve. */
const MOST_EPOCHS = 5000;
const SETTLED = 1e-9;

export interface SettledLoad {
  /** Delivered to all CPUs together, GB/s. */
  readonly gbs: number;
  /** Mean latency of a miss under that load, ns. */
  readonly latencyNs: number;
}

/**
 * The load at which the CPUs of some nodes settle that keep `inFlight` lines per node under way, of which each memory gets its
 * share: `LoadedLatency` is driven epoch by epoch as a replay drives it, until nothing changes. Little's law ties both results together.
 *
 * Interleaved bandwidth follows: far from balance it is min over memories of (bandwidth / share); near balance less, since all are
 * slow then.
 *
 * @param shares of the misses by memory node; their sum is 1
 */
export function settledLoad(
  cost: CostDescription,
  cpuNodes: readonly NodeId[],
  shares: readonly number[],
  inFlight: number,
): SettledLoad {
  const model = new LoadedLatency(cost, { epochNs: EPOCH_NS, mlp: inFlight, hitNs: 0 });
  const used = shares.map((share, node) => ({ share, node: asNodeId(node) })).filter(({ share }) => share > 0);
  /** Time between two misses of the CPUs of a node. */
  const missNs = () =>
    cpuNodes.map((cpu) => used.reduce((ns, { share, node }) => ns + share * model.accessNs(cpu, node, 0, 1), 0));
  let before = missNs();
  for (let epoch = 1; epoch <= MOST_EPOCHS; epoch++) {
    for (const [i, cpu] of cpuNodes.entries())
      for (const { share, node } of used) model.charge(cpu, node, (share * EPOCH_NS) / before[i]);
    model.advance(epoch * EPOCH_NS);
    const now = missNs();
    const isSettled = now.every((ns, i) => Math.abs(ns - before[i]) <= SETTLED * ns);
    before = now;
    if (isSettled) break;
  }
  const gbs = before.reduce((sum, ns) => sum + LINE_BYTES / ns, 0);
  return { gbs, latencyNs: (LINE_BYTES * inFlight * cpuNodes.length) / gbs };
}

/** Latency of a miss over idle when memory delivers `gbs`, which is below what it can; found as `settledLoad` finds it. */
export function factorAt(cost: CostDescription, cpuNode: NodeId, memNode: NodeId, gbs: number): number {
  const model = new LoadedLatency(cost, { epochNs: EPOCH_NS });
  let before = 1;
  for (let epoch = 1; epoch <= MOST_EPOCHS; epoch++) {
    model.charge(cpuNode, memNode, (gbs * EPOCH_NS) / LINE_BYTES);
    model.advance(epoch * EPOCH_NS);
    const now = model.loadOf(cpuNode, memNode);
    const isSettled = Math.abs(now - before) <= SETTLED * before;
    before = now;
    if (isSettled) break;
  }
  return before;
}

/** The fewest lines in flight that fill a memory of this idle latency and peak. */
export function inFlightToFill(idleNs: number, peakGbs: number): number {
  return (idleNs * loadFactor(1) * peakGbs) / LINE_BYTES;
}
