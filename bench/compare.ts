import { fileURLToPath } from 'node:url';
import type { Base } from './base.js';
import { engineNs, median, type Measured } from './measure.js';

const OWN_WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

/** One case, here and there. Everything below 1 is faster here. */
export interface Compared {
  readonly name: string;
  readonly baseNs: number;
  readonly ns: number;
  /** Median over the rounds of here / there, each round a process of both; of one run and another: of the ratios to C if both have one. */
  readonly ratio: number;
  /** Least and greatest of the rounds. */
  readonly least: number;
  readonly greatest: number;
}

/** A fresh process of each build per round, the first of which is the other one in every other round. */
export async function compareBuilds(
  name: string,
  base: Extract<Base, { kind: 'built' }>,
  { pages, timeMs, rounds }: { readonly pages: number; readonly timeMs: number; readonly rounds: number },
): Promise<Compared | null> {
  if (!base.names.has(name)) return null;
  const there: number[] = [];
  const here: number[] = [];
  const ofBase = async () => there.push((await engineNs(base.worker, name, pages, timeMs)).ns);
  const ofOwn = async () => here.push((await engineNs(OWN_WORKER, name, pages, timeMs)).ns);
  for (let round = 0; round < rounds; round++) {
    for (const run of round % 2 === 0 ? [ofBase, ofOwn] : [ofOwn, ofBase]) await run();
  }
  const ratios = here.map((ns, round) => ns / there[round]);
  return {
    ...{ name, baseNs: median(there), ns: median(here), ratio: median(ratios) },
    ...{ least: Math.min(...ratios), greatest: Math.max(...ratios) },
  };
}

/** What was measured now beside what was written down: another run, perhaps another machine. */
export function compareRecorded(now: Measured, { recorded }: Extract<Base, { kind: 'recorded' }>): Compared | null {
  const then = recorded.cases.find(({ name }) => name === now.name);
  if (then === undefined) return null;
  const per = now.referenceNs === null || typeof then.ratio !== 'number' ? then.ns : now.referenceNs * then.ratio;
  const ratios = now.rounds.map((ns) => ns / per);
  return {
    ...{ name: now.name, baseNs: then.ns, ns: now.ns, ratio: now.ns / per },
    ...{ least: Math.min(...ratios), greatest: Math.max(...ratios) },
  };
}
