import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Measured } from '../../bench/measure.js';
import type { KernelFault } from '../../src/cli/bench/native.js';
import { temporaryDirectory } from '../support/tmp-dir.js';

const dir = await temporaryDirectory();
const MAIN = fileURLToPath(new URL('../../dist/bench/main.js', import.meta.url));

it.each([
  ['--help', 0, 'npm run bench -- [--json OUT]', 13],
  ['--halp', 2, "bench: Unknown option '--halp'", 1],
  ['--pages=5000', 2, 'bench: --pages 5000: expected a multiple of 4096 from 16384 on', 1],
  ['--only=nothing', 2, 'bench: --only nothing: no case has that in its name', 1],
])('with %s the benchmark says how it is used, and measures nothing', async (option, code, line, lines) => {
  const ended = await promisify(execFile)(process.execPath, [MAIN, option]).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: unknown) => ({ code: (error as { code: number }).code, text: (error as { stderr: string }).stderr }),
  );
  expect(ended.code).toBe(code);
  expect(ended.text).toContain(line);
  expect(ended.text.trim().split('\n')).toHaveLength(lines);
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
  const labels = ['tlb-hit', 'tlb-hit:bind', 'tlb-hit:interleave', 'tlb-hit:preferred', 'replay-tlb-hit'];
  for (const label of labels) expect(stdout).toContain(label);
  expect(stdout).toMatch(/medians of 1 processes; 16384 pages; Node v/);
  const { cases, pages, node, compiler, kernel } = JSON.parse(await readFile(path, 'utf8')) as {
    pages: number;
    node: string;
    compiler: string | null;
    kernel: KernelFault[] | null;
    cases: Measured[];
  };
  expect([pages, node]).toEqual([16_384, process.version]);
  expect(kernel === null).toBe(compiler === null);
  for (const { faultsPerPage } of kernel ?? []) expect(faultsPerPage).toBeCloseTo(1, 1);
  expect(cases.map(({ name }) => name)).toEqual(labels);
  for (const { ns, p25, p75, samples, referenceNs, ratio } of cases) {
    expect(referenceNs === null).toBe(compiler === null);
    expect(ratio).toBe(referenceNs === null ? null : ns / referenceNs);
    expect(ns).toBeGreaterThan(0);
    expect(p25).toBeLessThanOrEqual(ns);
    expect(p75).toBeGreaterThanOrEqual(ns);
    expect(samples).toBeGreaterThan(0);
  }
  expect(await readdir(dir)).toEqual(['out.json']);
});
