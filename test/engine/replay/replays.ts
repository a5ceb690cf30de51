import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { replayTrace } from '../../../src/engine/index.js';
import type { MachineDescription } from '../../../src/hardware/index.js';
import {
  DEFAULT_OPTIONS,
  parseMomentOption,
  parseRun,
  type ReplayOptions,
  type RunRequest,
} from '../../../src/run/index.js';
import type { RunResult } from '../../../src/stats/index.js';
import { tinyDescription, type TinyOptions } from '../../support/tiny-machine.js';
import { writeTrace, type Row, type TraceToWrite } from '../../support/write-trace.js';

/** Real programs' traces of which the repository has copies. */
export const FIXTURES = [
  'mini-stream-4t',
  'mini-bfs-4t',
  'stream-serial-8t',
  'stream-parallel-8t',
  'filecache-3p',
] as const;
export type FixtureName = (typeof FIXTURES)[number];

const fixture = (path: string): string => fileURLToPath(new URL(`../../fixtures/traces/${path}`, import.meta.url));
const bundled = (path: string): string => fileURLToPath(new URL(`../../../src/data/traces/${path}`, import.meta.url));

export const pathOf = (name: FixtureName): string => (name === 'mini-stream-4t' ? bundled : fixture)(`${name}.parquet`);

/** Remote shares of the misses, to four decimals, computed from the trace by other means. */
export interface StaticShares {
  readonly first_touch: number;
  readonly all_on_node_0: number;
  readonly best_static: number;
}
export interface Facts {
  readonly parallel_from_row: number;
  readonly remote_miss_share: Readonly<Record<string, StaticShares>>;
  readonly remote_miss_share_parallel_part: Readonly<Record<string, StaticShares>>;
}

export async function factsOf(name: FixtureName): Promise<Facts> {
  return (JSON.parse(await readFile(fixture('facts.json'), 'utf8')) as Record<string, Facts>)[name];
}

export interface ReplayOf {
  /** Default: four nodes with one CPU each and room for every fixture. */
  readonly machine?: MachineDescription;
  readonly tiny?: TinyOptions;
  readonly from?: string;
  readonly until?: string;
  readonly options?: Partial<ReplayOptions>;
  readonly seed?: number;
}

/** What `executeRuns` would be asked for: one run of a trace on a small machine. */
export function requestFor(tracePath: string, run: string, of: ReplayOf = {}): RunRequest {
  const { from, until, options, seed = 1 } = of;
  return {
    tracePath,
    spec: parseRun(run),
    machine: of.machine ?? tinyDescription({ framesPerNode: 16_384, cpusPerNode: 2, ...of.tiny }),
    seed,
    options: {
      ...DEFAULT_OPTIONS,
      ...(from === undefined ? {} : { from: parseMomentOption('--from', from) }),
      ...(until === undefined ? {} : { until: parseMomentOption('--until', until) }),
      ...options,
    },
  };
}

export function replay(tracePath: string, run: string, of: ReplayOf = {}): Promise<RunResult> {
  return replayTrace(requestFor(tracePath, run, of), () => undefined);
}

let serial = 0;

/** Writes rows as a trace into `dir` and replays them. */
export async function replayRows(dir: string, trace: TraceToWrite, run: string, of: ReplayOf = {}): Promise<RunResult> {
  return replay(await writeTrace(dir, `t${String(serial++)}`, trace), run, of);
}

/** A row with one access, which misses: quantum, thread, page. */
export const read = (quantum: number, tid: number, page: number, count = 1): Row => [
  quantum,
  tid,
  page,
  0,
  count,
  count,
];
export const write = (quantum: number, tid: number, page: number, count = 1): Row => [
  quantum,
  tid,
  page,
  1,
  count,
  count,
];
