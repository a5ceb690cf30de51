import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/stats/index.js';
import type { Sidecar, TraceEvent } from '../../../src/trace/index.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, file, fileMapping, sidecarFor, type Row } from '../../support/write-trace.js';
import { read, replayRows, write, type ReplayOf } from './replays.js';

// Two nodes; thread 0 is on node 0, thread 1 on node 1.
const dir = await temporaryDirectory();
const run = (
  rows: readonly Row[],
  sidecar: Partial<Sidecar>,
  word = 'default',
  of: ReplayOf = {},
): Promise<RunResult> => replayRows(dir, { rows, sidecar }, word, { tiny: { nodes: 2 }, ...of });

const unmap = (row: number, first: number, pages: number): TraceEvent => ({
  row,
  kind: 'unmap',
  tid: 0,
  first_page: first,
  pages,
});
const at = (page: number): string => `0x${(0x7f00_0000_0000 + page * 4096).toString(16)}`;

/** Thread 0 is process 0, thread 1 process 1, each with `rows[i]` of the rows; the second begins where the first ends. */
function twoProcesses(rows: readonly Row[], change: number): Pick<Sidecar, 'processes' | 'threads'> {
  const { processes, threads } = sidecarFor(rows);
  const second = rows.length - change;
  return {
    processes: [
      { ...processes[0], last_row: change - 1, rows: change },
      { ...processes[0], pid: 1, first_row: change, rows: second },
    ],
    threads: threads.map((thread, i) => ({ ...thread, process: i, parent: null, start_row: i === 0 ? 0 : change })),
  };
}

describe('private memory of a trace', () => {
  it('is mapped and unmapped at its rows: what comes to its address later is new', async () => {
    const rows = [write(0, 0, 0), write(0, 0, 1), write(1, 1, 2), write(1, 1, 3)];
    const { pagesPerNode, counters } = await run(rows, {
      regions: [
        anonymous({ pages: 2, vaddr: at(0), unmap_row: 2 }),
        anonymous({ id: 1, first_page: 2, pages: 2, vaddr: at(0), map_row: 2 }),
      ],
      events: [unmap(2, 0, 2)],
    });
    expect(pagesPerNode).toEqual([0, 2]);
    expect(counters.fault_anon).toBe(4);
  });

  it('goes where another mapping lies over it, and stays beside that', async () => {
    const writes = [0, 1, 2, 3].map((page) => write(0, 0, page));
    const rows = [...writes, write(1, 1, 4), write(1, 1, 5), read(2, 0, 0), read(2, 0, 3), read(2, 0, 4)];
    const { pagesPerNode, counters, whole } = await run(rows, {
      regions: [
        anonymous({ pages: 4, vaddr: at(0) }),
        anonymous({ id: 1, first_page: 4, pages: 2, vaddr: at(1), map_row: 4 }),
      ],
    });
    expect(pagesPerNode).toEqual([2, 2]);
    expect(counters.fault_anon).toBe(6);
    expect(whole.missesRemote).toBe(1);
  });

  it('keeps what was mapped over a part of it when it is unmapped as a whole', async () => {
    const rows = [write(0, 0, 0), write(0, 0, 1), write(1, 1, 2), read(2, 0, 2), read(3, 1, 2)];
    const { pagesPerNode, counters } = await run(rows, {
      regions: [
        anonymous({ pages: 2, vaddr: at(0), unmap_row: 3 }),
        anonymous({ id: 1, first_page: 2, vaddr: at(1), map_row: 2 }),
      ],
      events: [unmap(3, 0, 2)],
    });
    expect(pagesPerNode).toEqual([0, 1]);
    expect(counters.fault_anon).toBe(3);
  });

  it('is placed anew when it is touched after a discard', async () => {
    const rows = [write(0, 0, 0), write(0, 0, 1), write(1, 1, 0), write(1, 1, 1)];
    const { pagesPerNode, counters } = await run(rows, {
      events: [{ row: 2, kind: 'discard', tid: 0, first_page: 0, pages: 1 }],
    });
    expect(pagesPerNode).toEqual([1, 1]);
    expect(counters.fault_anon).toBe(3);
  });

  it('that the program moves stays in place though its address is mapped again (K-I2)', async () => {
    const rows = [write(0, 0, 0), write(0, 0, 1), write(1, 1, 2), read(2, 0, 0), read(2, 0, 2), read(2, 0, 1)];
    const { pagesPerNode, counters, outcome } = await run(rows, {
      regions: [
        anonymous({ pages: 2, vaddr: at(0) }),
        anonymous({ id: 1, first_page: 2, pages: 1, vaddr: at(0), map_row: 2 }),
      ],
      events: [{ row: 2, kind: 'move', tid: 0, first_page: 0, pages: 2, vaddr: at(700) }],
    });
    expect(outcome).toEqual({ kind: 'done' });
    expect(pagesPerNode).toEqual([2, 1]);
    expect(counters.fault_anon).toBe(3);
  });

  it('goes with its process; the page cache stays', async () => {
    const rows = [write(0, 0, 0), write(0, 0, 1), write(1, 1, 2)];
    const { whole, counters, phases } = await run(
      rows,
      {
        ...twoProcesses(rows, 2),
        regions: [
          anonymous(),
          file({ id: 1, first_page: 1, pages: 1 }),
          anonymous({ id: 2, first_page: 2, process: 1, by_tid: 1, map_row: 2 }),
        ],
        events: [
          { row: 2, kind: 'exit', process: 0 },
          { row: 3, kind: 'exit', process: 1 },
        ],
      },
      'default+lazy=2@row:2',
    );
    expect(phases[0].pagesPerNode).toEqual([1, 0]); // private memory of process 0 is gone, its file is not
    expect(whole.pagesPerNode).toEqual([1, 1]); // before process 1 ends
    expect(counters).toMatchObject({ fault_anon: 2, file_call: 1 });
  });

  it('that nothing maps is a mistake of the trace', async () => {
    const rows = [write(0, 0, 0), write(0, 0, 1)];
    await expect(
      run(rows, { regions: [anonymous({ pages: 2, map_row: 0 })], events: [unmap(1, 0, 2)] }),
    ).rejects.toMatchObject({
      code: 'BAD_TRACE',
      message: expect.stringMatching(/row 1: thread 0 touches memory/) as unknown,
    });
  });
});

describe('files of a trace', () => {
  const page = file({ id: 1, first_page: 0, pages: 1 });

  it('written in a private mapping are copied, the copy where the writer is', async () => {
    const rows = [read(0, 0, 0), write(1, 1, 0), read(2, 0, 0, 5)];
    const { pagesPerNode, counters, whole } = await run(rows, {
      regions: [page],
      file_mappings: [fileMapping({ region: 1, pages: 1, writable: true, shared: false })],
    });
    expect(pagesPerNode).toEqual([1, 1]);
    expect(counters).toMatchObject({ fault_file_major: 1, fault_cow: 1 });
    expect(counters.file_call).toBeUndefined();
    expect(whole.missesRemote).toBe(5); // thread 0 reads the copy
  });

  it('written in a shared mapping are not', async () => {
    const rows = [read(0, 0, 0), write(1, 1, 0), read(2, 0, 0, 5)];
    const { pagesPerNode, counters, whole } = await run(rows, {
      regions: [page],
      file_mappings: [fileMapping({ region: 1, pages: 1, writable: true, shared: true })],
    });
    expect(pagesPerNode).toEqual([1, 0]);
    expect(counters).toMatchObject({ fault_file_major: 1, fault_write_in_place: 1 });
    expect(whole).toMatchObject({ missesRemote: 1, missesLocal: 6 });
  });

  it('without a mapping are read and written by calls: the task policy places them, nothing faults (MP-13)', async () => {
    const rows = [write(0, 0, 0), read(0, 0, 1), read(1, 1, 0)];
    const { pagesPerNode, counters, whole } = await run(
      rows,
      { regions: [file({ id: 1, first_page: 0, pages: 2 })] },
      'preferred=1',
    );
    expect(pagesPerNode).toEqual([0, 2]);
    expect(counters).toMatchObject({ file_call: 3, file_call_major: 1 }); // a whole page that is written need not be read
    expect(counters.pgfault).toBeUndefined();
    expect(whole).toMatchObject({ missesRemote: 2, missesLocal: 1, faults: {} });
  });

  it('mapped read-only are written by a call too', async () => {
    const rows = [read(0, 0, 0), write(1, 1, 0), read(2, 1, 0)];
    const { pagesPerNode, counters, outcome } = await run(rows, {
      regions: [page],
      file_mappings: [fileMapping({ region: 1, pages: 1 })],
    });
    expect(outcome).toEqual({ kind: 'done' });
    expect(pagesPerNode).toEqual([1, 0]);
    expect(counters).toMatchObject({ fault_file_major: 1, file_call: 1, pgfault: 1 });
  });

  it('are shared by all processes: the second finds in memory what the first has read', async () => {
    const rows = [read(0, 0, 0), read(1, 1, 0, 3)];
    const { pagesPerNode, counters, whole } = await run(rows, {
      ...twoProcesses(rows, 1),
      regions: [page],
      file_mappings: [0, 1].map((process) => fileMapping({ region: 1, pages: 1, process, map_row: process })),
    });
    expect(pagesPerNode).toEqual([1, 0]);
    expect(counters).toMatchObject({ fault_file_major: 1, fault_file: 1 });
    expect(whole.missesRemote).toBe(3);
  });

  it('have one page each, wherever they are mapped: also at an address that showed another page before', async () => {
    const rows = [read(0, 0, 0), read(0, 0, 1), read(1, 1, 0), read(1, 1, 1)];
    const show = (filePage: number, from: number, until: number | null) =>
      fileMapping({ region: 1, pages: 1, file_page: filePage, vaddr: at(0), map_row: from, unmap_row: until });
    const { counters, pagesPerNode } = await run(rows, {
      regions: [file({ id: 1, first_page: 0, pages: 2 })],
      file_mappings: [show(0, 0, 1), show(1, 1, 2), show(0, 2, null)],
    });
    expect(counters).toMatchObject({ fault_file_major: 2, fault_file: 1, file_call: 1 });
    expect(pagesPerNode).toEqual([2, 0]);
  });

  it('mapped over each other without unmapping show the last that was mapped', async () => {
    const rows = [read(0, 0, 0), read(0, 0, 1), read(0, 0, 0)];
    const show = (filePage: number, from: number) =>
      fileMapping({ region: 1, pages: 1, file_page: filePage, vaddr: at(0), map_row: from });
    const { counters } = await run(rows, {
      regions: [file({ id: 1, first_page: 0, pages: 2 })],
      file_mappings: [show(0, 0), show(1, 1)],
    });
    expect(counters).toMatchObject({ fault_file_major: 2, file_call: 1 });
  });

  it('are mapped from the first row of their process on, if the trace says earlier', async () => {
    const rows = [write(0, 0, 1), read(1, 1, 0)];
    const { counters } = await run(rows, {
      ...twoProcesses(rows, 1),
      regions: [page, anonymous({ id: 2, first_page: 1 })],
      file_mappings: [fileMapping({ region: 1, pages: 1, process: 1, map_row: 0 })],
    });
    expect(counters).toMatchObject({ fault_file_major: 1 });
    expect(counters.file_call).toBeUndefined();
  });
});

describe('policies of regions', () => {
  const regions = [
    anonymous({ pages: 4, kind: 'heap', name: '[heap]' }),
    anonymous({ id: 7, first_page: 4, pages: 4, kind: 'mmap', name: 'anon' }),
    anonymous({ id: 8, first_page: 8, pages: 4, kind: 'mmap', name: 'table' }),
  ];
  const rows = Array.from({ length: 12 }, (_, page) => write(0, 0, page));

  it.each([
    ['vma=heap:bind=1', [8, 4]],
    ['vma=[heap]:preferred=1', [8, 4]],
    ['vma=7:bind=1', [8, 4]],
    ['vma=mmap:bind=1', [4, 8]],
    ['vma=table:interleave=all', [10, 2]],
    ['vma=mmap:bind=1+vma=8:bind=0', [8, 4]], // the last word about a region holds
    ['vma=heap:bind=1+vma=mmap:bind=1', [0, 12]],
  ])('default+%s places only the pages of those regions', async (word, pagesPerNode) => {
    expect((await run(rows, { regions }, `default+${word}`)).pagesPerNode).toEqual(pagesPerNode);
  });

  it('stand above the policy of the task (MP-10)', async () => {
    expect((await run(rows, { regions }, 'bind=1+vma=table:bind=0')).pagesPerNode).toEqual([4, 8]);
  });

  it('leave pages of files alone: those go by the task (MP-13)', async () => {
    const mapped = {
      regions: [file({ id: 1, first_page: 0, pages: 2 })],
      file_mappings: [fileMapping({ region: 1, pages: 2 })],
    };
    expect((await run([read(0, 0, 0), read(0, 0, 1)], mapped, 'default+vma=file:bind=1')).pagesPerNode).toEqual([2, 0]);
  });

  it('hold for what is mapped later under the same name', async () => {
    const later = [...regions, anonymous({ id: 9, first_page: 12, pages: 2, name: 'table', map_row: 12 })];
    const more = [...rows, write(1, 0, 12), write(1, 0, 13)];
    expect((await run(more, { regions: later }, 'default+vma=table:bind=1')).pagesPerNode).toEqual([8, 6]);
  });

  it.each([
    ['default+vma=hepa:bind=1', /no region "hepa"; did you mean "heap"\?/],
    ['default+lazy=tabel', /no region "tabel"; did you mean "table"\?/],
    ['default+vma=99:bind=1', /no region "99"\. Ids 0-2, kinds heap, mmap/],
  ])('%s: a region that the trace lacks is one line with what there is', async (word, message) => {
    await expect(run(rows, { regions }, word)).rejects.toMatchObject({
      code: 'BAD_RUN',
      message: expect.stringMatching(message) as unknown,
    });
  });
});
