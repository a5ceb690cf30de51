import { makeCheck } from '../../../src/engine/index.js';
import { bugOn, ModelBug } from '../../../src/errors.js';
import type { Mempolicy } from '../../../src/mm/index.js';
import { Random } from '../../../src/random.js';
import { Coverage } from './coverage.js';
import { OPERATIONS } from './operations.js';
import { ProgramState } from './program-state.js';
import type { Program, Setup } from './setup.js';

/** A step as it was taken: which operation, and the choices it made. */
export type Step = readonly [operation: number, a: number, b: number, c: number, d: number];

export interface Failure {
  /** Names the invariant. */
  readonly message: string;
  /** The steps up to and with the one that failed. */
  readonly steps: readonly Step[];
}

/** Breaks a part of the machine on purpose, before the first step. */
export type Plant = (state: ProgramState) => void;

/** Without these a program does nothing. */
const NEEDED = new Set(['new process', 'map private memory', 'read', 'write']);

/**
 * Runs a random program until so many steps were carried out; those that found nothing to do are not counted.
 * After each, every invariant is checked.
 */
export function runProgram(program: Program, stepCount: number, coverage: Coverage, plant?: Plant): Failure | null {
  const random = new Random(program.seed);
  const draws = drawsOf(random);
  const taken: Step[] = [];
  const run = makeRun(program.setup, coverage, plant);
  try {
    for (let done = 0; done < stepCount;) {
      const step: Step = [
        draws[random.below(draws.length)],
        random.next(),
        random.next(),
        random.next(),
        random.next(),
      ];
      taken.push(step);
      if (run.take(step)) done++; // the others stay in the list: looking for something to do may drain a vector
    }
    run.finish();
  } catch (error) {
    return { message: messageOf(error), steps: taken };
  }
  return null;
}

/** The same with steps that are given: what is left of a failure after cutting some out. */
export function replaySteps(setup: Setup, steps: readonly Step[], plant?: Plant): Failure | null {
  const run = makeRun(setup, new Coverage(), plant);
  for (let i = 0; i < steps.length; i++) {
    try {
      run.take(steps[i]);
    } catch (error) {
      return { message: messageOf(error), steps: steps.slice(0, i + 1) };
    }
  }
  return null;
}

/** What a step is called in a report. */
export const nameOf = ([operation]: Step): string => OPERATIONS[operation].name;

/** Operation by draw. Each program leaves some kinds out and likes others more, so that programs differ in what they do. */
function drawsOf(random: Random): number[] {
  return OPERATIONS.flatMap(({ name, weight }, i) => {
    const liking = [0, 1, 1, 2, 4][random.below(5)];
    return Array.from({ length: weight * (NEEDED.has(name) ? Math.max(1, liking) : liking) }, () => i);
  });
}

function messageOf(error: unknown): string {
  if (error instanceof ModelBug) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function makeRun(setup: Setup, coverage: Coverage, plant: Plant | undefined) {
  const state = new ProgramState(setup, coverage);
  const { machine, shadow, log, pins } = state;
  const { frames } = machine;
  plant?.(state);
  const checkMachine = makeCheck(machine);
  const nodes = Array.from({ length: frames.capacity }, (_, pfn) => frames.nodeOf(pfn as never));
  const known = new Set<Mempolicy>();
  let steps = 0;
  coverage.programs++;

  /** INV-17 for policies whose last holder is gone: `checkMachine` cannot find those. */
  function checkPolicies(): void {
    const held = new Set<Mempolicy>();
    const hold = (policy: Mempolicy | null) => policy !== null && held.add(policy);
    for (const task of machine.process.tasks()) hold(task.policy);
    for (const { space } of shadow.processes) for (const vma of space.vmas) hold(vma.policy);
    for (const { file } of shadow.objects) file.forEachPolicy(hold);
    for (const policy of known) {
      if (held.has(policy)) continue;
      bugOn(policy.refs !== 0, 'INV-17: references to a policy that nobody holds', policy.refs);
      known.delete(policy);
    }
    for (const policy of held) known.add(policy);
  }

  function check(): void {
    checkMachine(pins);
    shadow.compare((before, now) => log.moved(before, now));
    log.check();
    checkPolicies();
  }

  return {
    /** @returns whether there was anything to do */
    take([operation, a, b, c, d]: Step): boolean {
      const { name, run } = OPERATIONS[operation];
      log.begin(++steps, null);
      if (!run(state, [a, b, c, d])) return false;
      log.task = null;
      coverage.event(name);
      coverage.steps++;
      check();
      return true;
    },
    finish(): void {
      coverage.addCounters(machine.counters);
      coverage.event('moved by the swap hook', log.movesBy.swap);
      coverage.event('moved by the file hook', log.movesBy.file);
      coverage.event('moved by the shmem hook', log.movesBy.shmem);
      nodes.forEach((node, pfn) =>
        bugOn(frames.nodeOf(pfn as never) !== node, 'INV-16: a frame changed its node', pfn),
      );
    },
  };
}
