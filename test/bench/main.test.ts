import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/tmp-dir.js';

const dir = await temporaryDirectory();
const MAIN = fileURLToPath(new URL('../../dist/bench/main.js', import.meta.url));

it.each([
  ['--help', 0, 'npm run bench -- [--json OUT]'],
  ['--halp', 2, "bench: Unknown option '--halp'"],
])('with %s the benchmark says how it is used, and measures nothing', async (option, code, line) => {
  const ended = await promisify(execFile)(process.execPath, [MAIN, option]).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: unknown) => ({ code: (error as { code: number }).code, text: (error as { stderr: string }).stderr }),
  );
  expect(ended.code).toBe(code);
  expect(ended.text).toContain(line);
  expect(ended.text.trim().split('\n')).toHaveLength(1);
});

it('the benchmark prints a table and writes its cases as JSON, whole or not at all', async () => {
  const path = join(dir, 'out.json');
  const { stdout } = await promisify(execFile)(process.execPath, [
    MAIN,
    '--smoke',
    '--only',
    'tlb-hit',
    '--json',
    path,
  ]);
  const labels = ['tlb-hit', 'tlb-hit:bind', 'tlb-hit:interleave', 'tlb-hit:preferred'];
  for (const label of labels) expect(stdout).toContain(label);
  expect(stdout).toMatch(/ns per access or fault, median; 16384 pages; Node v/);
  const { cases, pages } = JSON.parse(await readFile(path, 'utf8')) as {
    pages: number;
    cases: { name: string; ns: number; p25: number; p75: number; samples: number }[];
  };
  expect(pages).toBe(16_384);
  expect(cases.map(({ name }) => name)).toEqual(labels);
  for (const { ns, p25, p75, samples } of cases) {
    expect(ns).toBeGreaterThan(0);
    expect(p25).toBeLessThanOrEqual(ns);
    expect(p75).toBeGreaterThanOrEqual(ns);
    expect(samples).toBeGreaterThan(0);
  }
  expect(await readdir(dir)).toEqual(['out.json']);
});
