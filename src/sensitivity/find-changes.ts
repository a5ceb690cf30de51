import type { Constant } from './constants.js';
import type { ProbeRuns } from './probe-runs.js';
import { timeOf, timesOf, type Ranking } from './rankings.js';
import type { RankingChange, TriedValue } from './sensitivity.js';
import type { RunResult } from '../stats/index.js';

/** Interpolations per change. Time is close to linear in a constant, so few are enough: the last ones confirm. */
const STEPS = 4;
/** What is left of a bracket on either side, at least, when it is cut: so that it shrinks, however the curve bends. */
const MARGIN = 0.02;

interface Studied {
  readonly constant: Constant;
  readonly tried: readonly TriedValue[];
}

/** A leader that is behind at a value that was tried: on the way there, it was overtaken. */
interface Search {
  readonly study: number;
  readonly constant: Constant;
  readonly ranking: Ranking;
  readonly when: RankingChange['when'];
  /** Runs that are ahead of the leader there. */
  readonly rivals: readonly string[];
  /** Between the two it is overtaken. */
  leads: Point;
  behind: Point;
  /** Who is first at `behind`. */
  ahead: string;
}

interface Point {
  readonly value: number;
  /** Time of the leader less that of the fastest rival. */
  readonly behindNs: number;
}

/**
 * Looks for the values at which leaders are overtaken, all searches one step at a time, so that they share the cores.
 *
 * @param results of the comparison
 * @returns per study
 */
export async function findChanges(
  studies: readonly Studied[],
  rankings: readonly Ranking[],
  results: readonly RunResult[],
  tie: number,
  probeRuns: ProbeRuns,
): Promise<RankingChange[][]> {
  const searches = studies.flatMap((study, i) =>
    rankings.flatMap((ranking) => searchesOf(study, i, ranking, results, tie)),
  );
  for (let step = 1; step <= STEPS && searches.length > 0; step++) {
    const probes = searches.map((search) => ({
      probe: { constant: search.constant, value: meeting(search, MARGIN) },
      runs: [search.ranking.leader, ...search.rivals],
    }));
    const done = await probeRuns(probes, `where the ranking changes, step ${String(step)} of ${String(STEPS)}`);
    searches.forEach((search, i) => {
      narrow(search, probes[i].probe.value, done[i]);
    });
  }
  return studies.map((_, i) =>
    searches
      .filter(({ study }) => study === i)
      .map((search) => ({
        ...{ of: search.ranking.of, when: search.when, at: meeting(search, 0) },
        ...{ leader: search.ranking.leader, to: search.ahead },
      })),
  );
}

/** On either side of the value used, up to the first value tried at which the leader is behind. */
function searchesOf(
  { constant, tried }: Studied,
  study: number,
  ranking: Ranking,
  results: readonly RunResult[],
  tie: number,
): Search[] {
  const { used } = constant;
  const atUse: TriedValue = { value: used, standings: [], times: timesOf(results) };
  const sides = [
    { when: 'below', path: [atUse, ...tried.filter(({ value }) => value < used).reverse()] },
    { when: 'above', path: [atUse, ...tried.filter(({ value }) => value > used)] },
  ] as const;
  return sides.flatMap(({ when, path }): Search[] => {
    const first = path.findIndex((at) => isBehind(at, ranking, tie));
    if (first < 0) return [];
    const rivals = rivalsAt(path[first], ranking);
    const point = (at: TriedValue): Point => ({
      value: at.value,
      behindNs: timeAt(at, ranking.leader) - Math.min(...rivals.map((run) => timeAt(at, run))),
    });
    const [leads, behind] = [point(path[first - 1]), point(path[first])];
    return [{ study, constant, ranking, when, rivals, leads, behind, ahead: rivals[0] }];
  });
}

const timeAt = ({ times }: TriedValue, run: string): number =>
  times.find((each) => each.run === run)?.timeNs ?? Infinity;

/** Runs that are ahead of the leader, fastest first. */
function rivalsAt(at: TriedValue, { leader, runs }: Ranking): string[] {
  return runs
    .filter((run) => timeAt(at, run) < timeAt(at, leader))
    .sort((a, b) => timeAt(at, a) - timeAt(at, b) || a.length - b.length);
}

function isBehind(at: TriedValue, ranking: Ranking, tie: number): boolean {
  const [first] = rivalsAt(at, ranking);
  return first !== undefined && timeAt(at, ranking.leader) > timeAt(at, first) * (1 + tie);
}

/** Where the line through both points says that leader and rival take the same time; halfway if one of them did not end. */
function meeting({ leads, behind }: Search, margin: number): number {
  const share = leads.behindNs / (leads.behindNs - behind.behindNs);
  const cut = Number.isFinite(share) ? Math.min(1 - margin, Math.max(margin, share)) : 0.5;
  return leads.value + (behind.value - leads.value) * cut;
}

function narrow(search: Search, value: number, [leader, ...rivals]: readonly RunResult[]): void {
  const [first] = [...rivals].sort((a, b) => nsOf(a) - nsOf(b) || a.run.length - b.run.length);
  const point = { value, behindNs: nsOf(leader) - nsOf(first) };
  if (!(point.behindNs > 0)) {
    search.leads = point;
    return;
  }
  search.behind = point;
  search.ahead = first.run;
}

/** For ever, if it did not end. */
const nsOf = (result: RunResult | undefined): number => (result && timeOf(result)) ?? Infinity;
