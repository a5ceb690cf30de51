import { replaySteps, type Failure, type Plant, type Step } from './run-program.js';
import type { Setup } from './setup.js';

/** Steps that may be taken again for it: about half a minute. */
const MOST_STEPS = 500_000;

/** What a failure is, whatever pages and numbers it names. */
const kindOf = (message: string): string => message.replaceAll(/\d+/g, 'n').slice(0, 80);

/**
 * Cuts steps out of a failing program, halves first and single ones last, as long as what is left fails in the same way.
 * Every step makes its choices with numbers of its own, so any part of a program is a program.
 */
export function shrink(setup: Setup, failure: Failure, plant?: Plant): Failure {
  const kind = kindOf(failure.message);
  let smallest = failure;
  let taken = 0;

  function failsWithout(from: number, count: number): boolean {
    if (taken > MOST_STEPS) return false;
    const rest: Step[] = [...smallest.steps.slice(0, from), ...smallest.steps.slice(from + count)];
    taken += rest.length;
    const found = replaySteps(setup, rest, plant);
    if (found === null || kindOf(found.message) !== kind) return false;
    smallest = found;
    return true;
  }

  for (let size = smallest.steps.length >> 1; size >= 1;) {
    let hasShrunk = false;
    for (let from = 0; from < smallest.steps.length;) {
      if (failsWithout(from, size)) hasShrunk = true;
      else from += size;
    }
    if (size > 1) size >>= 1;
    else if (!hasShrunk || taken > MOST_STEPS) break;
  }
  return smallest;
}
