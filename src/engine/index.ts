/**
 * The machine: everything below it put together, its system calls, and the replay of a trace on it.
 *
 * compose.ts is the one composition root; machine.ts builds the parts and drives accesses; profiles/ has the rules in
 * which kernels differ; syscalls/ holds what a simulated program can ask for; replay/ carries out one run of a trace.
 * Called by run/, and by embedding programs. Always holds: one machine has one clock source (the meter) and no other;
 * the container is gone before the first access.
 */
export { checkMachine, makeCheck } from './check.js';
export { makeCalls, type Calls } from './calls.js';
export type { HotplugCalls, OfflineResult } from './hotplug.js';
export { compose, COST_MODEL, POLICY, PROFILE, tracedBy, TRACER, type ComposeOptions, type Rebind } from './compose.js';
export { makeDeviceDriver, type DeviceMove, type ModelDriver } from './device-driver.js';
export { bundledPolicies, loadPolicy, policiesNamed } from './load-policies.js';
export type { Machine } from './machine.js';
export type { MachineOptions } from './machine-options.js';
export {
  hookSwitches,
  profileNamed,
  PROFILES,
  rulesOf,
  VARIANTS,
  type Hook,
  type RuleNames,
  type Rules,
} from './profiles/index.js';
export { makeAccessLoop } from './replay/access-loop.js';
export { policyRequest } from './replay/policy-request.js';
export { replaySource, replayTrace } from './replay/replay.js';
export { Tally } from './replay/tally.js';
export { watchPage, type PageEpisode, type PageLife } from './replay/page-life.js';
export { openTraceLog, type Watcher } from './trace-log-file.js';
export { traceView } from './trace-view.js';
export { loadBalancer } from './load-balancers.js';
