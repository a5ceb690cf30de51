import { Worker } from 'node:worker_threads';
import { MmError, ModelBug } from '../errors.js';
import { openTrace } from '../trace/readers/index.js';
import { expectedBytes, makeSharedTrace, type SharedTrace } from '../trace/shared/index.js';
import type { Trouble } from './worker-message.js';

/** A trace that is being read, or has been, into memory for several runs. */
export interface HeldTrace {
  readonly trace: SharedTrace;
  /** Settles once its thread is gone. @throws MmError for a mistake in the trace; ModelBug, or whatever ended the thread */
  readonly reading: Promise<void>;
  /** Nobody needs the rest. */
  stop(): void;
}

/**
 * Starts to read a trace into shared memory, in a thread of its own.
 *
 * @param limitBytes how much it may take
 * @returns null: it would take more, so each run has to read the file itself
 * @throws MmError if it is no trace
 */
export async function holdTrace(path: string, limitBytes: number, signal: AbortSignal): Promise<HeldTrace | null> {
  const source = await openTrace(path);
  try {
    return expectedBytes(source.rows) > limitBytes ? null : startReading(makeSharedTrace(source), signal);
  } finally {
    source.close();
  }
}

function startReading(trace: SharedTrace, signal: AbortSignal): HeldTrace {
  const worker = new Worker(new URL('./trace-reader.js', import.meta.url), { workerData: trace });
  const stop = () => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  const reading = new Promise<void>((resolve, reject) => {
    let problem: Error | null = null;
    worker.on('message', (trouble: Trouble) => (problem = errorOf(trouble)));
    worker.on('error', (error: Error) => (problem ??= error));
    worker.on('exit', () => {
      signal.removeEventListener('abort', stop);
      if (problem === null) resolve();
      else reject(problem);
    });
  });
  return { trace, reading, stop };
}

function errorOf(trouble: Trouble): Error {
  if (trouble.kind === 'mistake') return new MmError(trouble.code, trouble.message);
  const bug = new ModelBug(trouble.message); // no plug-in runs in that thread
  bug.stack = trouble.stack;
  return bug;
}
