import { uint8s } from '../arrays.js';
import type { NodeId } from '../units.js';
import type { NodeMask } from './zones.js';

/** The nodes that the tasks of a group may allocate on: a hard wall for user pages (MP-44). Kernel: cpuset mems_allowed. */
export class Cpuset {
  /** One byte per node. Refilled in place when the nodes change, so that whoever holds it sees the change. */
  readonly mems: NodeMask;
  /** Grows with each change of the nodes. Kernel: mems_generation, 2.6.16. */
  version = 0;

  constructor(
    readonly name: string,
    nodeCount: number,
    nodes: readonly NodeId[],
  ) {
    this.mems = uint8s(nodeCount);
    for (const node of nodes) this.mems[node] = 1;
  }

  setNodes(nodes: readonly NodeId[]): void {
    this.mems.fill(0);
    for (const node of nodes) this.mems[node] = 1;
    this.version++;
  }

  nodes(): NodeId[] {
    return Array.from(this.mems.keys()).filter((node) => this.mems[node] !== 0) as NodeId[];
  }
}
