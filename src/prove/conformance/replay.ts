import type { Watcher } from '../../engine/index.js';
import { MmError } from '../../errors.js';
import { compareStep, type Mismatch } from './compare.js';
import { compareCounters, readCounters } from './counters.js';
import { simulators } from './machine-of.js';
import { profileOf } from './parse.js';
import type { RecordedCase, Recording, Step } from './recording.js';
import { ruleOf } from './rule-of.js';
import type { Simulator } from './simulator.js';

/** Steps or cases: how many came out as recorded, of how many. */
export interface Share {
  matched: number;
  total: number;
}

export interface Tally extends Share {
  /** A step counts only if all steps of its case before it matched too. */
  matched: number;
  total: number;
  casesMatched: number;
  cases: number;
  /** Touch steps whose counters (/proc/vmstat, numastat) changed as recorded, of those that have them recorded. */
  readonly counters: Share;
}

/** A difference, and the rule of the recordings' rule list that decides there. */
export interface Finding extends Mismatch {
  readonly rule: string;
}

/** A step that came out differently. */
export interface StepMismatch {
  readonly file: string;
  readonly case: string;
  readonly category: string;
  readonly step: number;
  /** The call with its arguments. */
  readonly call: Readonly<Record<string, unknown>>;
  readonly mismatches: readonly Finding[];
}

export interface ConformanceReport extends Tally {
  readonly files: readonly (Tally & {
    readonly file: string;
    readonly kernel: string;
    readonly profile: string;
    readonly categories: Readonly<Record<string, Tally>>;
  })[];
  /** The first step of each case that differs; what follows it was not compared. */
  readonly mismatches: readonly StepMismatch[];
  /** Touch steps that came out as recorded, but for their counters. */
  readonly counterMismatches: readonly StepMismatch[];
}

export interface RecordingFile {
  readonly file: string;
  readonly recording: Recording;
  /** Instead of the profile of the kernel. */
  readonly profile?: string;
}

/**
 * Replays recordings under the profile of their kernel and compares step by step. Nothing here reads names of cases.
 *
 * @param onCase called after each case, and waited for
 */
export async function replayRecordings(
  recordings: readonly RecordingFile[],
  onCase: (done: number) => void | Promise<void>,
  watcherOf: (name: string, index: number) => Watcher | null = () => null,
): Promise<ConformanceReport> {
  const report = {
    ...emptyTally(),
    files: [] as ConformanceReport['files'][number][],
    mismatches: [] as StepMismatch[],
    counterMismatches: [] as StepMismatch[],
  };
  let done = 0;
  for (const { file, recording, profile = profileOf(recording.kernel.version, file) } of recordings) {
    const simulatorFor = await simulators(profile);
    const categories: Record<string, Tally> = {};
    const ofFile = { ...emptyTally(), file, kernel: recording.kernel.version, profile, categories };
    for (const recorded of recording.cases) {
      const watcher = watcherOf(`${file}: ${recorded.name}`, done);
      const result = replayCase(recorded, simulatorFor(recorded, watcher));
      watcher?.close();
      const ofCategory = (categories[recorded.category] ??= emptyTally());
      for (const tally of [report, ofFile, ofCategory]) addCase(tally, result, recorded.steps);
      const where = { file, case: recorded.name, category: recorded.category };
      if (result.first !== null) report.mismatches.push({ ...where, ...result.first });
      report.counterMismatches.push(...result.counters.map((found) => ({ ...where, ...found })));
      await onCase(++done);
    }
    report.files.push(ofFile);
  }
  return report;
}

type Found = Pick<StepMismatch, 'step' | 'call' | 'mismatches'>;

interface CaseResult {
  readonly matched: number;
  readonly first: Found | null;
  /** Touch steps that matched in all but their counters. */
  readonly counters: readonly Found[];
  readonly countersMatched: number;
}

function replayCase({ steps }: RecordedCase, simulator: Simulator): CaseResult {
  const counters: Found[] = [];
  let countersMatched = 0;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i];
    const found = (mismatches: readonly Mismatch[]): Found => ({
      ...{ step: i, call: callOf(step) },
      mismatches: mismatches.map((one) => ({ ...one, rule: ruleOf(step, one, simulator.governed(step)) })),
    });
    const before = hasCounters(step) ? readCounters(simulator.counters) : null;
    const mismatches = compareOne(step, simulator);
    if (mismatches.length > 0) return { matched: i, first: found(mismatches), counters, countersMatched };
    if (before === null) continue;
    const counted = compareCounters(step, before, readCounters(simulator.counters));
    if (counted.length === 0) countersMatched++;
    else counters.push(found(counted));
  }
  return { matched: steps.length, first: null, counters, countersMatched };
}

const hasCounters = ({ op, counters }: Step): boolean => op === 'touch' && counters !== undefined;

function compareOne(step: Step, simulator: Simulator): readonly Mismatch[] {
  try {
    const result = simulator.execute(step);
    return compareStep(step, result, simulator.pages(), () => simulator.hugeCounts());
  } catch (error) {
    if (!(error instanceof MmError) || error.code !== 'NOT_THERE_YET') throw error;
    return [{ what: 'not there yet', expected: step.op, got: error.message }];
  }
}

/** What is no argument of the call: what the kernel answered. */
const ANSWERS: ReadonlySet<string> = new Set([
  ...['result', 'pages', 'pagesSeen', 'pagesRuns', 'hugePages', 'hugeParts', 'hugeZero'],
  ...['counters', 'nodeCounters', 'unstable'],
]);
const callOf = (step: Step): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(step).filter(([key]) => !ANSWERS.has(key)));

const emptyTally = (): Tally => ({
  ...{ matched: 0, total: 0, casesMatched: 0, cases: 0 },
  counters: { matched: 0, total: 0 },
});

function addCase(tally: Tally, result: CaseResult, steps: readonly Step[]): void {
  tally.matched += result.matched;
  tally.total += steps.length;
  tally.cases++;
  if (result.first === null) tally.casesMatched++;
  tally.counters.matched += result.countersMatched;
  tally.counters.total += steps.filter(hasCounters).length;
}
