import { parentPort, workerData } from 'node:worker_threads';
import { replaySource, replayTrace } from '../engine/index.js';
import { sharedSource, type SharedTrace } from '../trace/shared/index.js';
import type { RunRequest } from './run-request.js';
import { troubleOf, type WorkerMessage } from './worker-message.js';

/** What the thread of a run is started with. */
export interface RunWork {
  readonly request: RunRequest;
  /** Its trace, or null: it reads the file itself. */
  readonly trace: SharedTrace | null;
}

/**
 * The body of one worker thread: one run, one machine, one isolate. What it has to say goes to run/execute.ts as
 * `WorkerMessage`; a plug-in that kills the thread says nothing, and execute.ts notices the exit.
 */
const { request, trace } = workerData as RunWork;
const port = parentPort;
const say = (message: WorkerMessage) => port?.postMessage(message);
let rowsDone = 0;
const progress = (rows: number) => {
  rowsDone = rows;
  say({ kind: 'progress', rows });
};

try {
  const isStillThere = () => {
    progress(rowsDone); // the reader is slow, not this run
  };
  const result =
    trace === null
      ? await replayTrace(request, progress)
      : await replaySource(sharedSource(trace, isStillThere), request, progress);
  say({ kind: 'result', result });
} catch (error) {
  say(troubleOf(error));
}
