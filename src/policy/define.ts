import type { Fault, PolicyDefinition } from './contract.js';
import { NO_NODE, type NodeId } from '../units.js';

/** Declares a policy. Gives the definition back unchanged; it exists for its types and as the one thing to search for. */
export function definePolicy(definition: PolicyDefinition): PolicyDefinition {
  return definition;
}

/** `fault.index` modulo `n`, exact for indices beyond 32 bits and without the cost of a floating-point remainder. */
export function indexModulo(fault: Fault, n: number): number {
  const index = fault.index;
  return index - Math.floor(index / n) * n;
}

/** `home`, or `NO_NODE` when the page found already lies there: the end of most `misplaced` answers (MP-67). */
export function unlessThere(fault: Fault, home: NodeId): NodeId {
  return home === fault.pageNode ? NO_NODE : home;
}
