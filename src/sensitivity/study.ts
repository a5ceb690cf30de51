import { constantsOf, type Constant } from './constants.js';
import { findChanges } from './find-changes.js';
import { makeProbeRuns, type ProbeParts } from './probe-runs.js';
import { standingOf, timesOf, type Ranking, type Rank } from './rankings.js';
import type { ConstantStudy, Sensitivity, TriedValue } from './sensitivity.js';
import type { RunResult } from '../stats/index.js';

export interface StudyParts extends ProbeParts {
  /** Runs that a user can have, best first; and all that could be best if everything could be had. */
  readonly attainable: Rank;
  readonly all: Rank;
  /** Leaders are told apart from runs that take this share more than they, or less. */
  readonly tie: number;
}

/** An end of a range that is further than this factor from the value used has one more value tried before it. */
const FAR = 2.5;

/**
 * Carries the runs of a comparison out with each constant at both ends of its range, and between where that is far, and looks
 * for the values at which a ranking changes. Each thread's time is close to linear in a constant, and the slowest thread
 * counts: so between two values tried a leader may be overtaken and be first again, but not by much.
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

  const runs = ranked.map(({ run }) => run);
  const values = constants.map(valuesOf);
  const probes = constants.flatMap((constant, i) => values[i].map((value) => ({ probe: { constant, value }, runs })));
  const done = await probeRuns(probes, 'each constant at other values');
  const studies = constants.map((constant, i): Omit<ConstantStudy, 'changes'> & { constant: Constant } => {
    const { name, unit, basis, used, from, until } = constant;
    const tried = values[i].map((value, at) => triedValue(value, done[sum(values.slice(0, i)) + at], rankings));
    return { constant, name, unit, basis, used, from, until, tried };
  });
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

function triedValue(value: number, results: readonly RunResult[], rankings: readonly Ranking[]): TriedValue {
  return { value, standings: rankings.map((ranking) => standingOf(ranking, results)), times: timesOf(results) };
}

/** Ascending. */
function valuesOf({ from, used, until }: Constant): number[] {
  const isFar = (a: number, b: number) => b > a * FAR;
  const below = isFar(from, used) ? [between(from, used)] : [];
  const above = isFar(used, until) ? [between(used, until)] : [];
  return [from, ...below, ...above, until];
}

/** Halfway by ratio; from zero on, by difference. */
const between = (a: number, b: number): number => (a > 0 ? Math.sqrt(a * b) : (a + b) / 2);

const sum = (lists: readonly (readonly number[])[]): number => lists.reduce((all, { length }) => all + length, 0);
