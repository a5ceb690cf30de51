import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchCase, ReferenceCase } from './question.js';
import type { Sampled } from './worker.js';

const execute = promisify(execFile);
const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

export interface MeasureOptions {
  readonly pages: number;
  /** Time per process that is sampled; half as much before it warms up. */
  readonly timeMs: number;
  /** Processes per case. */
  readonly rounds: number;
  /** The reference program, or null. */
  readonly reference: string | null;
}

/** One row of the table. All in ns per access, fault or what `unit` says; medians over the rounds. */
export interface Measured {
  readonly name: string;
  readonly unit: BenchCase['unit'];
  readonly ns: number;
  readonly referenceNs: number | null;
  /** `ns` / `referenceNs`. */
  readonly ratio: number | null;
  /** Quartiles over the samples of a process, medians over the rounds. */
  readonly p25: number;
  readonly p75: number;
  /** Median of each round. */
  readonly rounds: readonly number[];
  readonly referenceRounds: readonly number[];
  readonly samples: number;
}

/**
 * Measures a case: in each round a process of the reference, one of the engine and one of the reference again, so that both
 * see the same mood of the machine.
 */
export async function measure(
  { name, unit, reference: asked }: BenchCase,
  { pages, timeMs, rounds, reference }: MeasureOptions,
): Promise<Measured> {
  const engine: Sampled[] = [];
  const native: number[] = [];
  const runReference = async () => {
    if (reference !== null && asked !== null) native.push(await referenceNs(reference, asked, pages, timeMs / 2));
  };
  for (let round = 0; round < rounds; round++) {
    await runReference();
    engine.push(await engineNs(WORKER, name, pages, timeMs));
    await runReference();
  }
  const ns = median(engine.map((sampled) => sampled.ns));
  const ofReference = native.length === 0 ? null : median(native);
  return {
    ...{ name, unit, ns, referenceNs: ofReference, ratio: ofReference === null ? null : ns / ofReference },
    p25: median(engine.map((sampled) => sampled.p25)),
    p75: median(engine.map((sampled) => sampled.p75)),
    rounds: engine.map((sampled) => sampled.ns),
    referenceRounds: native,
    samples: engine.reduce((sum, { samples }) => sum + samples, 0),
  };
}

/** One process of the engine: `worker` of this build or of another one. */
export async function engineNs(worker: string, name: string, pages: number, timeMs: number): Promise<Sampled> {
  const args = [...process.execArgv, worker, name, String(pages), String(timeMs)];
  const { stdout } = await execute(process.execPath, args);
  return JSON.parse(stdout) as Sampled;
}

async function referenceNs(program: string, asked: ReferenceCase, pages: number, timeMs: number): Promise<number> {
  const { name, policy, order = 'random', contents = false, mostPages = pages } = asked;
  const args = [name, policy, String(Math.min(pages, mostPages)), order, contents ? '1' : '0', String(timeMs)];
  const { stdout } = await execute(program, args);
  return (JSON.parse(stdout) as { ns: number }).ns;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
