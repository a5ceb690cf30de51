import { parseRun } from '../../src/run/index.js';
import type { ActionResult, PhaseResult, RunResult } from '../../src/stats/run-result.js';

const MS = 1e6;

/** A phase of 1 M accesses, 100,000 of them misses, whose time follows from the share of remote ones. */
export function phase(part: Partial<PhaseResult> & { remote?: number }): PhaseResult {
  const { remote = 0.5, ...rest } = part;
  return {
    name: 'region',
    rows: { from: 49161, until: 540746 },
    timeNs: 10 * MS,
    accessNs: 36 * MS,
    faultNs: 3 * MS,
    refaultNs: 0,
    migrationNs: 0,
    lostNs: 0,
    settledNs: 0,
    accessesLocal: 1_000_000 * (1 - remote),
    accessesRemote: 1_000_000 * remote,
    missesLocal: 100_000 * (1 - remote),
    missesRemote: 100_000 * remote,
    missesZeroPage: 0,
    faults: { anon: 102 },
    migration: { tried: 0, done: 0, failed: {} },
    swap: { slots: 0, written: 0, read: 0 },
    pagesPerNode: [60, 42],
    ...rest,
  };
}

/** A finished run that a user can have; `part` says what is different. */
export function result(run: string, part: Partial<RunResult> = {}): RunResult {
  const { policy, switches } = parseRun(run);
  const region = part.region ?? phase({});
  return {
    run,
    policy: policy.name,
    nodes: policy.nodes === null ? '' : '0-1',
    profile: switches.profile,
    machine: 'two-nodes',
    trace: 'mini',
    seed: 1,
    attainable: true,
    policyAttainable: true,
    outcome: { kind: 'done' },
    whole: { ...region, name: 'whole', rows: { from: 0, until: 540746 } },
    region,
    regionRows: { from: 49161, until: 540746 },
    phases: [region],
    actions: [],
    pagesPerNode: region.pagesPerNode,
    counters: { pgfault: 102, pgalloc_normal: 12_345_678 },
    nodeCounters: { numa_hit: [60, 42], numa_miss: [0, 0] },
    marks: [{ row: 49158, text: 'init done', atNs: 2.5 * MS, movingNs: 0 }],
    assumptions: ['a hit costs 1 ns', 'page copies at 5 GB/s'],
    ...part,
  };
}

/** Takes `ms` milliseconds, `remote` of its misses remote. */
export const timed = (run: string, ms: number, remote = 0.5, part: Partial<RunResult> = {}): RunResult =>
  result(run, { region: phase({ timeNs: ms * MS, accessNs: ms * 3.6 * MS, remote }), ...part });

export const lazyAction: ActionResult = {
  action: 'lazy@threads',
  row: 49161,
  process: 0,
  ownNs: 45_000,
  pagesTouched: 66,
  note: '',
};

/** A run in which a hook moved 66 pages. */
export function lazyRun(ms: number): RunResult {
  const migration = { tried: 70, done: 66, failed: { c1_mapped: 3, would_copy: 2, m5a_count: 1 } };
  const region = phase({ timeNs: ms * MS, accessNs: ms * 3.6 * MS, remote: 0.01, migration, migrationNs: 0.2 * MS });
  return result('default+lazy@threads', {
    attainable: false,
    region,
    phases: [
      phase({ name: 'start', rows: { from: 0, until: 49161 }, timeNs: 3 * MS, remote: 0 }),
      { ...region, name: 'lazy@threads' },
    ],
    actions: [lazyAction],
    assumptions: ['a hit costs 1 ns', 'lazy needs swap'],
  });
}

export const failed = (run: string, message: string): RunResult =>
  timed(run, 0, 0, { outcome: { kind: 'failed', message }, assumptions: [] });
