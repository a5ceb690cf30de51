import type { PhaseResult, RunResult } from '../stats/index.js';

/** The two numbers that no trace tells: cost of a hit, and how many misses are in flight at once. */
export interface CostAssumptions {
  readonly hitNs: number;
  readonly mlp: number;
}

export interface Range {
  readonly from: number;
  readonly until: number;
  /** The whole range tried. */
  readonly isWhole: boolean;
}

const HIT_NS = [0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 10];
const MLP = [1, 1.5, 2, 3, 4, 6, 8, 12, 16];

/**
 * Over which range of each assumption, the other held, `best` stays ahead of `others`. An estimate: the time of a region is
 * taken to grow as the sum over its threads does, and bandwidth is left as contended as it was.
 */
export function rangesOf(
  best: RunResult,
  others: readonly RunResult[],
  used: CostAssumptions,
): { hitNs: Range; mlp: Range } {
  const isAhead = (at: CostAssumptions) => {
    const time = timeAt(best.region, used, at);
    return others.every((other) => time <= timeAt(other.region, used, at));
  };
  return {
    hitNs: widest(HIT_NS, used.hitNs, (hitNs) => isAhead({ ...used, hitNs })),
    mlp: widest(MLP, used.mlp, (mlp) => isAhead({ ...used, mlp })),
  };
}

function timeAt(phase: PhaseResult, used: CostAssumptions, at: CostAssumptions): number {
  const { accessNs, faultNs, migrationNs, timeNs } = phase;
  const sum = accessNs + faultNs + migrationNs;
  if (sum === 0) return timeNs;
  const hits = phase.accessesLocal + phase.accessesRemote - phase.missesLocal - phase.missesRemote;
  const missNs = Math.max(0, accessNs - hits * used.hitNs);
  return (timeNs * (hits * at.hitNs + (missNs * used.mlp) / at.mlp + faultNs + migrationNs)) / sum;
}

/** From `start` outwards as long as `holds`, over the steps of `grid`. */
function widest(grid: readonly number[], start: number, holds: (value: number) => boolean): Range {
  const below = grid.filter((value) => value < start).reverse();
  const above = grid.filter((value) => value > start);
  const last = (steps: readonly number[]) => {
    const end = steps.findIndex((value) => !holds(value));
    return { value: [start, ...steps][end < 0 ? steps.length : end], isEnd: end < 0 };
  };
  const [down, up] = [last(below), last(above)];
  return { from: down.value, until: up.value, isWhole: down.isEnd && up.isEnd };
}
