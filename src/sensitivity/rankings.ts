import type { RankingOf, Standing, TriedValue } from './sensitivity.js';
import type { RunResult } from '../stats/index.js';

/** The runs of a ranking, best first. */
export type Rank = (results: readonly RunResult[]) => readonly RunResult[];

/** A ranking as it is with the values used. */
export interface Ranking {
  readonly of: RankingOf;
  readonly rank: Rank;
  readonly runs: readonly string[];
  readonly leader: string;
}

/** @param results of all runs that are ranked, with some constant at another value */
export function standingOf({ of, rank, runs }: Ranking, results: readonly RunResult[]): Standing {
  const [first, second] = rank(results.filter(({ run }) => runs.includes(run)));
  return {
    of,
    first: first?.run ?? '',
    second: second?.run ?? null,
    lead: first && second && first.region.timeNs > 0 ? second.region.timeNs / first.region.timeNs : null,
  };
}

export function timesOf(results: readonly RunResult[]): TriedValue['times'] {
  return results.map((result) => ({ run: result.run, timeNs: timeOf(result) }));
}

/** ns; null if it did not end. */
export function timeOf({ outcome, region }: RunResult): number | null {
  return outcome.kind === 'done' ? region.timeNs : null;
}
