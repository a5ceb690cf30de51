import { uint8s } from '../arrays.js';
import type { MachineDescription } from './machine-description.js';
import { asCpuId, asNodeId, NO_NODE, type CpuId, type NodeId } from '../units.js';

/**
 * Nodes, CPUs and distances: what the firmware tells the kernel at boot. None of it changes afterwards, but that a node can
 * lose its memory and get it back.
 */
export class Topology {
  readonly nodeCount: number;
  readonly cpuCount: number;
  /** CPU → node. */
  readonly nodeOfCpu: Uint16Array;
  /** Node → 4 KiB pages that it was built with; 0 for a node without memory. */
  readonly pagesOfNode: Float64Array;
  private readonly memoryIsGone: Uint8Array;
  private readonly distances: Uint8Array;
  private readonly cpuLists: readonly (readonly CpuId[])[];

  constructor(machine: Pick<MachineDescription, 'nodes' | 'distance'>) {
    this.nodeCount = machine.nodes.length;
    this.cpuCount = 1 + Math.max(-1, ...machine.nodes.map((node) => Math.max(-1, ...node.cpus)));
    this.nodeOfCpu = new Uint16Array(this.cpuCount);
    machine.nodes.forEach((node, id) => {
      for (const cpu of node.cpus) this.nodeOfCpu[cpu] = id;
    });
    this.pagesOfNode = Float64Array.from(machine.nodes, (node) => node.pages);
    this.memoryIsGone = uint8s(this.nodeCount);
    this.distances = Uint8Array.from(machine.distance.flat());
    this.cpuLists = machine.nodes.map((node) => node.cpus.map(asCpuId));
  }

  cpusOf(node: NodeId): readonly CpuId[] {
    return this.cpuLists[node];
  }

  distance(from: NodeId, to: NodeId): number {
    return this.distances[from * this.nodeCount + to];
  }

  /** Kernel: node_state(node, N_MEMORY). */
  hasMemory(node: NodeId): boolean {
    return this.pagesOfNode[node] > 0 && this.memoryIsGone[node] === 0;
  }

  /** All memory of the node was taken away, or some came back (HR-20, HR-24). Kernel: node_clear_state(), node_set_state(). */
  setMemory(node: NodeId, isThere: boolean): void {
    this.memoryIsGone[node] = isThere ? 0 : 1;
  }

  nodesWithMemory(): NodeId[] {
    return this.allNodes().filter((node) => this.hasMemory(node));
  }

  allNodes(): NodeId[] {
    return Array.from({ length: this.nodeCount }, (_, id) => asNodeId(id));
  }

  /** The node whose zero page and kernel data are used: the lowest with memory. */
  lowestNodeWithMemory(): NodeId {
    return this.nodesWithMemory()[0] ?? NO_NODE;
  }
}
