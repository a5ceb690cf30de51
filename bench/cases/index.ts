/**
 * All cases, in the order of the table: one question per file, and each file's `cases` are its answers by policy or size.
 * Started by bench/worker.ts, each in a process of its own: a machine is only fast as long as it is alone in its isolate.
 */
import type { BenchCase } from '../question.js';
import { cases as tlbHit } from './tlb-hit.js';
import { cases as replayTlbHit } from './replay-tlb-hit.js';
import { cases as missPresent } from './miss-present.js';
import { cases as swapCache } from './swap-cache.js';
import { cases as mixedPolicies } from './mixed-policies.js';
import { cases as faultKinds } from './fault-kinds.js';
import { cases as policyAnswer } from './policy-answer.js';
import { cases as directMigration } from './direct-migration.js';
import { cases as lazyUnmapping } from './lazy-unmapping.js';
import { cases as replayTrace } from './replay-trace.js';
import { cases as readParquet } from './read-parquet.js';
import { cases as startUp } from './start-up.js';
import { cases as scale } from './scale.js';

const QUESTIONS: readonly (readonly BenchCase[])[] = [
  tlbHit,
  replayTlbHit,
  missPresent,
  swapCache,
  mixedPolicies,
  faultKinds,
  policyAnswer,
  directMigration,
  lazyUnmapping,
  replayTrace,
  readParquet,
  startUp,
];

export const CASES: readonly BenchCase[] = QUESTIONS.flat();
/** Measured only if they are named: they take long, and memory. */
export const ASKED_CASES: readonly BenchCase[] = scale;
/** The first case of each question: enough to see that it can be asked. */
export const FIRST_CASES: readonly BenchCase[] = QUESTIONS.map(([first]) => first);

/** @throws Error if there is none of that name */
export function caseNamed(name: string): BenchCase {
  const found = [...CASES, ...ASKED_CASES].find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
}
