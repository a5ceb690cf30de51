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
  'value',
  'nodes',
  'nodeWords',
  'status',
  'maps',
  'minflt',
  'majflt',
] as const;

/** Compares one step: return value, errno, signal, values read, faults taken, and the state of every page. */
export function compareStep(step: Step, result: StepResult, pages: Record<string, readonly number[]>): Mismatch[] {
  const mismatches: Mismatch[] = [];
  for (const field of RESULT_FIELDS) {
    const expected = step.result[field];
    if (expected === undefined) continue;
    if (!same(expected, result[field])) mismatches.push({ what: field, expected, got: result[field] });
  }
  if (step.pages !== undefined && !same(step.pages, pages)) {
    for (const [region, states] of Object.entries(step.pages)) {
      if (!same(states, pages[region]))
        mismatches.push({ what: `pages of ${region}`, expected: states, got: pages[region] });
    }
    for (const region of Object.keys(pages)) {
      if (!(region in step.pages))
        mismatches.push({ what: `region ${region}`, expected: undefined, got: pages[region] });
    }
  }
  return mismatches;
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
