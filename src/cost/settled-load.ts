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
  /** Delivered by all nodes together, GB/s. */
  readonly gbs: number;
  /** Mean latency of a miss under that load, ns. */
  readonly latencyNs: number;
}

/**
 * The load at which CPUs of one node settle that keep `inFlight` lines under way, of which each node gets its share:
 * `LoadedLatency` is driven epoch by epoch as a replay drives it, until nothing changes. Little's law ties both results together.
 *
 * Interleaved bandwidth follows: far from balance it is min over nodes of (bandwidth of the node / its share); near
 * balance less, since all nodes are slow then.
 *
 * @param shares of the misses by node; their sum is 1
 */
export function settledLoad(
  cost: CostDescription,
  cpuNode: NodeId,
  shares: readonly number[],
  inFlight: number,
): SettledLoad {
  const model = new LoadedLatency(cost, { epochNs: EPOCH_NS, mlp: inFlight, hitNs: 0 });
  const used = shares.map((share, node) => ({ share, node: asNodeId(node) })).filter(({ share }) => share > 0);
  const missNs = () => used.reduce((ns, { share, node }) => ns + share * model.accessNs(cpuNode, node, 0, 1), 0);
  let before = missNs();
  for (let epoch = 1; epoch <= MOST_EPOCHS; epoch++) {
    for (const { share, node } of used) model.charge(cpuNode, node, (share * EPOCH_NS) / before);
    model.advance(epoch * EPOCH_NS);
    const now = missNs();
    const isSettled = Math.abs(now - before) <= SETTLED * before;
    before = now;
    if (isSettled) break;
  }
  return { gbs: LINE_BYTES / before, latencyNs: before * inFlight };
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
