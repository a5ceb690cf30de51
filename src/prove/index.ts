/**
 * Proof that the model does what kernels do, and the means to measure how fast it does it.
 *
 * conformance/ replays system calls that were recorded on real kernels and compares what the model answers: return
 * values, errno, values read, faults taken and the node of every page after each step. Called by cli/. Always holds: a
 * step counts only if all steps of its case before it matched, and nothing reads the names of cases.
 *
 * validate/ recomputes published figures from the model. Always holds: no prediction knows the value it is compared with, nor one of
 * another row that validates.
 *
 * bench/ prepares accesses and faults of one kind each; cli/ and the benchmarks beside src/ have the clocks that time them.
 */
export { BENCH_ASSUMED, BENCH_CPUS, makeBed, policyForBench, type Bed } from './bench/bed.js';
export { mustHold } from './bench/case.js';
export {
  FAULT_KINDS,
  faultsOfKind,
  framesPerNodeFor,
  spuriousFaults,
  type FaultKindName,
} from './bench/fault-kinds.js';
export { BENCH_KINDS, benchPolicy, prepareKind, type BenchKind } from './bench/kinds.js';
export { directMigration, lazyUnmapping } from './bench/moves.js';
export { presentMisses, tlbHits } from './bench/present.js';
export { swapCacheFaults } from './bench/swap-cache.js';
export { parseRecording, profileOf } from './conformance/parse.js';
export {
  replayRecordings,
  type ConformanceReport,
  type RecordingFile,
  type StepMismatch,
  type Tally,
} from './conformance/replay.js';
export { parseFigures, type Figure } from './validate/figure-file.js';
export { KINDS } from './validate/kinds/index.js';
export type { Kind } from './validate/kind.js';
export { validateFigures, type FigureResult, type RowResult, type ValidationReport } from './validate/validate.js';
