import type { Task } from '../../../src/mm/index.js';
import type { ProgramState } from './program-state.js';
import { NOTHING, type ProcessShadow, WINDOW } from './shadow.js';

/** Four numbers that an operation makes its choices with, each 0 ≤ n < 2^32: valid in any state, so lists can be cut. */
export type Choices = readonly [number, number, number, number];

export interface Operation {
  readonly name: string;
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** @returns whether there was anything to do; a call that found nothing is no step and is not counted */
  run(state: ProgramState, choices: Choices): boolean;
}

const LARGEST_AREA = 18;

export type Range = readonly [at: number, pages: number];

export const rangeOf = (start: number, length: number): Range => {
  const at = start % WINDOW;
  return [at, Math.min(1 + (length % LARGEST_AREA), WINDOW - at)];
};

/** The range reaches a mapped page. */
export const holdsSomething = (process: ProcessShadow, [at, pages]: Range): boolean => {
  for (let i = at; i < at + pages; i++) if (process.object[i] !== NOTHING) return true;
  return false;
};

/** A call of one task on a range that reaches something; its effect on contents is the shadow's. */
export type RangeCall = (
  state: ProgramState,
  process: ProcessShadow,
  task: Task,
  range: Range,
  choice: number,
) => boolean;

/** Draws a process, one of its tasks and a range in which something is mapped. */
export const onRange = (name: string, weight: number, call: RangeCall): Operation => ({
  name,
  weight,
  run(state, [a, b, c, d]: Choices) {
    const process = state.processAt(a);
    if (process === null) return false;
    const range = rangeOf(b, c);
    if (!holdsSomething(process, range)) return false;
    const task = state.taskAt(process, d);
    state.log.task = task;
    return call(state, process, task, range, d >>> 8);
  },
});
