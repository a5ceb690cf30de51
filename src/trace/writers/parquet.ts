import { tableFromArrays, tableToIPC, uint16, uint32, uint8, type DataType } from '@uwdata/flechette';
import {
  Compression,
  type RecordBatch,
  Table,
  transformParquetStream,
  WriterPropertiesBuilder,
} from 'parquet-wasm/node';
import { COLUMN_BITS, type ColumnName, type TraceBatch } from '../batch.js';
import type { TraceSource } from '../trace-source.js';
import { bugOn, ModelBug } from '../../errors.js';

/** As in recorded traces: a multiple of the rows of a batch, so that batches are cut at the same rows. */
const GROUP_ROWS = 2 ** 20;
const NAMES = Object.keys(COLUMN_BITS) as ColumnName[];
const TYPE_OF_BITS = { 8: uint8, 16: uint16, 32: uint32 } as const;
const TYPES: Readonly<Record<string, DataType>> = Object.fromEntries(
  NAMES.map((name) => [name, TYPE_OF_BITS[COLUMN_BITS[name]]()]),
);

/**
 * The rows of a trace as the bytes of a Parquet file, piece by piece: memory holds a row group, never the file.
 *
 * @param onRows told from time to time how many rows are through
 */
export async function* parquetBytes(source: TraceSource, onRows: (rows: number) => void): AsyncGenerator<Uint8Array> {
  const batches = source.batches()[Symbol.asyncIterator]();
  const stream = new ReadableStream<RecordBatch>({
    async pull(controller) {
      const next = await batches.next();
      if (next.done === true) {
        controller.close();
        return;
      }
      controller.enqueue(toLibrary(next.value));
      onRows(next.value.firstRow + next.value.rows);
    },
  });
  const properties = new WriterPropertiesBuilder()
    .setMaxRowGroupSize(GROUP_ROWS)
    .setCompression(Compression.SNAPPY)
    .build();
  const bytes = (await transformParquetStream(stream, properties)) as ReadableStream<Uint8Array>; // consumes the properties
  for await (const piece of bytes) yield piece;
}

/** A copy in the library's memory, which the writer consumes. */
function toLibrary(batch: TraceBatch): RecordBatch {
  const columns = Object.fromEntries(NAMES.map((name) => [name, batch[name]]));
  const ipc = tableToIPC(tableFromArrays(columns, { types: TYPES }), { format: 'stream' });
  if (ipc === null) throw new ModelBug('no bytes of a batch');
  const table = Table.fromIPCStream(ipc);
  const [records, ...others] = table.recordBatches();
  bugOn(others.length > 0, 'a batch became several');
  table.free();
  return records;
}
