import { parentPort, workerData } from 'node:worker_threads';
import { replayTrace } from '../engine/index.js';
import { MmError } from '../errors.js';
import type { RunRequest } from './run-request.js';
import type { WorkerMessage } from './worker-message.js';

/**
 * The body of one worker thread: one run, one machine, one isolate. What it has to say goes to run/execute.ts as
 * `WorkerMessage`; a plug-in that kills the thread says nothing, and execute.ts notices the exit.
 */
const port = parentPort;
const say = (message: WorkerMessage) => port?.postMessage(message);

try {
  const result = await replayTrace(workerData as RunRequest, (rows) => {
    say({ kind: 'progress', rows });
  });
  say({ kind: 'result', result });
} catch (error) {
  say(troubleOf(error));
}

function troubleOf(error: unknown): WorkerMessage {
  // A policy that answers nonsense costs its own run; every other mistake is in what all runs were given.
  if (error instanceof MmError && error.code === 'BAD_ANSWER') {
    return { kind: 'crash', name: error.name, message: error.message, stack: '' };
  }
  if (error instanceof MmError) return { kind: 'mistake', code: error.code, message: error.message };
  if (!(error instanceof Error)) return { kind: 'crash', name: 'Error', message: String(error), stack: '' };
  return { kind: 'crash', name: error.name, message: error.message, stack: error.stack ?? '' };
}
