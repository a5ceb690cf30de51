import { describe, expect, it } from 'vitest';
import { remoteShare, type RunResult } from '../../../src/stats/index.js';
import type { Sidecar } from '../../../src/trace/index.js';
import { tinyDescription } from '../../support/tiny-machine.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, file, fileMapping, output, sidecarFor, type Row } from '../../support/write-trace.js';
import { read, replayRows, write, type ReplayOf } from './replays.js';

// Two nodes; thread 0 is on node 0, thread 1 on node 1.
const dir = await temporaryDirectory();
const run = (
  rows: readonly Row[],
  word: string,
  sidecar: Partial<Sidecar> = {},
  of: ReplayOf = {},
): Promise<RunResult> => replayRows(dir, { rows, sidecar }, word, { tiny: { nodes: 2 }, ...of });

const PAGES = 12;
const CHANGE = PAGES;
/** Thread 0 writes twelve pages, then thread 1 reads each of them. */
const HANDED_OVER: readonly Row[] = [
  ...Array.from({ length: PAGES }, (_, page) => write(0, 0, page)),
  ...Array.from({ length: PAGES }, (_, page) => read(1, 1, page)),
];
/** Pages 0-3 heap, 4-7 and 8-11 two mappings of different names. */
const REGIONS = [
  anonymous({ pages: 4, kind: 'heap', name: '[heap]' }),
  anonymous({ id: 5, first_page: 4, pages: 4, name: 'anon' }),
  anonymous({ id: 6, first_page: 8, pages: 4, name: 'table' }),
];
/** Thread 1 starts when thread 0 is done. */
const THREADS: Pick<Sidecar, 'threads'> = {
  threads: sidecarFor(HANDED_OVER).threads.map((thread) => ({ ...thread, start_row: thread.tid === 0 ? 0 : CHANGE })),
};

describe('lazy', () => {
  it('unmaps all pages, and each follows its next toucher (MP-74)', async () => {
    const { actions, pagesPerNode, phases, whole } = await run(HANDED_OVER, 'default+lazy@threads', THREADS);
    expect(actions).toEqual([
      {
        ...{ action: 'lazy@threads', row: CHANGE, process: 0, pagesTouched: PAGES },
        ownNs: expect.any(Number) as unknown,
        swap: { slots: PAGES, written: 0, read: 0 },
        note: '12 of 12 pages unmapped',
      },
    ]);
    expect(phases.map(({ name, pagesPerNode: pages }) => [name, pages])).toEqual([
      ['before', [PAGES, 0]],
      ['after lazy@threads', [0, PAGES]],
    ]);
    expect(pagesPerNode).toEqual([0, PAGES]);
    expect(whole.missesRemote).toBe(0);
    expect(phases[1]).toMatchObject({ faults: { swap: PAGES }, migration: { tried: PAGES, done: PAGES, failed: {} } });
  });

  it.each([
    ['5', 4],
    ['[heap]', 4],
    ['table', 4],
    ['mmap', 8],
    ['heap', 4],
  ])('=%s unmaps the regions of that id, name or kind only', async (region, pages) => {
    const { actions, pagesPerNode } = await run(HANDED_OVER, `default+lazy=${region}@row:12`, { regions: REGIONS });
    expect(actions[0].pagesTouched).toBe(pages);
    expect(pagesPerNode).toEqual([PAGES - pages, pages]);
  });

  it('under a policy with nodes unmaps only the pages outside them (MP-74)', async () => {
    // Regions 5 and 6 are placed on node 1 by their own policy; the task's is bind=0.
    const word = 'bind=0+vma=mmap:bind=1+lazy@row:12';
    const { actions, phases } = await run(HANDED_OVER, word, { regions: REGIONS });
    expect(phases[0].pagesPerNode).toEqual([4, 8]);
    expect(actions[0]).toMatchObject({ pagesTouched: 8, note: '8 of 8 pages unmapped' });
    // Their own policy wants them where they are.
    expect(phases[1].migration).toEqual({ tried: 0, done: 0, failed: { c6_well_placed: 8 } });
    const inside = await run(HANDED_OVER, 'bind=0+lazy@row:12', { regions: REGIONS });
    expect(inside.actions[0]).toMatchObject({ pagesTouched: 0, note: '0 of 0 pages unmapped' });
  });

  it('goes by the policy of each process, whichever ran before it', async () => {
    const { processes } = sidecarFor(HANDED_OVER);
    const sidecar: Partial<Sidecar> = {
      processes: [
        { ...processes[0], last_row: CHANGE - 1, rows: CHANGE },
        { ...processes[0], pid: 1, first_row: CHANGE, last_row: 2 * PAGES - 1, rows: PAGES },
      ],
      threads: [
        { tid: 0, process: 0, parent: null, start_row: 0, end_row: CHANGE },
        { tid: 1, process: 1, parent: null, start_row: CHANGE, end_row: null },
      ],
      regions: [
        anonymous({ pages: PAGES }),
        anonymous({ id: 1, first_page: PAGES, pages: PAGES, process: 1, by_tid: 1, map_row: CHANGE }),
      ],
      events: [{ row: CHANGE, kind: 'exit', process: 0 }],
    };
    const rows = HANDED_OVER.map(([quantum, tid, page]) => write(quantum, tid, tid === 0 ? page : page + PAGES));
    const { actions } = await run(rows, 'bind=1+lazy@50%', sidecar);
    expect(actions.map(({ process, row, pagesTouched, note }) => [process, row, pagesTouched, note])).toEqual([
      [0, 6, 0, '0 of 0 pages unmapped'],
      [1, 18, 0, '0 of 0 pages unmapped'],
    ]);
    const all = await run(rows, 'default+lazy@50%', sidecar);
    expect(all.actions.map(({ process, pagesTouched }) => [process, pagesTouched])).toEqual([
      [0, 6],
      [1, 6],
    ]);
  });

  it('leaves pages that two processes map (DM-3)', async () => {
    const { processes } = sidecarFor(HANDED_OVER);
    const rows = [read(0, 0, 0), read(1, 1, 0), read(2, 0, 0), read(3, 1, 0)];
    const { actions } = await run(rows, 'default+lazy@row:2', {
      processes: [
        { ...processes[0], last_row: 2, rows: 2 },
        { ...processes[0], pid: 1, first_row: 1, last_row: 3, rows: 2 },
      ],
      threads: [0, 1].map((tid) => ({ tid, process: tid, parent: null, start_row: tid, end_row: null })),
      regions: [file({ id: 1, first_page: 0, pages: 1 })],
      file_mappings: [0, 1].map((process) => fileMapping({ region: 1, pages: 1, process, map_row: process })),
    });
    expect(actions.map(({ note }) => note)).toEqual([
      '0 of 1 pages unmapped, 1 left (mapped more than once, or busy)',
      '0 of 1 pages unmapped, 1 left (mapped more than once, or busy)',
    ]);
  });

  it('costs a call and work by page on the clock of the first thread, listed apart', async () => {
    const { actions, phases, marks } = await run(HANDED_OVER, 'default+lazy@row:12', {
      events: [output(12, 'before'), output(13, 'after', 0)],
    });
    expect(actions[0].ownNs).toBeGreaterThan(tinyDescription().cost.migrateBaseNs);
    expect(marks[1].atNs - marks[0].atNs).toBe(actions[0].ownNs);
    expect(marks.map(({ movingNs }) => movingNs)).toEqual([0, actions[0].ownNs]);
    expect(phases[0].migrationNs).toBe(0);
    expect(phases[1].migrationNs).toBeGreaterThan(actions[0].ownNs); // and the copies of twelve pages
    expect(phases[1].refaultNs).toBeCloseTo(phases[1].faultNs, 3);
  });

  it('of a process that has ended does nothing', async () => {
    const { actions } = await run(HANDED_OVER, 'default+lazy@100%', {
      events: [{ row: 24, kind: 'exit', process: 0 }],
    });
    expect(actions).toMatchObject([{ row: 24, pagesTouched: 0, note: 'the process has ended' }]);
  });

  it('the whole run and its last phase count pages at one moment: before the trace frees them at its end', async () => {
    const freed = { regions: [anonymous({ pages: PAGES, unmap_row: 24 })] };
    const { whole, phases } = await run(HANDED_OVER, 'default+lazy@row:12', freed);
    expect(whole.pagesPerNode).toEqual(phases.at(-1)?.pagesPerNode);
    expect(whole.pagesPerNode).toEqual([0, PAGES]);
  });

  it('twice at two moments: one phase and one line for each', async () => {
    const { actions, phases } = await run(HANDED_OVER, 'default+lazy@row:6+lazy@row:12');
    expect(phases.map(({ name, rows }) => [name, rows.from, rows.until])).toEqual([
      ['before', 0, 6],
      ['after lazy@row:6', 6, 12],
      ['after lazy@row:12', 12, 24],
    ]);
    expect(actions.map(({ pagesTouched }) => pagesTouched)).toEqual([6, 6]); // the first six were not touched again
  });

  it('at the start finds nothing, and there is no phase before it', async () => {
    const { actions, phases } = await run(HANDED_OVER, 'default+lazy');
    expect(actions).toMatchObject([{ action: 'lazy', row: 0, pagesTouched: 0 }]);
    expect(phases.map(({ name }) => name)).toEqual(['after lazy']);
  });

  it('with the hook for swap off brings faults and moves nothing', async () => {
    const { whole, pagesPerNode } = await run(HANDED_OVER, 'default+lazy@row:12+hook-swap=off');
    expect(whole).toMatchObject({ faults: { anon: PAGES, swap: PAGES }, migration: { tried: 0, done: 0 } });
    expect(pagesPerNode).toEqual([PAGES, 0]);
  });
});

describe('task=THREAD:NODE', () => {
  it('relocates the thread: what was remote to it becomes local, and the other way round', async () => {
    // Thread 1 first touches twelve pages on node 1, and reads them again on node 0.
    const rows = [
      ...Array.from({ length: PAGES }, (_, page) => write(0, 1, page)),
      ...Array.from({ length: PAGES }, (_, page) => read(1, 1, page)),
      write(2, 0, PAGES),
    ];
    const { actions, phases, counters } = await run(rows, 'default+task=1:0@row:12');
    expect(actions).toEqual([
      {
        ...{ action: 'task=1:0@row:12', row: 12, process: 0, ownNs: 0, pagesTouched: 0 },
        note: 'thread 1 from node 1 to node 0',
      },
    ]);
    expect(phases.map(({ missesLocal, missesRemote }) => [missesLocal, missesRemote])).toEqual([
      [12, 0],
      [1, 12],
    ]);
    expect(counters.mof_task_moves).toBe(1);
  });

  it('makes first touches happen on the new node', async () => {
    const rows = [write(0, 0, 0), write(1, 1, 1), write(1, 1, 2)];
    expect((await run(rows, 'default+task=1:0')).pagesPerNode).toEqual([3, 0]);
    expect((await run(rows, 'default+task=1:0@row:2')).pagesPerNode).toEqual([2, 1]);
  });

  it('and back: each is carried out at its row', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => write(0, 1, i)).concat([write(1, 0, 30)]);
    const { pagesPerNode, actions } = await run(rows, 'default+task=1:0@row:10+task=1:1@row:20');
    expect(pagesPerNode).toEqual([11, 20]);
    expect(actions.map(({ note }) => note)).toEqual([
      'thread 1 from node 1 to node 0',
      'thread 1 from node 0 to node 1',
    ]);
  });

  it('with all for THREAD relocates every thread that runs then', async () => {
    const { actions, phases } = await run(HANDED_OVER, 'default+task=all:0@row:12+task=all:1@row:18');
    expect(actions.map(({ note }) => note)).toEqual([
      'thread 0 from node 0 to node 0; thread 1 from node 1 to node 0',
      'thread 0 from node 0 to node 1; thread 1 from node 0 to node 1',
    ]);
    expect(phases.map(({ missesRemote }) => missesRemote)).toEqual([0, 0, 6]);
  });

  it('of a thread that has not started yet does nothing, and says so', async () => {
    const { actions } = await run(HANDED_OVER, 'default+task=1:0@row:3', THREADS);
    expect(actions).toMatchObject([{ row: 3, note: 'thread 1 does not run then' }]);
  });

  it('at the creation of threads finds the thread that starts there', async () => {
    const { actions, region } = await run(HANDED_OVER, 'default+task=1:0@threads', THREADS);
    expect(actions).toMatchObject([{ row: CHANGE, note: 'thread 1 from node 1 to node 0' }]);
    expect(remoteShare(region)).toBe(0);
  });

  it.each([
    ['default+task=9:0', 'BAD_RUN', /the trace has no thread 9; it has 0-1/],
    ['default+task=1:7', 'BAD_NODES', /7/],
  ])('%s: what trace or machine lack is a mistake of the run', async (word, code, message) => {
    await expect(run(HANDED_OVER, word)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('to a node without CPUs is a mistake of the run', async () => {
    const description = tinyDescription({ nodes: 3 });
    const nodes = description.nodes.map((node, i) => (i === 2 ? { ...node, cpus: [] } : node));
    await expect(
      run(HANDED_OVER, 'default+task=1:2', {}, { machine: { ...description, nodes } }),
    ).rejects.toMatchObject({
      code: 'BAD_RUN',
      message: '"task=1:2": node 2 has no CPUs',
    });
  });
});

describe('an action whose moment never comes', () => {
  it.each(['lazy@event:never', 'lazy@row:9999', 'task=1:0@event:never'])(
    '%s is reported, and is no error',
    async (word) => {
      const { actions, outcome, phases } = await run(HANDED_OVER, `default+${word}`);
      expect(outcome).toEqual({ kind: 'done' });
      expect(actions).toEqual([
        { action: word, row: null, process: 0, ownNs: 0, pagesTouched: 0, note: 'its moment never came' },
      ]);
      expect(phases.map(({ name }) => name)).toEqual(['whole']);
    },
  );

  it('takes one line, however many processes there are', async () => {
    const { processes, threads } = sidecarFor(HANDED_OVER);
    const { actions } = await run(HANDED_OVER, 'default+lazy@threads', {
      processes: [
        { ...processes[0], last_row: 11, rows: 12 },
        { ...processes[0], pid: 1, first_row: 12, last_row: 23, rows: 12 },
      ],
      threads: threads.map((thread) => ({ ...thread, process: thread.tid, parent: null })),
      regions: [file({ id: 1, first_page: 0, pages: PAGES })],
    });
    expect(actions).toHaveLength(1);
  });
});
