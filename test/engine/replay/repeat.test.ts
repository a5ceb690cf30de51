import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/stats/index.js';
import type { Sidecar } from '../../../src/trace/index.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, file, fileMapping, output, type Row } from '../../support/write-trace.js';
import { pathOf, read, replay, replayRows, write, type ReplayOf } from './replays.js';

// Two nodes; thread 0 is on node 0, thread 1 on node 1.
const dir = await temporaryDirectory();
const run = (rows: readonly Row[], sidecar: Partial<Sidecar>, of: ReplayOf, word = 'default'): Promise<RunResult> =>
  replayRows(dir, { rows, sidecar }, word, { tiny: { nodes: 2 }, ...of });
const at = (page: number): string => `0x${(0x7f00_0000_0000 + page * 4096).toString(16)}`;

const accesses = ({ accessesLocal, accessesRemote }: RunResult['whole']): number => accessesLocal + accessesRemote;

/** Rows 0-3 by thread 0, rows 4-7 by thread 1, one access each. */
const ROWS = Array.from({ length: 8 }, (_, row) => write(row, row < 4 ? 0 : 1, row));

describe('--from, --until', () => {
  it.each([
    // Without them: from the first row of a second thread to the end.
    [undefined, undefined, 4, 8],
    ['start', undefined, 0, 8],
    ['row:2', 'row:5', 2, 5],
    ['25%', '75%', 2, 6],
    ['threads', undefined, 4, 8],
    ['event:begin', 'event:end', 3, 7],
    ['row:0', 'threads', 0, 4],
    ['row:7', 'row:8', 7, 8],
  ])('%s to %s is rows %i to %i', async (from, until, first, last) => {
    const { region, regionRows, whole } = await run(
      ROWS,
      {
        threads: [0, 1].map((tid) => ({
          tid,
          process: 0,
          parent: tid === 0 ? null : 0,
          start_row: 4 * tid,
          end_row: null,
        })),
        events: [output(3, 'begin'), output(7, 'the end', 1)],
      },
      { ...(from && { from }), ...(until && { until }) },
    );
    expect(regionRows).toEqual({ from: first, until: last });
    expect(region.rows).toEqual(regionRows);
    expect(accesses(region)).toBe(last - first);
    expect(region.faults).toEqual({ anon: last - first });
    expect(accesses(whole)).toBe(8);
    expect(region.timeNs).toBeLessThanOrEqual(whole.timeNs);
  });

  it.each([
    ['row:5', 'row:5'],
    ['75%', '25%'],
    ['row:8', undefined],
  ])('%s to %s is empty: one line with both rows', async (from, until) => {
    await expect(run(ROWS, {}, { from, ...(until && { until }) })).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/^the region of interest is empty: --from is row \d, --until row \d$/) as unknown,
    });
  });

  it('oracle places by the misses within the region', async () => {
    // Page 0: thread 0 misses 10 times in the first half, thread 1 five times in the second.
    const rows = [write(0, 0, 0), read(1, 0, 0, 10), read(2, 1, 0, 5)];
    const pages = async (from: string, until?: string) =>
      (await run(rows, {}, { from, ...(until && { until }) }, 'oracle')).pagesPerNode;
    expect(await pages('start')).toEqual([1, 0]);
    expect(await pages('row:2')).toEqual([0, 1]);
    expect(await pages('start', 'row:2')).toEqual([1, 0]);
  });
});

describe('--repeat', () => {
  it('N: the region is replayed N times, the rest once', async () => {
    const { region, whole, counters, regionRows } = await run(
      ROWS,
      {},
      {
        from: 'row:2',
        until: 'row:6',
        options: { repeat: { times: 5 } },
      },
    );
    expect(regionRows).toEqual({ from: 2, until: 6 });
    expect([accesses(region), accesses(whole)]).toEqual([5 * 4, 2 + 5 * 4 + 2]);
    expect(counters.fault_anon).toBe(8); // the pages are there from the first time on
  });

  it('once is no repetition', async () => {
    expect(await run(ROWS, {}, { options: { repeat: { times: 1 } } })).toMatchObject({
      ...(await run(ROWS, {}, {})),
      trace: expect.any(String) as unknown,
    });
  });

  it('SECONDS: as often as it takes until so much time has gone by', async () => {
    const once = await run(ROWS, {}, {});
    const seconds = 1e-5;
    const { region, assumptions } = await run(ROWS, {}, { options: { repeat: { seconds } } });
    expect(region.timeNs).toBeGreaterThanOrEqual(seconds * 1e9);
    expect(accesses(region) % accesses(once.region)).toBe(0);
    expect(accesses(region)).toBeGreaterThan(4 * accesses(once.region));
    expect(assumptions).toContain(
      'The region of interest is replayed again; memory unmapped within it is freed at its last end.',
    );
    const threads = [0, 1].map((tid) => ({
      tid,
      process: 0,
      parent: tid === 0 ? null : 0,
      start_row: 4 * tid,
      end_row: null,
    }));
    const short = await run(ROWS, { threads }, { options: { repeat: { seconds: 1e-9 } } });
    expect(accesses(short.region)).toBe(accesses(once.region));
  });

  it('memory that is unmapped or discarded in the region is there the next time, and freed at its last end', async () => {
    // Page 0 is unmapped before row 2, page 1 discarded there; the region is rows 0 to 2.
    const rows = [write(0, 0, 0), write(0, 0, 1), write(1, 0, 2), write(2, 1, 1), read(2, 1, 2)];
    const { outcome, region, whole } = await run(
      rows,
      {
        regions: [anonymous({ unmap_row: 2 }), anonymous({ id: 1, first_page: 1, pages: 2 })],
        events: [
          { row: 2, kind: 'unmap', tid: 0, first_page: 0, pages: 1 },
          { row: 2, kind: 'discard', tid: 0, first_page: 1, pages: 1 },
        ],
      },
      { from: 'row:0', until: 'row:3', options: { repeat: { times: 3 } } },
    );
    expect(outcome).toEqual({ kind: 'done' });
    expect(region).toMatchObject({ accessesLocal: 9, faults: { anon: 3 }, pagesPerNode: [3, 0] });
    expect(whole.faults).toEqual({ anon: 4 }); // page 1 is placed anew after the region
    expect(whole.pagesPerNode).toEqual([1, 1]);
  });

  it('an address that is used twice within the region shows both, each time', async () => {
    // Rows 1 and 2: a mapping that goes before row 3; rows 3 and 4: another at the same address.
    const rows = [write(0, 0, 0), write(1, 1, 1), write(1, 1, 2), write(2, 0, 3), write(2, 0, 4), read(3, 0, 0)];
    const { outcome, region, counters, whole } = await run(
      rows,
      {
        regions: [
          anonymous(),
          anonymous({ id: 1, first_page: 1, pages: 2, vaddr: at(100), map_row: 1, unmap_row: 3 }),
          anonymous({ id: 2, first_page: 3, pages: 2, vaddr: at(100), map_row: 3, unmap_row: 5 }),
        ],
        events: [1, 3].map((first) => ({
          row: first + 2,
          kind: 'unmap' as const,
          tid: 0,
          first_page: first,
          pages: 2,
        })),
      },
      { from: 'row:1', until: 'row:5', options: { repeat: { times: 3 } } },
    );
    expect(outcome).toEqual({ kind: 'done' });
    expect(accesses(region)).toBe(3 * 4);
    expect(region).toMatchObject({ missesRemote: 0, faults: { anon: 4 }, pagesPerNode: [3, 2] });
    expect(counters.fault_anon).toBe(5);
    expect(whole.pagesPerNode).toEqual([1, 0]);
  });

  it('so does a mapping of a file', async () => {
    const rows = [read(0, 0, 0), read(1, 0, 1), read(2, 0, 0), read(2, 1, 1)];
    const { region, counters } = await run(
      rows.map(([, ...rest], i) => [i, ...rest] as unknown as Row),
      {
        regions: [file({ id: 1, first_page: 0, pages: 2 })],
        file_mappings: [0, 1].map((page) =>
          fileMapping({
            region: 1,
            pages: 1,
            file_page: page,
            vaddr: at(0),
            map_row: page,
            unmap_row: page === 0 ? 1 : null,
          }),
        ),
      },
      { from: 'start', until: 'row:2', options: { repeat: { times: 4 } } },
    );
    expect(accesses(region)).toBe(4 * 2);
    expect(region.faults).toEqual({ file_major: 2 });
    expect(counters.file_call).toBe(1); // after the region page 0 is mapped no more
  });

  it('outputs and actions within the region happen once, a process that ends there goes at the last end', async () => {
    const { marks, actions, outcome } = await run(
      ROWS,
      { events: [output(5, 'once', 1), { row: 8, kind: 'exit', process: 0 }] },
      { from: 'row:0', options: { repeat: { times: 3 } } },
      'default+lazy@row:5',
    );
    expect(outcome).toEqual({ kind: 'done' });
    expect(marks).toHaveLength(1);
    expect(actions).toMatchObject([{ pagesTouched: 5 }]);
  });

  it.each(['rows', 'clocks'] as const)('a real trace goes through it (--order %s)', async (order) => {
    const once = await replay(pathOf('stream-serial-8t'), 'default+lazy@threads', { options: { order } });
    const thrice = await replay(pathOf('stream-serial-8t'), 'default+lazy@threads', {
      options: { order, repeat: { times: 3 } },
    });
    expect(accesses(thrice.region)).toBe(3 * accesses(once.region));
    expect(thrice.region.migration.done).toBe(once.region.migration.done);
    expect(thrice.region.timeNs).toBeGreaterThan(2.5 * once.region.timeNs);
    expect(thrice.whole.pagesPerNode).toEqual(once.whole.pagesPerNode);
  });

  it('processes one after the other stay until the last end', async () => {
    const once = await replay(pathOf('filecache-3p'), 'default');
    const twice = await replay(pathOf('filecache-3p'), 'default', { options: { repeat: { times: 2 } } });
    expect(accesses(twice.region)).toBe(2 * accesses(once.region));
    expect(twice.region.missesRemote).toBeGreaterThan(1.99 * once.region.missesRemote);
    // The two private pages of the first process, which otherwise ends before, are still there.
    expect(twice.whole.pagesPerNode.map((pages, node) => pages - once.whole.pagesPerNode[node])).toEqual([2, 0, 0, 0]);
  });
});
