import { PageUsers, usesMore } from './page-users.js';
import { pageCount } from './sidecar.js';
import type { TraceSource } from './trace-source.js';

export interface BestStaticOptions {
  /** Thread → node it runs on. */
  readonly nodeOfTid: ArrayLike<number>;
  /** Rows that count: `from` ≤ row < `until`. */
  readonly from: number;
  readonly until: number;
  /** Pages that each node can take; without it, any number. */
  readonly room?: ArrayLike<number>;
}

/**
 * The best static placement: for each page of the trace the node whose threads together miss on it most, -1 for pages
 * never missed on. Equal misses go to the node with more accesses, then to the lower one, as for threads
 * (`usesMore`). Where a node has no room for all, the pages that save most misses come first, and the others
 * get the next best node that has some, -1 if none has.
 */
export async function bestStatic(source: TraceSource, options: BestStaticOptions): Promise<Int16Array> {
  const users = await usersByNode(source, options);
  const best = new Int16Array(pageCount(source.sidecar)).fill(-1);
  if (options.room === undefined) {
    const records = new Int32Array(best.length).fill(-1);
    for (let record = 0; record < users.size; record++) {
      const page = users.page[record];
      if (users.misses[record] === 0) continue;
      if (records[page] < 0 || usesMore(users, record, records[page])) records[page] = record;
    }
    records.forEach((record, page) => (best[page] = record < 0 ? -1 : users.user[record]));
    return best;
  }
  const room = Array.from(options.room);
  for (const record of recordsByUse(users)) {
    const [page, node] = [users.page[record], users.user[record]];
    if (best[page] >= 0 || room[node] <= 0) continue;
    best[page] = node;
    room[node]--;
  }
  return best;
}

/** One pass over the rows that count, with nodes as the users. */
async function usersByNode(source: TraceSource, { nodeOfTid, from, until }: BestStaticOptions): Promise<PageUsers> {
  const users = new PageUsers();
  for await (const { firstRow, rows, tid, page, count, miss } of source.batches({ fromRow: from })) {
    const end = Math.min(rows, until - firstRow);
    for (let i = 0; i < end; i++) {
      const record = users.record(page[i], nodeOfTid[tid[i]]);
      users.accesses[record] += count[i];
      users.misses[record] += miss[i];
    }
    if (end < rows) break;
  }
  return users;
}

/** Records with misses, the greatest use first; pages that are used alike in their order. */
function recordsByUse(users: PageUsers): Uint32Array {
  let kept = 0;
  const records = new Uint32Array(users.size);
  for (let record = 0; record < users.size; record++) if (users.misses[record] > 0) records[kept++] = record;
  return records.subarray(0, kept).sort((a, b) => {
    const [first, second] = [usesMore(users, a, b), usesMore(users, b, a)];
    return first === second ? users.page[a] - users.page[b] : first ? -1 : 1;
  });
}
