import type { World } from '../policy/index.js';
import { NO_NODE, type NodeId } from '../units.js';
import type { Mempolicy } from './mempolicy.js';
import type { Task } from './task.js';

/** Rule variant `rotor`: what a task keeps to give out nodes to allocations without an address (MP-3, MP-26, K-I5). */
export interface RotorRule {
  /** The node whose turn it is; asking does not advance it. */
  next(task: Task, policy: Mempolicy): NodeId;
  /** Its node was used. */
  advance(task: Task, policy: Mempolicy, used: NodeId, world: World): void;
  /** The task got a new policy: the lowest node of the set comes first. */
  start(task: Task, policy: Mempolicy | null): void;
}

function nextHigher(nodes: readonly NodeId[], after: number): NodeId {
  for (let i = 0; i < nodes.length; i++) if (nodes[i] > after) return nodes[i];
  return nodes[0];
}

/**
 * [6.x] The node used last; with weights a node keeps its turn until its weight is used up.
 * Kernel: il_prev, il_weight; interleave_nodes(), weighted_interleave_nodes().
 */
export const rotor6: RotorRule = {
  next(task, policy) {
    const { nodes } = policy;
    if (nodes.length === 0) return task.node;
    const stays = policy.isWeighted && task.ilWeight > 0 && nodes.includes(task.ilPrev as NodeId);
    return stays ? (task.ilPrev as NodeId) : nextHigher(nodes, task.ilPrev);
  },
  advance(task, policy, used, world) {
    if (policy.isWeighted && (task.ilWeight === 0 || used !== task.ilPrev)) task.ilWeight = world.weight(used);
    if (policy.isWeighted) task.ilWeight--;
    task.ilPrev = used;
  },
  start(task) {
    task.ilPrev = -1;
    task.ilWeight = 0;
  },
};

/** [2.6.16] The node that comes next, whether or not the set still has it (MP-82). Kernel: il_next; interleave_nodes(). */
export const rotor2616: RotorRule = {
  next(task, policy) {
    if (policy.nodes.length === 0) return task.node;
    return task.ilNext === NO_NODE ? policy.nodes[0] : task.ilNext;
  },
  advance(task, policy, used) {
    task.ilNext = nextHigher(policy.nodes, used);
  },
  start(task, policy) {
    task.ilNext = policy === null || policy.nodes.length === 0 ? NO_NODE : policy.nodes[0];
  },
};
