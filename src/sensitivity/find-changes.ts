import type { Constant } from './constants.js';
import type { ProbeRuns } from './probe-runs.js';
import { timeOf, type Ranking } from './rankings.js';
import type { EndOfRange, RankingChange } from './sensitivity.js';
import type { RunResult } from '../stats/index.js';

/** Interpolations per change. Time is close to linear in a constant, so few are enough: the last ones confirm. */
const STEPS = 4;
/** What is left of a bracket on either side, at least, when it is cut: so that it shrinks, however the curve bends. */
const MARGIN = 0.02;

interface Studied {
  readonly constant: Constant;
  readonly ends: readonly [EndOfRange, EndOfRange];
}

/** A leader that is behind at the end of a range: somewhere before, it was overtaken. */
interface Search {
  readonly study: number;
  readonly constant: Constant;
  readonly ranking: Ranking;
  readonly when: RankingChange['when'];
  /** Runs that are ahead of the leader at the end. */
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

function searchesOf(
  { constant, ends }: Studied,
  study: number,
  ranking: Ranking,
  results: readonly RunResult[],
  tie: number,
): Search[] {
  const usedNs = (run: string) => nsOf(results.find((result) => result.run === run));
  return ends.flatMap(({ value, times }, end): Search[] => {
    const endNs = (run: string) => times.find((each) => each.run === run)?.timeNs ?? Infinity;
    const leaderNs = endNs(ranking.leader);
    const rivals = ranking.runs.filter((run) => endNs(run) < leaderNs).sort((a, b) => endNs(a) - endNs(b));
    if (rivals.length === 0 || leaderNs <= endNs(rivals[0]) * (1 + tie)) return [];
    const leads = { value: constant.used, behindNs: usedNs(ranking.leader) - Math.min(...rivals.map(usedNs)) };
    const behind = { value, behindNs: leaderNs - endNs(rivals[0]) };
    const when = end === 0 ? 'below' : 'above';
    return [{ study, constant, ranking, when, rivals, leads, behind, ahead: rivals[0] }];
  });
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
