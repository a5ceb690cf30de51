import type { HugeCounts } from './huge-counts.js';
import type { Step, StepResult } from './recording.js';

/** What differs between a recorded step and the model's. */
export interface Mismatch {
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

const RESULT_FIELDS = [
  'ret',
  'errno',
  'signal',
  'killed',
  'value',
  'nodes',
  'nodeWords',
  'status',
  'maps',
  'minflt',
  'majflt',
] as const;

/** States of every page, by task and region. */
export type Pages = Readonly<Record<string, readonly number[]>>;
/** What is recorded of huge pages, by task and region; parts and zero blocks only of regions that have any. */
const HUGE_FIELDS = ['hugePages', 'hugeParts', 'hugeZero'] as const;

/**
 * Compares one step: return value, errno, signal, values read, faults taken, and the state of every page.
 *
 * @param huge asked only where huge pages are recorded
 */
export function compareStep(
  step: Step,
  result: StepResult,
  pages: Pages,
  huge: () => Readonly<Record<string, HugeCounts>>,
): Mismatch[] {
  const mismatches: Mismatch[] = [];
  for (const field of RESULT_FIELDS) {
    const expected = step.result[field];
    if (expected === undefined) continue;
    if (!same(expected, result[field])) mismatches.push({ what: field, expected, got: result[field] });
  }
  if (step.pages !== undefined) compareRegions(step.pages, pages, seenIn(step), mismatches);
  if (step.pagesRuns !== undefined) {
    const runs = Object.fromEntries(Object.entries(pages).map(([region, states]) => [region, runsOf(states)]));
    compareRegions(step.pagesRuns, runs, null, mismatches);
    if (step.hugePages !== undefined) compareHuge(step, huge(), mismatches);
  }
  return mismatches;
}

function compareHuge(step: Step, got: Readonly<Record<string, HugeCounts>>, mismatches: Mismatch[]): void {
  for (const field of HUGE_FIELDS) {
    const expected = step[field] ?? {};
    for (const region of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      const [recorded, mine] = [expected[region] ?? 0, got[region]?.[field] ?? 0];
      if (recorded !== mine) mismatches.push({ what: `${field} of ${region}`, expected: recorded, got: mine });
    }
  }
}

type Seen = (region: string, states: readonly unknown[]) => boolean;

/** Where recorded runs differed, any state that was seen will do. */
function seenIn({ pagesSeen }: Step): Seen | null {
  if (pagesSeen === undefined) return null;
  return (region, states) => {
    const seen = pagesSeen[region];
    return seen !== undefined && states.every((state, page) => seen[page]?.includes(state as number));
  };
}

function compareRegions(
  expected: Readonly<Record<string, readonly unknown[]>>,
  got: Readonly<Record<string, readonly unknown[] | undefined>>,
  seen: Seen | null,
  mismatches: Mismatch[],
): void {
  for (const [region, states] of Object.entries(expected)) {
    const mine = got[region];
    if (same(states, mine) || (mine !== undefined && seen?.(region, mine) === true)) continue;
    mismatches.push({ what: `pages of ${region}`, expected: states, got: mine });
  }
  for (const [region, states] of Object.entries(got)) {
    if (!(region in expected) && seen?.(region, states ?? []) !== true)
      mismatches.push({ what: `region ${region}`, expected: undefined, got: states });
  }
}

/** Run lengths of equal states, in order. */
function runsOf(states: readonly number[]): [state: number, count: number][] {
  const runs: [number, number][] = [];
  for (const state of states) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] === state) last[1]++;
    else runs.push([state, 1]);
  }
  return runs;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}
