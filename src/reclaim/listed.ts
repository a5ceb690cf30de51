import type { NodeMask, Zones } from '../mm/index.js';
import type { NodeId } from '../units.js';

/**
 * The nodes of one allocation, in the order tried: the fallback row of the start node within the policy's mask and the
 * task's allowed nodes (RC-10). Kernel: for_each_zone_zonelist_nodemask().
 */
export interface Listed {
  /** Fills in the list of an allocation; valid until the next call. @returns how many nodes */
  list(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null): number;
  readonly nodes: Int16Array;
}

export function makeListed(zones: Zones): Listed {
  const nodes = new Int16Array(zones.nodeCount);

  function list(start: NodeId, mask: NodeMask | null, allowed: NodeMask | null): number {
    let count = 0;
    for (let i = 0; ; i++) {
      const node = zones.rowAt(start, i);
      if (node < 0) return count;
      if ((mask === null || mask[node] !== 0) && (allowed === null || allowed[node] !== 0)) nodes[count++] = node;
    }
  }

  return { nodes, list };
}
