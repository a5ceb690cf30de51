import { replayTrace } from '../../src/engine/index.js';
import { parseMachine, type MachineDescription } from '../../src/hardware/index.js';
import { attainableRuns, thinkableRuns, TIE } from '../../src/report/index.js';
import type { RunRequest } from '../../src/run/index.js';
import { studyRanking, type Sensitivity } from '../../src/sensitivity/index.js';
import type { RunResult } from '../../src/stats/index.js';
import { requestFor } from '../engine/replay/replays.js';
import { sidecarFor, writeTrace, type Row } from '../support/write-trace.js';

/** Two nodes whose memory never fills up: what a row takes is hits and idle latencies, and nothing else. */
const TWO_NODES: MachineDescription = parseMachine(
  JSON.stringify({
    name: 'two-nodes',
    nodes: [{ cpus: 1, memory: '64MiB', repeat: 2 }],
    latencyNs: { local: 100, remote: 160 },
    bandwidthGbs: { local: 1e6, remote: 5e5 },
    walkNs: 0,
  }),
  'two-nodes.json',
);

/**
 * Thread 0 touches ten pages, then both threads read them, at the same time. Thread 0 has 174,000 hits and 1,000 misses, thread
 * 1 has 4,000 hits and 2,000 misses.
 */
export async function writeTwoReaders(dir: string): Promise<string> {
  const first: Row[] = Array.from({ length: 10 }, (_, page) => [page, 0, page, 1, 1, 1]);
  const reads = Array.from({ length: 100 }, (_, i): Row[] => [
    [10 + 2 * i, 1, i % 10, 0, 60, 20],
    [11 + 2 * i, 0, i % 10, 0, 1750, 10],
  ]);
  const rows = [...first, ...reads.flat()];
  const { threads } = sidecarFor(rows);
  const started = threads.map((thread) => (thread.tid === 0 ? thread : { ...thread, start_row: first.length }));
  return writeTrace(dir, 'two-readers', { rows, sidecar: { threads: started } });
}

/** One run after the other, in this thread. */
export async function resultsOf(requests: readonly RunRequest[]): Promise<RunResult[]> {
  const results = [];
  for (const request of requests) results.push(await replayTrace(request, () => undefined));
  return results;
}

/** What comes of varying the constants of runs that have been carried out. */
export function studyOf(requests: readonly RunRequest[], results: readonly RunResult[]): Promise<Sensitivity> {
  const rankers = { attainable: attainableRuns, all: thinkableRuns, tie: TIE };
  const announce = () => () => undefined;
  return studyRanking({ requests, results, execute: resultsOf, announce, ...rankers });
}

export const study = async (requests: readonly RunRequest[]): Promise<Sensitivity> =>
  studyOf(requests, await resultsOf(requests));

/** Runs on that machine, one miss at a time. */
export const requestsFor = (tracePath: string, ...runs: string[]): RunRequest[] =>
  runs.map((run) => requestFor(tracePath, run, { machine: TWO_NODES, options: { mlp: 1 } }));
