import { uint16s, uint32s, uint8s } from '../../arrays.js';
import { makeAccessLoop, Tally } from '../../engine/index.js';
import { BATCH_ROWS, type TraceBatch } from '../../trace/index.js';
import { NO_PAGE } from '../../units.js';
import { BENCH_NODES, type Bed } from './bed.js';
import { mustHold, type Case } from './case.js';

/**
 * Swap-cache faults: pages that were unmapped lazily are read once each by their threads, as rows of a trace. They lie where their policy wants them,
 * or, `misplaced`, elsewhere: then each fault moves its page.
 */
export function swapCacheFaults(bed: Bed, misplaced: boolean): Case {
  const { machine, pages } = bed;
  const { counters } = machine;
  const touch = makeTouch(bed);
  let at = 0;
  let made = 0;
  // A round beforehand: what it touches for the first time the system gives only now.
  bed.place(misplaced);
  bed.unmapLazily();
  finish();
  return {
    prepare(count) {
      if (at + count <= pages) return;
      mustHold(count <= pages, `${String(pages)} pages are too few for ${String(count)} faults`);
      finish();
      if (misplaced) bed.place(true);
      bed.unmapLazily();
      at = 0;
    },
    run(count) {
      touch(at, at + count);
      at += count;
      made += count;
    },
    verify() {
      const faulted = counters.get('fault_swap');
      mustHold(faulted === made, `${String(faulted)} swap-cache faults, ${String(made)} accesses`);
      mustHold(counters.get('fault_swap_major') === 0, 'pages were read from the device');
      const moved = counters.get('mof_migrate_done');
      mustHold(moved === (misplaced ? made : 0), `${String(moved)} of ${String(made)} pages were migrated`);
    },
  };

  /** Pages of the last round that nobody came to: only all of them together can be unmapped again. */
  function finish(): void {
    made += pages - at;
    touch(at, pages);
    at = pages;
  }
}

/** Touches [from, until) of the bed's sequence, through the loop that replays traces. */
function makeTouch({ machine, tasks, touchTask, touchPage, ids, pages }: Bed): (from: number, until: number) => void {
  const nothingElse = { resolve: () => NO_PAGE, filePage: () => null };
  const loop = makeAccessLoop({ machine, memory: nothingElse, tally: new Tally(BENCH_NODES) });
  const rows = Math.min(pages, BATCH_ROWS);
  const ones = uint32s(rows).fill(1);
  const columns = { quantum: uint32s(rows), tid: uint16s(rows), op: uint8s(rows), count: ones, miss: ones };
  const batches = Array.from({ length: Math.ceil(pages / rows) }, (_, i): TraceBatch => {
    const page = touchPage.subarray(i * rows, (i + 1) * rows);
    return { ...columns, firstRow: i * rows, rows: page.length, page };
  });
  let loaded = -1;

  return (from, until) => {
    for (let i = from; i < until;) {
      const at = Math.floor(i / rows);
      if (at !== loaded) loop.load(batches[(loaded = at)]);
      const start = at * rows;
      const thread = touchTask[i];
      let end = i + 1;
      while (end < until && end < start + rows && touchTask[end] === thread) end++;
      loop.run(i - start, end - start, tasks[thread], 0, ids);
      i = end;
    }
    mustHold(loop.failedRow() < 0, `row ${String(loop.failedRow())} failed`);
  };
}
