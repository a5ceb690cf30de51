import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KINDS, openGenerated } from '../../../src/trace/generators/index.js';
import type { TraceSource } from '../../../src/trace/index.js';
import { openTrace } from '../../../src/trace/readers/index.js';
import { parquetBytes } from '../../../src/trace/writers/index.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';

const dir = await temporaryDirectory();

/** Batches as they are cut, and a digest of their columns. */
async function batchesOf(source: TraceSource) {
  const batches: string[] = [];
  for await (const { firstRow, rows, quantum, tid, page, op, count, miss } of source.batches()) {
    const digest = createHash('sha256');
    for (const column of [quantum, tid, page, op, count, miss])
      digest.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
    batches.push(`${String(firstRow)} ${String(rows)} ${digest.digest('hex')}`);
  }
  return batches;
}

async function writtenAndOpened(words: string, name: string): Promise<TraceSource> {
  const source = openGenerated(words);
  await writeFile(
    join(dir, `${name}.parquet`),
    parquetBytes(source, () => undefined),
  );
  await writeFile(join(dir, `${name}.json`), JSON.stringify(source.sidecar));
  return openTrace(join(dir, `${name}.parquet`));
}

describe('a generated trace that was written to a file', () => {
  it.each(KINDS.map(({ name }) => name))('%s comes back the same, cut at the same rows', async (kind) => {
    const words = `gen:${kind}:size=2MiB:threads=4:processes=2`;
    const [live, file] = [openGenerated(words), await writtenAndOpened(words, kind)];
    expect(file.sidecar).toEqual(live.sidecar);
    expect(file.batchCount).toBe(live.batchCount);
    expect(await batchesOf(file)).toEqual(await batchesOf(live));
    file.close();
  });

  it('is as long as several row groups, and its batches are still cut alike', async () => {
    const words = 'gen:updates:rows=1200000:size=1MiB';
    const [live, file] = [openGenerated(words), await writtenAndOpened(words, 'long')];
    expect(live.rows).toBeGreaterThan(2 ** 20);
    expect(await batchesOf(file)).toEqual(await batchesOf(live));
    file.close();
  });
});
