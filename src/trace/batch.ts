import { uint16s, uint32s, uint8s } from '../arrays.js';

/**
 * Some thousands of consecutive rows of a trace, as columns. A row is one thread's accesses to one page with one kind
 * of operation. Whoever reads a batch may not keep it or its arrays beyond the next one.
 */
export interface TraceBatch {
  /** Number of the first row, counted over the whole trace. */
  readonly firstRow: number;
  /** Rows here: the length of every column. */
  readonly rows: number;
  /** Scheduling quantum: never decreases, and all rows of one quantum belong to one thread. */
  readonly quantum: Uint32Array;
  readonly tid: Uint16Array;
  /** Page as this trace numbers it; the sidecar's regions say what it is. */
  readonly page: Uint32Array;
  /** `OP_READ`, `OP_WRITE` or `OP_FETCH`. */
  readonly op: Uint8Array;
  /** Accesses folded into the row, at least 1. */
  readonly count: Uint32Array;
  /** How many of them missed the thread's private cache, at most `count`. */
  readonly miss: Uint32Array;
}

export const OP_READ = 0;
export const OP_WRITE = 1;
export const OP_FETCH = 2;

/** The columns of a trace and the bits of their unsigned integers, in the order of the format. */
export const COLUMN_BITS = { quantum: 32, tid: 16, page: 32, op: 8, count: 32, miss: 32 } as const;
export type ColumnName = keyof typeof COLUMN_BITS;
export type Columns = Pick<TraceBatch, ColumnName>;

/** Columns to be filled, of `rows` rows. */
export function makeColumns(rows: number): Columns {
  return {
    quantum: uint32s(rows),
    tid: uint16s(rows),
    page: uint32s(rows),
    op: uint8s(rows),
    count: uint32s(rows),
    miss: uint32s(rows),
  };
}

/**
 * Rows per batch, at multiples of it: columns of this length (1.2 MiB together) stay in the CPU's cache while they are used.
 */
export const BATCH_ROWS = 65536;

/** The rows of `batch` from its own index `from` on; shares the columns. */
export function batchFrom(batch: TraceBatch, from: number): TraceBatch {
  if (from === 0) return batch;
  return {
    firstRow: batch.firstRow + from,
    rows: batch.rows - from,
    quantum: batch.quantum.subarray(from),
    tid: batch.tid.subarray(from),
    page: batch.page.subarray(from),
    op: batch.op.subarray(from),
    count: batch.count.subarray(from),
    miss: batch.miss.subarray(from),
  };
}
