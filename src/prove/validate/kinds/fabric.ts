import { parseMachine, type CostDescription } from '../../../hardware/index.js';

/**
 * A machine of which only latencies and bandwidths count, seen from the CPUs of node 0.
 *
 * @param latencyNs idle, by memory node
 * @param bandwidthGbs peak, by memory node
 */
export function fabric(latencyNs: readonly number[], bandwidthGbs: readonly number[]): CostDescription {
  const others = latencyNs.slice(1).map(() => null);
  const nodes = latencyNs.map((_, node) => ({ cpus: node === 0 ? 1 : 0, memory: '1GiB' }));
  const file = { name: 'fabric', nodes, latencyNs: [latencyNs, ...others], bandwidthGbs: [bandwidthGbs, ...others] };
  return parseMachine(JSON.stringify(file), 'the latencies and bandwidths of a figure').cost;
}
