import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { MmError, ModelBug } from '../errors.js';
import type { RunResult } from '../stats/index.js';
import { failedResult } from './failed-result.js';
import { isPluginName } from './parse-policy.js';
import type { Progress, RunRequest } from './run-request.js';
import type { WorkerMessage } from './worker-message.js';

/** A plug-in that lets no row pass for this long is taken to loop without end. Bundled policies are not watched. */
const PLUGIN_SILENCE_MS = 120_000;

/**
 * Carries out the runs, each in a worker thread of its own, at most as many at once as the machine has processors.
 * A run that crashes, or whose plug-in loops, becomes a result with outcome `failed`; the others go on.
 *
 * @returns results in the order of `requests`
 * @throws MmError of the first run that was given bad input; ModelBug if the model found itself broken;
 *   `signal.reason` on abort. In each case all workers have been stopped.
 */
export async function executeRuns(
  requests: readonly RunRequest[],
  onProgress: Progress,
  signal: AbortSignal,
): Promise<RunResult[]> {
  const results: RunResult[] = [];
  const stop = new AbortController();
  const eitherSignal = AbortSignal.any([signal, stop.signal]);
  let next = 0;
  const lane = async () => {
    while (next < requests.length) {
      const run = next++;
      results[run] = await executeRun(
        requests[run],
        (rows) => {
          onProgress(run, rows);
        },
        eitherSignal,
      );
    }
  };
  const lanes = Array.from({ length: Math.min(availableParallelism(), requests.length) }, lane);
  try {
    await Promise.all(lanes);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(lanes);
    throw error;
  }
  return results;
}

/** One run in one worker. Settles only once the thread is gone. */
async function executeRun(
  request: RunRequest,
  onRows: (rows: number) => void,
  signal: AbortSignal,
): Promise<RunResult> {
  signal.throwIfAborted();
  // Its output would tear the table or the progress bar: what a plug-in prints goes to stderr.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: request, stdout: true });
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
