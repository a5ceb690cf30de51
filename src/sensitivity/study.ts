import { constantsOf, type Constant } from './constants.js';
import { findChanges } from './find-changes.js';
import { makeProbeRuns, type ProbeParts } from './probe-runs.js';
import { standingOf, timesOf, type Ranking, type Rank } from './rankings.js';
import type { ConstantStudy, EndOfRange, Sensitivity } from './sensitivity.js';
import type { RunResult } from '../stats/index.js';

export interface StudyParts extends ProbeParts {
  /** Runs that a user can have, best first; and all that could be best if everything could be had. */
  readonly attainable: Rank;
  readonly all: Rank;
  /** Leaders are told apart from runs that take this share more than they, or less. */
  readonly tie: number;
}

/**
 * Carries the runs of a comparison out with each constant at both ends of its range, and looks for the values at which a
 * ranking changes. Time is close to linear in each constant, so who leads at both ends and in between leads everywhere.
 *
 * @throws what `execute` throws
 */
export async function studyRanking(parts: StudyParts): Promise<Sensitivity> {
  const { requests, results } = parts;
  const rankings = rankingsOf(parts);
  if (rankings.length === 0) return { runs: 0, rankings: [], constants: [], notVaried: [] };
  const ranked = results.filter(({ run }) => rankings.some(({ runs }) => runs.includes(run)));
  const all = constantsOf(requests[0]);
  const constants = all.filter((constant) => ranked.some((result) => constant.enters(result)));
  const { probeRuns, carriedOut } = makeProbeRuns(parts);

  const names = ranked.map(({ run }) => run);
  const ends = constants.flatMap((constant) =>
    [constant.from, constant.until].map((value) => ({ probe: { constant, value }, runs: names })),
  );
  const atEnds = await probeRuns(ends, 'both ends of each range');
  const studies = constants.map((constant, i): Omit<ConstantStudy, 'changes'> & { constant: Constant } => ({
    constant,
    ...{ name: constant.name, unit: constant.unit, basis: constant.basis },
    ...{ used: constant.used, from: constant.from, until: constant.until },
    ends: [endOf(constant.from, atEnds[2 * i], rankings), endOf(constant.until, atEnds[2 * i + 1], rankings)],
  }));
  const changes = await findChanges(studies, rankings, results, parts.tie, probeRuns);
  return {
    runs: carriedOut(),
    rankings: rankings.map(({ of, leader, runs }) => ({ of, leader, runs })),
    constants: studies.map(({ constant: _, ...study }, i) => ({ ...study, changes: changes[i] })),
    notVaried: all
      .filter((constant) => !constants.includes(constant))
      .map(({ name, otherwise }) => ({ name, why: otherwise })),
  };
}

/** Those with someone to lose to. The ranking of all counts only if another leads it: else it is the first. */
function rankingsOf({ results, attainable, all }: StudyParts): Ranking[] {
  const ranking = (of: Ranking['of'], rank: Rank): Ranking => {
    const runs = rank(results).map(({ run }) => run);
    return { of, rank, runs, leader: runs.at(0) ?? '' };
  };
  const [first, second] = [ranking('attainable', attainable), ranking('all', all)];
  return [first, second].filter(
    ({ of, leader, runs }) => runs.length > 1 && (of === 'attainable' || leader !== first.leader),
  );
}

function endOf(value: number, results: readonly RunResult[], rankings: readonly Ranking[]): EndOfRange {
  return { value, standings: rankings.map((ranking) => standingOf(ranking, results)), times: timesOf(results) };
}
