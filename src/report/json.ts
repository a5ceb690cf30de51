import type { ReportContext } from './compare-report.js';
import { verdictOf } from './verdict.js';
import type { RunResult } from '../stats/index.js';

/** Keys that come first, in this order; all others follow by name. */
const FIRST = ['format', 'version', 'run', 'name', 'trace', 'machine', 'options', 'policy', 'nodes', 'outcome', 'kind'];

/** The document that `--json` writes: the same bytes for the same results. Ends with a line break. */
export function comparisonJson(results: readonly RunResult[], context: ReportContext): string {
  return stableJson({
    format: 'migrate-on-fault-runs',
    version: 1,
    trace: context.trace,
    machine: context.machine,
    options: context.costs,
    runs: results,
    verdict: verdictOf(results, context.costs, context.sensitivity),
    ...(context.sensitivity && { sensitivity: context.sensitivity }),
  });
}

/** JSON whose keys stand in an order that depends on nothing but their names. Ends with a line break. */
export function stableJson(value: unknown): string {
  return `${JSON.stringify(value, (_key, part: unknown) => (isRecord(part) ? inOrder(part) : part), 2)}\n`;
}

function inOrder(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const place = (key: string) => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
  const keys = Object.keys(record).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  return Object.fromEntries(keys.map((key) => [key, record[key]]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
