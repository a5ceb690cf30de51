import { describe, expect, it } from 'vitest';
import type { Sidecar, TraceProcess } from '../../../src/trace/index.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { file, fileMapping, output, sidecarFor, type Row } from '../../support/write-trace.js';
import { read, replayRows, write } from './replays.js';

const dir = await temporaryDirectory();

/** A process of a test: one thread of the same number, with rows [first, last], on a node of its own. */
interface Part {
  readonly rows: readonly [first: number, last: number];
  readonly slot?: number;
}

/**
 * Processes that access a file without faults (by hits: 1 ns each), row r by the process whose turn it is, and print when they
 * begin and end. @returns clock of each at its beginning and end
 */
async function clocksOf(parts: readonly Part[], turns: readonly number[], counts: readonly number[]) {
  const rows: Row[] = turns.map((pid, row) => [row, pid, 0, 0, counts[row], 0]);
  const processes: TraceProcess[] = parts.map(({ rows: [first, last], slot }, pid) => ({
    ...{ pid, name: `p${String(pid)}`, first_row: first, last_row: last, truncated: false },
    rows: turns.filter((turn) => turn === pid).length,
    ...(slot === undefined ? {} : { slot }),
  }));
  const sidecar: Partial<Sidecar> = {
    processes,
    threads: parts.map(({ rows: [first] }, pid) => ({
      tid: pid,
      process: pid,
      parent: null,
      start_row: first,
      end_row: null,
    })),
    regions: [file({ id: 1, first_page: 0, pages: 1 })],
    file_mappings: parts.map(({ rows: [first] }, process) =>
      fileMapping({ region: 1, pages: 1, process, map_row: first }),
    ),
    events: parts
      .flatMap(({ rows: [first, last] }, pid) => [output(first, 'begin', pid), output(last + 1, 'end', pid)])
      .sort((a, b) => a.row - b.row),
  };
  const { marks } = await replayRows(dir, { rows, sidecar }, 'default', { tiny: { nodes: parts.length } });
  const clock = (text: string) => {
    const events = (sidecar.events ?? []).filter((event) => event.kind === 'output');
    return parts.map((_, pid) => marks[events.findIndex((event) => event.tid === pid && event.text === text)].atNs);
  };
  return { begin: clock('begin'), end: clock('end') };
}

describe('clocks of processes', () => {
  it('one after the other: a process begins when the one it follows has ended', async () => {
    const { begin, end } = await clocksOf(
      [{ rows: [0, 1] }, { rows: [2, 3] }, { rows: [4, 4] }],
      [0, 0, 1, 1, 2],
      [1000, 1000, 50, 50, 1],
    );
    expect(begin).toEqual([0, end[0], end[1]]);
    expect(end[0]).toBeGreaterThan(2000);
  });

  it('at the same time: those that run beside each other begin at zero', async () => {
    const { begin } = await clocksOf([{ rows: [0, 2] }, { rows: [1, 3] }], [0, 1, 0, 1], [1000, 10, 1000, 10]);
    expect(begin).toEqual([0, 0]);
  });

  it('in job slots: a process follows the last of its own slot', async () => {
    // Slot 0: process 0, then 2; slot 1: process 1, then 3. Process 1 is done sooner than process 0.
    const { begin, end } = await clocksOf(
      [
        { rows: [0, 2], slot: 0 },
        { rows: [1, 3], slot: 1 },
        { rows: [4, 6], slot: 0 },
        { rows: [5, 7], slot: 1 },
      ],
      [0, 1, 0, 1, 2, 3, 2, 3],
      [5000, 10, 5000, 10, 1, 1, 1, 1],
    );
    expect(end[1]).toBeLessThan(end[0]);
    expect(begin[3]).toBe(end[1]);
    // When process 2 begins nobody runs any more: it follows whoever was the last in the trace, as a link step does.
    expect(begin[2]).toBe(end[1]);
  });

  it('in job slots: with others running, the last of the slot counts, however long ago', async () => {
    const { begin, end } = await clocksOf(
      [
        { rows: [0, 5], slot: 0 },
        { rows: [1, 1], slot: 1 },
        { rows: [2, 2], slot: 2 },
        { rows: [3, 3], slot: 1 },
      ],
      [0, 1, 2, 3, 0, 0],
      [10, 300, 7000, 1, 10, 10],
    );
    expect(begin[3]).toBe(end[1]);
    expect(begin[3]).toBeLessThan(end[2]);
  });
});

describe('threads of a process', () => {
  it('start at the clock of their creator, and each has its own from then on', async () => {
    const rows = [write(0, 0, 0, 2000), write(1, 1, 1, 10), write(2, 2, 2, 10), write(3, 1, 1, 10)];
    const { marks } = await replayRows(
      dir,
      {
        rows,
        sidecar: {
          threads: [
            { tid: 0, process: 0, parent: null, start_row: 0, end_row: null },
            { tid: 1, process: 0, parent: 0, start_row: 1, end_row: null },
            { tid: 2, process: 0, parent: 1, start_row: 2, end_row: null },
          ],
          events: [
            output(1, 'main', 0),
            output(1, 'one', 1),
            output(2, 'one', 1),
            output(2, 'two', 2),
            output(3, 'main', 0),
          ],
        },
      },
      'default',
      { tiny: { nodes: 3 } },
    );
    const [main, oneStarts, one, twoStarts, mainLater] = marks.map(({ atNs }) => atNs);
    expect(main).toBeGreaterThan(2000 * 50);
    expect([oneStarts, twoStarts, mainLater]).toEqual([main, one, main]);
    expect(one).toBeGreaterThan(main);
  });

  it('that have no rows take no place among those that are placed', async () => {
    const rows = [write(0, 0, 0), write(1, 2, 1)];
    const { pagesPerNode } = await replayRows(
      dir,
      {
        rows,
        sidecar: {
          threads: [0, 1, 2, 3].map((tid) => ({
            tid,
            process: 0,
            parent: tid === 0 ? null : 0,
            start_row: 0,
            end_row: null,
          })),
        },
      },
      'default',
      { tiny: { nodes: 2 } },
    );
    expect(pagesPerNode).toEqual([1, 1]); // threads 0 and 2 are the first and the second of two
  });

  it('moving pages is carried along from process to process, and is part of their time', async () => {
    const rows = [write(0, 0, 0), read(1, 0, 0), write(2, 1, 1)];
    const { processes } = sidecarFor(rows);
    const { marks, actions } = await replayRows(
      dir,
      {
        rows,
        sidecar: {
          processes: [
            { ...processes[0], last_row: 1, rows: 2 },
            { ...processes[0], pid: 1, first_row: 2, rows: 1 },
          ],
          threads: [0, 1].map((tid) => ({ tid, process: tid, parent: null, start_row: 2 * tid, end_row: null })),
          regions: [file({ id: 1, first_page: 0, pages: 2 })],
          file_mappings: [fileMapping({ region: 1, pages: 2, writable: true })],
          events: [output(2, 'first ends', 0), { row: 2, kind: 'exit', process: 0 }, output(2, 'second begins', 1)],
        },
      },
      'default+lazy@row:1',
      { tiny: { nodes: 2 } },
    );
    expect(actions[0].pagesTouched).toBe(1);
    expect(marks[0].movingNs).toBeGreaterThanOrEqual(actions[0].ownNs);
    expect(marks[1]).toMatchObject({ atNs: marks[0].atNs, movingNs: marks[0].movingNs });
  });
});
