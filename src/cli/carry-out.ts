import { DEMO_TRACE } from './bundled.js';
import { EXIT } from './exit-codes.js';
import { loadMachine } from './load-machine.js';
import { reserveOutputFile } from './output-file.js';
import { progressBar, type ProgressBar } from './progress.js';
import { replayOptions, type ReplayFlags } from './replay-flags.js';
import type { Shell } from './shell.js';
import { expectTwoFiles, reserveTraceLog } from './trace-log-option.js';
import { wiringText } from './wiring.js';
import { MmError } from '../errors.js';
import type { MachineDescription } from '../hardware/index.js';
import { attainableRuns, comparisonJson, thinkableRuns, TIE, type ReportContext } from '../report/index.js';
import { executeRuns, holdingTrace, parseRun, type ExecuteHeld, type RunRequest } from '../run/index.js';
import { studyRanking, type Sensitivity } from '../sensitivity/index.js';
import type { RunResult } from '../stats/index.js';
import { openTrace } from '../trace/readers/index.js';
import type { Sidecar } from '../trace/index.js';

/** Runs that are ready to go: everything a person could have got wrong before the first row has been checked. */
export interface Plan {
  readonly requests: readonly RunRequest[];
  readonly rows: number;
  readonly context: ReportContext;
}

/** Takes the words of the command line apart: TRACE (none with `--demo`), then RUNs. */
export function traceAndRuns(
  words: readonly string[],
  flags: ReplayFlags,
): { tracePath: string; runs: readonly string[] } {
  if (flags.demo) return { tracePath: DEMO_TRACE, runs: words };
  if (words.length === 0) throw new MmError('BAD_OPTION', 'no TRACE is given; try --demo for the bundled one');
  return { tracePath: words[0], runs: words.slice(1) };
}

/** @param runsFor the RUNs, once it is known what the trace holds */
export async function plan(
  tracePath: string,
  runsFor: (sidecar: Sidecar) => readonly string[],
  flags: ReplayFlags,
): Promise<Plan> {
  const options = replayOptions(flags);
  const machine = await loadMachine(flags.machine);
  checkMemory(flags, machine);
  const trace = await openTrace(tracePath);
  trace.close();
  const specs = runsFor(trace.sidecar).map(parseRun);
  return {
    requests: specs.map((spec) => ({ tracePath, spec, machine, seed: flags.seed, options })),
    rows: trace.rows,
    context: { trace: trace.name, machine: machine.name, costs: { hitNs: options.hitNs, mlp: options.mlp } },
  };
}

/**
 * Runs the plan and hands its results over: as text or JSON on standard output, as a file, or both.
 *
 * @param report the results as text
 * @returns the exit code
 */
export async function carryOut(
  ready: Plan,
  flags: ReplayFlags,
  shell: Shell,
  report: (results: readonly RunResult[], context: ReportContext) => string,
): Promise<number> {
  if (flags.printWiring) {
    for (const request of ready.requests) shell.out(wiringText(request));
    return EXIT.ok;
  }
  expectTwoFiles(flags);
  const file = flags.json === undefined || flags.json === '-' ? null : reserveOutputFile(flags.json);
  const log = flags.trace === undefined ? null : reserveTraceLog(flags.trace);
  const requests = ready.requests.map((request, i) =>
    log === null ? request : { ...request, traceLog: log.part(i, request.spec.text) },
  );
  const { results, sensitivity } = await execute({ ...ready, requests }, flags, shell);
  const context = { ...ready.context, ...(sensitivity && { sensitivity }) };
  log?.finish();
  shell.out(flags.json === '-' ? comparisonJson(results, context) : report(results, context));
  file?.write(comparisonJson(results, context));
  return results.every((result) => result.outcome.kind === 'done') ? EXIT.ok : EXIT.runFailed;
}

/** With a progress bar where there is a terminal. */
async function execute(
  { requests, rows }: Plan,
  flags: ReplayFlags,
  shell: Shell,
): Promise<{ results: RunResult[]; sensitivity?: Sensitivity }> {
  const rounds = 'times' in flags.repeat ? flags.repeat.times : null;
  let bar: ProgressBar | null = null;
  const nextBar = (runs: number) => {
    bar?.end();
    bar = progressBar(shell.terminal, rounds === null ? null : rows * rounds * runs);
    return bar.onProgress;
  };
  const options = {
    ...(flags.jobs !== undefined && { jobs: flags.jobs }),
    onTooLarge: () => shell.terminal?.('The trace is larger than the memory for it: each run reads the file itself.\n'),
  };
  try {
    if (!flags.sensitivity)
      return { results: await executeRuns(requests, nextBar(requests.length), shell.signal, options) };
    const both = async (executeHeld: ExecuteHeld) => {
      const results = await executeHeld(requests, nextBar(requests.length));
      const sensitivity = await studyRanking({
        ...{ requests: requests.map(({ traceLog: _, ...request }) => request), results, execute: executeHeld },
        ...{ attainable: attainableRuns, all: thinkableRuns, tie: TIE },
        announce(runs, what) {
          const onProgress = nextBar(runs);
          shell.terminal?.(`Sensitivity, ${what}: ${String(runs)} runs\n`);
          return onProgress;
        },
      });
      return { results, sensitivity };
    };
    return await holdingTrace(requests[0].tracePath, both, shell.signal, options);
  } finally {
    (bar as ProgressBar | null)?.end();
  }
}

function checkMemory({ memory }: ReplayFlags, machine: MachineDescription): void {
  const last = machine.nodes.length - 1;
  for (const { node } of memory) {
    if (node <= last) continue;
    throw new MmError(
      'BAD_NODES',
      `--memory names node ${String(node)}, but ${machine.name} has nodes 0 to ${String(last)}`,
    );
  }
}
