import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bestStatic, firstParallelRow, traceInfo, type TraceInfo } from '../../src/trace/index.js';
import { openTrace } from '../../src/trace/readers/index.js';
import { temporaryDirectory } from '../support/tmp-dir.js';
import { writeTrace, type Row } from '../support/write-trace.js';

const dir = await temporaryDirectory();
const FIXTURES = join(import.meta.dirname, '../fixtures/traces');
const PATHS = {
  'mini-bfs-4t': join(FIXTURES, 'mini-bfs-4t'),
  'mini-stream-4t': join(import.meta.dirname, '../../src/data/traces/mini-stream-4t'),
};

let serial = 0;
async function withTrace<T>(
  rows: Row[],
  work: (source: Awaited<ReturnType<typeof openTrace>>) => Promise<T>,
): Promise<T> {
  const source = await openTrace(await writeTrace(dir, `info${String(serial++)}`, { rows, groupRows: 1000 }));
  try {
    return await work(source);
  } finally {
    source.close();
  }
}

describe('facts about a trace', () => {
  it.each(Object.entries(PATHS))('equal those found by other means: %s', async (name, path) => {
    const facts = JSON.parse(await readFile(join(FIXTURES, 'facts.json'), 'utf8')) as Record<
      string,
      TraceInfo & { file_bytes: number }
    >;
    const { file_bytes: bytes, ...rest } = facts[name];
    expect((await readFile(`${path}.parquet`)).length).toBe(bytes);
    const source = await openTrace(path);
    expect(await traceInfo(source)).toEqual(rest);
    expect(await firstParallelRow(source)).toBe(rest.parallel_from_row);
    source.close();
  });

  it('of one thread have no parallel part and nothing remote', async () => {
    const info = await withTrace(
      [
        [0, 3, 0, 1, 4, 2],
        [0, 3, 1, 0, 1, 0],
      ],
      traceInfo,
    );
    expect(info).toMatchObject({
      threads: 1,
      parallel_from_row: null,
      misses_parallel_part: 0,
      per_thread: [{ tid: 3, rows: 2, accesses: 5, misses: 2, pages: 2 }],
      remote_miss_share: { 4: { first_touch: 0, interleave: 0, all_on_node_0: 0, best_static: 0 } },
      remote_miss_share_parallel_part: { 4: { first_touch: 0, interleave: 0, all_on_node_0: 0, best_static: 0 } },
    });
    expect(await withTrace([[0, 3, 0, 1, 4, 2]], firstParallelRow)).toBeNull();
  });

  it('of a trace without misses have shares of zero', async () => {
    const info = await withTrace(
      [
        [0, 0, 0, 0, 1, 0],
        [1, 1, 0, 0, 1, 0],
      ],
      traceInfo,
    );
    expect(info).toMatchObject({ misses: 0, miss_share_by_sharers: { 2: 0 }, miss_share_of_those_pages: 0 });
  });

  it('count the sharers of a page that 1,500 threads use', async () => {
    const rows = Array.from({ length: 4500 }, (_, i): Row => [i, i % 1500, i % 3 === 0 ? 0 : 1, 1, 1, 1]);
    const info = await withTrace(rows, traceInfo);
    expect(info.threads).toBe(1500);
    // thread t uses page 0 if t is a multiple of 3 (1500 is one too), else page 1
    expect(info.pages_by_sharers).toEqual({ 500: 1, 1000: 1 });
    expect(info.pages_written_by_several).toBe(2);
  });

  it('take for main user the one with most misses, then most accesses, then the lower tid', async () => {
    const first: Row[] = [
      [0, 2, 0, 0, 9, 1],
      [0, 2, 1, 0, 9, 1],
      [0, 2, 2, 0, 9, 1],
    ];
    const second: Row[] = [
      [1, 1, 0, 0, 1, 1],
      [1, 1, 1, 0, 9, 1],
      [1, 1, 2, 0, 2, 2],
    ];
    // page 0: thread 2 by accesses (its first toucher); page 1: thread 1 by tid; page 2: thread 1 by misses
    expect((await withTrace([...first, ...second], traceInfo)).pages_first_toucher_not_main_user).toBe(2);
  });

  it('round an exact half to the even digit', async () => {
    // 32 misses, one of them on a page with two sharers: 1/32 = 0.03125
    const rows: Row[] = [
      [0, 0, 0, 0, 31, 31],
      [0, 0, 1, 0, 1, 1],
      [1, 1, 1, 0, 1, 0],
    ];
    expect((await withTrace(rows, traceInfo)).miss_share_by_sharers).toEqual({ 1: 0.9688, 2: 0.0312 });
  });
});

describe('the best static placement', () => {
  /** Misses of threads 0..3 on pages 0..3. */
  const misses = [
    [5, 1, 3, 4],
    [1, 2, 2, 0],
    [0, 0, 0, 0],
    [9, 0, 0, 8],
  ];
  const rows = misses.flatMap((ofThreads, page) =>
    ofThreads.map((miss, tid): Row => [page * 4 + tid, tid, page, 0, tid === 2 ? 20 : 10, miss]),
  );
  const whole = { from: 0, until: rows.length };

  it('puts a page on the node whose threads together miss most, -1 where nobody misses', async () => {
    const best = await withTrace(rows, (source) => bestStatic(source, { nodeOfTid: [0, 0, 1, 1], ...whole }));
    expect([...best]).toEqual([1, 0, -1, 0]); // page 0: 6 against 7
  });

  it('goes by accesses where misses are equal, then by the lower node', async () => {
    const byThread = await withTrace(rows, (source) => bestStatic(source, { nodeOfTid: [0, 1, 2, 3], ...whole }));
    expect([...byThread]).toEqual([0, 2, -1, 0]); // page 1: threads 1 and 2 miss twice, thread 2 accesses more
    const equal: Row[] = [
      [0, 1, 0, 0, 4, 2],
      [1, 0, 0, 0, 4, 2],
    ];
    const best = await withTrace(equal, (source) => bestStatic(source, { nodeOfTid: [0, 1], from: 0, until: 2 }));
    expect([...best]).toEqual([0]);
  });

  it('looks only at the rows asked for', async () => {
    const best = await withTrace(rows, (source) => bestStatic(source, { nodeOfTid: [0, 1, 2, 3], from: 1, until: 15 }));
    expect([...best]).toEqual([3, 2, -1, 0]); // without row 0 (thread 0 on page 0) and row 15 (thread 3 on page 3)
  });

  it('gives full nodes to the pages that save most misses', async () => {
    const options = { nodeOfTid: [0, 0, 1, 1], ...whole };
    const best = await withTrace(rows, (source) => bestStatic(source, { ...options, room: [1, 1] }));
    expect([...best]).toEqual([1, -1, -1, 0]); // page 3 takes node 0 (9), page 0 node 1 (7), nothing is left for page 1
    const ample = await withTrace(rows, (source) => bestStatic(source, { ...options, room: [9, 9] }));
    expect([...ample]).toEqual([1, 0, -1, 0]);
  });
});
