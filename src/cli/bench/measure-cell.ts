import { Worker } from 'node:worker_threads';
import { MmError, type MmErrorCode } from '../../errors.js';
import type { CellAnswer, CellRequest, CellResult } from './cell.js';

/** A cell that was measured, or why there is nothing to measure. */
export type Cell = CellRequest & ({ readonly result: CellResult } | { readonly leftOut: string });

/**
 * Measures one cell in a worker of its own: a machine is only fast as long as it is alone in its isolate.
 *
 * @throws MmError for what a person got wrong; `signal.reason` on abort; what the worker threw
 */
export async function measureCell(request: CellRequest, signal: AbortSignal): Promise<Cell> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: request });
  const stop = () => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answer = await new Promise<CellAnswer>((resolve, reject) => {
      let said: CellAnswer | null = null;
      worker.on('message', (message: CellAnswer) => {
        said = message;
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        if (said !== null) resolve(said);
        else reject(signal.reason as Error);
      });
    });
    if (answer.kind === 'mistake') throw new MmError(answer.code as MmErrorCode, answer.message);
    return answer.kind === 'measured' ? { ...request, result: answer.result } : { ...request, leftOut: answer.why };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
