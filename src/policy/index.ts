/**
 * The public contract of placement policies: everything a plug-in imports, and all it can see.
 *
 * A policy answers two questions about one fault, `place` and `misplaced`, and moves nothing. It is pure while
 * answering (MP-73); memory is taken in `create`. Called by mm/mempolicy.ts; written in policies/, or in a user's file.
 */
export type {
  Fallback,
  Fault,
  OptionSpec,
  OptionValues,
  PolicyContext,
  PolicyDefinition,
  PolicyInstance,
  World,
} from './contract.js';
export { definePolicy, indexModulo, unlessThere } from './define.js';
export { enter, leave, newAsked, readAsked, underWay, type Asked, type Doing } from './asked.js';
export { expectedInstead, questionText, type Question } from './vet.js';
export { NO_NODE, asNodeId, type NodeId } from '../units.js';
export {
  defineBalancer,
  NOTHING_STORED,
  type BalancedArea,
  type BalancedSpace,
  type BalancedTask,
  type BalancedWorld,
  type BalancerActions,
  type BalancerContext,
  type BalancerDefinition,
  type BalancerInstance,
  type BalancingRule,
  type HintFault,
  type MarkOptions,
  type PassedOver,
  type Served,
  type VisitedPage,
} from './balancer.js';
export * from './numa-balancing/index.js';
