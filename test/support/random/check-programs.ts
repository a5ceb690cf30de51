import fc from 'fast-check';
import type { Coverage } from './coverage.js';
import { nameOf, runProgram, type Failure, type Plant } from './run-program.js';
import { programs, type Program } from './setup.js';
import { shrink } from './shrink.js';

/** Steps of one program: long enough that a small machine is full several times over. */
export const STEPS_PER_PROGRAM = 2000;

/** Steps that a report shows, the last ones: a program that could not be cut down is not read in full. */
const MOST_SHOWN = 60;

export interface Trial {
  /** Seed of fast-check: the machines and the programs' own seeds follow from it. */
  readonly seed: number;
  readonly programs: number;
  /** Place of one program, as a failure names it: only that one is run. */
  readonly path?: string;
  readonly plant?: Plant;
  readonly stepsPerProgram?: number;
}

export interface Found {
  readonly program: Program;
  readonly failure: Failure;
  /** What runs it again. */
  readonly command: string;
}

/** Runs random programs, each step checked, until one fails. @returns what was found, or null */
export function checkPrograms(trial: Trial, coverage: Coverage): Found | null {
  const { seed, path, plant, stepsPerProgram = STEPS_PER_PROGRAM } = trial;
  const failures: (readonly [Program, Failure])[] = [];
  const property = fc.property(programs, (program) => {
    const failure = runProgram(program, stepsPerProgram, coverage, plant);
    if (failure !== null) failures.push([program, failure]);
    return failure === null;
  });
  // Shrinking is ours: a smaller seed is no smaller program.
  const options = path === undefined ? { seed, numRuns: trial.programs } : { seed, numRuns: 1, path };
  const details = fc.check(property, { ...options, endOnFailure: true });
  if (!details.failed) return null;
  if (failures.length === 0) throw new Error(fc.defaultReportMessage(details));
  const [program, failure] = failures[0];
  return { program, failure, command: commandFor(details.seed, details.counterexamplePath ?? '0') };
}

/** The failure with as few steps as could be, and the command that runs it again. */
export function reportOf({ program: { setup }, failure, command }: Found, plant?: Plant): string {
  const { message, steps } = shrink(setup, failure, plant);
  return [
    message,
    `machine: ${JSON.stringify(setup)}`,
    `${String(steps.length)} steps are left of ${String(failure.steps.length)}:`,
    ...(steps.length > MOST_SHOWN ? ['  …'] : []),
    ...steps.slice(-MOST_SHOWN).map((step) => `  ${nameOf(step)} (${step.slice(1).join(', ')})`),
    `again: ${command}`,
  ].join('\n');
}

const commandFor = (seed: number, path: string): string => `npm run soak -- --seed ${String(seed)} --path ${path}`;
