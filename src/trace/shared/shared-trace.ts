import { pack, packingOf } from './packed-column.js';
import { COLUMN_BITS, type ColumnName, type TraceBatch } from '../batch.js';
import type { Sidecar } from '../sidecar-schema.js';
import type { TraceSource } from '../trace-source.js';
import { bugOn, MmError } from '../../errors.js';

export const COLUMNS = Object.keys(COLUMN_BITS) as ColumnName[];
const ROW_BYTES = COLUMNS.reduce((bytes, name) => bytes + COLUMN_BITS[name] / 8, 0);
/** Columns of a block begin at multiples of it. */
const ALIGNMENT = 8;

/**
 * An entry of the directory, doubles:
 *
 *   [first row, rows | per column of COLUMNS: offset in `memory`, base, width]
 */
export const ENTRY = { firstRow: 0, rows: 1, columns: 2, perColumn: 3 } as const;
export const ENTRY_LENGTH = ENTRY.columns + COLUMNS.length * ENTRY.perColumn;

/**
 * A trace in memory that threads share: one of them fills it, block after block, and any number read it meanwhile and
 * afterwards. A block is a batch of the file's reader with its columns packed; blocks are never changed once they count
 * as ready. Plain data that crosses to a worker thread without being copied.
 */
export interface SharedTrace {
  readonly name: string;
  readonly path: string;
  readonly sidecar: Sidecar;
  readonly rows: number;
  readonly blocks: number;
  /** [0]: blocks that are ready; waited for and notified. */
  readonly ready: Int32Array<SharedArrayBuffer>;
  readonly directory: Float64Array<SharedArrayBuffer>;
  /** As large as the rows could need; what packing saves is never touched, and costs no memory. */
  readonly memory: SharedArrayBuffer;
}

/** Bytes that so many rows take about, packed: what a size is judged by beforehand. */
export const expectedBytes = (rows: number): number => Math.ceil((rows * ROW_BYTES) / 2);

/** Room for the rows of an open trace, with none of them there yet. */
export function makeSharedTrace({ name, path, sidecar, rows, batchCount }: TraceSource): SharedTrace {
  const padding = batchCount * COLUMNS.length * ALIGNMENT;
  return {
    ...{ name, path, sidecar, rows, blocks: batchCount },
    ready: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    directory: new Float64Array(new SharedArrayBuffer(batchCount * ENTRY_LENGTH * Float64Array.BYTES_PER_ELEMENT)),
    memory: new SharedArrayBuffer(rows * ROW_BYTES + padding),
  };
}

/**
 * Reads a trace into its shared memory and wakes who waits, block by block.
 * @throws MmError of the trace's reader; BAD_TRACE if it is not the trace any more that the memory was made for
 */
export async function fillSharedTrace(shared: SharedTrace, source: TraceSource): Promise<void> {
  if (source.rows !== shared.rows || source.batchCount !== shared.blocks) {
    throw new MmError('BAD_TRACE', `${shared.path} was changed while it was being opened; run the command again`);
  }
  let block = 0;
  let free = 0;
  for await (const batch of source.batches()) {
    bugOn(block === shared.blocks, 'more batches than the reader announced', block);
    free = addBlock(shared, block++, batch, free);
    Atomics.store(shared.ready, 0, block);
    Atomics.notify(shared.ready, 0);
  }
  bugOn(block !== shared.blocks, 'fewer batches than the reader announced', block);
}

/** @returns the first free offset after the block */
function addBlock({ directory, memory }: SharedTrace, block: number, batch: TraceBatch, free: number): number {
  const entry = block * ENTRY_LENGTH;
  directory[entry + ENTRY.firstRow] = batch.firstRow;
  directory[entry + ENTRY.rows] = batch.rows;
  let offset = free;
  COLUMNS.forEach((name, i) => {
    const packing = packingOf(batch[name], batch.rows);
    pack(batch[name], batch.rows, packing, memory, offset);
    directory.set([offset, packing.base, packing.width], entry + ENTRY.columns + i * ENTRY.perColumn);
    offset = Math.ceil((offset + batch.rows * packing.width) / ALIGNMENT) * ALIGNMENT;
  });
  return offset;
}
