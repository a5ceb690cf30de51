import { open as openFile } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { tableFromIPC, type Table as ArrowTable } from '@uwdata/flechette';
import { ParquetFile } from 'parquet-wasm/node';
import { orTrap } from './wasm-trap.js';
import { BATCH_ROWS, batchFrom, COLUMN_BITS, type ColumnName, type TraceBatch } from '../batch.js';
import { makeRowCheck } from '../check-rows.js';
import type { Sidecar } from '../sidecar-schema.js';
import type { TraceReader, TraceSource } from '../trace-source.js';
import { bugOn, MmError } from '../../errors.js';

/**
 * Traces as Parquet files, read row group by row group: memory holds one group at a time, never the file.
 * What the library allocates outside JavaScript's heap is given back here, by hand.
 */
export const parquetReader: TraceReader = { suffix: '.parquet', magic: 'PAR1', open };

const COLUMNS = Object.keys(COLUMN_BITS) as ColumnName[];
/** After the data: the footer, its length in 4 bytes, and the magic again. */
const TAIL_BYTES = 8;

/** Typed arrays by width: what the library gives for an unsigned column. */
interface ArrayOfBits {
  8: Uint8Array;
  16: Uint16Array;
  32: Uint32Array;
}
type ColumnArray<Name extends ColumnName> = ArrayOfBits[(typeof COLUMN_BITS)[Name]];

/** @throws MmError BAD_TRACE if it is no Parquet file, truncated, damaged, or not of this shape; BAD_SIDECAR if the row counts differ */
async function open(path: string, sidecar: Sidecar): Promise<TraceSource> {
  const footerAt = await findFooter(path);
  const file = await readingFrom(path, async () => ParquetFile.fromFile(await openAsBlob(path)));
  try {
    checkColumns(path, file);
    const groupRows = rowsOfGroups(path, file, footerAt);
    const rows = groupRows.reduce((sum, groupSize) => sum + groupSize, 0);
    if (rows === 0) throw new MmError('BAD_TRACE', `${path} has no rows; expected at least one access`);
    if (rows !== sidecar.rows)
      throw new MmError(
        'BAD_SIDECAR',
        `${path} has ${String(rows)} rows, but its sidecar says ${String(sidecar.rows)}`,
      );
    return makeSource(path, sidecar, file, groupRows, rows);
  } catch (error) {
    file.free();
    throw error;
  }
}

function makeSource(path: string, sidecar: Sidecar, file: ParquetFile, groupRows: number[], rows: number): TraceSource {
  let closed = false;
  /** Reads under way. One that failed may never let go of the file, which then cannot be given back: it stays counted. */
  let reads = 0;

  async function* batches({ fromRow = 0 }: { readonly fromRow?: number } = {}): AsyncGenerator<TraceBatch> {
    const check = makeRowCheck(sidecar, path);
    let groupStart = 0;
    for (let group = 0; group < groupRows.length; group++) {
      const groupEnd = groupStart + groupRows[group];
      if (fromRow < groupEnd) {
        for (const batch of await batchesOfGroup(group, groupStart)) {
          if (fromRow >= batch.firstRow + batch.rows) continue;
          const wanted = batchFrom(batch, Math.max(0, fromRow - batch.firstRow));
          check(wanted);
          yield wanted;
        }
      }
      groupStart = groupEnd;
    }
  }

  async function batchesOfGroup(group: number, groupStart: number): Promise<TraceBatch[]> {
    bugOn(closed, 'pass over a closed trace');
    const options = { rowGroups: [group], columns: COLUMNS, batchSize: BATCH_ROWS };
    reads++;
    const read = await readingFrom(path, () => file.read(options));
    reads--;
    return toBatches(path, tableFromIPC(read.intoIPCStream()), groupStart); // consumes the library's copy
  }

  return {
    name: sidecar.name,
    path,
    sidecar,
    rows,
    batchCount: groupRows.reduce((sum, groupSize) => sum + Math.ceil(groupSize / BATCH_ROWS), 0),
    batches,
    close() {
      if (!closed && reads === 0) file.free();
      closed = true;
    },
  };
}

/** The library's record batches as they are, their columns being views. */
function toBatches(path: string, table: ArrowTable, groupStart: number): TraceBatch[] {
  for (const name of COLUMNS)
    if (table.getChild(name).nullCount > 0)
      throw new MmError(
        'BAD_TRACE',
        `${path}: column "${name}" has empty values after row ${String(groupStart)}; expected none`,
      );

  const batches: TraceBatch[] = [];
  let firstRow = groupStart;
  table.getChild('quantum').data.forEach(({ length: rows }, k) => {
    const column = <Name extends ColumnName>(name: Name) => table.getChild(name).data[k].values as ColumnArray<Name>;
    batches.push({
      firstRow,
      rows,
      quantum: column('quantum'),
      tid: column('tid'),
      page: column('page'),
      op: column('op'),
      count: column('count'),
      miss: column('miss'),
    });
    firstRow += rows;
  });
  return batches;
}

/** Offset of the footer. Tells apart what is no Parquet file and what lost its end. */
async function findFooter(path: string): Promise<number> {
  const file = await openFile(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) throw new MmError('BAD_TRACE', `${path} is empty; expected a Parquet file`);
    const head = await bytesAt(0, Math.min(size, 4));
    if (head.toString('latin1') !== parquetReader.magic)
      throw new MmError(
        'BAD_TRACE',
        `${path} is not a Parquet file: it begins with ${JSON.stringify(head.toString('latin1'))}, not with "PAR1"`,
      );
    const tail = await bytesAt(Math.max(4, size - TAIL_BYTES), TAIL_BYTES);
    const footerAt = size - TAIL_BYTES - (tail.length < TAIL_BYTES ? size : tail.readUInt32LE(0));
    if (tail.toString('latin1', 4) !== parquetReader.magic || footerAt < 4) throw truncated(path);
    return footerAt;

    async function bytesAt(position: number, length: number): Promise<Buffer> {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function checkColumns(path: string, file: ParquetFile): void {
  const { fields } = tableFromIPC(file.schema().intoIPCStream()).schema;
  for (const name of COLUMNS) {
    const bits = COLUMN_BITS[name];
    const field = fields.find((candidate) => candidate.name === name);
    if (field === undefined) {
      const names = fields.map((candidate) => candidate.name).join(', ');
      throw new MmError(
        'BAD_TRACE',
        `${path} has no column "${name}" (uint${String(bits)}); it has ${names || 'none'}`,
      );
    }
    const is = typeName(field.type);
    if (is !== `uint${String(bits)}`)
      throw new MmError('BAD_TRACE', `${path}: column "${name}" is of type ${is}; expected uint${String(bits)}`);
  }
}

function typeName(type: ArrowTable['schema']['fields'][number]['type']): string {
  if ('signed' in type && 'bitWidth' in type) return `${type.signed ? '' : 'u'}int${String(type.bitWidth)}`;
  return ARROW_NAMES[type.typeId] ?? `Arrow type ${String(type.typeId)}`;
}

/** Arrow's numbers for the types that a writer is most likely to have used instead. */
const ARROW_NAMES: Readonly<Record<number, string>> = {
  [-1]: 'dictionary',
  3: 'float',
  4: 'binary',
  5: 'text',
  6: 'boolean',
  7: 'decimal',
};

/** Rows of each row group. The groups must fit in front of the footer, or a part of the file is gone. */
function rowsOfGroups(path: string, file: ParquetFile, footerAt: number): number[] {
  const metadata = file.metadata();
  const groups = metadata.rowGroups();
  const rows = groups.map((group) => group.numRows());
  const bytes = groups.reduce((sum, group) => sum + group.compressedSize(), parquetReader.magic.length);
  for (const group of groups) group.free();
  metadata.free();
  if (bytes > footerAt) throw truncated(path);
  return rows;
}

function truncated(path: string): MmError {
  return new MmError(
    'BAD_TRACE',
    `${path} is truncated: the end of a Parquet file is missing; record or copy it again`,
  );
}

/** Runs a call of the library; what it throws becomes one line about the file. */
async function readingFrom<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await orTrap(work);
  } catch (error) {
    const [complaint] = (error instanceof Error ? error.message : String(error)).split(/[\r\n]/);
    throw new MmError(
      'BAD_TRACE',
      `${path} is damaged and cannot be read as Parquet (${complaint}); record or copy it again`,
    );
  }
}
