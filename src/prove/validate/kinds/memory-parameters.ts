import type { Parameter } from '../kind.js';

const local = (table: readonly (readonly number[])[], cpuNode: number): number => table[cpuNode][cpuNode];
/** Mean over the other nodes. */
function remote(table: readonly (readonly number[])[], cpuNode: number): number {
  const others = table[cpuNode].filter((_, node) => node !== cpuNode);
  return others.length === 0 ? local(table, cpuNode) : others.reduce((a, b) => a + b, 0) / others.length;
}

/** Every kind that asks a profile for latencies or bandwidths may have it. */
export const CPU_NODE: Parameter = {
  about: 'node whose CPUs look, where the profile is asked; the first that has some, if left out',
  unit: '',
  form: 'number',
  whole: [0, 255],
};
export const LOCAL_NS: Parameter = {
  about: 'idle latency of the own node',
  unit: 'ns',
  form: 'number',
  machine: { field: 'latencyNs', read: ({ cost }, cpuNode) => local(cost.latencyNs, cpuNode) },
};
export const REMOTE_NS: Parameter = {
  about: 'idle latency of the other node; the mean of all others from a profile',
  unit: 'ns',
  form: 'number',
  machine: { field: 'latencyNs', read: ({ cost }, cpuNode) => remote(cost.latencyNs, cpuNode) },
};
export const LOCAL_GBS: Parameter = {
  about: 'bandwidth of one node',
  unit: 'GB/s',
  form: 'number',
  machine: { field: 'bandwidthGbs', read: ({ cost }, cpuNode) => local(cost.bandwidthGbs, cpuNode) },
};
export const REMOTE_GBS: Parameter = {
  about: 'bandwidth of the other node; the mean of all others from a profile',
  unit: 'GB/s',
  form: 'number',
  machine: { field: 'bandwidthGbs', read: ({ cost }, cpuNode) => remote(cost.bandwidthGbs, cpuNode) },
};
export const NODE_NS: Parameter = {
  about: 'idle latency of each node',
  unit: 'ns',
  form: 'numbers',
  isRequired: true,
  machine: { field: 'latencyNs', read: ({ cost }, cpuNode) => cost.latencyNs[cpuNode] },
};
export const NODE_GBS: Parameter = {
  about: 'bandwidth of each node, alone',
  unit: 'GB/s',
  form: 'numbers',
  isRequired: true,
  machine: { field: 'bandwidthGbs', read: ({ cost }, cpuNode) => cost.bandwidthGbs[cpuNode] },
};
/** Lines under way at once, of all CPUs together. */
export const IN_FLIGHT: Parameter = {
  about: 'cache lines that all CPUs together have under way',
  unit: '',
  form: 'number',
};
