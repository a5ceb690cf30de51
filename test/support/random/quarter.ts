import { checkPrograms, reportOf, STEPS_PER_PROGRAM } from './check-programs.js';
import { Coverage } from './coverage.js';
import { KINDS } from './kinds.js';

const PROGRAMS = 150;
/** How often everything has to occur in a quarter: the four together then show each kind a thousand times. */
const TIMES = 250;

/** What a quarter of the random programs of `npm test` came to. */
export interface Quarter {
  /** The report of the first failure, or empty. */
  readonly failure: string;
  readonly steps: number;
  /** What occurred too seldom, with how often it did, or empty. */
  readonly tooRare: string;
}

export const QUARTER_STEPS = PROGRAMS * STEPS_PER_PROGRAM;

/** A quarter of the random programs: one of four that run beside each other. */
export function runQuarter(seed: number): Quarter {
  const coverage = new Coverage();
  const found = checkPrograms({ seed, programs: PROGRAMS }, coverage);
  const tooRare = found === null ? coverage.missing(KINDS, TIMES) : '';
  return { failure: found === null ? '' : reportOf(found), steps: coverage.steps, tooRare };
}
