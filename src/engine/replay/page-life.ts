import { TraceLog, type TraceEvent } from '../../stats/trace-log/index.js';
import type { Watcher } from '../trace-log-file.js';
import { traceView } from '../trace-view.js';
import type { WatchedRow } from './watched-loop.js';

/** What one thread did with the page, as long as the page lay on one node. */
export interface PageUse {
  readonly tid: number;
  readonly cpu: number;
  readonly cpuNode: number;
  readonly pageNode: number;
  readonly firstRow: number;
  readonly firstNs: number;
  readonly isWrite: boolean;
  rows: number;
  accesses: number;
  misses: number;
}

/** A fault, a call or a stretch of reclaim that had to do with the page, with its steps. */
export interface PageEpisode {
  /** `fault`, the name of a call, or `reclaim`. */
  readonly what: string;
  readonly task: number;
  readonly cpu: number;
  readonly beganNs: number;
  endedNs: number;
  /** Outcome of a fault, result of a call; -1 if it never ended. */
  outcome: number;
  readonly steps: readonly TraceEvent[];
}

/** The life of one page in one run. */
export interface PageLife {
  /** The page by its number in the trace, and its address. */
  readonly page: number;
  readonly vpn: number;
  readonly rows: number;
  readonly uses: readonly PageUse[];
  readonly episodes: readonly PageEpisode[];
  /** Node on which it lay at the end, -1 if it was in no frame. */
  readonly lastNode: number;
}

/** Steps kept of one page; a page that is thrown out and read again all the time would fill the memory. */
const MAX_STEPS = 20_000;

/** Watches one page of a replay. What it found stands in `life` once the replay has ended. */
export function watchPage(page: number): Watcher & { life(): PageLife } {
  let vpn = -1;
  let rows = 0;
  let kept = 0;
  let lastNode = -1;
  const uses: PageUse[] = [];
  const episodes: (PageEpisode & { steps: TraceEvent[] })[] = [];
  /** What is going on, and what of it concerns the page. */
  let open: (PageEpisode & { steps: TraceEvent[] })[] = [];

  const log = new TraceLog({
    begin: () => undefined,
    event(e) {
      if (e.kind === 'enter') {
        const { name: what, task, cpu, ns } = e;
        open.push({ what, task, cpu, beganNs: ns, endedNs: ns, outcome: -1, steps: [] });
        return;
      }
      if (e.kind === 'leave') {
        const ended = open.pop();
        if (ended === undefined) return;
        ended.endedNs = e.ns;
        ended.outcome = e.detail;
        if (ended.steps.length > 0) episodes.push(ended);
        return;
      }
      if (vpn < 0 || e.vpn !== vpn || kept >= MAX_STEPS) return;
      kept++;
      const last = open.at(-1);
      if (last !== undefined && !e.name.startsWith('RC-')) last.steps.push({ ...e });
      else episodes.push(reclaimed(e));
    },
    end: () => undefined,
  });

  function reclaimed(e: TraceEvent): PageEpisode & { steps: TraceEvent[] } {
    const what = e.name.startsWith('RC-') ? 'reclaim' : 'the kernel';
    return { what, task: e.task, cpu: e.cpu, beganNs: e.ns, endedNs: e.ns, outcome: -1, steps: [{ ...e }] };
  }

  function used(row: WatchedRow): void {
    rows++;
    lastNode = row.node;
    const { id, cpu, node: cpuNode } = row.task;
    const last = uses.findLast((use) => use.tid === row.tid);
    if (last?.pageNode === (row.node as number) && last.cpu === (cpu as number)) {
      last.rows++;
      last.accesses += row.count;
      last.misses += row.misses;
      return;
    }
    threads.set(id, row.tid);
    uses.push({
      ...{ tid: row.tid, cpu, cpuNode, pageNode: row.node, firstRow: row.row, firstNs: row.beforeNs },
      ...{ isWrite: row.isWrite, rows: 1, accesses: row.count, misses: row.misses },
    });
  }

  /** Task of the machine → thread of the trace. */
  const threads = new Map<number, number>();
  const threadOf = (episode: PageEpisode): PageEpisode => ({
    ...episode,
    task: threads.get(episode.task) ?? episode.task,
  });

  return {
    tracer: log,
    watch: (machine) => {
      log.watch(traceView(machine));
    },
    close: () => {
      open = [];
    },
    page: {
      page,
      at(address) {
        vpn = address;
      },
      row: used,
    },
    life: () => ({ page, vpn, rows, uses, lastNode, episodes: episodes.map(threadOf) }),
  };
}
