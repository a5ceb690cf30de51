import { MmError } from '../../errors.js';
import { compareStep, type Mismatch } from './compare.js';
import { simulators } from './machine-of.js';
import type { RecordedCase, Recording, Step } from './recording.js';
import type { Simulator } from './simulator.js';

const FORMAT = 'numa-placement-conformance-1';

export interface Tally {
  /** A step counts only if all steps of its case before it matched too. */
  matched: number;
  total: number;
  casesMatched: number;
  cases: number;
}

/** The first step of a case that came out differently; what follows it was not compared. */
export interface FirstMismatch {
  readonly file: string;
  readonly case: string;
  readonly category: string;
  readonly step: number;
  /** The call with its arguments. */
  readonly call: Readonly<Record<string, unknown>>;
  readonly mismatches: readonly Mismatch[];
}

export interface ConformanceReport extends Tally {
  readonly files: readonly (Tally & {
    readonly file: string;
    readonly kernel: string;
    readonly profile: string;
    readonly categories: Readonly<Record<string, Tally>>;
  })[];
  readonly mismatches: readonly FirstMismatch[];
}

/** @throws MmError BAD_TRACE if the text is no recording */
export function parseRecording(text: string, where: string): Recording {
  let recording: Partial<Recording>;
  try {
    recording = JSON.parse(text) as Partial<Recording>;
  } catch (error) {
    throw new MmError('BAD_TRACE', `${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (recording.format !== FORMAT || !Array.isArray(recording.cases) || recording.kernel === undefined) {
    throw new MmError('BAD_TRACE', `${where} is no recording: expected "format": "${FORMAT}", a kernel and cases`);
  }
  return recording as Recording;
}

/** The profile that stands for a kernel: 6.1 its own, later ones 6.12. */
export const profileOf = (version: string): string => (/^6\.1(\.|-|$)/.test(version) ? 'linux-6.1' : 'linux-6.12');

/** Replays recordings under the profile of their kernel and compares step by step. Nothing here reads names of cases. */
export async function replayRecordings(
  recordings: readonly { readonly file: string; readonly recording: Recording }[],
  onCase: (done: number) => void,
): Promise<ConformanceReport> {
  const report = {
    ...emptyTally(),
    files: [] as ConformanceReport['files'][number][],
    mismatches: [] as FirstMismatch[],
  };
  let done = 0;
  for (const { file, recording } of recordings) {
    const profile = profileOf(recording.kernel.version);
    const simulatorFor = await simulators(profile);
    const ofFile = {
      ...emptyTally(),
      file,
      kernel: recording.kernel.version,
      profile,
      categories: {} as Record<string, Tally>,
    };
    for (const recorded of recording.cases) {
      const { matched, mismatch } = replayCase(recorded, simulatorFor(recorded));
      const ofCategory = (ofFile.categories[recorded.category] ??= emptyTally());
      for (const tally of [report, ofFile, ofCategory]) addCase(tally, matched, recorded.steps.length);
      if (mismatch !== null) report.mismatches.push({ file, ...mismatch });
      onCase(++done);
    }
    report.files.push(ofFile);
  }
  return report;
}

function replayCase(
  recorded: RecordedCase,
  simulator: Simulator,
): { matched: number; mismatch: Omit<FirstMismatch, 'file'> | null } {
  const { name, category, steps } = recorded;
  for (let i = 0; i < steps.length; i++) {
    const mismatches = compareOne(steps[i], simulator);
    if (mismatches.length > 0) {
      return { matched: i, mismatch: { case: name, category, step: i, call: callOf(steps[i]), mismatches } };
    }
  }
  return { matched: steps.length, mismatch: null };
}

function compareOne(step: Step, simulator: Simulator): Mismatch[] {
  try {
    const result = simulator.execute(step);
    return compareStep(step, result, simulator.pages());
  } catch (error) {
    if (!(error instanceof MmError) || error.code !== 'NOT_THERE_YET') throw error;
    return [{ what: 'not there yet', expected: step.op, got: error.message }];
  }
}

/** The call without what the kernel answered. */
function callOf(step: Step): Readonly<Record<string, unknown>> {
  const {
    result: _result,
    pages: _pages,
    counters: _counters,
    nodeCounters: _nodes,
    unstable: _unstable,
    ...call
  } = step;
  return call;
}

const emptyTally = (): Tally => ({ matched: 0, total: 0, casesMatched: 0, cases: 0 });

function addCase(tally: Tally, matched: number, steps: number): void {
  tally.matched += matched;
  tally.total += steps;
  tally.cases++;
  if (matched === steps) tally.casesMatched++;
}
