import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBase } from '../../bench/base.js';
import { compareRecorded } from '../../bench/compare.js';
import type { Measured } from '../../bench/measure.js';
import { errorOfAsync } from '../support/error-of.js';
import { temporaryDirectory } from '../support/tmp-dir.js';

const dir = await temporaryDirectory();
const CASE = { name: 'tlb-hit', ns: 20, ratio: 4 };

async function written(record: unknown): Promise<string> {
  const path = join(dir, 'base.json');
  await writeFile(path, typeof record === 'string' ? record : JSON.stringify(record));
  return path;
}

const now = (fields: Partial<Measured>): Measured => ({
  ...{ name: 'tlb-hit', unit: 'access', ns: 10, referenceNs: 5, ratio: 2, p25: 9, p75: 11 },
  ...{ rounds: [9, 10, 12], referenceRounds: [5], samples: 3, ...fields },
});

describe('what a comparison compares with', () => {
  it.each([
    [{ pages: 1, node: 'v20', cases: [CASE] }, 'no commit is written in it'],
    [{ pages: 1, node: 'v20', cases: [CASE], commit: 'HEAD', isModified: true }, 'changes that were not committed'],
    [{ pages: 1, node: 'v20', cases: [CASE], commit: 'f'.repeat(40) }, 'neither a file nor a commit'],
  ])('is what was written down if its commit cannot be had', async (record, why) => {
    const base = await openBase(await written(record));
    expect(base.kind === 'recorded' ? base.why : '').toContain(why);
  });

  it.each([
    ['{', 'JSON'],
    ['null', 'it has no "pages" and "cases"'],
    ['{"pages": 1, "cases": [{"name": "tlb-hit"}]}', 'cases[0] has no "name" and "ns"'],
  ])('is refused in one line if the file is something else: %s', async (text, line) => {
    const error = await errorOfAsync(async () => openBase(await written(text)));
    expect(error.message).toContain(line);
    expect(error.message).not.toContain('\n');
  });

  it('is refused if it is neither a file nor a commit', async () => {
    expect((await errorOfAsync(() => openBase('no-such-commit'))).message).toContain('neither a file nor a commit');
  });
});

describe('figures of another run', () => {
  const base = { kind: 'recorded', title: 'b', why: '', recorded: { pages: 1, node: 'v20', cases: [CASE] } } as const;

  it('are compared by their ratios to C', () => {
    expect(compareRecorded(now({}), base)).toMatchObject({
      ratio: 0.5,
      least: 0.45,
      greatest: 0.6,
      baseNs: 20,
      ns: 10,
    });
  });

  it('are compared as they are where one has no ratio', () => {
    expect(compareRecorded(now({ referenceNs: null, ratio: null, ns: 30 }), base)?.ratio).toBe(1.5);
  });

  it('say nothing of a case that they have not', () => {
    expect(compareRecorded(now({ name: 'other' }), base)).toBeNull();
  });
});
