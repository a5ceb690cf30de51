import { describe, expect, it } from 'vitest';
import { parseSidecar } from '../../../src/trace/index.js';
import { makeRowCheck } from '../../../src/trace/check-rows.js';
import { KINDS, openGenerated } from '../../../src/trace/generators/index.js';
import { errorOf } from '../../support/error-of.js';
import { readRows, TID } from '../../support/read-rows.js';

const SETTINGS = [
  'size=1MiB',
  'size=1MiB:threads=2:processes=2:seed=7',
  'size=3MiB:threads=12:processes=4:quantum=7',
  'size=1MiB:threads=6:processes=2:quantum=1',
  'size=20MiB:threads=128:processes=64:quantum=1000',
];
const kinds = KINDS.map(({ name }) => name);
/** Kinds that go on for ever are cut to what a test can read. */
const ROWS: Readonly<Record<string, string>> = Object.fromEntries(
  KINDS.filter(({ options }) => 'rows' in options).map(({ name }) => [name, ':rows=5000']),
);
const words = (kind: string, settings: string) => `gen:${kind}:${settings}${ROWS[kind] ?? ''}`;
const cases = kinds.flatMap((kind) => SETTINGS.map((settings) => words(kind, settings)));

describe('generated traces', () => {
  it('are of eight kinds', () => {
    expect(kinds).toEqual(['stream', 'updates', 'zipf', 'chase', 'stencil', 'files', 'server', 'heap']);
  });

  it.each(cases)('%s agrees with its sidecar, row by row', async (name) => {
    const source = openGenerated(name);
    const sidecar = parseSidecar(JSON.stringify(source.sidecar), name);
    expect(sidecar).toEqual(source.sidecar);
    const check = makeRowCheck(sidecar, name);
    let [rows, batches] = [0, 0];
    const seen = new Map<number, { first: number; last: number; rows: number }>();
    const processOf = new Map(sidecar.threads.map(({ tid, process }) => [tid, process]));
    for await (const batch of source.batches()) {
      expect(batch.firstRow).toBe(rows);
      check(batch);
      for (let i = 0; i < batch.rows; i++) {
        const process = processOf.get(batch.tid[i]) ?? -1;
        const row = batch.firstRow + i;
        const { first, rows: before } = seen.get(process) ?? { first: row, rows: 0 };
        seen.set(process, { first, last: row, rows: before + 1 });
      }
      rows += batch.rows;
      batches++;
    }
    expect([rows, batches]).toEqual([source.rows, source.batchCount]);
    expect(
      sidecar.processes.map(({ first_row: first, last_row: last, rows: of }) => ({ first, last, rows: of })),
    ).toEqual(sidecar.processes.map(({ pid }) => seen.get(pid)));
    const threads = new Set((await readRows(source)).map((row) => row[TID]));
    expect(threads.size).toBe(sidecar.threads.length);
  });

  it.each(kinds)('%s gives the same rows from any row on', async (kind) => {
    const source = openGenerated(words(kind, 'size=1MiB:threads=4:processes=2:quantum=10'));
    const all = await readRows(source);
    for (const from of [1, 7, 63, 200, 511, Math.floor(source.rows / 2), source.rows - 1, source.rows])
      expect(JSON.stringify(await readRows(source, from))).toBe(JSON.stringify(all.slice(from)));
    for (let from = 0; from < Math.min(300, source.rows); from++)
      expect(await readRows(source, from, from + 1)).toEqual([all[from]]);
  });

  it.each(kinds)('%s gives the same rows for the same seed only, if chance has a part in it', async (kind) => {
    const rows = async (seed: number) =>
      JSON.stringify(await readRows(openGenerated(words(kind, `size=1MiB:seed=${String(seed)}`))));
    expect(await rows(5)).toBe(await rows(5));
    expect((await rows(5)) === (await rows(6))).toBe(['stream', 'stencil', 'files'].includes(kind));
  });

  it.each(kinds)('%s has two passes under way at once that do not disturb each other', async (kind) => {
    const source = openGenerated(words(kind, 'size=1MiB'));
    const [first, second] = await Promise.all([readRows(source), readRows(source)]);
    expect(JSON.stringify(first)).toBe(JSON.stringify(second));
  });

  it.each(kinds)(
    '%s of a terabyte, 1024 threads and 64 processes is opened at once, and read anywhere',
    async (kind) => {
      const rows = ROWS[kind] === undefined ? '' : ':rows=10e9';
      const source = openGenerated(`gen:${kind}:size=1TiB:threads=1024:processes=64${rows}`);
      expect(source.rows).toBeGreaterThan(2 ** 28);
      const { regions } = source.sidecar;
      const pages = regions.reduce((sum, region) => sum + region.pages, 0);
      expect(pages).toBeGreaterThan(2 ** 28 - 3 * 1024);
      for (const share of [0, 0.3, 0.77, 1]) {
        const from = Math.floor((source.rows - 1000) * share);
        const check = makeRowCheck(source.sidecar, kind);
        for await (const batch of source.batches({ fromRow: from })) {
          check(batch);
          break;
        }
      }
    },
  );
});

describe('words of a generated trace', () => {
  it.each([
    ['gen:', 'no kind "". Kinds: stream, updates'],
    ['gen:strem', 'no kind "strem"; did you mean "stream"? Kinds: '],
    ['gen:stream:sise=1GiB', '"stream" has no option "sise"; did you mean "size"?'],
    ['gen:stream:theta=1', '"stream" has no option "theta"'],
    [
      'gen:stream:size',
      '"size" is no OPTION=VALUE; options are first, sweeps, size, threads, processes, quantum, seed',
    ],
    ['gen:stream:size=1GiB:size=2GiB', 'option "size" is given twice'],
    ['gen:stream:size=1', 'size is "1"; expected a size with its unit such as 64MiB, from 4KiB to 2TiB'],
    ['gen:stream:size=-1GiB', 'size is "-1GiB"; expected a size'],
    ['gen:stream:size=3TiB', 'size is "3TiB"; expected a size'],
    ['gen:stream:size=', 'size is ""; expected a size'],
    ['gen:stream:threads=0', 'threads is "0"; expected a whole number from 1 to 65536'],
    ['gen:stream:threads=1.5', 'threads is "1.5"'],
    ['gen:stream:threads=65537', 'threads is "65537"'],
    ['gen:stream:processes=0', 'processes is "0"'],
    ['gen:stream:seed=x', 'seed is "x"'],
    ['gen:stream:first=both', 'first is "both"; expected serial or parallel or use'],
    ['gen:zipf:theta=-1', 'theta is "-1"; expected a number from 0 to 8'],
    ['gen:updates:reads=1.5', 'reads is "1.5"; expected a number from 0 to 1'],
    ['gen:updates:rows=0', 'rows is "0"'],
    ['gen:stream:threads=3:processes=2', 'threads=3 cannot be dealt out equally to processes=2'],
    [
      'gen:stream:size=8KiB',
      'size is 8 KiB, less than a page for each of 4 threads in each of 3 arrays; expected at least 48 KiB',
    ],
    ['gen:files:processes=3:threads=3', 'processes=3 is odd'],
    ['gen:files:size=4KiB', 'size is 4 KiB, less than a page for each of the 2 threads that write'],
    ['gen:updates:rows=1e12:quantum=1', 'more than 4294967296 quanta; give a longer quantum=ROWS'],
  ])('%s: %s', (text, line) => {
    const { code, message } = errorOf(() => openGenerated(text));
    expect(code).toBe('BAD_OPTION');
    expect(message).toContain(line);
    expect(message).not.toMatch(/[\r\n]/);
  });

  it('are its name, without what holds anyhow', () => {
    expect(openGenerated('gen:updates:seed=1:threads=8:rows=2000:size=64MiB').name).toBe(
      'gen:updates:rows=2000:threads=8',
    );
  });
});
