import type { Constant } from './constants.js';
import type { ExecuteHeld, Progress, RunRequest } from '../run/index.js';
import type { RunResult } from '../stats/index.js';

export interface ProbeParts {
  /** The comparison, and what came of it, in the same order. */
  readonly requests: readonly RunRequest[];
  readonly results: readonly RunResult[];
  readonly execute: ExecuteHeld;
  /** Told how many runs come next, and what for. @returns who is told of their rows */
  readonly announce: (runs: number, what: string) => Progress;
}

/** One value of one constant. */
interface Probe {
  readonly constant: Constant;
  readonly value: number;
}

/** What carries out probes: the runs named, or all; results in the order of the probes. */
export type ProbeRuns = (
  probes: readonly { readonly probe: Probe; readonly runs: readonly string[] }[],
  what: string,
) => Promise<RunResult[][]>;

/**
 * Probes as runs. Runs that came to the same in the comparison, to the last figure, are carried out once for all of them.
 * At the value used, and where the constant enters nothing that a run did, its result is that of the comparison.
 */
export function makeProbeRuns({ requests, results, execute, announce }: ProbeParts): {
  probeRuns: ProbeRuns;
  carriedOut: () => number;
} {
  const likeness = new Map<string, number>();
  const like = results.map((result, i) => {
    if (requests[i].options.order === 'clocks') return i; // what happens depends on the costs
    const { run, policy, nodes, profile, assumptions, attainable, policyAttainable, actions, ...figures } = result;
    const key = JSON.stringify([figures, actions.map(({ action, ...came }) => came)]);
    return likeness.get(key) ?? (likeness.set(key, i), i);
  });
  const placeOf = (run: string) => results.findIndex((result) => result.run === run);
  let count = 0;

  const probeRuns: ProbeRuns = async (probes, what) => {
    const wanted: RunRequest[] = [];
    const plan = probes.map(({ probe: { constant, value }, runs }) => {
      const places = new Map<number, number>();
      return runs.map((run) => {
        const place = placeOf(run);
        if (value === constant.used || !constant.enters(results[place])) return () => results[place];
        const source = like[place];
        const at = places.get(source) ?? wanted.push(constant.vary(requests[source], value)) - 1;
        places.set(source, at);
        return (done: readonly RunResult[]) => as(results[place], done[at]);
      });
    });
    count += wanted.length;
    const done = wanted.length === 0 ? [] : await execute(wanted, announce(wanted.length, what));
    return plan.map((takers) => takers.map((take) => take(done)));
  };
  return { probeRuns, carriedOut: () => count };
}

/** The figures of `done` under the name of the run that is like it. */
function as({ run, policy, nodes, attainable, policyAttainable, profile }: RunResult, done: RunResult): RunResult {
  return done.run === run ? done : { ...done, run, policy, nodes, profile, attainable, policyAttainable };
}
