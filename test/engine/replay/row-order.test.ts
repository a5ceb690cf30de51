import { describe, expect, it } from 'vitest';
import { inClockOrder, inRowOrder } from '../../../src/engine/replay/row-order.js';
import type { RunResult } from '../../../src/stats/index.js';
import type { TraceBatch } from '../../../src/trace/index.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, output, type Row } from '../../support/write-trace.js';
import { pathOf, read, replay, replayRows, write } from './replays.js';

const dir = await temporaryDirectory();

function batchOf(rows: readonly Row[], firstRow = 0): TraceBatch {
  const column = (place: number) => rows.map((row) => row[place]);
  return {
    ...{ firstRow, rows: rows.length },
    ...{ quantum: Uint32Array.from(column(0)), tid: Uint16Array.from(column(1)), page: Uint32Array.from(column(2)) },
    ...{ op: Uint8Array.from(column(3)), count: Uint32Array.from(column(4)), miss: Uint32Array.from(column(5)) },
  };
}

const noWaits = () => null;

interface Ordering {
  readonly from?: number;
  readonly until?: number;
  /** Quanta before which their thread waited, for whom. */
  readonly waits?: Readonly<Record<number, readonly number[]>>;
}

/** Runs rows; a row takes `count` ns on the CPU of its thread's number modulo `cpus`. @returns quanta in the order they ran */
function order(
  rows: readonly Row[],
  cpus: number,
  { from = 0, until = rows.length, waits = {} }: Ordering = {},
): number[] {
  const batch = batchOf(rows);
  const clock = new Float64Array(cpus);
  const ran: number[] = [];
  const asked: number[] = [];
  const done = inClockOrder(
    batch,
    from,
    until,
    (_, quantum) => {
      asked.push(quantum);
      return waits[quantum] ?? null;
    },
    (_, start, end, waitedFor) => {
      ran.push(batch.quantum[start]);
      expect(waitedFor).toEqual(waits[batch.quantum[start]] ?? null);
      for (let i = start; i < end; i++) {
        expect(batch.quantum[i]).toBe(batch.quantum[start]);
        clock[batch.tid[i] % cpus] += batch.count[i];
      }
      return true;
    },
    { ofTid: (tid) => tid % cpus, clock: (cpu) => clock[cpu] },
  );
  expect(done).toBe(true);
  expect(asked).toEqual([...asked].sort((a, b) => a - b)); // who waited is a question of row order
  return ran;
}

describe('the order of rows', () => {
  it('rows: quanta as they come, each in one piece', () => {
    const pieces: number[][] = [];
    const batch = batchOf([read(0, 0, 0), read(0, 0, 1), read(1, 1, 0), read(2, 0, 0), read(2, 0, 1)]);
    const begin = (tid: number, quantum: number) => (quantum === 2 ? [tid + 1] : null);
    expect(
      inRowOrder(
        batch,
        1,
        5,
        begin,
        (_, from, until, waitedFor) => pieces.push([from, until, ...(waitedFor ?? [])]) > 0,
      ),
    ).toBe(true);
    expect(pieces).toEqual([
      [1, 2],
      [2, 3],
      [3, 5, 1],
    ]);
  });

  it.each(['rows', 'clocks'] as const)('%s: nothing runs after a row that failed', (which) => {
    const batch = batchOf([read(0, 0, 0), read(1, 1, 0), read(2, 0, 0)]);
    let ran = 0;
    const fails = () => ++ran < 2;
    const done =
      which === 'rows'
        ? inRowOrder(batch, 0, 3, noWaits, fails)
        : inClockOrder(batch, 0, 3, noWaits, fails, { ofTid: (tid) => tid, clock: () => 0 });
    expect([done, ran]).toEqual([false, 2]);
  });

  it('clocks: the CPU that is furthest behind goes next', () => {
    // Thread 0 takes 10 ns per quantum, thread 1 takes 25.
    const rows = [0, 1, 0, 1, 0, 1, 0, 1].map((tid, q) => read(q, tid, 0, tid === 0 ? 10 : 25));
    expect(order(rows, 2)).toEqual([0, 1, 2, 4, 3, 6, 5, 7]);
  });

  it('clocks: equal clocks go by row order, and threads on one CPU take turns in it', () => {
    const rows = [2, 1, 0, 2, 1, 0].map((tid, q) => read(q, tid, 0, 10));
    expect(order(rows, 3)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(order(rows, 1)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('clocks: each thread keeps its own order, and every row runs once', () => {
    const rows = Array.from({ length: 2000 }, (_, q) => read(q, (q * 7 + (q >> 3)) % 5, 0, 1 + ((q * 31) % 97)));
    const ran = order(rows, 5);
    expect([...ran].sort((a, b) => a - b)).toEqual(rows.map(([quantum]) => quantum));
    for (let tid = 0; tid < 5; tid++) {
      const own = ran.filter((quantum) => rows[quantum][1] === tid);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
    expect(ran).not.toEqual(rows.map(([quantum]) => quantum));
  });

  it('clocks: a thread that waited goes on when all rows before have been carried out', () => {
    // Thread 1 has one quantum, waits for thread 0, and is far behind then: it goes when its turn in row order has come.
    const rows = [1, 0, 0, 0, 1, 0, 1].map((tid, q) => read(q, tid, 0, 10));
    expect(order(rows, 2)).toEqual([0, 1, 2, 4, 3, 6, 5]);
    expect(order(rows, 2, { waits: { 4: [0] } })).toEqual([0, 1, 2, 3, 4, 6, 5]);
  });

  it('clocks: chooses within 256 quanta only', () => {
    // CPU 0 is slow: everything of thread 1 would go first.
    const rows = Array.from({ length: 1000 }, (_, q) => read(q, q < 500 ? 0 : 1, 0, q < 500 ? 1000 : 1));
    const ran = order(rows, 2);
    expect(ran.indexOf(500)).toBe(500 - 255);
  });

  it('clocks: a stretch is left alone: nothing comes before its first row or after its last', () => {
    const rows = [0, 1, 0, 1, 0, 1].map((tid, q) => read(q, tid, 0, tid === 0 ? 100 : 1));
    expect(order(rows, 2, { from: 2, until: 5 }).sort()).toEqual([2, 3, 4]);
  });
});

describe('--order clocks of a replay', () => {
  it('never lets a row cross an output, a mapping or a thread that starts', async () => {
    // Thread 1 would be far ahead; the page that it writes first belongs to the node of the row order all the same.
    const rows: Row[] = [];
    for (let i = 0; i < 40; i++) rows.push(write(2 * i, 0, 0, 1000), write(2 * i + 1, 1, 1));
    rows.push(write(100, 0, 2), write(101, 1, 2));
    const { pagesPerNode, marks } = await replayRows(
      dir,
      {
        rows,
        sidecar: {
          regions: [anonymous({ pages: 2 }), anonymous({ id: 1, first_page: 2, map_row: 80 })],
          events: [output(80, 'second part', 1)],
        },
      },
      'default',
      { tiny: { nodes: 2 }, options: { order: 'clocks' } },
    );
    // Page 0 on node 0, page 1 on node 1; page 2 goes to thread 1, whose CPU is behind within the last stretch.
    expect(pagesPerNode).toEqual([1, 2]);
    expect(marks).toMatchObject([{ row: 80, text: 'second part' }]);
    expect(marks[0].atNs).toBeLessThan(20_000); // all of thread 1's rows before it, and nothing of thread 0's
  });

  it.each(['stream-serial-8t', 'mini-bfs-4t', 'filecache-3p'] as const)(
    '%s: has the accesses and misses of --order rows, placed a little differently',
    async (name) => {
      const [rows, clocks] = await Promise.all(
        (['rows', 'clocks'] as const).map((order) => replay(pathOf(name), 'default', { options: { order } })),
      );
      for (const phase of ['whole', 'region'] as const) {
        const sums = [rows, clocks].map((result) => ({
          accesses: result[phase].accessesLocal + result[phase].accessesRemote,
          misses: result[phase].missesLocal + result[phase].missesRemote,
          rows: result[phase].rows,
        }));
        expect(sums[1]).toEqual(sums[0]);
      }
      // The orders differ in who of two comes first, not in how long the threads take or wait.
      const ratio = clocks.whole.timeNs / rows.whole.timeNs;
      expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
      expect(clocks.marks.map(({ row, text }) => [row, text])).toEqual(rows.marks.map(({ row, text }) => [row, text]));
      const written = ({ fault_anon: anon, fault_cow: copied = 0 }: RunResult['counters']) => anon + copied;
      expect(written(clocks.counters)).toBe(written(rows.counters));
      expect(clocks.assumptions).toContain('The CPU furthest behind goes next, within 256 quanta (--order clocks).');
    },
  );
});
