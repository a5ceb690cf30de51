import { parentPort, workerData } from 'node:worker_threads';
import { runQuarter } from './quarter.js';

/** A thread that runs one quarter of the random programs, as built: twice as fast as through the test runner's imports. */
parentPort?.postMessage(runQuarter(workerData as number));
