import { availableParallelism } from 'node:os';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { MmError, ModelBug, placeInStack } from '../errors.js';
import { newAsked, readAsked, underWay, type Asked } from '../policy/index.js';
import type { RunResult } from '../stats/index.js';
import { failedResult } from './failed-result.js';
import { holdTrace } from './hold-trace.js';
import { isPluginName } from './parse-policy.js';
import type { Progress, RunRequest } from './run-request.js';
import type { RunWork } from './worker.js';
import type { WorkerMessage } from './worker-message.js';

/** A plug-in that takes this long for one answer is taken not to return. Bundled policies are not watched. */
const ANSWER_MS = 20_000;

export interface ExecuteOptions {
  /** Runs at once, at most; default: as many as there are cores. */
  readonly jobs?: number;
  /** Memory that the decoded trace may take, bytes; default: half of what is available. */
  readonly traceBytes?: number;
  /** Told if the trace takes more than that. */
  readonly onTooLarge?: () => void;
  /** A policy that is not bundled and takes longer for one answer ends its run, ms. */
  readonly answerMs?: number;
}

/** Carries out runs on the trace that is held, @returns their results in the order of the requests. */
export type ExecuteHeld = (requests: readonly RunRequest[], onProgress: Progress) => Promise<RunResult[]>;

/**
 * Carries out the runs, each in a worker thread of its own, at most `jobs` at once. Their trace is decoded once, by one more
 * thread, into memory that all share; the results are those of runs that read the file themselves. A single run, too, is better
 * off so: reading Parquet grows a WebAssembly memory, and from then on V8 looks at each use of any array of the same thread whether
 * its memory is still there, which takes a fifth of the time of a fault (bench/README.md).
 * A run that crashes, or whose plug-in loops, becomes a result with outcome `failed`; the others go on.
 *
 * @param requests on one trace
 * @returns results in the order of `requests`
 * @throws MmError of the trace or of the first run that was given bad input; ModelBug if the model found itself broken;
 *   `signal.reason` on abort. In each case all workers have been stopped.
 */
export async function executeRuns(
  requests: readonly RunRequest[],
  onProgress: Progress,
  signal: AbortSignal,
  options: ExecuteOptions = {},
): Promise<RunResult[]> {
  const all = (execute: ExecuteHeld) => execute(requests, onProgress);
  return requests.length > 1
    ? await holdingTrace(requests[0].tracePath, all, signal, options)
    : await withWorkers(null, all, signal, options);
}

/**
 * Lets `body` carry out runs on one trace, in as many goes as it likes, and decodes the trace once for all of them.
 *
 * @returns what `body` returns
 * @throws as `executeRuns`, and what `body` throws
 */
export async function holdingTrace<Result>(
  tracePath: string,
  body: (execute: ExecuteHeld) => Promise<Result>,
  signal: AbortSignal,
  options: ExecuteOptions = {},
): Promise<Result> {
  const { traceBytes = process.availableMemory() / 2 } = options;
  const stop = new AbortController();
  const held = await holdTrace(tracePath, traceBytes, AbortSignal.any([signal, stop.signal]));
  if (held === null) options.onTooLarge?.();
  const reading = held?.reading ?? Promise.resolve();
  const work = withWorkers(held?.trace ?? null, body, AbortSignal.any([signal, stop.signal]), options);
  try {
    const [result] = await Promise.all([work.finally(held?.stop), reading]);
    return result;
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled([work, reading]);
    throw error;
  }
}

/** Settles only once all workers are gone. */
async function withWorkers<Result>(
  trace: RunWork['trace'],
  body: (execute: ExecuteHeld) => Promise<Result>,
  signal: AbortSignal,
  { jobs = availableParallelism(), answerMs = ANSWER_MS }: ExecuteOptions,
): Promise<Result> {
  return await body(async (requests, onProgress) => {
    const stop = new AbortController();
    const eitherSignal = AbortSignal.any([signal, stop.signal]);
    const results: RunResult[] = [];
    let next = 0;
    const lane = async () => {
      while (next < requests.length) {
        const run = next++;
        const onRows = (rows: number) => {
          onProgress(run, rows);
        };
        results[run] = await executeRun({ request: requests[run], trace }, onRows, eitherSignal, answerMs);
      }
    };
    const lanes = Array.from({ length: Math.min(jobs, requests.length) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(lanes);
      throw error;
    }
    return results;
  });
}

/** One run in one worker. Settles only once the thread is gone. */
async function executeRun(
  { request: asGiven, trace }: RunWork,
  onRows: (rows: number) => void,
  signal: AbortSignal,
  answerMs: number,
): Promise<RunResult> {
  signal.throwIfAborted();
  const asked = newAsked();
  const request: RunRequest = { ...asGiven, asked };
  // Its output would tear the table or the progress bar: what a plug-in prints goes to stderr.
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { request, trace } satisfies RunWork,
    stdout: true,
  });
  worker.stdout.pipe(process.stderr, { end: false });
  const stopped = () => void worker.terminate();
  signal.addEventListener('abort', stopped, { once: true });
  const watch = watchAnswers(asked, worker, answerMs);
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      let answer: (() => void) | null = null;
      worker.on('message', (message: WorkerMessage) => {
        if (message.kind === 'progress') onRows(message.rows);
        else
          answer = () => {
            settle(request, message, resolve, reject);
          };
      });
      worker.on('error', (error: Error) => {
        answer ??= () => {
          resolve(failedResult(request, blame(request, error.message)));
        };
      });
      worker.on('exit', (code) => {
        if (answer) answer();
        else if (signal.aborted) reject(signal.reason as Error);
        else resolve(failedResult(request, verdict(request, code, watch.isLate())));
      });
    });
  } finally {
    watch.end();
    signal.removeEventListener('abort', stopped);
  }
}

function settle(
  request: RunRequest,
  message: Exclude<WorkerMessage, { kind: 'progress' }>,
  resolve: (result: RunResult) => void,
  reject: (error: Error) => void,
): void {
  if (message.kind === 'result') resolve(message.result);
  else if (message.kind === 'mistake') reject(new MmError(message.code, message.message));
  else if (message.name === 'ModelBug') reject(modelBug(request, message.message, message.stack));
  else if (message.name === 'MmError')
    resolve(failedResult(request, message.message)); // names its plug-in already
  else
    resolve(failedResult(request, blame(request, `${message.name}: ${message.message}${placeInStack(message.stack)}`)));
}

/** A broken invariant is a bug of this program, whatever the run: its stack is kept for the report of it. */
function modelBug(request: RunRequest, message: string, stack: string): ModelBug {
  const bug = new ModelBug(`${message}, in run "${request.spec.text}"`);
  bug.stack = `${bug.name}: ${bug.message}\n${stack.split('\n').slice(1).join('\n')}`;
  return bug;
}

/** One line that names the run's plug-ins, if it has any. */
function blame({ spec }: RunRequest, what: string): string {
  const line = what.replace(/\s*\n\s*/g, ' ');
  const plugins = [...new Set(policiesOf(spec).filter(isPluginName))];
  return plugins.length === 0 ? line : `policy ${plugins.join(', ')}: ${line}`;
}

/** Names of the run's policies, in the order in which `Asked` counts them. */
function policiesOf({ policy, switches }: RunRequest['spec']): string[] {
  return [policy, ...switches.vmas.map((vma) => vma.policy)].map(({ name }) => name);
}

/** Why a thread ended without a word: stopped in a question, or by the policy that was being asked. */
function verdict(request: RunRequest, code: number, isLate: boolean): string {
  const { asked, spec } = request;
  if (asked === undefined || underWay(asked) === 0) return blame(request, `its thread ended with code ${String(code)}`);
  const { which, text } = readAsked(asked);
  const policy = policiesOf(spec)[which];
  return `policy ${policy}: ${text} ${isLate ? 'does not return' : `ended its thread with code ${String(code)}`}`;
}

/** Stops a worker whose plug-in does not come back from a question. */
function watchAnswers(asked: Asked, worker: Worker, answerMs: number) {
  let [seen, isLate] = [0, false];
  const timer = setInterval(() => {
    const now = underWay(asked);
    if (now !== 0 && now === seen) {
      isLate = true;
      clearInterval(timer);
      void worker.terminate();
    }
    seen = now;
  }, answerMs);
  return {
    end: () => {
      clearInterval(timer);
    },
    isLate: () => isLate,
  };
}
