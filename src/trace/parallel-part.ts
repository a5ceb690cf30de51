import type { TraceSource } from './trace-source.js';

/**
 * First row of a second thread: where the parallel part begins, and with it the region of interest unless another is
 * asked for. Reads no further than that row.
 *
 * @returns null if one thread has all rows
 */
export async function firstParallelRow(source: TraceSource): Promise<number | null> {
  let first = -1;
  for await (const { firstRow, rows, tid } of source.batches()) {
    if (first < 0) first = tid[0];
    for (let i = 0; i < rows; i++) if (tid[i] !== first) return firstRow + i;
  }
  return null;
}
