/**
 * Runs: what one RUN word of the command line means, and how several are carried out.
 *
 * A run is a policy and what happens to it. `words.ts` has every action and switch there is, `parseRun` takes a RUN apart,
 * `printRun` puts it together again, and `executeRuns` gives each run a worker thread with one machine in it. Called by
 * cli/; report/ reads the words. Always holds: `parseRun(printRun(spec))` means `spec`; one run's crash leaves the
 * others alone; results come in the order of the requests.
 */
export { defaultRuns } from './default-runs.js';
export { executeRuns, holdingTrace, type ExecuteHeld } from './execute.js';
export { parseMomentOption, parseRun } from './parse-run.js';
export { isPluginName } from './parse-policy.js';
export { printPolicy, printRun } from './print-run.js';
export {
  DEFAULT_OPTIONS,
  type MemoryLimit,
  type Progress,
  type ReplayOptions,
  type RunRequest,
  type TraceLogPart,
} from './run-request.js';
export type { Moment, PolicySpec, RunSpec } from './run-spec.js';
export { ACTIONS, FLAGS, MOMENTS, PROFILES, SWITCHES, type Word } from './words.js';
