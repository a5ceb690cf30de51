import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC, uint16, uint32, uint8, type DataType } from '@uwdata/flechette';
import { Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm/node';
import type { FileMapping, FileRegion, MemoryRegion, Sidecar, TraceEvent } from '../../src/trace/index.js';

/** One row: quantum, tid, page, op (0 read, 1 write, 2 fetch), count, miss. */
export type Row = readonly [quantum: number, tid: number, page: number, op: number, count: number, miss: number];

export interface TraceToWrite {
  readonly rows: readonly Row[];
  /**
   * What the sidecar says otherwise than `sidecarFor(rows)` would; `undefined` leaves a key out. Broken ones are wanted
   * too, so nothing is checked here.
   */
  readonly sidecar?: Readonly<Record<string, unknown>>;
  /** Rows per row group: small, to have several. */
  readonly groupRows?: number;
  /** Types of columns, where they shall differ from the format's; `null` leaves the column out. */
  readonly columnTypes?: Readonly<Record<string, DataType | null>>;
}

/** Writes `dir`/`name`.parquet and .json. @returns the path of the Parquet file */
export async function writeTrace(dir: string, name: string, trace: TraceToWrite): Promise<string> {
  await mkdir(dir, { recursive: true });
  const sidecar = { ...sidecarFor(trace.rows, name), ...trace.sidecar };
  await writeFile(join(dir, `${name}.json`), JSON.stringify(sidecar));
  const path = join(dir, `${name}.parquet`);
  await writeFile(path, parquetBytes(trace));
  return path;
}

/**
 * The plainest sidecar for rows: one process, every thread created by the lowest, alive throughout, and one anonymous
 * mapping with all pages. Change what a test is about, with `...`.
 */
export function sidecarFor(rows: readonly Row[], name = 'synthetic'): Sidecar {
  const tids = [...new Set(rows.map((row) => row[1]))].sort((a, b) => a - b);
  const pages = 1 + rows.reduce((highest, row) => Math.max(highest, row[2]), 0);
  return {
    format: 'numa-page-trace',
    version: 1,
    name,
    title: 'made by a test',
    page_bytes: 4096,
    rows: rows.length,
    capture: { quantum_accesses: 1024, fold: 'quantum', cache_kib: 256 },
    processes: [
      { pid: 0, name, first_row: 0, last_row: Math.max(0, rows.length - 1), rows: rows.length, truncated: false },
    ],
    threads: tids.map((tid, i) => ({ tid, process: 0, parent: i === 0 ? null : tids[0], start_row: 0, end_row: null })),
    regions: [anonymous({ pages, by_tid: tids[0] ?? 0 })],
    file_mappings: [],
    events: [],
  };
}

/** An anonymous mapping: all of page 0 of the trace, at an address of its own, for the whole trace, unless said otherwise. */
export function anonymous(fields: Partial<MemoryRegion> = {}): MemoryRegion {
  const id = fields.id ?? 0;
  return {
    id,
    kind: 'mmap',
    name: 'anon',
    first_page: 0,
    pages: 1,
    process: 0,
    vaddr: `0x7f${id.toString(16).padStart(2, '0')}00000000`,
    by_tid: 0,
    map_row: 0,
    unmap_row: null,
    ...fields,
  };
}

/** A file in the page cache: its pages from the first on. */
export function file(fields: {
  id: number;
  first_page: number;
  pages: number;
  name?: string;
  file_page?: number;
}): FileRegion {
  return { kind: 'file', name: 'file.dat', file_page: 0, ...fields };
}

/** A shared read-only mapping of a file region for the whole trace. */
export function fileMapping(fields: Partial<FileMapping> & Pick<FileMapping, 'region' | 'pages'>): FileMapping {
  return {
    process: 0,
    vaddr: `0x7e${fields.region.toString(16).padStart(2, '0')}00000000`,
    file_page: 0,
    writable: false,
    shared: true,
    map_row: 0,
    unmap_row: null,
    ...fields,
  };
}

export const output = (row: number, text: string, tid = 0): TraceEvent => ({ row, kind: 'output', tid, text });

const FORMAT_TYPES: readonly (readonly [string, DataType])[] = [
  ['quantum', uint32()],
  ['tid', uint16()],
  ['page', uint32()],
  ['op', uint8()],
  ['count', uint32()],
  ['miss', uint32()],
];

function parquetBytes({ rows, groupRows = 1 << 20, columnTypes = {} }: TraceToWrite): Uint8Array {
  const data: Record<string, number[]> = {};
  const types: Record<string, DataType> = {};
  FORMAT_TYPES.forEach(([name, formatType], place) => {
    const type = columnTypes[name] === undefined ? formatType : columnTypes[name];
    if (type === null) return;
    data[name] = rows.map((row) => row[place]);
    types[name] = type;
  });
  const ipc = tableToIPC(tableFromArrays(data, { types }), { format: 'stream' });
  const properties = new WriterPropertiesBuilder().setMaxRowGroupSize(groupRows).build();
  return writeParquet(Table.fromIPCStream(ipc!), properties); // consumes both
}
