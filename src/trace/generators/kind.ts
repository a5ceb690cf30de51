import { oneOf, pages, whole, type GeneratorOptions, type ValuesOf } from './option.js';
import type { Phase } from './phase.js';
import type { Area } from './areas.js';
import { MmError } from '../../errors.js';
import { formatPages } from '../../memory-size.js';
import { PAGE_LIMIT } from '../sidecar-schema.js';

/** A page holds so many doubles, and so many cache lines. */
export const PAGE_DOUBLES = 512;
export const PAGE_LINES = 64;

/** What every kind can be told. */
export const COMMON_OPTIONS = {
  size: pages('memory of the data, of all processes together', '64MiB', PAGE_LIMIT / 2, '2TiB'),
  threads: whole('threads of all processes together', '4', 1, 65536),
  processes: whole('processes, each with its part of the threads and of the data', '1', 1, 65536),
  quantum: whole('rows that a thread has before the next one goes on, about', '64', 1, 2 ** 20),
  seed: whole('same seed, same rows', '1', 0, 2 ** 32 - 1),
};

/** Who touches the data first. */
export const FIRST = oneOf(
  'who touches the data first: the first thread of each process, each thread the part it works on, or whose work comes to it',
  ['serial', 'parallel', 'use'],
);
/** Rows of kinds that would go on for ever. */
export const ROWS = whole('rows of all threads together, once the data is there; rounded up', '1000000', 1, 2 ** 40);
export const SWEEPS = whole('how often the data is swept', '3', 1, 100_000);

export type CommonValues = ValuesOf<typeof COMMON_OPTIONS>;

/** What a kind makes of its options: the data, and who does what with it. */
export interface Blueprint {
  /** Page numbers follow each other in this order. */
  readonly areas: readonly Area[];
  readonly phases: readonly Phase[];
}

export interface GeneratorKind {
  readonly name: string;
  readonly about: string;
  /** Its own options, beside the common ones. */
  readonly options: GeneratorOptions;
  /** Common options that are declared otherwise here. */
  readonly initials: Readonly<Record<string, string>>;
  /** @throws MmError BAD_OPTION if the values contradict each other */
  plan(values: Readonly<Record<string, unknown>>): Blueprint;
}

/** Gives the plan its values with their types. */
export function defineKind<Options extends GeneratorOptions>(kind: {
  readonly name: string;
  readonly about: string;
  readonly options: Options;
  readonly initials?: Readonly<Record<string, string>>;
  plan(values: CommonValues & ValuesOf<Options>): Blueprint;
}): GeneratorKind {
  return {
    initials: {},
    ...kind,
    plan: (values) => kind.plan(values as CommonValues & ValuesOf<Options>),
  };
}

/** Threads of each process. @throws MmError if they cannot be equally many */
export function threadsEach({ threads, processes }: CommonValues): number {
  if (threads % processes === 0) return threads / processes;
  throw new MmError(
    'BAD_OPTION',
    `threads=${String(threads)} cannot be dealt out equally to processes=${String(processes)}; give a multiple of it`,
  );
}

/**
 * Pages of each thread in each of `arrays` arrays of equal length: what is left over is not used.
 * @throws MmError if there is not one
 */
export function pagesEach({ size, threads }: CommonValues, arrays = 1): number {
  const each = Math.floor(size / (threads * arrays));
  if (each > 0) return each;
  const parts = arrays === 1 ? '' : ` in each of ${String(arrays)} arrays`;
  throw new MmError(
    'BAD_OPTION',
    `size is ${formatPages(size)}, less than a page for each of ${String(threads)} threads${parts}; expected at least ${formatPages(threads * arrays)}`,
  );
}

/** Pages of each process in one array. */
export const pagesOfProcess = (values: CommonValues, each: number): number => each * threadsEach(values);

/** Rows of each thread, so that all together have at least `rows`. */
export const rowsEach = (rows: number, threads: number): number => Math.ceil(rows / threads);
