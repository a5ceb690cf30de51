import { DEMO_TRACE } from '../../src/cli/bundled.js';
import { loadMachine } from '../../src/cli/load-machine.js';
import { DEFAULT_MACHINE } from '../../src/hardware/index.js';
import { mustHold } from '../../src/prove/index.js';
import { DEFAULT_OPTIONS, executeRuns, parseRun, type RunRequest } from '../../src/run/index.js';
import { DEMO_ROWS } from '../demo-rows.js';
import type { BenchCase, Prepared } from '../question.js';

const RUNS = ['default', 'default+lazy@threads', 'interleave=all'];

/**
 * What does a run on the bundled trace take per row, all in all: its thread, reading, passes beforehand, replay? And how long
 * is it until the first rows have been replayed (`first-row`)?
 */
export const cases: readonly BenchCase[] = [
  ...RUNS.map((run): BenchCase => ({
    name: run === 'default' ? 'replay-trace' : `replay-trace:${run}`,
    unit: 'row',
    reference: null,
    loop: DEMO_ROWS,
    isAsync: true,
    make: () => wholeRuns(run),
  })),
  { name: 'first-row', unit: 'call', reference: null, loop: 1, isAsync: true, make: firstRows },
];

async function requestFor(run: string): Promise<RunRequest> {
  const machine = await loadMachine(DEFAULT_MACHINE);
  return { tracePath: DEMO_TRACE, spec: parseRun(run), machine, seed: 1, options: DEFAULT_OPTIONS };
}

async function wholeRuns(run: string): Promise<Prepared> {
  const request = await requestFor(run);
  let unfinished = 0;
  return {
    prepare: () => undefined,
    async run() {
      const [result] = await executeRuns([request], () => undefined, new AbortController().signal);
      if (result.outcome.kind !== 'done') unfinished++;
    },
    verify() {
      mustHold(unfinished === 0, `${String(unfinished)} runs did not end well`);
    },
  };
}

async function firstRows(): Promise<Prepared> {
  const request = await requestFor('default');
  let ended: Promise<unknown> = Promise.resolve();
  return {
    prepare: () => ended.then(() => undefined),
    run: () =>
      new Promise<void>((resolve) => {
        const stop = new AbortController();
        const onRows = () => {
          resolve();
          stop.abort();
        };
        ended = executeRuns([request], onRows, stop.signal).catch(() => undefined);
      }),
    verify: () => undefined,
  };
}
