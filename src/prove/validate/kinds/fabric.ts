import { parseMachine, type CostDescription } from '../../../hardware/index.js';

/**
 * A machine of which only latencies and bandwidths count.
 *
 * @param latencyNs idle, of each memory node as the CPUs of node 0 see it
 * @param bandwidthGbs peak, likewise
 * @param isSymmetric each node has CPUs, and sees itself and the nodes after it as node 0 does; else node 0 alone has CPUs
 */
export function fabric(
  latencyNs: readonly number[],
  bandwidthGbs: readonly number[],
  isSymmetric = false,
): CostDescription {
  const nodes = latencyNs.map((_, node) => ({ cpus: isSymmetric || node === 0 ? 1 : 0, memory: '1GiB' }));
  const table = (row: readonly number[]) =>
    row.map((_, from) =>
      isSymmetric ? row.map((_value, to) => row[(to - from + row.length) % row.length]) : from === 0 ? row : null,
    );
  const file = { name: 'fabric', nodes, latencyNs: table(latencyNs), bandwidthGbs: table(bandwidthGbs) };
  return parseMachine(JSON.stringify(file), 'latencies and bandwidths').cost;
}
