import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BENCH_KINDS } from '../../src/prove/index.js';
import { mof, startMof } from '../support/built-mof.js';

const SMALL = ['--pages', '4096', '--faults', '200'];

interface Cell {
  readonly kind: string;
  readonly policy: string;
  readonly ns: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly modelNs: number;
  readonly steps: readonly { readonly step: string; readonly count: number }[];
  readonly left_out?: string;
}

async function cellsOf(...args: string[]): Promise<Cell[]> {
  const { code, out, err } = await mof('bench', ...args, ...SMALL, '--json', '-');
  expect([code, err]).toEqual([0, '']);
  return (JSON.parse(out) as { cells: Cell[] }).cells;
}

describe('mof bench', () => {
  it('times faults of each kind: percentiles in their order, and what the cost model charges', async () => {
    const cells = await cellsOf('default', '--kinds', 'all');
    expect(cells.map(({ kind }) => kind)).toEqual(Object.keys(BENCH_KINDS));
    for (const { kind, ns, p50, p90, p99, max, modelNs } of cells) {
      expect(ns).toBeGreaterThan(0);
      expect([p50, p90, p99, max]).toEqual([p50, p90, p99, max].sort((a, b) => a - b));
      if (kind !== 'spurious') expect(modelNs).toBeGreaterThan(0); // nobody pays for finding a page mapped
    }
  });

  it('charges a misplaced page its copy and its move beside the fault', async () => {
    const [right, wrong] = await cellsOf('interleave=all');
    // On this machine 1,500 ns for a move; a copy of 4 KiB at 5 GB/s takes 819 on the mean.
    expect(wrong.modelNs - right.modelNs).toBeGreaterThan(1500 + 600);
    expect(wrong.modelNs - right.modelNs).toBeLessThan(1500 + 1100);
  });

  it('times the steps of each fault, those of a move only where pages are moved', async () => {
    const cells = await cellsOf('default', '--steps');
    const [right, wrong] = cells.map(({ steps }) => steps.map(({ step }) => step));
    expect(right).toEqual(expect.arrayContaining(['S2', 'HOOK', 'C6', 'S8']));
    expect(right.filter((step) => step.startsWith('M'))).toEqual([]);
    expect(wrong).toEqual(expect.arrayContaining(['S2', 'HOOK', 'M1', 'M2', 'M5d', 'M9', 'S8']));
    for (const { count } of cells[0].steps) expect(count).toBe(200);
  });

  it('says what it leaves out, and is refused where nothing is left', async () => {
    const cells = await cellsOf('stay');
    expect(cells[1].left_out).toBe('policy "stay" finds a page right on every node; expected one that moves pages');
    const refused = await mof('bench', 'stay', '--kinds', 'swap-cache-misplaced', ...SMALL);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('there is nothing to measure: policy "stay" finds a page right on every node');
    expect(refused.out).toBe('');
  });

  it('prints a table with a line per setting', async () => {
    const { code, out } = await mof(
      'bench',
      'default',
      '--kinds',
      'anon',
      '--order',
      'random,page',
      '--threads',
      '1,4',
      ...SMALL,
    );
    expect(code).toBe(0);
    expect(out.match(/^ +anon +default +4,096 +(random|page) +[14] /gm)).toHaveLength(4);
  });

  it('interrupted ends with 130 and leaves no file behind', async () => {
    const place = mkdtempSync(join(tmpdir(), 'mof-bench-'));
    try {
      const { child, ended } = startMof(['bench', '--faults', '10000000', '--json', join(place, 'out.json')]);
      while (readdirSync(place).length === 0) await sleep(5); // the temporary file is there: the faults begin
      child.kill('SIGINT');
      const { code, out } = await ended;
      expect([code, out]).toEqual([130, '']);
      expect(readdirSync(place)).toEqual([]);
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});
