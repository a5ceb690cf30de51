import type { ReportContext } from './compare-report.js';
import { assumptionsOf } from './assumptions.js';
import { formatCount, formatNs } from './numbers.js';
import { plain, type Paint } from './paint.js';
import { actionsSection, faultsSection, migrationsSection, pagesSection, phasesTable } from './sections.js';
import { tableText } from './table.js';
import { outcomeText } from './verdict.js';
import type { RunResult } from '../stats/index.js';

/** One run with all its counters. Ends with a line break. */
export function runReport(result: RunResult, { trace, machine }: ReportContext, paint: Paint = plain): string {
  const head = `${result.run} over ${trace} on ${machine}, profile ${result.profile}, seed ${String(result.seed)}`;
  if (result.outcome.kind === 'failed') return `${head}\n${paint('bad', outcomeText(result))}\n`;
  const ending = result.outcome.kind === 'done' ? null : paint('bad', outcomeText(result));
  const sections = [
    ending === null ? head : `${head}\n${ending}`,
    phasesTable('Time and places, estimated', [result.whole, result.region], paint),
    actionsSection(result, paint),
    faultsSection([result], paint),
    migrationsSection([result], paint),
    pagesSection([result], paint),
    nodeCounters(result, paint),
    counters(result, paint),
    marks(result, paint),
    assumptions(result, paint),
  ];
  return `${sections.filter((section) => section !== null).join('\n\n')}\n`;
}

function nodeCounters({ nodeCounters: perNode }: RunResult, paint: Paint): string | null {
  const names = Object.keys(perNode);
  if (names.length === 0) return null;
  const nodes = Array.from({ length: Math.max(...names.map((name) => perNode[name].length)) }, (_, node) => node);
  const rows = names.map((name) => [name, ...nodes.map((node) => formatCount(perNode[name][node] ?? 0))]);
  return tableText({ title: 'numastat', head: ['', ...nodes.map((node) => `node ${String(node)}`)], rows }, paint);
}

/** In full, not shortened: these are compared digit by digit. */
function counters({ counters: all }: RunResult, paint: Paint): string | null {
  const rows = Object.entries(all).map(([name, count]) => [name, String(count)]);
  return rows.length === 0 ? null : tableText({ title: 'Counters, whole run', head: ['', ''], rows }, paint);
}

function marks({ marks: all }: RunResult, paint: Paint): string | null {
  const rows = all.map(({ row, text, atNs, movingNs }) => [text, formatCount(row), formatNs(atNs), formatNs(movingNs)]);
  return rows.length === 0
    ? null
    : tableText({ title: 'Outputs of the program', head: ['text', 'row', 'at', 'of it moving pages'], rows }, paint);
}

function assumptions(result: RunResult, paint: Paint): string | null {
  const all = assumptionsOf([result]);
  return all.length === 0 ? null : [paint('bold', 'Assumptions'), ...all.map(({ text }) => `  - ${text}`)].join('\n');
}
