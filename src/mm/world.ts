import type { Topology } from '../hardware/index.js';
import type { World } from '../policy/index.js';
import type { NodeId } from '../units.js';

/** Rule variant `bindOrder`: in which order BIND tries the nodes of its set (MP-23). */
export interface BindOrder {
  /** The nodes in the order tried by an allocation that starts at `from`, whose fallback row is `row`. */
  order(nodes: readonly NodeId[], from: NodeId, row: readonly NodeId[]): readonly NodeId[];
  /** An allocation goes through the set by number, not along the row of the node it starts at. */
  readonly byNumber: boolean;
}

/** [6.x] Nearest first: the fallback row of the start node, filtered. */
export const bindNearestFirst: BindOrder = {
  order: (nodes, _from, row) => row.filter((node) => nodes.includes(node)),
  byNumber: false,
};
/** [2.6.16] Ascending node number; distance and CPU do not matter. */
export const bindByNumber: BindOrder = {
  order: (nodes, _from, row) => nodes.filter((node) => row.includes(node)),
  byNumber: true,
};

/** The machine as policies see it, and as the kernel may change it under them. */
export interface MachineWorld extends World {
  /** The fallback rows were built anew: answers kept from the old ones do not hold any more. */
  rowsChanged(rows: readonly (readonly NodeId[])[]): void;
}

/**
 * The machine as policies see it.
 *
 * @param firstRows the fallback rows at boot
 * @param weights weight of each node, 0: not set; the caller may change them
 * @param autoWeights weight of each node by its bandwidth; left out: all alike
 */
export function makeWorld(
  topology: Topology,
  firstRows: readonly (readonly NodeId[])[],
  bindOrder: BindOrder,
  seed: number,
  weights: Uint8Array,
  autoWeights: readonly number[] = [],
): MachineWorld {
  let rows = firstRows;
  const firstByStart = new Map<readonly NodeId[], Int16Array>();
  /** The answer for each start node, kept per node list: lists live as long as their policy. */
  function firsts(nodes: readonly NodeId[]): Int16Array {
    let known = firstByStart.get(nodes);
    if (known === undefined) {
      known = Int16Array.from(rows, (row, from) => bindOrder.order(nodes, from as NodeId, row)[0] ?? from);
      firstByStart.set(nodes, known);
    }
    return known;
  }
  return {
    nodeCount: topology.nodeCount,
    cpuCount: topology.cpuCount,
    nodeOfCpu: (cpu) => topology.nodeOfCpu[cpu] as NodeId,
    distance: (from, to) => topology.distance(from, to),
    hasMemory: (node) => topology.hasMemory(node),
    firstOf: (nodes, from) => firsts(nodes)[from] as NodeId,
    weight: (node) => weights[node] || 1,
    autoWeight: (node) => autoWeights.at(node) ?? 1,
    seed,
    rowsChanged(now) {
      rows = now;
      firstByStart.clear();
    },
  };
}
