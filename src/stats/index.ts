/**
 * What is counted and what a run leaves behind.
 *
 * Keeps the counters (one list, the kernel's names), the tracer's contract and the shape of a result; trace-log/ is the tracer
 * that writes down. Everything above counts into it; report/ and the JSON output read it. Imports nothing of the model. A
 * counter only ever grows; phases of a run are differences between two snapshots.
 */
export {
  C,
  COUNTER_NAMES,
  Counters,
  N,
  NODE_COUNTER_NAMES,
  type CounterName,
  type NodeCounterName,
} from './counters.js';
export {
  remoteShare,
  type ActionResult,
  type LeftoverPage,
  type MovedPages,
  type PhaseResult,
  type RunOutcome,
  type RunResult,
  type SwapUse,
} from './run-result.js';
export type { Tracer } from './tracer.js';
