import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRecording, profileOf, replayRecordings, type ConformanceReport } from '../../src/prove/index.js';
import { ruleOf } from '../../src/prove/conformance/rule-of.js';
import type { Recording } from '../../src/prove/conformance/recording.js';
import { errorOf } from '../support/error-of.js';

const FILES = ['linux-6.1-handwritten.json', 'linux-6.12-handwritten.json', 'linux-6.12-onenode.json'];
const textOf = (file: string) => readFileSync(new URL(`../fixtures/recordings/${file}`, import.meta.url), 'utf8');

/** Cases of these files in which the model differs, and the reason; every other case must match in full. */
const KNOWN: Readonly<Record<string, string>> = {};
/** The same kernels with transparent huge pages (K-H1..K-H19). */
const HUGE_FILES = ['linux-6.1-thp.json', 'linux-6.12-thp.json'];

describe('recordings of real kernels', () => {
  let report: ConformanceReport;
  beforeAll(async () => {
    const recordings = FILES.map((file) => {
      const recording = parseRecording(textOf(file), file);
      return { file, recording };
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

  it('say of a difference which rule decides there', () => {
    const { op, result } = { op: 'touch', result: { ret: 1, errno: null } } as const;
    const difference = (what: string) => ({ what, expected: 1, got: 2 });
    const rule = (what: string, kind: 'private' | 'shmem' | 'file', mode: number | null) =>
      ruleOf({ op, result }, difference(what), { kind, mode });
    expect(rule('pages of t0.a', 'private', null)).toBe('K-P1, K-N1, K-F1');
    expect(rule('pages of t0.a', 'shmem', 3)).toBe('K-P2, K-I1, K-F1');
    expect(rule('numa_hit', 'file', 2)).toBe('K-P3, K-N3, K-F1');
    expect(rule('minflt', 'private', null)).toBe('K-A9');
    const pageout = { op: 'madvise', advice: 'pageout', result };
    expect(ruleOf(pageout, difference('ret'), { kind: null, mode: null })).toBe('K-S1');
  });

  it('agree in the counters of nearly every touch, and are found to differ where one is changed', async () => {
    expect(report.counters.total).toBeGreaterThan(1000);
    expect(report.counters.matched / report.counters.total).toBeGreaterThan(0.98);
    expect(report.counterMismatches).toHaveLength(report.counters.total - report.counters.matched);
    const recording = parseRecording(textOf(FILES[0]), FILES[0]);
    const [changed] = structuredClone(recording.cases) as unknown as { steps: { counters?: { pgfault: number } }[] }[];
    const touched = changed.steps.find(({ counters }) => counters?.pgfault !== undefined);
    if (touched?.counters !== undefined) touched.counters.pgfault += 5;
    const cases = [changed] as unknown as Recording['cases'];
    const { counters, matched, total } = await replayRecordings(
      [{ file: 'changed', recording: { ...recording, cases } }],
      () => undefined,
    );
    expect([total - matched, counters.total - counters.matched]).toEqual([0, 1]);
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
    expect(mismatches[0].mismatches[0]).toMatchObject({ what: 'ret', expected: 77, got: 0 });
    expect(total - matched).toBe(changed.cases[0].steps.length);
  });
});

describe('the kernel of a recording', () => {
  it.each([
    ['6.1.0-25', 'linux-6.1'],
    ['6.12.9', 'linux-6.12'],
    ['6.18.1', 'linux-6.12'],
    ['6.12', 'linux-6.12'],
  ])('kernel %s replays under %s', (version, profile) => {
    expect(profileOf(version, 'a.json')).toBe(profile);
  });

  it.each(['5.15.0', '6.2.1', '6.10.3', '7.0', 'x'])(
    'kernel %s has no profile, and the line says which there are',
    (version) => {
      const { message } = errorOf(() => profileOf(version, 'a.json'));
      expect(message).toBe(
        `a.json is of kernel "${version}", for which there is no profile. Known: 6.1 (linux-6.1), 6.12 to 6.18 (linux-6.12); --profile NAME replays it under one of them`,
      );
    },
  );
});

describe('recordings of real kernels with huge pages', () => {
  let report: ConformanceReport;
  beforeAll(async () => {
    const recordings = HUGE_FILES.map((file) => ({ file, recording: parseRecording(textOf(file), file) }));
    report = await replayRecordings(recordings, () => undefined);
  }, 120_000);

  it('match in every step: answers, faults, the node of every page, and which are whole, in pieces, or zero', () => {
    expect(report.mismatches).toEqual([]);
    expect([report.matched, report.total, report.casesMatched]).toEqual([3687, 3687, 376]);
  });

  it('agree in the counters of touches but for page tables, which the model does not allocate', () => {
    const others = report.counterMismatches.flatMap(({ mismatches }) => mismatches.map(({ what }) => what));
    expect([...new Set(others.map((what) => what.replace(/ by node$/, '')))].sort()).toEqual([
      ...['interleave_hit', 'local_node', 'numa_foreign', 'numa_hit', 'numa_interleave', 'numa_local', 'numa_miss'],
      ...['numa_other', 'other_node'],
    ]);
    for (const { mismatches } of report.counterMismatches) {
      for (const { what, expected, got } of mismatches) {
        if (typeof expected === 'number') expect(expected, what).toBeGreaterThan(got as number);
      }
    }
  });

  it('are found to differ when the number of huge pages is changed', async () => {
    const recording = parseRecording(textOf(HUGE_FILES[1]), HUGE_FILES[1]);
    const [changed] = structuredClone(recording.cases) as unknown as {
      steps: { hugePages: Record<string, number> }[];
    }[];
    const step = changed.steps.find(({ hugePages }) => Object.keys(hugePages).length > 0);
    if (step !== undefined) step.hugePages[Object.keys(step.hugePages)[0]]++;
    const cases = [changed] as unknown as Recording['cases'];
    const { mismatches } = await replayRecordings(
      [{ file: 'changed', recording: { ...recording, cases } }],
      () => undefined,
    );
    expect(mismatches[0].mismatches.map(({ what }) => what)).toEqual([expect.stringContaining('hugePages of ')]);
  });
});
