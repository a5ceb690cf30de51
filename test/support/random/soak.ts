import { parseArgs } from 'node:util';
import { checkPrograms, reportOf } from './check-programs.js';
import { Coverage } from './coverage.js';
import { KINDS } from './kinds.js';

const PROGRAMS_PER_ROUND = 10;
const USAGE = 'npm run soak -- [--seed N] [--minutes N] [--programs N] [--path PATH] [--table]\n';

export interface Surroundings {
  write(text: string): void;
  /** ms since whenever. */
  now(): number;
  /** The seed of a soak that is not given one. */
  readonly anySeed: number;
}

/**
 * Random programs for as long as wanted: round after round, each with the next seed. Says how far it is, and ends at
 * the first failure with a short program that fails and the command that runs it again.
 *
 * `--path PATH` runs the one program that a failure named; `--table` shows how often everything occurred.
 * @returns the exit code: 0, 1 for a failure, 2 for arguments it does not know
 */
export function soak(args: readonly string[], { write, now, anySeed }: Surroundings): number {
  const options = optionsOf(args);
  if (options === null) {
    write(USAGE);
    return 2;
  }
  const { minutes, path, programs, table } = options;
  const seed = options.seed ?? anySeed;
  const coverage = new Coverage();
  const start = now();
  const rounds = path === undefined ? Math.ceil((programs ?? Infinity) / PROGRAMS_PER_ROUND) : 1;
  for (let round = 0; round < rounds; round++) {
    const left = programs === undefined ? PROGRAMS_PER_ROUND : programs - round * PROGRAMS_PER_ROUND;
    const trial = {
      seed: seed + round,
      programs: Math.min(PROGRAMS_PER_ROUND, left),
      ...(path === undefined ? {} : { path }),
    };
    const found = checkPrograms(trial, coverage);
    if (found !== null) {
      write(`\n${reportOf(found)}\n`);
      return 1;
    }
    const seconds = (now() - start) / 1000;
    write(`\rseed ${String(trial.seed)}: ${progress(coverage, seconds)}`);
    if (programs === undefined && seconds >= minutes * 60) break;
  }
  write(`\nno failure\n${table ? `${coverage.table(KINDS)}\n` : ''}`);
  return 0;
}

function progress({ steps, programs }: Coverage, seconds: number): string {
  const rate = seconds > 0 ? Math.round(steps / seconds) : 0;
  return `${String(programs)} programs, ${String(steps)} steps, ${String(rate)} steps/s, ${String(Math.round(seconds))} s `;
}

interface Options {
  readonly seed: number | undefined;
  readonly minutes: number;
  readonly programs: number | undefined;
  readonly path: string | undefined;
  readonly table: boolean;
}

function optionsOf(args: readonly string[]): Options | null {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { seed: text, minutes: text, programs: text, path: text, table: { type: 'boolean' } },
    });
    const number = (value: string | undefined) => (value === undefined ? undefined : Number(value));
    const [seed, minutes, programs] = [number(values.seed), number(values.minutes) ?? 10, number(values.programs)];
    if ([seed ?? 0, minutes, programs ?? 1].some((value) => !(value >= 0))) return null;
    return { seed, minutes, programs, path: values.path, table: values.table === true };
  } catch {
    return null;
  }
}
