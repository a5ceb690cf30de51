import { describe, expect, it } from 'vitest';
import { failed, lazyRun, timed } from './results.js';
import {
  compareReport,
  comparisonJson,
  formatCount,
  formatNs,
  formatRatio,
  runReport,
  stableJson,
  type Paint,
  type ReportContext,
} from '../../src/report/index.js';

const CONTEXT: ReportContext = { trace: 'mini', machine: 'two-nodes', costs: { hitNs: 1, mlp: 2 } };
const RUNS = [
  timed('default', 10),
  timed('interleave=all', 9.2, 0.4),
  lazyRun(6),
  timed('oracle', 5, 0.01, { policyAttainable: false, attainable: false }),
  failed('./mine.ts', 'policy ./mine.ts: Error: no (./mine.ts:3:9)'),
];

describe('a report', () => {
  it('of several runs has each beside the others, its actions, and ends with the verdict', () => {
    expect(compareReport(RUNS, CONTEXT)).toMatchSnapshot();
  });

  it('of one run has every counter', () => {
    expect(runReport(lazyRun(6), CONTEXT)).toMatchSnapshot();
  });

  it('of a run that failed says why and nothing else', () => {
    expect(runReport(RUNS[4], CONTEXT)).toBe(
      './mine.ts over mini on two-nodes, profile mof, seed 1\nfailed: policy ./mine.ts: Error: no (./mine.ts:3:9)\n',
    );
  });

  it('paints the best run and those that failed, with the painter handed in', () => {
    const paint: Paint = (style, text) => `<${style}>${text}</${style}>`;
    const text = compareReport(RUNS, CONTEXT, paint);
    expect(text).toContain('<good>interleave=all</good>');
    expect(text).toContain('<bad>./mine.ts</bad>');
    expect(compareReport(RUNS, CONTEXT)).not.toMatch(/<\w+>|\x1b/);
  });

  it('as JSON does not depend on the order in which keys were made', () => {
    expect(stableJson({ b: 1, run: 2, a: { z: 1, y: [{ d: 1, c: 2 }] } })).toBe(
      stableJson({ a: { y: [{ c: 2, d: 1 }], z: 1 }, run: 2, b: 1 }),
    );
    expect(Object.keys(JSON.parse(stableJson({ b: 1, run: 2, a: 3 })) as object)).toEqual(['run', 'a', 'b']);
    const parsed = JSON.parse(comparisonJson(RUNS, CONTEXT)) as { runs: unknown; verdict: { best: string } };
    expect(parsed.runs).toEqual(RUNS);
    expect(parsed.verdict.best).toBe('interleave=all');
  });
});

describe('a number', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [544715, '544,715'],
    [9_999_999, '9,999,999'],
    [104_800_000, '104.8 M'],
    [1_702_400_000, '1702.4 M'],
    [16_400_000_000, '16.4 G'],
  ])('%d is counted as %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.5, '0.50 ns'],
    [812, '812 ns'],
    [999.6, '1.00 µs'],
    [12_345, '12.3 µs'],
    [999_600, '1.00 ms'],
    [4_050_000, '4.05 ms'],
    [1_234_000_000, '1.23 s'],
    [1_234_000_000_000, '1,234 s'],
  ])('%d ns is the time %s', (ns, text) => {
    expect(formatNs(ns)).toBe(text);
  });

  it('that is a ratio near one has a digit more', () => {
    expect([0.8234, 0.9971, 1.0499, 1.234, 12.3456].map(formatRatio)).toEqual([
      '0.82',
      '0.997',
      '1.050',
      '1.23',
      '12.35',
    ]);
  });
});
