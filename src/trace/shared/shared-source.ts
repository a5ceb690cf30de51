import { unpack, type Column } from './packed-column.js';
import { COLUMNS, ENTRY, ENTRY_LENGTH, type SharedTrace } from './shared-trace.js';
import { batchFrom, makeColumns, type ColumnName, type Columns, type TraceBatch } from '../batch.js';
import type { TraceSource } from '../trace-source.js';

/** While the next block is awaited, `onWait` is called this often, ms. */
const WAIT_MS = 5000;

/**
 * A shared trace as a source: the same batches as its file's reader gives, checked already by whoever fills it. A pass waits
 * for blocks that are not there yet, and blocks its thread meanwhile.
 *
 * @param onWait called from time to time while nothing comes
 */
export function sharedSource(shared: SharedTrace, onWait: () => void = () => undefined): TraceSource {
  const { name, path, sidecar, rows, blocks, directory, ready } = shared;

  function awaitBlock(block: number): void {
    for (let there = Atomics.load(ready, 0); there <= block; there = Atomics.load(ready, 0)) {
      if (Atomics.wait(ready, 0, there, WAIT_MS) === 'timed-out') onWait();
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a file's batches are awaited, and so are these
  async function* batches({ fromRow = 0 }: { readonly fromRow?: number } = {}): AsyncGenerator<TraceBatch> {
    const scratch = makeScratch();
    for (let block = 0; block < blocks; block++) {
      awaitBlock(block);
      const entry = block * ENTRY_LENGTH;
      const firstRow = directory[entry + ENTRY.firstRow];
      if (fromRow >= firstRow + directory[entry + ENTRY.rows]) continue;
      yield batchFrom(blockAt(shared, entry, scratch), Math.max(0, fromRow - firstRow));
    }
  }

  return { name, path, sidecar, rows, batchCount: blocks, batches, close: () => undefined };
}

/** Columns that blocks are unpacked into, one after the other; they grow with the longest block. */
function makeScratch(): { columns(rows: number): Columns } {
  let columns: Columns | null = null;
  return {
    columns(rows) {
      if (columns !== null && columns.op.length >= rows) return columns;
      return (columns = makeColumns(rows));
    },
  };
}

function blockAt(
  { directory, memory }: SharedTrace,
  entry: number,
  scratch: ReturnType<typeof makeScratch>,
): TraceBatch {
  const rows = directory[entry + ENTRY.rows];
  const columns = scratch.columns(rows);
  const column = <Kind extends Column>(name: ColumnName, out: Kind): Kind => {
    const at = entry + ENTRY.columns + COLUMNS.indexOf(name) * ENTRY.perColumn;
    const [offset, base, width] = [directory[at], directory[at + 1], directory[at + 2]];
    return unpack({ base, width }, memory, offset, rows, out);
  };
  return {
    firstRow: directory[entry + ENTRY.firstRow],
    rows,
    quantum: column('quantum', columns.quantum),
    tid: column('tid', columns.tid),
    page: column('page', columns.page),
    op: column('op', columns.op),
    count: column('count', columns.count),
    miss: column('miss', columns.miss),
  };
}
