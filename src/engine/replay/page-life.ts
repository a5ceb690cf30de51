import { TraceLog, type TraceEvent } from '../../stats/trace-log/index.js';
import type { Watcher } from '../trace-log-file.js';
import { traceView } from '../trace-view.js';
import type { Pfn } from '../../units.js';
import type { PagePlace, WatchedRow } from './watched-loop.js';

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
  /** Thread of the trace; -1 if it is none of them. */
  readonly task: number;
  /** A thread of the trace; another process (who migrates or swaps out from outside), on a clock of its own; or the kernel. */
  readonly by: 'thread' | 'another process' | 'kernel';
  readonly cpu: number;
  /** On the clock of whoever did it: episodes stand in the order in which they happened, and their times need not. */
  readonly beganNs: number;
  readonly endedNs: number;
  /** Outcome of a fault, result of a call; -1 if it never ended. */
  readonly outcome: number;
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
  /** Where the page cache has it once the run is over; null if it is no file's page, or not in memory. */
  readonly cached: PagePlace | null;
}

/** Steps kept of one page; a page that is thrown out and read again all the time would fill the memory. */
const MAX_STEPS = 20_000;

/** An episode that goes on, by the machine's task. */
interface Open {
  readonly what: string;
  readonly task: number;
  readonly cpu: number;
  readonly beganNs: number;
  endedNs: number;
  outcome: number;
  readonly steps: TraceEvent[];
}

const begin = ({ name: what, task, cpu, ns }: TraceEvent): Open => ({
  ...{ what, task, cpu, beganNs: ns, endedNs: ns, outcome: -1, steps: [] },
});

/** Watches one page of a replay. What it found stands in `life` once the replay has ended. */
export function watchPage(page: number): Watcher & { life(): PageLife } {
  let vpn = -1;
  let rows = 0;
  let kept = 0;
  let lastNode = -1;
  let isOfPage: (pfn: number) => boolean = () => false;
  let findInCache: () => PagePlace | null = () => null;
  const uses: PageUse[] = [];
  /** In the order in which they happened. */
  const episodes: Open[] = [];
  /** What is going on: calls and faults within them. */
  let open: Open[] = [];
  /** Frames of the page in the innermost of these: steps after it is unmapped name no address. */
  let ours = new Set<number>();
  /** Task of the machine → thread of the trace. */
  const threads = new Map<number, number>();

  const log = new TraceLog({
    begin: () => undefined,
    event(e) {
      if (e.kind === 'enter') {
        const outer = open.at(-1);
        open.push(begin(outer === undefined || e.name === 'fault' ? e : { ...e, name: `${outer.what}, ${e.name}` }));
        ours = new Set();
      } else if (e.kind === 'leave') {
        const ended = open.pop();
        ours = new Set();
        if (ended === undefined) return;
        ended.endedNs = e.ns;
        ended.outcome = e.detail;
      } else if (kept < MAX_STEPS && concerns(e)) keep(e);
    },
    end: () => undefined,
  });

  /** By its address, by its frame, or by its place in its file. */
  function concerns(e: TraceEvent): boolean {
    if (vpn >= 0 && e.vpn === vpn) return true;
    return e.pfn > 0 && ((e.vpn < 0 && ours.has(e.pfn)) || isOfPage(e.pfn));
  }

  function keep(e: TraceEvent): void {
    kept++;
    const inside = open.at(-1);
    const isReclaim = e.name.startsWith('RC-');
    // A page that another one's fault or allocation throws out is reclaim's; one that a call is to throw out is the call's.
    const episode =
      inside !== undefined && (!isReclaim || inside.what === 'swapout' || ours.has(e.pfn)) ? inside : null;
    if (episode === null) {
      episodes.push({ ...begin({ ...e, name: isReclaim ? 'reclaim' : 'the kernel' }), steps: [{ ...e }] });
      return;
    }
    if (episode.steps.length === 0) episodes.push(episode);
    episode.steps.push({ ...e });
    if (e.pfn > 0) ours.add(e.pfn);
    if (e.detailNode >= 0) ours.add(e.detail);
  }

  function used(row: WatchedRow): void {
    rows++;
    lastNode = row.node;
    const { cpu, node: cpuNode } = row.task;
    const last = uses.findLast((use) => use.tid === row.tid);
    if (last?.pageNode === (row.node as number) && last.cpu === (cpu as number)) {
      last.rows++;
      last.accesses += row.count;
      last.misses += row.misses;
      return;
    }
    uses.push({
      ...{ tid: row.tid, cpu, cpuNode, pageNode: row.node, firstRow: row.row, firstNs: row.beforeNs },
      ...{ isWrite: row.isWrite, rows: 1, accesses: row.count, misses: row.misses },
    });
  }

  function told(episode: Open): PageEpisode {
    const thread = threads.get(episode.task);
    if (thread !== undefined) return { ...episode, task: thread, by: 'thread' };
    return { ...episode, task: -1, by: episode.task < 0 ? 'kernel' : 'another process' };
  }

  return {
    tracer: log,
    watch: (machine) => {
      log.watch(traceView(machine));
      const { frames, files } = machine;
      isOfPage = (pfn) => {
        const mapping = frames.mapping(pfn as Pfn);
        return mapping > 0 && files.get(mapping).tracePageAt(frames.index(pfn as Pfn)) === page;
      };
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
      thread(task, tid) {
        threads.set(task.id, tid);
      },
      cache(find) {
        findInCache = find;
      },
    },
    life: () => ({ page, vpn, rows, uses, lastNode, cached: findInCache(), episodes: episodes.map(told) }),
  };
}
