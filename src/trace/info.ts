import { OP_FETCH, OP_READ, OP_WRITE } from './batch.js';
import { PageUsers, usesMore } from './page-users.js';
import { RegionMap } from './region-map.js';
import { pageCount } from './sidecar.js';
import type { RegionKind, Sidecar } from './sidecar-schema.js';
import type { TraceSource } from './trace-source.js';
import { bugOn } from '../errors.js';

/** What `mof trace info` prints. Shares are of misses, rounded to four decimals; the keys are those of its JSON. */
export interface TraceInfo {
  readonly rows: number;
  /** Distinct quantum numbers. */
  readonly quanta: number;
  readonly accesses: number;
  readonly misses: number;
  readonly reads: number;
  readonly writes: number;
  readonly fetches: number;
  /** Threads with at least one row, and their processes. */
  readonly threads: number;
  readonly processes: number;
  readonly pages_touched: number;
  readonly pages_by_kind: Readonly<Record<string, number>>;
  readonly per_thread: readonly ThreadInfo[];
  /** Number of threads with a row on the page → pages; and the share of misses on those pages. */
  readonly pages_by_sharers: Readonly<Record<string, number>>;
  readonly miss_share_by_sharers: Readonly<Record<string, number>>;
  readonly pages_written_by_several: number;
  readonly pages_shared_written_by_one_at_most: number;
  /** The main user is the thread with most misses on the page (`usesMore`). */
  readonly pages_first_toucher_not_main_user: number;
  readonly miss_share_of_those_pages: number;
  /** First row of a second thread; null: there is none, and no parallel part. */
  readonly parallel_from_row: number | null;
  readonly misses_parallel_part: number;
  /** Number of nodes → share of misses that are remote under static placements. */
  readonly remote_miss_share: Readonly<Record<string, PlacementShares>>;
  readonly remote_miss_share_parallel_part: Readonly<Record<string, PlacementShares>>;
}

export interface ThreadInfo {
  readonly tid: number;
  readonly rows: number;
  readonly accesses: number;
  readonly misses: number;
  readonly pages: number;
}

/** Pages are placed once and never moved; threads sit on the nodes in equal consecutive groups by tid. */
export interface PlacementShares {
  readonly first_touch: number;
  readonly interleave: number;
  readonly all_on_node_0: number;
  readonly best_static: number;
}

/** How many nodes the placements are worked out for. */
const NODE_COUNTS = [2, 4];
const TID_LIMIT = 2 ** 16;

/** Facts about the trace that need no machine, from one pass over it. */
export async function traceInfo(source: TraceSource): Promise<TraceInfo> {
  const { sidecar, rows } = source;
  const totals = await addUp(source);
  const { users, misses, parallelMisses } = totals;
  const threads = threadInfos(totals);
  const pages = pageFacts(users, pageCount(sidecar));
  const placements = (column: Float64Array, all: number) =>
    Object.fromEntries(NODE_COUNTS.map((nodes) => [nodes, placementShares(users, pages, threads, nodes, column, all)]));

  return {
    rows,
    quanta: totals.quanta,
    accesses: totals.byOp[OP_READ] + totals.byOp[OP_WRITE] + totals.byOp[OP_FETCH],
    misses,
    reads: totals.byOp[OP_READ],
    writes: totals.byOp[OP_WRITE],
    fetches: totals.byOp[OP_FETCH],
    threads: threads.length,
    processes: processCount(threads, sidecar),
    pages_touched: pages.touched,
    pages_by_kind: pagesByKind(pages, sidecar),
    per_thread: threads,
    ...sharing(pages, misses),
    ...misplacement(users, pages, misses),
    parallel_from_row: totals.parallelFrom,
    misses_parallel_part: parallelMisses,
    remote_miss_share: placements(users.misses, misses),
    remote_miss_share_parallel_part: placements(users.lateMisses, parallelMisses),
  };
}

interface Totals {
  readonly users: PageUsers;
  readonly rowsOfTid: Float64Array;
  readonly byOp: Float64Array;
  readonly quanta: number;
  readonly misses: number;
  readonly parallelMisses: number;
  readonly parallelFrom: number | null;
}

/** The pass over the rows. `lateMisses` of the users are those of the parallel part. */
async function addUp(source: TraceSource): Promise<Totals> {
  const users = new PageUsers();
  const rowsOfTid = new Float64Array(TID_LIMIT);
  const byOp = new Float64Array(3);
  let [quanta, lastQuantum, firstTid, misses, parallelMisses, parallelFrom] = [0, -1, -1, 0, 0, -1];
  for await (const { firstRow, rows, quantum, tid, page, op, count, miss } of source.batches()) {
    if (firstTid < 0) firstTid = tid[0];
    for (let i = 0; i < rows; i++) {
      if (quantum[i] !== lastQuantum) {
        lastQuantum = quantum[i];
        quanta++;
      }
      if (parallelFrom < 0 && tid[i] !== firstTid) parallelFrom = firstRow + i;
      rowsOfTid[tid[i]]++;
      byOp[op[i]] += count[i];
      misses += miss[i];
      const record = users.record(page[i], tid[i]);
      users.accesses[record] += count[i];
      users.misses[record] += miss[i];
      if (op[i] === OP_WRITE) users.writes[record] += count[i];
      if (parallelFrom < 0) continue;
      parallelMisses += miss[i];
      users.lateMisses[record] += miss[i];
    }
  }
  return {
    users,
    rowsOfTid,
    byOp,
    quanta,
    misses,
    parallelMisses,
    parallelFrom: parallelFrom < 0 ? null : parallelFrom,
  };
}

function threadInfos({ users, rowsOfTid }: Totals): ThreadInfo[] {
  const accesses = new Float64Array(TID_LIMIT);
  const misses = new Float64Array(TID_LIMIT);
  const pages = new Uint32Array(TID_LIMIT);
  for (let record = 0; record < users.size; record++) {
    const tid = users.user[record];
    accesses[tid] += users.accesses[record];
    misses[tid] += users.misses[record];
    pages[tid]++;
  }
  const threads: ThreadInfo[] = [];
  rowsOfTid.forEach((rows, tid) => {
    if (rows > 0) threads.push({ tid, rows, accesses: accesses[tid], misses: misses[tid], pages: pages[tid] });
  });
  return threads;
}

function processCount(threads: readonly ThreadInfo[], sidecar: Sidecar): number {
  const processOf = new Map(sidecar.threads.map((thread) => [thread.tid, thread.process]));
  return new Set(threads.map((thread) => processOf.get(thread.tid))).size;
}

/** Columns by page number. */
interface PageFacts {
  readonly touched: number;
  /** Threads with a row on the page, and those of them that write. 0: never touched. */
  readonly sharers: Uint32Array;
  readonly writers: Uint32Array;
  readonly misses: Float64Array;
  /** Records of the first toucher and of the main user; only for touched pages. */
  readonly firstRecord: Uint32Array;
  readonly mainRecord: Uint32Array;
}

function pageFacts(users: PageUsers, pageLimit: number): PageFacts {
  const sharers = new Uint32Array(pageLimit);
  const writers = new Uint32Array(pageLimit);
  const misses = new Float64Array(pageLimit);
  const firstRecord = new Uint32Array(pageLimit);
  const mainRecord = new Uint32Array(pageLimit);
  let touched = 0;
  for (let record = 0; record < users.size; record++) {
    const page = users.page[record];
    if (sharers[page] === 0) {
      touched++;
      firstRecord[page] = mainRecord[page] = record;
    } else if (usesMore(users, record, mainRecord[page])) {
      mainRecord[page] = record;
    }
    sharers[page]++;
    if (users.writes[record] > 0) writers[page]++;
    misses[page] += users.misses[record];
  }
  return { touched, sharers, writers, misses, firstRecord, mainRecord };
}

function pagesByKind({ sharers }: PageFacts, { regions }: Sidecar): Record<string, number> {
  const map = new RegionMap(regions);
  const pages = new Map<RegionKind, number>();
  sharers.forEach((count, page) => {
    if (count === 0) return;
    const place = map.regionOfPage(page);
    bugOn(place < 0, 'touched page outside every region', page);
    const { kind } = regions[place];
    pages.set(kind, (pages.get(kind) ?? 0) + 1);
  });
  return Object.fromEntries([...pages].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sharing({ sharers, writers, misses }: PageFacts, allMisses: number) {
  const pages = new Map<number, number>();
  const missesOf = new Map<number, number>();
  let [writtenBySeveral, writtenByOneAtMost] = [0, 0];
  sharers.forEach((count, page) => {
    if (count === 0) return;
    pages.set(count, (pages.get(count) ?? 0) + 1);
    missesOf.set(count, (missesOf.get(count) ?? 0) + misses[page]);
    if (writers[page] > 1) writtenBySeveral++;
    else if (count > 1) writtenByOneAtMost++;
  });
  return {
    pages_by_sharers: Object.fromEntries(pages), // whole numbers as keys: ascending
    miss_share_by_sharers: Object.fromEntries([...missesOf].map(([count, sum]) => [count, share(sum, allMisses)])),
    pages_written_by_several: writtenBySeveral,
    pages_shared_written_by_one_at_most: writtenByOneAtMost,
  };
}

function misplacement(users: PageUsers, { sharers, misses, firstRecord, mainRecord }: PageFacts, allMisses: number) {
  let [pages, missesThere] = [0, 0];
  sharers.forEach((count, page) => {
    if (count === 0 || users.user[firstRecord[page]] === users.user[mainRecord[page]]) return;
    pages++;
    missesThere += misses[page];
  });
  return { pages_first_toucher_not_main_user: pages, miss_share_of_those_pages: share(missesThere, allMisses) };
}

/** Shares of `missColumn` that are remote on `nodes` nodes. Sums the local misses; all others are remote. */
function placementShares(
  users: PageUsers,
  pages: PageFacts,
  threads: readonly ThreadInfo[],
  nodes: number,
  missColumn: Float64Array,
  allMisses: number,
): PlacementShares {
  const nodeOfTid = nodesInBlocks(threads, nodes);
  const missesOfNode = new Float64Array(pages.sharers.length * nodes);
  let [firstTouch, interleave, node0] = [0, 0, 0];
  for (let record = 0; record < users.size; record++) {
    const page = users.page[record];
    const node = nodeOfTid[users.user[record]];
    const misses = missColumn[record];
    missesOfNode[page * nodes + node] += misses;
    if (node === nodeOfTid[users.user[pages.firstRecord[page]]]) firstTouch += misses;
    if (node === page % nodes) interleave += misses;
    if (node === 0) node0 += misses;
  }
  const remote = (local: number) => share(allMisses - local, allMisses);
  return {
    first_touch: remote(firstTouch),
    interleave: remote(interleave),
    all_on_node_0: remote(node0),
    best_static: remote(sumOfGreatest(missesOfNode, nodes)),
  };
}

/** Thread → node: the i-th of T threads sits on node ⌊i · nodes / T⌋. */
function nodesInBlocks(threads: readonly ThreadInfo[], nodes: number): Uint8Array {
  const nodeOfTid = new Uint8Array(TID_LIMIT);
  threads.forEach(({ tid }, i) => (nodeOfTid[tid] = Math.floor((i * nodes) / threads.length)));
  return nodeOfTid;
}

/** Sum over groups of `size` elements of the greatest in each. */
function sumOfGreatest(values: Float64Array, size: number): number {
  let sum = 0;
  for (let start = 0; start < values.length; start += size) {
    let greatest = 0;
    for (let i = start; i < start + size; i++) greatest = Math.max(greatest, values[i]);
    sum += greatest;
  }
  return sum;
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : roundHalfEven(part / whole);
}

/** Four decimals. Only multiples of 1/32 can lie exactly between two of them: they go to the even one. */
function roundHalfEven(value: number): number {
  const halfway = Number.isInteger(value * 32) && (value * 20000) % 2 === 1;
  const below = Math.floor(value * 10000);
  return halfway ? (below + (below % 2)) / 10000 : Number(value.toFixed(4));
}
