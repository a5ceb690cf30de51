import { cachedFrame, type Task } from '../../mm/index.js';
import { OP_WRITE, type TraceBatch } from '../../trace/index.js';
import { NO_PFN, type NodeId, type PageId, type Pfn } from '../../units.js';
import type { AccessLoop } from './access-loop.js';
import type { Machine } from '../machine.js';
import type { TraceMemory } from './trace-memory.js';

/** One row of the trace on the page that is watched. */
export interface WatchedRow {
  readonly row: number;
  readonly tid: number;
  readonly task: Task;
  /** Time before the row, and after it. */
  readonly beforeNs: number;
  readonly afterNs: number;
  readonly isWrite: boolean;
  readonly count: number;
  readonly misses: number;
  /** Page number of its address, -1 if it was reached by a call. */
  readonly vpn: number;
  /** Node of the page afterwards, mapped or in the page cache; -1 if it is in no frame. */
  readonly node: NodeId | -1;
}

/** Where a page is: in a frame, which somebody maps or only the page cache has. */
export interface PagePlace {
  readonly frame: Pfn;
  readonly node: NodeId;
  readonly isMapped: boolean;
}

export interface PageWatch {
  /** The page by its number in the trace. */
  readonly page: number;
  /** The address that the page has in a process is about to be used. */
  at(vpn: number): void;
  row(row: WatchedRow): void;
  /** Rows of this thread follow. */
  thread(task: Task, tid: number): void;
  /** Handed over once: where the page cache has the page, at the time of asking; null if nowhere. */
  cache(find: () => PagePlace | null): void;
}

/** The same loop, which stops before and after each row that touches one page. Loops that watch nothing pay nothing. */
export function watchLoop(loop: AccessLoop, machine: Machine, memory: TraceMemory, watch: PageWatch): AccessLoop {
  const { tables, frames, meter } = machine;
  const { page } = watch;

  function inCache(): PagePlace | null {
    const target = memory.filePage(page);
    const frame = target === null ? NO_PFN : cachedFrame(target.file, target.index);
    return frame === NO_PFN ? null : { frame, node: frames.nodeOf(frame), isMapped: frames.mapcount(frame) > 0 };
  }
  watch.cache(inCache);

  let loaded: TraceBatch | null = null;

  function watched(batch: TraceBatch, i: number, task: Task, process: number, ids: Int32Array): void {
    const id = ids[page] > 0 ? ids[page] : memory.resolve(process, page, task);
    const vpn = id > 0 ? tables.vpnOf(id as PageId) : -1;
    if (vpn >= 0) watch.at(vpn);
    const beforeNs = meter.nowNs;
    loop.run(i, i + 1, task, process, ids);
    const isMapped = id > 0 && tables.isPresent(id as PageId);
    watch.row({
      ...{ row: batch.firstRow + i, tid: batch.tid[i], task, beforeNs, afterNs: meter.nowNs },
      ...{ isWrite: batch.op[i] === OP_WRITE, count: batch.count[i], misses: batch.miss[i], vpn },
      node: isMapped ? frames.nodeOf(tables.word[id] as Pfn) : (inCache()?.node ?? -1),
    });
  }

  return {
    ...loop,
    load(next) {
      loaded = next;
      loop.load(next);
    },
    run(from, until, task, process, ids) {
      if (loaded === null) return;
      const batch = loaded;
      let start = from;
      watch.thread(task, batch.tid[from]);
      for (let i = from; i < until; i++) {
        if (batch.page[i] !== page) continue;
        if (start < i) loop.run(start, i, task, process, ids);
        if (loop.failedRow() >= 0) return;
        watched(batch, i, task, process, ids);
        if (loop.failedRow() >= 0) return;
        start = i + 1;
      }
      if (start < until) loop.run(start, until, task, process, ids);
    },
  };
}
