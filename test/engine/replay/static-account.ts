import { openTrace } from '../../../src/trace/readers/index.js';

/** Where pages are put: by their first touch, all on node 0, or each where most of its misses come from. */
export type Placement = 'first_touch' | 'all_on_node_0' | 'best_static';

/** What may differ between two ways of counting. */
export interface AccountRules {
  /** A page of private memory that is read before it is written has no place yet: reads of it go to node 0. */
  readonly zeroPage: boolean;
  /** A discarded page that is touched again gets its place anew. */
  readonly discards: boolean;
}
/** The facts' own rule: a page has the place that its first touch gave it, whatever kind it was. */
export const FACTS_RULE: AccountRules = { zeroPage: false, discards: false };
export const KERNEL_RULE: AccountRules = { zeroPage: true, discards: true };

export interface Sums {
  missesLocal: number;
  missesRemote: number;
  missesZeroPage: number;
}
export interface StaticAccount {
  readonly whole: Sums;
  readonly parallel: Sums;
  /** Pages that were read before they were written, misses on them meanwhile, and those that were written later. */
  readonly zeroPages: number;
  readonly discardedAndTouched: number;
}

/** Columns of a trace, all rows at once. */
interface Rows {
  readonly rows: number;
  readonly tid: Uint16Array;
  readonly page: Uint32Array;
  readonly op: Uint8Array;
  readonly count: Uint32Array;
  readonly miss: Uint32Array;
}

/**
 * Remote misses of static placements, counted from the rows with nothing of the engine: no page tables, no faults, no
 * policies. Nodes have CPUs in equal numbers; threads with rows are cut into equal consecutive groups. `best_static`
 * goes by the misses of the whole trace for `whole`, by those of the parallel part for `parallel`.
 */
export async function staticAccount(
  path: string,
  nodes: number,
  placement: Placement,
  rules: AccountRules,
): Promise<StaticAccount> {
  const source = await openTrace(path);
  try {
    const { sidecar } = source;
    const rows = await readRows(source);
    const nodeOf = blocks(rows, nodes);
    const pages = sidecar.regions.reduce((end, region) => Math.max(end, region.first_page + region.pages), 0);
    const isPrivate = new Uint8Array(pages);
    for (const { kind, first_page: first, pages: length } of sidecar.regions) {
      if (kind !== 'file') isPrivate.fill(1, first, first + length);
    }
    const from = rows.tid.findIndex((tid) => tid !== rows.tid[0]);
    const discards = sidecar.events.filter((event) => event.kind === 'discard');
    const count = (start: number) => {
      const best = placement === 'best_static' ? bestNodes(rows, nodeOf, nodes, pages, start) : null;
      const home = (page: number, node: number) =>
        placement === 'all_on_node_0' ? 0 : best === null || best[page] < 0 ? node : best[page];
      return countFrom(rows, { nodeOf, isPrivate, discards, home, rules, start, pages });
    };
    const whole = count(0);
    return { ...whole, whole: whole.sums, parallel: count(from).sums };
  } finally {
    source.close();
  }
}

interface Counting {
  readonly nodeOf: Uint8Array;
  readonly isPrivate: Uint8Array;
  readonly discards: readonly { readonly row: number; readonly first_page: number; readonly pages: number }[];
  readonly home: (page: number, node: number) => number;
  readonly rules: AccountRules;
  /** First row that counts; places are given from the first row on. */
  readonly start: number;
  readonly pages: number;
}

function countFrom({ rows, tid, page, op, miss }: Rows, counting: Counting) {
  const { nodeOf, isPrivate, discards, home, rules, start } = counting;
  const place = new Int16Array(counting.pages).fill(-1);
  const wasZero = new Uint8Array(counting.pages);
  const sums: Sums = { missesLocal: 0, missesRemote: 0, missesZeroPage: 0 };
  let [zeroPages, discardedAndTouched, nextDiscard] = [0, 0, 0];
  const discarded = new Uint8Array(counting.pages);
  for (let row = 0; row < rows; row++) {
    for (; rules.discards && discards[nextDiscard]?.row <= row; nextDiscard++) {
      const { first_page: first, pages } = discards[nextDiscard];
      for (let p = first; p < first + pages; p++) discarded[p] = place[p] >= 0 ? 1 : discarded[p];
      place.fill(-1, first, first + pages);
    }
    const p = page[row];
    const node = nodeOf[tid[row]];
    const showsZero = rules.zeroPage && place[p] < 0 && isPrivate[p] === 1 && op[row] !== 1;
    if (showsZero) {
      zeroPages += 1 - wasZero[p];
      wasZero[p] = 1;
    } else if (place[p] < 0) place[p] = home(p, node);
    discardedAndTouched += discarded[p];
    discarded[p] = 0;
    if (row < start) continue;
    const at = showsZero ? 0 : place[p];
    if (at === node) sums.missesLocal += miss[row];
    else sums.missesRemote += miss[row];
    if (showsZero) sums.missesZeroPage += miss[row];
  }
  return { sums, zeroPages, discardedAndTouched };
}

/** Node with most misses of each page from `start` on; ties by accesses, then the lower node; -1 without misses. */
function bestNodes(
  { rows, tid, page, count, miss }: Rows,
  nodeOf: Uint8Array,
  nodes: number,
  pages: number,
  start: number,
) {
  const misses = new Float64Array(pages * nodes);
  const accesses = new Float64Array(pages * nodes);
  for (let row = start; row < rows; row++) {
    const cell = page[row] * nodes + nodeOf[tid[row]];
    misses[cell] += miss[row];
    accesses[cell] += count[row];
  }
  return Int16Array.from({ length: pages }, (_, p) => {
    let best = -1;
    for (let node = 0; node < nodes; node++) {
      const [cell, bestCell] = [p * nodes + node, p * nodes + best];
      if (misses[cell] === 0) continue;
      const uses = best < 0 ? 1 : misses[cell] - misses[bestCell] || accesses[cell] - accesses[bestCell];
      if (uses > 0) best = node;
    }
    return best;
  });
}

function blocks({ tid }: Rows, nodes: number): Uint8Array {
  const tids = [...new Set(tid)].sort((a, b) => a - b);
  const nodeOf = new Uint8Array(65536);
  tids.forEach((thread, i) => (nodeOf[thread] = Math.floor((i * nodes) / tids.length)));
  return nodeOf;
}

async function readRows(source: Awaited<ReturnType<typeof openTrace>>): Promise<Rows> {
  const { rows } = source;
  const columns = {
    tid: new Uint16Array(rows),
    page: new Uint32Array(rows),
    op: new Uint8Array(rows),
    count: new Uint32Array(rows),
    miss: new Uint32Array(rows),
  };
  for await (const batch of source.batches()) {
    for (const name of Object.keys(columns) as (keyof typeof columns)[])
      columns[name].set(batch[name].subarray(0, batch.rows), batch.firstRow);
  }
  return { rows, ...columns };
}

export const remoteShareOf = ({ missesLocal, missesRemote }: Sums): number =>
  missesRemote / Math.max(1, missesLocal + missesRemote);
