import type { PhaseResult, RunResult } from '../stats/index.js';
import type { RunRequest } from './run-request.js';

/** What is left of a run that ended before it had a result: its names, no numbers, and why. */
export function failedResult(request: RunRequest, message: string): RunResult {
  const { spec } = request;
  return {
    run: spec.text,
    policy: spec.policy.name,
    nodes: spec.policy.nodes ?? '',
    profile: spec.switches.profile,
    machine: request.machine.name,
    trace: traceNameOf(request.tracePath),
    seed: request.seed,
    attainable: false,
    policyAttainable: false,
    outcome: { kind: 'failed', message },
    whole: emptyPhase('whole'),
    region: emptyPhase('region'),
    regionRows: { from: 0, until: 0 },
    phases: [],
    actions: [],
    pagesPerNode: request.machine.nodes.map(() => 0),
    counters: {},
    nodeCounters: {},
    marks: [],
    assumptions: [],
  };
}

function emptyPhase(name: string): PhaseResult {
  return {
    name,
    rows: { from: 0, until: 0 },
    timeNs: 0,
    accessNs: 0,
    faultNs: 0,
    refaultNs: 0,
    migrationNs: 0,
    lostNs: 0,
    settledNs: 0,
    accessesLocal: 0,
    accessesRemote: 0,
    missesLocal: 0,
    missesRemote: 0,
    missesZeroPage: 0,
    faults: {},
    migration: { tried: 0, done: 0, failed: {} },
    swap: { slots: 0, written: 0, read: 0 },
    pagesPerNode: [],
  };
}

/** File name without folder and `.parquet`. */
function traceNameOf(path: string): string {
  return path.replace(/^.*[/\\]/, '').replace(/\.parquet$/, '');
}
