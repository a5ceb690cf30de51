import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { int64, uint64, utf8 } from '@uwdata/flechette';
import { describe, expect, it } from 'vitest';
import { OP_WRITE, type TraceBatch, type TraceSource } from '../../src/trace/index.js';
import { openTrace } from '../../src/trace/readers/index.js';
import { errorOfAsync } from '../support/error-of.js';
import { temporaryDirectory } from '../support/tmp-dir.js';
import { anonymous, file, writeTrace, type Row, type TraceToWrite } from '../support/write-trace.js';

const dir = await temporaryDirectory();
const FIXTURE = join(import.meta.dirname, '../fixtures/traces/mini-bfs-4t');

/** 1,000 rows: quantum i/10, threads in turn, pages 0..6. */
const rows: Row[] = Array.from({ length: 1000 }, (_, i) => {
  const quantum = Math.floor(i / 10);
  return [quantum, quantum % 3, i % 7, i % 2, 1 + (i % 5), i % 2];
});

async function readAll(source: TraceSource, fromRow?: number): Promise<Row[]> {
  const read: Row[] = [];
  let next = fromRow ?? 0;
  for await (const batch of source.batches(fromRow === undefined ? undefined : { fromRow })) {
    expect(batch.firstRow).toBe(next);
    for (let i = 0; i < batch.rows; i++) read.push(rowOf(batch, i));
    next += batch.rows;
  }
  return read;
}

function rowOf({ quantum, tid, page, op, count, miss }: TraceBatch, i: number): Row {
  return [quantum[i], tid[i], page[i], op[i], count[i], miss[i]];
}

let serial = 0;
/** The error of opening and reading a trace made for the purpose. */
async function errorOfTrace(trace: TraceToWrite): Promise<{ code: string; message: string }> {
  const path = await writeTrace(dir, `bad${String(serial++)}`, trace);
  return errorOfPath(path);
}

async function errorOfPath(path: string): Promise<{ code: string; message: string }> {
  const error = await errorOfAsync(async () => {
    const source = await openTrace(path);
    try {
      for await (const batch of source.batches()) expect(batch.rows).toBeGreaterThan(0);
    } finally {
      source.close();
    }
  });
  expect(error.message).not.toMatch(/[\r\n]/);
  return { ...error, message: error.message.replaceAll(dir, 'DIR') };
}

describe('a trace', () => {
  it('comes out in batches that join to what was written, over several row groups', async () => {
    const source = await openTrace(await writeTrace(dir, 'groups', { rows, groupRows: 300 }));
    expect([source.name, source.rows]).toEqual(['groups', 1000]);
    expect(await readAll(source)).toEqual(rows);
    source.close();
  });

  it('can be read again, and from any row on', async () => {
    const source = await openTrace(await writeTrace(dir, 'again', { rows, groupRows: 300 }));
    for (const fromRow of [0, 1, 299, 300, 301, 650, 999, 1000])
      expect(await readAll(source, fromRow)).toEqual(rows.slice(fromRow));
    expect(await readAll(source)).toEqual(rows);
    source.close();
  });

  it('can be left in the middle of a pass, and two passes can be under way at once', async () => {
    const source = await openTrace(await writeTrace(dir, 'left', { rows, groupRows: 100 }));
    for await (const batch of source.batches()) {
      if (batch.firstRow === 200) break;
    }
    const [first, second] = await Promise.all([readAll(source), readAll(source, 500)]);
    expect([first.length, second.length]).toEqual([1000, 500]);
    source.close();
    source.close();
  });

  it('is found by the name of its rows, of its sidecar, or the name they share', async () => {
    const path = await writeTrace(dir, 'named', { rows });
    for (const name of [path, path.replace('.parquet', '.json'), path.replace('.parquet', '')]) {
      const source = await openTrace(name);
      expect(source.path).toBe(path);
      source.close();
    }
  });

  it('is recognised by its first bytes under another suffix', async () => {
    await copyFile(await writeTrace(dir, 'magic', { rows }), join(dir, 'magic.trace'));
    await mkdir(join(dir, 'other'));
    await copyFile(join(dir, 'magic.trace'), join(dir, 'other/magic.trace'));
    await copyFile(join(dir, 'magic.json'), join(dir, 'other/magic.json'));
    const source = await openTrace(join(dir, 'other/magic.trace'));
    expect((await readAll(source)).length).toBe(1000);
    source.close();
  });

  it('of a real program has the rows and sums that are known of it', async () => {
    const source = await openTrace(FIXTURE);
    let [count, accesses, writes] = [0, 0, 0];
    for await (const batch of source.batches()) {
      count += batch.rows;
      for (let i = 0; i < batch.rows; i++) {
        accesses += batch.count[i];
        if (batch.op[i] === OP_WRITE) writes += batch.count[i];
      }
    }
    expect([count, accesses, writes]).toEqual([555776, 1036746, 257526]);
    source.close();
  });
});

describe('a file that is no trace', () => {
  it('is missing', async () => {
    expect(await errorOfPath(join(dir, 'nothing.parquet'))).toEqual({
      code: 'NO_SUCH_FILE',
      message: 'no such file: DIR/nothing.parquet; expected a trace, NAME.parquet with NAME.json beside it',
    });
    expect((await errorOfPath(join(dir, 'nothing'))).message).toContain('no such file: DIR/nothing.parquet;');
    expect((await errorOfPath(dir)).code).toBe('NO_SUCH_FILE');
  });

  it('is empty', async () => {
    expect((await errorOfBytes(new Uint8Array(0))).message).toMatch(
      /^DIR\/bytes\d+\.parquet is empty; expected a Parquet file$/,
    );
  });

  it('is not Parquet', async () => {
    expect(await errorOfBytes(Buffer.from('tid,page\n1,2\n3,4\n'))).toEqual({
      code: 'BAD_TRACE',
      message: expect.stringMatching(
        /^DIR\/bytes\d+\.parquet is not a Parquet file: it begins with "tid,", not with "PAR1"$/,
      ) as string,
    });
  });

  it('is of no known format', async () => {
    await writeFile(join(dir, 'trace.csv'), 'tid,page\n1,2\n');
    expect(await errorOfPath(join(dir, 'trace.csv'))).toEqual({
      code: 'BAD_TRACE',
      message: 'DIR/trace.csv is in no known trace format; known are: parquet (NAME.parquet)',
    });
  });

  it('is truncated, wherever it was cut', async () => {
    const bytes = await readFile(`${FIXTURE}.parquet`);
    for (const length of [4, 6, 11, 12, 500, bytes.length / 2, bytes.length - 1]) {
      const { code, message } = await errorOfBytes(bytes.subarray(0, length));
      expect([code, message]).toEqual([
        'BAD_TRACE',
        expect.stringContaining('is truncated: the end of a Parquet file is missing'),
      ]);
    }
  });

  it('has lost a part before its footer', async () => {
    const bytes = await readFile(`${FIXTURE}.parquet`);
    const { message } = await errorOfBytes(Buffer.concat([bytes.subarray(0, 50_000), bytes.subarray(-20_000)]));
    expect(message).toContain('is truncated');
  });

  it.each([
    ['the data', 0.3],
    ['the footer', 0.997],
  ])('is damaged in %s', async (_where, share) => {
    const bytes = await readFile(`${FIXTURE}.parquet`);
    const start = Math.floor(bytes.length * share);
    bytes.subarray(start, start + 40).forEach((byte, i) => (bytes[start + i] = byte ^ 0xff));
    const { code, message } = await errorOfBytes(bytes);
    expect([code, message]).toEqual(['BAD_TRACE', expect.stringContaining('is damaged and cannot be read as Parquet')]);
  });

  it('is damaged, and the next one can still be read', async () => {
    const source = await openTrace(await writeTrace(dir, 'after', { rows }));
    expect(await readAll(source)).toEqual(rows);
    source.close();
  });

  it('lacks a column', async () => {
    expect((await errorOfTrace({ rows, columnTypes: { miss: null } })).message).toMatch(
      /^DIR\/bad\d+\.parquet has no column "miss" \(uint32\); it has quantum, tid, page, op, count$/,
    );
  });

  it('has a column of another type', async () => {
    const wrong = { rows: [[0, 0, 0, 0, 1, 0]] as Row[] };
    const typed = async (types: TraceToWrite['columnTypes']) =>
      (await errorOfTrace({ ...wrong, columnTypes: types! })).message;
    expect(await typed({ page: uint64() })).toContain('column "page" is of type uint64; expected uint32');
    expect(await typed({ count: int64() })).toContain('column "count" is of type int64; expected uint32');
    expect(await typed({ tid: utf8() })).toContain('column "tid" is of type text; expected uint16');
  });

  it('has a hole in a column', async () => {
    const holed = [rows[0], [0, 0, null as unknown as number, 0, 1, 0]] as Row[];
    expect((await errorOfTrace({ rows: holed })).message).toContain(
      'column "page" has empty values after row 0; expected none',
    );
  });

  it('has no rows', async () => {
    const { message } = await errorOfTrace({
      rows: [],
      sidecar: { rows: 1, processes: [process0(1)], threads: [thread(0)] },
    });
    expect(message).toMatch(/^DIR\/bad\d+\.parquet has no rows; expected at least one access$/);
  });

  async function errorOfBytes(bytes: Uint8Array): Promise<{ code: string; message: string }> {
    const name = `bytes${String(serial++)}`;
    await copyFile(`${FIXTURE}.json`, join(dir, `${name}.json`));
    await writeFile(join(dir, `${name}.parquet`), bytes);
    return errorOfPath(join(dir, `${name}.parquet`));
  }
});

describe('a sidecar', () => {
  it('is missing', async () => {
    await copyFile(`${FIXTURE}.parquet`, join(dir, 'alone.parquet'));
    expect(await errorOfPath(join(dir, 'alone.parquet'))).toEqual({
      code: 'NO_SUCH_FILE',
      message: 'no DIR/alone.json: DIR/alone.parquet needs it to know what its pages and threads are',
    });
  });

  it('counts other rows than there are', async () => {
    const { code, message } = await errorOfTrace({ rows, sidecar: { rows: 1001, processes: [process0(1001)] } });
    expect([code, message]).toEqual([
      'BAD_SIDECAR',
      expect.stringMatching(/\.parquet has 1000 rows, but its sidecar says 1001$/),
    ]);
  });
});

/** Rows of two threads on two pages, the last of which is made wrong. */
function rowsThenBad(bad: Row): Row[] {
  return [[0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 1, 0], [1, 1, 0, 1, 2, 2], bad];
}

const twoThreads = { processes: [process0(4)], threads: [thread(0), thread(1)], regions: [anonymous({ pages: 2 })] };
const BAD_ROWS: [string, Row, Record<string, unknown>, string, string][] = [
  ['counts no access', [2, 0, 0, 0, 0, 0], {}, 'BAD_TRACE', 'count is 0; expected at least 1'],
  [
    'misses more often than it accesses',
    [2, 0, 0, 0, 3, 4],
    {},
    'BAD_TRACE',
    'miss is 4; expected at most its count, 3',
  ],
  [
    'has an unknown operation',
    [2, 0, 0, 3, 1, 0],
    {},
    'BAD_TRACE',
    'op is 3; expected 0 (read), 1 (write) or 2 (fetch)',
  ],
  ['goes back to an earlier quantum', [0, 0, 0, 0, 1, 0], {}, 'BAD_TRACE', 'quantum 0 follows 1; expected no decrease'],
  [
    'shares the quantum of another thread',
    [1, 0, 0, 0, 1, 0],
    {},
    'BAD_TRACE',
    'quantum 1 has threads 1 and 0; expected one thread per quantum',
  ],
  [
    'has a thread that is not listed',
    [2, 5, 0, 0, 1, 0],
    {},
    'BAD_SIDECAR',
    'has thread 5, which by the sidecar does not exist',
  ],
  [
    'comes before its thread',
    [2, 2, 0, 0, 1, 0],
    { threads: [thread(0), thread(1), { ...thread(2), start_row: 4 }] },
    'BAD_SIDECAR',
    'has thread 2, which by the sidecar runs from row 4 until the end',
  ],
  [
    'comes after the end of its thread',
    [1, 1, 0, 0, 1, 0],
    { threads: [thread(0), { ...thread(1), end_row: 3 }] },
    'BAD_SIDECAR',
    'has thread 1, which by the sidecar runs from row 0 until 3',
  ],
  [
    'has a page in no region',
    [2, 0, 2, 0, 1, 0],
    {},
    'BAD_SIDECAR',
    'has page 2, which by the sidecar lies in no region',
  ],
  [
    'comes after the unmapping of its region',
    [2, 0, 1, 0, 1, 0],
    { regions: [anonymous({ unmap_row: null }), anonymous({ id: 3, first_page: 1, unmap_row: 3 })] },
    'BAD_SIDECAR',
    'has page 1, which by the sidecar is in region 3, mapped from row 0 until 3',
  ],
  [
    'touches the memory of another process',
    [2, 0, 2, 0, 1, 0],
    {
      processes: [{ ...process0(4) }, { pid: 1, name: 'other', first_row: 0, last_row: 0, rows: 0 }],
      regions: [anonymous({ pages: 2 }), anonymous({ id: 1, first_page: 2, process: 1 })],
    },
    'BAD_SIDECAR',
    "has page 2, which by the sidecar is in region 1 of process 1, not of the thread's process 0",
  ],
];

describe('a row is refused that', () => {
  it.each(BAD_ROWS)('%s', async (_what, row, sidecar, code, message) => {
    const error = await errorOfTrace({ rows: rowsThenBad(row), sidecar: { ...twoThreads, ...sidecar } });
    expect(error.code).toBe(code);
    expect(error.message.replace(/^DIR\/bad\d+\.parquet: row 3:? /, 'row 3 ')).toBe(`row 3 ${message}`);
  });

  it('is alone in not doing so: pages of files belong to every process, at any row', async () => {
    const regions = [anonymous({ pages: 1 }), file({ id: 1, first_page: 1, pages: 1 })];
    const source = await openTrace(
      await writeTrace(dir, 'files', { rows: rowsThenBad([2, 0, 1, 2, 1, 1]), sidecar: { ...twoThreads, regions } }),
    );
    expect((await readAll(source)).length).toBe(4);
    source.close();
  });
});

function process0(count: number) {
  return { pid: 0, name: 'made', first_row: 0, last_row: count - 1, rows: count };
}

function thread(tid: number) {
  return { tid, process: 0, parent: tid === 0 ? null : 0, start_row: 0, end_row: null };
}
