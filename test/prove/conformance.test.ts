import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRecording, profileOf, replayRecordings, type ConformanceReport } from '../../src/prove/index.js';
import type { Recording } from '../../src/prove/conformance/recording.js';
import { errorOf } from '../support/error-of.js';

const FILES = ['linux-6.1-handwritten.json', 'linux-6.12-handwritten.json', 'linux-6.12-onenode.json'];
const textOf = (file: string) => readFileSync(new URL(`../fixtures/recordings/${file}`, import.meta.url), 'utf8');

/** Cases of these files in which the model differs, and the reason; every other case must match in full. */
const KNOWN: Readonly<Record<string, string>> = {};
/** They need a balancer, which is not there yet. */
const LEFT_OUT = 'numa-balancing';

describe('recordings of real kernels', () => {
  let report: ConformanceReport;
  beforeAll(async () => {
    const recordings = FILES.map((file) => {
      const recording = parseRecording(textOf(file), file);
      return {
        file,
        recording: { ...recording, cases: recording.cases.filter(({ category }) => category !== LEFT_OUT) },
      };
    });
    report = await replayRecordings(recordings, () => undefined);
  }, 120_000);

  it('match step by step, but for the known cases', () => {
    expect([...new Set(report.mismatches.map((mismatch) => mismatch.case))].sort()).toEqual(Object.keys(KNOWN).sort());
  });

  it('are some thousands of steps, of which 99 % match', () => {
    expect(report.total).toBeGreaterThan(4000);
    expect(report.matched / report.total).toBeGreaterThan(0.99);
  });

  it('count a step only if all steps of its case before it matched', () => {
    for (const mismatch of report.mismatches) expect(mismatch.mismatches.length).toBeGreaterThan(0);
    const ofFiles = report.files.reduce((sum, file) => sum + file.matched, 0);
    expect(ofFiles).toBe(report.matched);
  });

  it('are found to differ when a recorded answer is changed', async () => {
    const recording = parseRecording(textOf(FILES[2]), FILES[2]);
    const changed = structuredClone(recording) as unknown as {
      cases: { steps: { result: { ret: number } }[] }[];
    } & Recording;
    changed.cases[0].steps[0].result.ret = 77;
    const { mismatches, matched, total } = await replayRecordings(
      [{ file: 'changed', recording: changed }],
      () => undefined,
    );
    expect(mismatches[0].mismatches[0]).toEqual({ what: 'ret', expected: 77, got: 0 });
    expect(total - matched).toBe(changed.cases[0].steps.length);
  });
});

describe('reading a recording', () => {
  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['another format', '{"format":"x"}', 'is no recording'],
  ])('%s is one clear line', (_, text, part) => {
    expect(errorOf(() => parseRecording(text, 'a.json')).message).toContain(part);
  });

  it.each([
    ['6.1.0-25', 'linux-6.1'],
    ['6.12.9', 'linux-6.12'],
    ['6.18.1', 'linux-6.12'],
  ])('kernel %s replays under %s', (version, profile) => {
    expect(profileOf(version)).toBe(profile);
  });
});
