import type { Topology } from './topology.js';
import type { NodeId } from '../units.js';

/** How much the load of a node grows when it is the first of a new distance group (MP-40). */
export type FallbackLoad = (nodesLeft: number) => number;

/** [6.x]: by one (K-F2). */
export const loadByOne: FallbackLoad = () => 1;
/** [2.6.16]: by the number of nodes not yet taken (MP-40). */
export const loadByNodesLeft: FallbackLoad = (nodesLeft) => nodesLeft;

/**
 * For each node the order in which an allocation that starts there tries the nodes with memory (MP-40, K-F2).
 * Built for the nodes in ascending order: the load figure that tells equal distances apart is kept between them.
 * Kernel: build_zonelists(), mm/page_alloc.c.
 *
 * @param knowsCpus the rows are built again, after boot: a node with CPUs comes after one without at the same distance (HR-20)
 */
export function fallbackRows(
  topology: Topology,
  loadOf: FallbackLoad = loadByOne,
  knowsCpus: boolean = false,
): NodeId[][] {
  const cpuPenalty = topology.allNodes().map((node) => (knowsCpus && topology.cpusOf(node).length > 0 ? 1 : 0));
  const load = new Map<NodeId, number>();
  return topology.allNodes().map((node) => {
    const row: NodeId[] = [];
    const left = new Set(topology.nodesWithMemory());
    let previous = node;
    while (left.size > 0) {
      const next = left.delete(node) ? node : closest(topology, node, left, load, cpuPenalty);
      left.delete(next);
      if (topology.distance(node, next) !== topology.distance(node, previous)) {
        load.set(next, (load.get(next) ?? 0) + loadOf(left.size + 1));
      }
      row.push(next);
      previous = next;
    }
    return row;
  });
}

function closest(
  topology: Topology,
  node: NodeId,
  left: Set<NodeId>,
  load: Map<NodeId, number>,
  cpuPenalty: readonly number[],
): NodeId {
  const key = (n: NodeId) => topology.distance(node, n) + (n < node ? 1 : 0) + cpuPenalty[n];
  return [...left].reduce((best, n) => {
    const difference = key(n) - key(best) || (load.get(n) ?? 0) - (load.get(best) ?? 0);
    return difference < 0 ? n : best;
  });
}
