import { type Meter, PRICE } from '../cost/index.js';
import { type Frames, type Lru, PG_SWAPBACKED } from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import type { NodeId, Pfn } from '../units.js';
import type { Batch } from './batch.js';
import type { PageOut } from './page-out.js';
import { SWAP_CLUSTER_MAX, type Scan } from './scan.js';
import { FLUSH, FREED, type ShrinkPage } from './shrink-list.js';

export interface InactiveParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly batch: Batch;
  readonly pageOut: PageOut;
}

export interface ShrinkInactive {
  /**
   * Looks at up to `count` ≤ 32 pages from the tail of an inactive list. Kernel: shrink_inactive_list().
   * @returns how many it looked at; what was freed, started and written is added to `scan`
   */
  (node: NodeId, list: number, count: number, scan: Scan): number;
}

/** One batch of inactive pages: taken, decided about one by one, the survivors put back in the same order (RC-20). */
export function makeShrinkInactive(parts: InactiveParts, shrinkPage: ShrinkPage): ShrinkInactive {
  const { frames, lru, counters, meter, batch, pageOut } = parts;
  const { pages } = batch;
  const flushed = new Int32Array(SWAP_CLUSTER_MAX);

  return (node, list, count, scan) => {
    lru.drain(scan.cpu);
    const taken = batch.take(node, list, count);
    if (taken === 0) return 0;
    meter.payTimes(scan.account, PRICE.scanPage, taken);
    counters.add(scan.scanCounter, taken);
    let survivors = 0;
    let toFlush = 0;
    for (let i = 0; i < taken; i++) {
      const pfn = pages[i] as Pfn;
      const isFile = !frames.has(pfn, PG_SWAPBACKED);
      counters.inc(isFile ? C.pgscan_file : C.pgscan_anon);
      const outcome = shrinkPage(pfn, scan);
      if (outcome === FREED) {
        counters.inc(isFile ? C.pgsteal_file : C.pgsteal_anon);
        continue;
      }
      if (outcome === FLUSH) flushed[toFlush++] = pfn;
      pages[survivors++] = pfn;
    }
    const freed = taken - survivors;
    counters.add(scan.stealCounter, freed);
    scan.reclaimed += freed;
    for (let i = 0; i < survivors; i++) batch.giveBack(pages[i] as Pfn);
    for (let i = 0; i < toFlush; i++) pageOut.flush(flushed[i] as Pfn);
    scan.started += toFlush;
    return taken;
  };
}
