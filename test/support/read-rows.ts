import type { TraceSource } from '../../src/trace/index.js';
import type { Row } from './write-trace.js';

/** Rows [from, until) of a trace. */
export async function readRows(source: TraceSource, from = 0, until = source.rows): Promise<Row[]> {
  const read: Row[] = [];
  for await (const { firstRow, rows, quantum, tid, page, op, count, miss } of source.batches({ fromRow: from })) {
    for (let i = 0; i < rows && firstRow + i < until; i++)
      read.push([quantum[i], tid[i], page[i], op[i], count[i], miss[i]]);
    if (firstRow + rows >= until) break;
  }
  return read;
}

/** Columns of a row. */
export const [QUANTUM, TID, PAGE, OP] = [0, 1, 2, 3];
