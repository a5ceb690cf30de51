import type { CostDescription, MachineDescription } from '../hardware/index.js';
import type { RunRequest } from '../run/index.js';

/** The same run on a machine with other costs. */
export function withCost(request: RunRequest, change: (cost: CostDescription) => Partial<CostDescription>): RunRequest {
  const { machine } = request;
  return { ...request, machine: { ...machine, cost: { ...machine.cost, ...change(machine.cost) } } };
}

/** Latency of other nodes' memory over that of the own, mean over all pairs of a node with CPUs and one with memory. */
export function meanRemoteRatio({ nodes, cost: { latencyNs } }: MachineDescription): number {
  return meanOfPairs(nodes, (cpuNode, memNode) => latencyNs[cpuNode][memNode] / latencyNs[cpuNode][cpuNode]);
}

/** What a CPU gets from another node's memory over what that memory delivers, likewise. */
export function meanRemoteShare({ nodes, cost: { bandwidthGbs } }: MachineDescription): number {
  return meanOfPairs(nodes, (cpuNode, memNode) => bandwidthGbs[cpuNode][memNode] / bandwidthGbs[memNode][memNode]);
}

/** The same run where that ratio is `ratio`: what remote memory takes longer grows or shrinks in proportion. */
export function withRemoteLatency(request: RunRequest, ratio: number): RunRequest {
  const factor = (ratio - 1) / (meanRemoteRatio(request.machine) - 1);
  return withCost(request, ({ latencyNs }) => ({
    latencyNs: latencyNs.map((row, cpuNode) => row.map((ns) => row[cpuNode] + (ns - row[cpuNode]) * factor)),
  }));
}

/** The same run where that share is `share`. */
export function withRemoteBandwidth(request: RunRequest, share: number): RunRequest {
  const factor = share / meanRemoteShare(request.machine);
  return withCost(request, ({ bandwidthGbs }) => ({
    bandwidthGbs: bandwidthGbs.map((row, cpuNode) =>
      row.map((gbs, memNode) => (cpuNode === memNode ? gbs : gbs * factor)),
    ),
  }));
}

function meanOfPairs(nodes: MachineDescription['nodes'], value: (cpuNode: number, memNode: number) => number): number {
  const values = nodes.flatMap(({ cpus }, cpuNode) =>
    cpus.length === 0
      ? []
      : nodes.flatMap(({ pages }, memNode) => (memNode === cpuNode || pages === 0 ? [] : [value(cpuNode, memNode)])),
  );
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
