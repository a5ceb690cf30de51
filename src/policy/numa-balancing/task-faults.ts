import { NO_NODE, type NodeId } from '../../units.js';
import type { BalancedTask } from '../balancer.js';
import type { Locality } from './scan-period.js';

/** Kinds of faults: somebody else used the page last, or this task did. */
export const SHARED = 0;
export const PRIVATE = 1;

/** Decayed faults by node and kind: how many pages of which node, and from CPUs of which node. */
export class FaultSums {
  readonly memory: Float64Array;
  readonly cpu: Float64Array;

  constructor(readonly nodes: number) {
    this.memory = new Float64Array(nodes * 2);
    this.cpu = new Float64Array(nodes * 2);
  }

  memoryOf(node: number): number {
    return this.memory[node * 2] + this.memory[node * 2 + 1];
  }
  cpuOf(node: number): number {
    return this.cpu[node * 2] + this.cpu[node * 2 + 1];
  }
  ofKind(kind: number): number {
    let sum = 0;
    for (let node = 0; node < this.nodes; node++) sum += this.memory[node * 2 + kind];
    return sum;
  }
  add(other: FaultSums, sign: 1 | -1): void {
    for (let i = 0; i < this.memory.length; i++) {
      this.memory[i] += sign * other.memory[i];
      this.cpu[i] += sign * other.cpu[i];
    }
  }
}

/** Tasks that use the same data (NB-76). Kernel: struct numa_group */
export class FaultGroup {
  readonly sums: FaultSums;
  readonly tasks = new Set<BalancedTask>();

  constructor(
    readonly id: number,
    nodes: number,
  ) {
    this.sums = new FaultSums(nodes);
  }

  /** NB-74: nodes from which a good part of its faults come. */
  isActive(node: number): boolean {
    return ACTIVE_NODE_FRACTION * this.sums.cpuOf(node) > this.mostCpu();
  }
  activeNodes(): number {
    let count = 0;
    for (let node = 0; node < this.sums.nodes; node++) if (this.isActive(node)) count++;
    return count;
  }
  private mostCpu(): number {
    let most = 0;
    for (let node = 0; node < this.sums.nodes; node++) most = Math.max(most, this.sums.cpuOf(node));
    return most;
  }
}
export const ACTIVE_NODE_FRACTION = 3;

/** What is known of one task. Kernel: the numa_ fields of task_struct */
export class TaskFaults {
  readonly sums: FaultSums;
  /** Since the last placement. */
  readonly memoryBuffer: Float64Array;
  readonly cpuBuffer: Float64Array;
  readonly locality: Locality = { local: 0, remote: 0, failed: 0 };
  /** Of the address space, when it was placed last (NB-72). */
  sequence = 0;
  preferred: NodeId = NO_NODE;
  group: FaultGroup | null = null;
  /** ms. */
  period = 0;
  /** CPU time from which on a tick may ask for the next scan, ns (NB-4). */
  stampNs = 0;
  placedNs = 0;
  placedUsedNs = 0;

  constructor(nodes: number) {
    this.sums = new FaultSums(nodes);
    this.memoryBuffer = new Float64Array(nodes * 2);
    this.cpuBuffer = new Float64Array(nodes * 2);
  }

  /** NB-72: half of what was known, and all that is new. The group's sums get the same differences. @returns faults since then by kind */
  decay(nowNs: number, usedNs: number): { shared: number; private: number } {
    const elapsed = nowNs - this.placedNs;
    const runtime = usedNs - this.placedUsedNs;
    this.placedNs = nowNs;
    this.placedUsedNs = usedNs;
    const since: [number, number] = [0, 0];
    for (let i = 0; i < this.cpuBuffer.length; i++) since[i % 2] += this.cpuBuffer[i];
    const weight = Math.floor((runtime * 65_536) / (elapsed + 1));
    for (let i = 0; i < this.memoryBuffer.length; i++) {
      const scaled = Math.floor((weight * this.cpuBuffer[i]) / (since[SHARED] + since[PRIVATE] + 1));
      change(this.sums.memory, this.group?.sums.memory, i, this.memoryBuffer[i]);
      change(this.sums.cpu, this.group?.sums.cpu, i, scaled);
    }
    this.memoryBuffer.fill(0);
    this.cpuBuffer.fill(0);
    return { shared: since[SHARED], private: since[PRIVATE] };
  }

  /** NB-73: most memory faults, the lowest node of several; `NO_NODE` if there are none. */
  bestNode(hasCpus: (node: NodeId) => boolean, nearest: (node: NodeId) => NodeId): NodeId {
    const { sums } = this.group ?? this;
    let best = NO_NODE;
    let most = 0;
    for (let node = 0; node < sums.nodes; node++) {
      const faults = sums.memoryOf(node);
      if (faults <= most) continue;
      most = faults;
      best = node as NodeId;
    }
    return best === NO_NODE || hasCpus(best) ? best : nearest(best);
  }
}

function change(own: Float64Array, groups: Float64Array | undefined, i: number, buffer: number): void {
  const difference = buffer - Math.floor(own[i] / 2);
  own[i] += difference;
  if (groups !== undefined) groups[i] += difference;
}
