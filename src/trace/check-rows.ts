import { OP_FETCH, type TraceBatch } from './batch.js';
import { RegionMap } from './region-map.js';
import type { Sidecar, TraceThread } from './sidecar-schema.js';
import { MmError } from '../errors.js';

/**
 * A check of rows in order, for one pass: each must make sense alone, follow from the one before, and agree with the
 * sidecar (its thread is known and alive; its page lies in a region that is mapped, in the thread's own process).
 * The usual row costs some comparisons; a change of thread or region is looked up.
 *
 * @returns call it with each batch; throws MmError for the first bad row, which it names
 */
export function makeRowCheck(sidecar: Sidecar, file: string): (batch: TraceBatch) => void {
  const { regions } = sidecar;
  const map = new RegionMap(regions);
  const threads = new Map(sidecar.threads.map((thread) => [thread.tid, thread]));

  let quantum = -1;
  let tid = -1;
  let process = -1;
  let startRow = 0;
  let endRow = 0;
  // The region last touched: pages [firstPage, endPage), there for rows [mapRow, unmapRow), owner -1 for a file.
  let place = -1;
  let firstPage = 0;
  let endPage = 0;
  let mapRow = 0;
  let unmapRow = 0;
  let owner = -1;

  return (batch) => {
    for (let i = 0; i < batch.rows; i++) {
      const row = batch.firstRow + i;
      if (batch.quantum[i] !== quantum || batch.tid[i] !== tid) beginTurn(batch.quantum[i], batch.tid[i], row);
      if (row < startRow || row >= endRow) outsideThread(row);
      const page = batch.page[i];
      if (page < firstPage || page >= endPage) enterRegion(page, row);
      if (row < mapRow || row >= unmapRow || (owner !== process && owner >= 0)) outsideRegion(page, row);
      const count = batch.count[i];
      if (count === 0) bad(row, 'count is 0', 'at least 1');
      if (batch.miss[i] > count) bad(row, `miss is ${String(batch.miss[i])}`, `at most its count, ${String(count)}`);
      if (batch.op[i] > OP_FETCH) bad(row, `op is ${String(batch.op[i])}`, '0 (read), 1 (write) or 2 (fetch)');
    }
  };

  function beginTurn(nextQuantum: number, nextTid: number, row: number): void {
    if (nextQuantum < quantum) bad(row, `quantum ${String(nextQuantum)} follows ${String(quantum)}`, 'no decrease');
    if (nextQuantum === quantum)
      bad(
        row,
        `quantum ${String(quantum)} has threads ${String(tid)} and ${String(nextTid)}`,
        'one thread per quantum',
      );
    quantum = nextQuantum;
    if (nextTid !== tid) enterThread(nextTid, row);
  }

  function enterThread(nextTid: number, row: number): void {
    const thread: TraceThread | undefined = threads.get(nextTid);
    if (thread === undefined) return disagrees(row, `has thread ${String(nextTid)}`, 'does not exist');
    tid = nextTid;
    process = thread.process;
    startRow = thread.start_row;
    endRow = thread.end_row ?? Infinity;
  }

  function enterRegion(page: number, row: number): void {
    place = map.regionOfPage(page);
    if (place < 0) return disagrees(row, `has page ${String(page)}`, 'lies in no region');
    const region = regions[place];
    firstPage = region.first_page;
    endPage = firstPage + region.pages;
    mapRow = region.kind === 'file' ? 0 : region.map_row;
    unmapRow = region.kind === 'file' ? Infinity : (region.unmap_row ?? Infinity);
    owner = region.kind === 'file' ? -1 : region.process;
  }

  function outsideThread(row: number): void {
    disagrees(row, `has thread ${String(tid)}`, `runs from row ${String(startRow)} until ${rowOrEnd(endRow)}`);
  }

  function outsideRegion(page: number, row: number): void {
    const what = `region ${String(regions[place].id)}`;
    const why =
      owner >= 0 && owner !== process
        ? `is in ${what} of process ${String(owner)}, not of the thread's process ${String(process)}`
        : `is in ${what}, mapped from row ${String(mapRow)} until ${rowOrEnd(unmapRow)}`;
    disagrees(row, `has page ${String(page)}`, why);
  }

  function bad(row: number, is: string, expected: string): never {
    throw new MmError('BAD_TRACE', `${file}: row ${String(row)}: ${is}; expected ${expected}`);
  }

  function disagrees(row: number, has: string, butSidecar: string): never {
    throw new MmError('BAD_SIDECAR', `${file}: row ${String(row)} ${has}, which by the sidecar ${butSidecar}`);
  }
}

const rowOrEnd = (row: number): string => (row === Infinity ? 'the end' : String(row));
