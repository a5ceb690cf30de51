/** One part of what something takes. */
export interface Term {
  readonly name: string;
  readonly ns: number;
  /** How it comes from the constants: `100 pages × 1.5 µs`. */
  readonly formula: string;
  /** Fields of the machine file that it rests on. */
  readonly uses: readonly string[];
}

/** What something takes, and the parts that add up to it. */
export interface Explanation {
  readonly what: string;
  readonly terms: readonly Term[];
  /** The sum of the terms. */
  readonly totalNs: number;
  /** Sentences: what is taken for granted, and what is left out. */
  readonly notes: readonly string[];
}

export function explanation(what: string, terms: readonly Term[], notes: readonly string[] = []): Explanation {
  return { what, terms, totalNs: terms.reduce((sum, { ns }) => sum + ns, 0), notes };
}

/** At most four significant digits: `143.2`, `0.3929`, `12`. */
export const digits = (value: number): string => String(Number(value.toPrecision(4)));

export const inUs = (ns: number): string => `${digits(ns / 1000)} µs`;
