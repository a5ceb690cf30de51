import { makeCalls } from '../../engine/index.js';
import { BENCH_NODES, type Bed } from './bed.js';
import { mustHold, type Case } from './case.js';

const MPOL_MF_MOVE = 1 << 1;

/** Pages that move_pages moves to the next node, `batch` per call, in page order. */
export function directMigration(bed: Bed, batch: number): Case {
  const { machine, first, pages, firstVpn } = bed;
  const { movePages } = makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: BENCH_NODES }).pages;
  const { counters } = machine;
  bed.place(false);
  const lists = Array.from({ length: Math.floor(pages / batch) }, (_, list) =>
    Array.from({ length: batch }, (_vpn, i) => firstVpn + list * batch + i),
  );
  const targets = machine.topology.allNodes().map((node) => new Array<number>(batch).fill(node));
  const status = new Array<number | null>(batch).fill(null);
  let list = 0;
  let target = 0;
  let made = 0;
  const moveAll = () => {
    for (const vpns of lists) movePages(first, first, vpns, targets[target], MPOL_MF_MOVE, status);
    target = (target + 1) % BENCH_NODES;
  };
  moveAll(); // together on one node, so that from now on each move is one
  moveAll();
  const movedBefore = counters.get('pgmigrate_success');
  return {
    prepare(count) {
      mustHold(count % batch === 0, `${String(count)} is no multiple of ${String(batch)}`);
      if (list + count / batch <= lists.length) return;
      for (; list < lists.length; list++, made += batch)
        movePages(first, first, lists[list], targets[target], MPOL_MF_MOVE, status);
      list = 0;
      target = (target + 1) % BENCH_NODES;
    },
    run(count) {
      const end = list + count / batch;
      for (; list < end; list++) movePages(first, first, lists[list], targets[target], MPOL_MF_MOVE, status);
      made += count;
    },
    verify() {
      const moved = counters.get('pgmigrate_success') - movedBefore;
      mustHold(moved === made, `${String(moved)} of ${String(made)} pages were moved`);
    },
  };
}

/** Pages that are unmapped lazily, in page order. */
export function lazyUnmapping(bed: Bed): Case {
  const { machine, first, pages } = bed;
  const { lazy, counters } = machine;
  const vma = bed.map();
  bed.touchAll(true);
  let at = 0;
  let made = 0;
  const run = (count: number) => {
    lazy.unmapArea(first, vma, at, count, null);
    at += count;
    made += count;
  };
  const prepare = (count: number) => {
    if (at + count <= pages) return;
    if (at < pages) run(pages - at);
    bed.touchAll(false);
    at = 0;
  };
  run(pages);
  return {
    prepare,
    run,
    verify() {
      const unmapped = counters.get('mof_pages_unmapped');
      mustHold(unmapped === made, `${String(unmapped)} of ${String(made)} pages were unmapped`);
    },
  };
}
