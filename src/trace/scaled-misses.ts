import { uint32s } from '../arrays.js';
import type { TraceBatch } from './batch.js';
import type { TraceSource } from './trace-source.js';

/** The golden ratio's fraction: its multiples, modulo 1, fill the interval evenly, whatever subset of the rows one takes. */
const STEP = 0.6180339887498949;

/**
 * The same trace with `factor` times the misses, at most all accesses of a row. A row's part below one miss becomes a whole
 * one in its share of the rows, decided by the row's number: so each pass gives the same, wherever it begins.
 *
 * @param factor at least 0
 */
export function scaledMisses(source: TraceSource, factor: number): TraceSource {
  return {
    ...source,
    batches: (options) => scaledBatches(source.batches(options), factor),
    close: () => {
      source.close();
    },
  };
}

async function* scaledBatches(batches: AsyncIterable<TraceBatch>, factor: number): AsyncGenerator<TraceBatch> {
  let misses = uint32s(0);
  for await (const batch of batches) {
    const { rows, firstRow, count, miss } = batch;
    if (misses.length < rows) misses = uint32s(rows);
    for (let i = 0; i < rows; i++) {
      const place = (firstRow + i) * STEP;
      const scaled = Math.floor(miss[i] * factor + (place - Math.floor(place)));
      misses[i] = scaled < count[i] ? scaled : count[i];
    }
    yield { ...batch, miss: misses.subarray(0, rows) };
  }
}
