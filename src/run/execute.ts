import { availableParallelism } from 'node:os';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { MmError, ModelBug } from '../errors.js';
import type { RunResult } from '../stats/index.js';
import { failedResult } from './failed-result.js';
import { holdTrace } from './hold-trace.js';
import { isPluginName } from './parse-policy.js';
import type { Progress, RunRequest } from './run-request.js';
import type { RunWork } from './worker.js';
import type { WorkerMessage } from './worker-message.js';

/** A plug-in that lets no row pass for this long is taken to loop without end. Bundled policies are not watched. */
const PLUGIN_SILENCE_MS = 120_000;

export interface ExecuteOptions {
  /** Runs at once, at most; default: as many as there are cores. */
  readonly jobs?: number;
  /** Memory that the decoded trace may take, bytes; default: half of what is available. */
  readonly traceBytes?: number;
  /** Told if the trace takes more than that. */
  readonly onTooLarge?: () => void;
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
  { jobs = availableParallelism() }: ExecuteOptions,
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
        results[run] = await executeRun({ request: requests[run], trace }, onRows, eitherSignal);
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
async function executeRun(work: RunWork, onRows: (rows: number) => void, signal: AbortSignal): Promise<RunResult> {
  signal.throwIfAborted();
  const { request } = work;
  // Its output would tear the table or the progress bar: what a plug-in prints goes to stderr.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: work, stdout: true });
  worker.stdout.pipe(process.stderr, { end: false });
  const stopped = () => void worker.terminate();
  signal.addEventListener('abort', stopped, { once: true });
  const watch = watchSilence(request, worker);
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      let answer: (() => void) | null = null;
      worker.on('message', (message: WorkerMessage) => {
        watch.heard();
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
        else
          resolve(
            failedResult(request, blame(request, watch.verdict() ?? `its thread ended with code ${String(code)}`)),
          );
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
  else resolve(failedResult(request, blame(request, `${message.name}: ${message.message}${placeOf(message.stack)}`)));
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
  const plugins = pluginsOf(spec);
  return plugins.length === 0 ? line : `policy ${plugins.join(', ')}: ${line}`;
}

function pluginsOf(spec: RunRequest['spec']): string[] {
  const names = [spec.policy, ...spec.switches.vmas.map((vma) => vma.policy)].map((policy) => policy.name);
  return [...new Set(names.filter(isPluginName))];
}

/** ` (mine.ts:12:7)`, the first frame of a stack. */
function placeOf(stack: string): string {
  const frame = /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?/.exec(
    stack.split('\n').find((line) => line.trim().startsWith('at ')) ?? '',
  );
  return frame ? ` (${frame[1].replace('file://', '')})` : '';
}

/** Stops a worker whose plug-in has gone silent. */
function watchSilence(request: RunRequest, worker: Worker) {
  let timer: NodeJS.Timeout | undefined;
  let isSilent = false;
  const heard = () => {
    clearTimeout(timer);
    if (pluginsOf(request.spec).length === 0) return;
    timer = setTimeout(() => {
      isSilent = true;
      void worker.terminate();
    }, PLUGIN_SILENCE_MS);
  };
  heard();
  return {
    heard,
    end: () => {
      clearTimeout(timer);
    },
    verdict: () =>
      isSilent ? `no row went by for ${String(PLUGIN_SILENCE_MS / 1000)} s; it seems to loop without end` : null,
  };
}
