/** What came of varying the constants of a comparison: plain data, written to JSON as it is. */
export interface Sensitivity {
  /** Runs that were carried out for it, beside those of the comparison. */
  readonly runs: number;
  /** What was looked at: the order of the runs that a user can have, and that of all, where another one leads. */
  readonly rankings: readonly { readonly of: RankingOf; readonly leader: string; readonly runs: readonly string[] }[];
  readonly constants: readonly ConstantStudy[];
  /** Constants that enter none of these runs. */
  readonly notVaried: readonly { readonly name: string; readonly why: string }[];
}

export type RankingOf = 'attainable' | 'all';

export interface ConstantStudy {
  readonly name: string;
  /** Of the values: `ns`, `µs`, `GB/s`, or what they are a multiple of. */
  readonly unit: string;
  readonly used: number;
  readonly from: number;
  readonly until: number;
  /** Where the range comes from, in a sentence. */
  readonly basis: string;
  /** What was tried, ascending: the first is `from`, the last `until`. */
  readonly tried: readonly TriedValue[];
  readonly changes: readonly RankingChange[];
}

export interface TriedValue {
  readonly value: number;
  readonly standings: readonly Standing[];
  /** Time of the region of interest of every run that was ranked; null: it did not end. */
  readonly times: readonly { readonly run: string; readonly timeNs: number | null }[];
}

/** The first two of a ranking. */
export interface Standing {
  readonly of: RankingOf;
  readonly first: string;
  readonly second: string | null;
  /** Time of the second over that of the first. */
  readonly lead: number | null;
}

/** The leader of a ranking is overtaken, and further on in the range is behind by more than such runs are told apart. */
export interface RankingChange {
  readonly of: RankingOf;
  /** On which side of the value used. */
  readonly when: 'below' | 'above';
  /** The value at which both take the same time, nearest to the one used: found by interpolation, in further runs. */
  readonly at: number;
  readonly leader: string;
  /** Who is first there. */
  readonly to: string;
}
