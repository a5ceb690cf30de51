import { describe, expect, it } from 'vitest';
import { fc, it as property } from '@fast-check/vitest';
import { pack, packingOf, unpack } from '../../src/trace/shared/packed-column.js';
import { expectedBytes, fillSharedTrace, makeSharedTrace, sharedSource } from '../../src/trace/shared/index.js';
import { ENTRY, ENTRY_LENGTH } from '../../src/trace/shared/shared-trace.js';
import { openTrace } from '../../src/trace/readers/index.js';
import type { TraceBatch, TraceSource } from '../../src/trace/index.js';
import { temporaryDirectory } from '../support/tmp-dir.js';
import { writeTrace, type Row } from '../support/write-trace.js';

const dir = await temporaryDirectory();

/** Quanta of 3 rows by 2 threads, with counts of every size. */
const ROWS: Row[] = Array.from({ length: 1000 }, (_, i) => {
  const quantum = Math.floor(i / 3);
  const large = [1, 300, 70_000, 500_000_000][Math.floor(i / 250)];
  return [quantum, quantum % 2, i % 37, i % 3, large + (i % 5), i % (large + 1)];
});

async function open(groupRows = 128): Promise<TraceSource> {
  return openTrace(await writeTrace(dir, 'shared', { rows: ROWS, groupRows }));
}

/** Batches as they come, copied. */
async function copies(source: TraceSource, fromRow = 0): Promise<TraceBatch[]> {
  const batches: TraceBatch[] = [];
  for await (const { firstRow, rows, quantum, tid, page, op, count, miss } of source.batches({ fromRow })) {
    batches.push({
      ...{ firstRow, rows, quantum: quantum.slice(0, rows), tid: tid.slice(0, rows), page: page.slice(0, rows) },
      ...{ op: op.slice(0, rows), count: count.slice(0, rows), miss: miss.slice(0, rows) },
    });
  }
  return batches;
}

describe('a shared trace', () => {
  it.each([0, 1, 127, 128, 500, 999])(
    'gives the batches of its file, cut at the same rows, from row %i on',
    async (from) => {
      const source = await open();
      const shared = makeSharedTrace(source);
      await fillSharedTrace(shared, source);
      const batches = await copies(sharedSource(shared), from);
      expect(batches).toEqual(await copies(source, from));
      expect(batches.reduce((rows, batch) => rows + batch.rows, 0)).toBe(ROWS.length - from);
      source.close();
    },
  );

  it('can be passed over twice at once', async () => {
    const source = await open();
    const shared = makeSharedTrace(source);
    await fillSharedTrace(shared, source);
    const both = sharedSource(shared);
    let seen = 0;
    for await (const { firstRow, rows, page } of both.batches()) {
      for await (const inner of both.batches()) if (inner.firstRow === 0) expect(inner.page[1]).toBe(1);
      for (let i = 0; i < rows; i++) expect(page[i]).toBe((firstRow + i) % 37);
      seen += rows;
    }
    expect(seen).toBe(ROWS.length);
    source.close();
  });

  it('keeps a value in as many bytes as the values of its block need', async () => {
    const source = await open(250);
    const shared = makeSharedTrace(source);
    await fillSharedTrace(shared, source);
    const widths = Array.from({ length: shared.blocks }, (_, block) =>
      // quantum, tid, page, op, count, miss
      Array.from({ length: 6 }, (__, i) => shared.directory[block * ENTRY_LENGTH + ENTRY.columns + 3 * i + 2]),
    );
    expect(widths).toEqual([
      [1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1, 2],
      [1, 1, 1, 1, 1, 1], // misses from 500 to 749
      [1, 1, 1, 1, 1, 1],
    ]);
    expect(expectedBytes(ROWS.length)).toBeLessThan(shared.memory.byteLength);
    source.close();
  });

  it('is refused if the file is another one by the time it is read', async () => {
    const [source, other] = [await open(), await open(100)];
    const refused = fillSharedTrace(makeSharedTrace(source), other);
    await expect(refused).rejects.toMatchObject({ code: 'BAD_TRACE' });
    source.close();
    other.close();
  });
});

describe('a packed column', () => {
  const column = fc.record({
    base: fc.nat(2 ** 32 - 1),
    spread: fc.constantFrom(0, 1, 255, 256, 65_535, 65_536, 2 ** 31),
  });
  property.prop([column, fc.array(fc.nat(), { minLength: 1, maxLength: 50 })])(
    'holds every value',
    ({ base, spread }, draws) => {
      const values = Uint32Array.from(draws, (draw) => Math.min(2 ** 32 - 1, base + (draw % (spread + 1))));
      const packing = packingOf(values, values.length);
      const memory = new SharedArrayBuffer(8 + values.length * 4);
      pack(values, values.length, packing, memory, 8);
      const out = unpack(packing, memory, 8, values.length, new Uint32Array(values.length));
      expect([...out]).toEqual([...values]);
      expect(packing.width).toBeLessThanOrEqual(spread < 1 ? 0 : spread < 256 ? 1 : spread < 65_536 ? 2 : 4);
    },
  );
});
