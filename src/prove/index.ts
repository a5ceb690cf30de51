/**
 * Proof that the model does what kernels do.
 *
 * conformance/ replays system calls that were recorded on real kernels and compares what the model answers: return
 * values, errno, values read, faults taken and the node of every page after each step. Called by cli/. Always holds: a
 * step counts only if all steps of its case before it matched, and nothing reads the names of cases.
 */
export { parseRecording, profileOf } from './conformance/parse.js';
export {
  replayRecordings,
  type ConformanceReport,
  type RecordingFile,
  type StepMismatch,
  type Tally,
} from './conformance/replay.js';
