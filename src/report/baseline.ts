import { parseRun, printRun } from '../run/index.js';
import type { RunResult } from '../stats/index.js';

/** The run that the others are compared with: plain `default` if it is there and was finished, else the first that was. */
export function baselineOf(results: readonly RunResult[]): RunResult | null {
  const done = results.filter((result) => result.outcome.kind === 'done');
  return done.find((result) => printRun(parseRun(result.run)) === 'default') ?? done[0] ?? null;
}

/** Time of the region of interest over that of the baseline; null when there is none to compare with. */
export function ratioTo(baseline: RunResult | null, result: RunResult): number | null {
  if (!baseline || baseline.region.timeNs === 0 || result.outcome.kind !== 'done') return null;
  return result.region.timeNs / baseline.region.timeNs;
}
