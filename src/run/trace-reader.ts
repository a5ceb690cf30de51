import { parentPort, workerData } from 'node:worker_threads';
import { fillSharedTrace, type SharedTrace } from '../trace/shared/index.js';
import { openTrace } from '../trace/readers/index.js';
import { troubleOf } from './worker-message.js';

/** The body of the thread that decodes a trace for all runs. It ends when all blocks are there, or says what is wrong. */
const shared = workerData as SharedTrace;
try {
  const source = await openTrace(shared.path);
  await fillSharedTrace(shared, source);
  source.close();
} catch (error) {
  parentPort?.postMessage(troubleOf(error));
}
