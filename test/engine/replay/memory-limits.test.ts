import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/stats/index.js';
import type { MemoryLimit } from '../../../src/run/index.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, file, fileMapping, type Row } from '../../support/write-trace.js';
import { pathOf, read, replay, replayRows, write, type ReplayOf } from './replays.js';

const dir = await temporaryDirectory();
const limited = (memory: readonly MemoryLimit[]): ReplayOf => ({
  tiny: { nodes: 4 },
  options: { memory },
});
const sums = ({ whole }: RunResult) => ({
  accesses: whole.accessesLocal + whole.accessesRemote,
  misses: whole.missesLocal + whole.missesRemote,
});

describe('--memory', () => {
  it('as pages: a node that is too small takes what it can, the others the rest', async () => {
    const { outcome, nodeCounters, counters } = await replay(
      pathOf('stream-serial-8t'),
      'preferred=0+swap=off',
      limited([{ node: 0, pages: 3000 }]),
    );
    expect(outcome).toEqual({ kind: 'done' });
    expect(nodeCounters.numa_foreign[0]).toBe(nodeCounters.numa_miss.reduce((a, b) => a + b));
    expect(nodeCounters.numa_hit[0] + nodeCounters.numa_foreign[0]).toBe(6152);
    expect(nodeCounters.numa_hit[0]).toBeGreaterThan(2800);
    expect(nodeCounters.numa_hit[0]).toBeLessThan(3000);
    expect(counters.pswpout).toBeUndefined();
  });

  it('as a share of the pages that the trace touches', async () => {
    // 6,152 pages are touched: half of them, rounded up, is the same as 3,076 pages.
    const [share, pages] = await Promise.all(
      [
        { node: 0, share: 0.5 },
        { node: 0, pages: 3076 },
      ].map((limit) => replay(pathOf('stream-serial-8t'), 'default', limited([limit]))),
    );
    expect(share).toEqual(pages);
  });

  it('of a node that the machine lacks is a mistake of the option', async () => {
    await expect(
      replay(pathOf('stream-serial-8t'), 'default', limited([{ node: 4, pages: 100 }])),
    ).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: '--memory: node 4 is not on machine tiny, which has nodes 0-3',
    });
  });

  it('with less than the trace needs, pages go out to swap and come back, and every access is made all the same', async () => {
    const plain = await replay(pathOf('stream-serial-8t'), 'default');
    const pressed = await replay(pathOf('stream-serial-8t'), 'bind=0', limited([{ node: 0, share: 0.6 }]));
    expect(pressed.outcome).toEqual({ kind: 'done' });
    expect(sums(pressed)).toEqual(sums(plain));
    const { pswpout, pswpin, pgsteal_anon: stolen, fault_swap_major: major } = pressed.counters;
    expect(pswpout).toBeGreaterThan(2000);
    expect(pswpin).toBeGreaterThan(2000);
    expect(major).toBe(pswpin); // page-cluster=0: one page per fault
    expect(stolen).toBeGreaterThanOrEqual(pswpin);
    expect(pressed.whole.timeNs).toBeGreaterThan(2 * plain.whole.timeNs);
    expect(pressed.pagesPerNode.slice(1)).toEqual([0, 0, 0]);
  });

  it('the same when all nodes are small', async () => {
    const pressed = await replay(
      pathOf('stream-serial-8t'),
      'default',
      limited([0, 1, 2, 3].map((node) => ({ node, share: 0.24 }))),
    );
    const plain = await replay(pathOf('stream-serial-8t'), 'default');
    expect(pressed.outcome).toEqual({ kind: 'done' });
    expect(sums(pressed)).toEqual(sums(plain));
    expect(pressed.counters.pswpin).toBeGreaterThan(1000);
  });

  it('file pages go without being written, and are read again', async () => {
    const pages = 300;
    const pass = (quantum: number) => Array.from({ length: pages }, (_, page) => read(quantum, 0, page));
    const sidecar = {
      regions: [file({ id: 1, first_page: 0, pages })],
      file_mappings: [fileMapping({ region: 1, pages })],
    };
    const { counters, outcome } = await replayRows(
      dir,
      { rows: [...pass(0), ...pass(1), ...pass(2)], sidecar },
      'bind=0',
      {
        tiny: { nodes: 2 },
        options: { memory: [{ node: 0, pages: 200 }] },
      },
    );
    expect(outcome).toEqual({ kind: 'done' });
    expect(counters.fault_file_major).toBeGreaterThan(2 * pages);
    expect(counters.pgsteal_file).toBeGreaterThan(pages);
    expect(counters.workingset_refault_file).toBeGreaterThan(0);
    expect([counters.pswpout, counters.nr_vmscan_write]).toEqual([undefined, undefined]);
  });
});

/** One thread reads 64 pages of a file in order, of which the first 32 are mapped; the others it reads by calls. */
const FILE_ROWS = Array.from({ length: 64 }, (_, page) => read(0, 0, page));
const FILE = {
  regions: [file({ id: 1, first_page: 0, pages: 64 })],
  file_mappings: [fileMapping({ region: 1, pages: 32 })],
};

describe('what is read and mapped ahead', () => {
  const run = (word: string) => replayRows(dir, { rows: FILE_ROWS, sidecar: FILE }, word, { tiny: { nodes: 2 } });

  it('nothing, unless asked for: a fault or a read for each page', async () => {
    const { counters, assumptions } = await run('default');
    expect(counters).toMatchObject({ fault_file_major: 32, file_call: 32, file_call_major: 32, pgmajfault: 32 });
    expect(assumptions).toEqual(
      expect.arrayContaining([
        'Files are read one page at a time (readahead=off).',
        'A fault maps one file page (fault-around=off).',
      ]),
    );
  });

  it('readahead=on: a miss reads the 32 pages around, the others are found in memory', async () => {
    const { counters, assumptions } = await run('default+readahead=on');
    // Page 0 brings pages 0 to 31; reaching page 24, and then each mark, brings the next 32 before they are needed.
    expect(counters).toMatchObject({ fault_file_major: 1, fault_file: 31, file_call: 32 });
    expect(counters['file_call_major'] ?? 0).toBe(0);
    expect(assumptions).not.toContain('Files are read one page at a time (readahead=off).');
  });

  it('fault-around=on maps what is cached within 16 pages, and reads nothing', async () => {
    const around = await run('default+fault-around=on');
    expect(around.counters.fault_file_major).toBe(32); // nothing is cached yet
    const both = await run('default+fault-around=on+readahead=on');
    // The page that asks for the next window is left for a fault of its own.
    expect(both.counters).toMatchObject({ fault_file_major: 1, fault_file: 2, pgfault: 3 });
  });

  it('page-cluster=N: a fault on a swapped page reads 2^N slots', async () => {
    const pages = 400;
    const pass = (quantum: number): Row[] => Array.from({ length: pages }, (_, page) => write(quantum, 0, page));
    const rows = [...pass(0), ...pass(1), ...pass(2)];
    const sidecar = { regions: [anonymous({ pages })] };
    const [one, eight] = await Promise.all(
      [0, 3].map((cluster) =>
        replayRows(dir, { rows, sidecar }, `bind=0+page-cluster=${String(cluster)}`, {
          tiny: { nodes: 2 },
          options: { memory: [{ node: 0, pages: 300 }] },
        }),
      ),
    );
    expect(one.counters.swap_ra).toBeUndefined();
    expect(one.counters.fault_swap_major).toBe(one.counters.pswpin);
    expect(eight.counters.swap_ra).toBeGreaterThan(100);
    expect(eight.counters.fault_swap_major + eight.counters.swap_ra).toBe(eight.counters.pswpin);
    expect(eight.counters.fault_swap_major).toBeLessThan(one.counters.fault_swap_major / 2);
    expect(one.assumptions).toContain('Swap is read one page at a time (page-cluster=0).');
    expect(eight.assumptions).not.toContain('Swap is read one page at a time (page-cluster=0).');
  });
});
