import type { RunResult } from '../stats/index.js';

export interface Assumption {
  readonly text: string;
  /** The runs that it was made in; null: in all of them. */
  readonly runs: readonly string[] | null;
}

/** What the results rest on, each sentence once, in the order in which it first comes. */
export function assumptionsOf(results: readonly RunResult[]): Assumption[] {
  const told = results.filter((result) => result.assumptions.length > 0);
  const runsOf = new Map<string, string[]>();
  for (const result of told) {
    for (const text of new Set(result.assumptions)) {
      const runs = runsOf.get(text) ?? [];
      runs.push(result.run);
      runsOf.set(text, runs);
    }
  }
  return [...runsOf].map(([text, runs]) => ({ text, runs: runs.length === told.length ? null : runs }));
}
