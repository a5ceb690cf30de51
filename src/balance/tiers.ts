import type { MachineDescription, Topology } from '../hardware/index.js';
import type { NodeId } from '../units.js';

/** Abstract distance of DRAM, and how much of it is one tier (TI-1). */
const ADISTANCE_DRAM = 576;
const TIER_CHUNK = 128;

/** TI-2: from latency and bandwidth, whole numbers in this order. */
export function abstractDistance(
  latency: number,
  bandwidth: number,
  dram: { latency: number; bandwidth: number },
): number {
  return Math.floor((Math.floor((ADISTANCE_DRAM * latency) / dram.latency) * dram.bandwidth) / bandwidth);
}

export const tierOfDistance = (distance: number): number => Math.floor(distance / TIER_CHUNK);

/**
 * TI-1: the tier of each node, smaller is faster. Memory beside CPUs is DRAM; other memory is what the machine's latency and
 * bandwidth, from the nearest CPUs, make it, as firmware tables say.
 */
export function tiersOf({ nodes, cost }: MachineDescription, topology: Topology): number[] {
  const withCpus = topology.allNodes().filter((node) => nodes[node].cpus.length > 0);
  return topology.allNodes().map((node) => {
    if (nodes[node].cpus.length > 0 || withCpus.length === 0) return tierOfDistance(ADISTANCE_DRAM);
    const near = withCpus.reduce((a, b) => (topology.distance(b, node) < topology.distance(a, node) ? b : a));
    const dram = { latency: cost.latencyNs[near][near], bandwidth: cost.bandwidthGbs[near][near] };
    return tierOfDistance(abstractDistance(cost.latencyNs[near][node], cost.bandwidthGbs[near][node], dram));
  });
}

/** TI-3: in a tier at least as fast as the slowest that has a CPU. */
export function topTierOf(tiers: readonly number[], hasCpus: (node: NodeId) => boolean): boolean[] {
  const slowest = Math.max(...tiers.filter((_, node) => hasCpus(node as NodeId)));
  return tiers.map((tier) => tier <= slowest);
}
