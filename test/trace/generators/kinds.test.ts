import { describe, expect, it } from 'vitest';
import { OP_READ, OP_WRITE } from '../../../src/trace/batch.js';
import { openGenerated } from '../../../src/trace/generators/index.js';
import { traceInfo } from '../../../src/trace/index.js';
import { OP, PAGE, QUANTUM, readRows, TID } from '../../support/read-rows.js';

const rowsOf = (words: string) => readRows(openGenerated(words));
const outputs = (words: string) =>
  openGenerated(words).sidecar.events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
/** Row before which a line was printed. */
function rowOf(words: string, text: string): number {
  return openGenerated(words).sidecar.events.find((event) => event.kind === 'output' && event.text === text)?.row ?? -1;
}

describe('who touches first', () => {
  it.each([
    ['stream', 'serial', 0.75, 0],
    ['stream', 'parallel', 0, 0],
    ['updates:count=100:rows=200000', 'serial', 0.75, 0.75],
    ['updates:count=100:rows=200000', 'parallel', 0.75, 0.75],
  ])(
    '%s %s: on four nodes %f of the misses of the parallel part are remote, at best %f',
    async (kind, first, remote, best) => {
      const source = openGenerated(`gen:${kind}:size=4MiB:threads=4:first=${first}`);
      const shares = (await traceInfo(source)).remote_miss_share_parallel_part['4'];
      expect(Math.abs((shares?.first_touch ?? -1) - remote)).toBeLessThan(0.02);
      expect(Math.abs((shares?.best_static ?? -1) - best)).toBeLessThan(0.1);
    },
  );

  it('serial: one thread has all rows until "init done", each page once', async () => {
    const words = 'gen:stencil:size=1MiB:threads=4';
    const end = rowOf(words, 'init done');
    const rows = (await rowsOf(words)).slice(0, end);
    expect(new Set(rows.map((row) => row[TID]))).toEqual(new Set([0]));
    expect(new Set(rows.map((row) => row[PAGE])).size).toBe(rows.length);
    expect(rows.every((row) => row[OP] === OP_WRITE)).toBe(true);
    expect(openGenerated(words).sidecar.threads.map(({ start_row: start }) => start)).toEqual([0, end, end, end]);
  });

  it.each(['stream', 'updates', 'zipf', 'chase', 'stencil'])('%s first=use: the work begins at once', async (kind) => {
    const rows = await rowsOf(`gen:${kind}:size=1MiB:first=use`);
    const words = `gen:${kind}:size=1MiB`;
    const after = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    expect(rows.length).toBe(after.length);
    expect(outputs(`${words}:first=use`)).toEqual(outputs(words).slice(1));
    expect(new Set(rows.slice(0, 300).map((row) => row[TID])).size).toBe(4);
  });
});

describe('stream', () => {
  it('copies, scales, adds and takes the triad of each page of its own part, in order', async () => {
    const words = 'gen:stream:size=96KiB:threads=2:sweeps=2:quantum=6'; // 8 pages per array, 4 per thread
    const [a, b, c] = [0, 8, 16];
    const kernels = [
      [a, c],
      [c, b],
      [a, b, c],
      [b, c, a],
    ];
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    for (const thread of [0, 1]) {
      const touched = rows.filter((row) => row[TID] === thread).map((row) => [row[PAGE], row[OP]]);
      const pages = [0, 1, 2, 3].map((page) => page + thread * 4);
      const sweep = kernels.flatMap((arrays) =>
        pages.flatMap((page) => arrays.map((first, i) => [first + page, i === arrays.length - 1 ? OP_WRITE : OP_READ])),
      );
      expect(touched).toEqual([...sweep, ...sweep]);
    }
    expect(outputs(words)).toEqual(['init done', 'sweep 0 done', 'sweep 1 done']);
  });

  it('gives threads their turns of a quantum one after the other', async () => {
    const words = 'gen:stream:size=3MiB:threads=4:quantum=10';
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    const turns = rows.filter((row, i) => i === 0 || rows[i - 1][QUANTUM] !== row[QUANTUM]).map((row) => row[TID]);
    expect(turns).toEqual(turns.map((_, i) => i % 4));
  });
});

describe('stencil', () => {
  it('reads each page with its neighbours above and below, and writes it in the other grid', async () => {
    const words = 'gen:stencil:size=256KiB:threads=2:width=16KiB:sweeps=2'; // grids of 32 pages, rows of 4
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done')).map((row) => [row[PAGE], row[OP]]);
    const [pages, width] = [32, 4];
    for (const [sweep, from, to] of [
      [0, 0, pages],
      [1, pages, 0],
    ]) {
      const done = rows.slice(sweep * pages * 4, (sweep + 1) * pages * 4);
      const expected = Array.from({ length: pages }, (_, page) => [
        [from + page, OP_READ],
        [from + (page < width ? page : page - width), OP_READ],
        [from + (page + width >= pages ? page : page + width), OP_READ],
        [to + page, OP_WRITE],
      ]);
      const groups = Array.from({ length: pages }, (_, i) => done.slice(i * 4, i * 4 + 4));
      expect(groups.sort((x, y) => x[0][0] - y[0][0])).toEqual(expected);
    }
  });
});

describe('chase', () => {
  it('visits every page of the ring before any again, each thread from its own place', async () => {
    const words = 'gen:chase:size=400KiB:threads=4:rows=800'; // 100 pages, twice for each thread
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    const walks = [0, 1, 2, 3].map((tid) => rows.filter((row) => row[TID] === tid).map((row) => row[PAGE]));
    for (const walk of walks) {
      expect(walk).toHaveLength(200);
      expect(new Set(walk.slice(0, 100)).size).toBe(100);
      expect(walk.slice(100)).toEqual(walk.slice(0, 100));
    }
    expect(walks[1].slice(0, 75)).toEqual(walks[0].slice(25, 100));
    const steps = walks[0].slice(1, 100).filter((page, i) => Math.abs(page - walks[0][i]) === 1);
    expect(steps.length).toBeLessThan(10); // no order of addresses
  });
});

describe('zipf', () => {
  it('asks for keys with the given skew, and reads the given share', async () => {
    const words = 'gen:zipf:size=1MiB:lines=64:theta=1:reads=0.9:rows=400000';
    const { regions } = openGenerated(words).sidecar;
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    const values = rows.filter((row) => row[PAGE] < regions[0].pages);
    expect(values.length).toBe(200_000);
    const times = new Map<number, number>();
    for (const row of values) times.set(row[PAGE], (times.get(row[PAGE]) ?? 0) + 1);
    const sorted = [...times.values()].sort((x, y) => y - x);
    const harmonic = Array.from({ length: 256 }, (_, k) => 1 / (k + 1)).reduce((x, y) => x + y);
    for (const rank of [1, 2, 4, 16]) {
      const expected = values.length / rank / harmonic;
      expect(Math.abs(sorted[rank - 1] - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
    const reads = values.filter((row) => row[OP] === OP_READ).length;
    expect(Math.abs(reads - 180_000)).toBeLessThan(5 * Math.sqrt(18_000));
  });

  it('looks each key up in the index before its value', async () => {
    const words = 'gen:zipf:size=1MiB:rows=1000';
    const { regions } = openGenerated(words).sidecar;
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    expect(rows.map((row) => row[PAGE] >= regions[0].pages)).toEqual(rows.map((_, i) => i % 2 === 0));
  });
});

describe('updates', () => {
  it('hits all pages alike', async () => {
    const words = 'gen:updates:size=1MiB:rows=256000:reads=0.25';
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    const times = new Float64Array(256);
    for (const row of rows) times[row[PAGE]]++;
    const chiSquare = times.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(255 + 6 * Math.sqrt(2 * 255));
    expect(chiSquare).toBeGreaterThan(255 - 6 * Math.sqrt(2 * 255));
    const reads = rows.filter((row) => row[OP] === OP_READ).length;
    expect(Math.abs(reads - 64_000)).toBeLessThan(5 * Math.sqrt(48_000));
  });
});

describe('files', () => {
  it('are written by producers and read by consumers only, sweep after sweep', async () => {
    const words = 'gen:files:size=1MiB:threads=4:processes=4:sweeps=2';
    const { regions, threads } = openGenerated(words).sidecar;
    const filePages = regions.filter(({ kind }) => kind === 'file').reduce((sum, { pages }) => sum + pages, 0);
    expect(filePages).toBe(256);
    for (const row of (await rowsOf(words)).filter((each) => each[PAGE] < filePages)) {
      const process = threads.find(({ tid }) => tid === row[TID])?.process ?? -1;
      expect(row[OP]).toBe(process < 2 ? OP_WRITE : OP_READ);
      expect(Math.floor(row[PAGE] / 128)).toBe(process % 2);
    }
    expect(outputs(words)).toEqual(['sweep 0 written', 'sweep 0 read', 'sweep 1 written', 'sweep 1 read']);
  });

  it('are mapped by consumers with via=map, by nobody else', () => {
    const mappings = (via: string) => openGenerated(`gen:files:processes=4:via=${via}`).sidecar.file_mappings;
    expect(mappings('call')).toEqual([]);
    expect(mappings('map').map(({ process }) => process)).toEqual([2, 3]);
  });
});

describe('server', () => {
  it('works on its own sessions and the shared table only, in the given shares', async () => {
    const words = 'gen:server:size=8MiB:threads=4:private=0.9:rows=40000';
    const rows = (await rowsOf(words)).slice(rowOf(words, 'init done'));
    const own = rows.filter((row) => row[PAGE] >= 1024);
    expect(own.every((row) => Math.floor((row[PAGE] - 1024) / 256) === row[TID])).toBe(true);
    expect(Math.abs(own.length / rows.length - 0.9)).toBeLessThan(0.01);
  });

  it('prints moves of its threads at equal distances, each by the thread that moves', () => {
    const { events, threads } = openGenerated('gen:server:moves=3:threads=4:processes=2').sidecar;
    const moves = events.filter((event) => event.kind === 'output' && event.text.startsWith('move'));
    expect(moves.map((event) => (event.kind === 'output' ? [event.text, event.tid] : []))).toEqual([
      ['move 1: thread 1', 1],
      ['move 2: thread 2', 2],
      ['move 3: thread 3', 3],
    ]);
    expect(moves[2].row - moves[1].row).toBe(moves[1].row - moves[0].row);
    expect(threads.map(({ process }) => process)).toEqual([0, 0, 1, 1]);
  });
});

describe('heap', () => {
  it('reads only what has grown, is given back, and grows again under the next thread', async () => {
    const words = 'gen:heap:size=1MiB:threads=2:cycles=2:revisits=2'; // 128 pages for each thread
    const rows = await rowsOf(words);
    const half = rows.length / 2;
    const { events } = openGenerated(words).sidecar;
    expect(events.filter(({ kind }) => kind === 'discard')).toEqual([
      { row: half, kind: 'discard', tid: 0, first_page: 0, pages: 256 },
    ]);
    for (const cycle of [0, 1]) {
      const there = new Set<number>();
      for (const row of rows.slice(cycle * half, (cycle + 1) * half)) {
        if (row[OP] === OP_WRITE) there.add(row[PAGE]);
        expect(there.has(row[PAGE])).toBe(true);
        expect(Math.floor(row[PAGE] / 128)).toBe((row[TID] + cycle) % 2);
      }
      expect(there.size).toBe(256);
    }
  });
});
