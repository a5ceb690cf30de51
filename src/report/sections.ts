import { nodeCells, nodeColumns, pagesText } from './pages-per-node.js';
import { formatCount, formatNs, formatShare } from './numbers.js';
import { plain, type Paint } from './paint.js';
import { tableText } from './table.js';
import { type PhaseResult, remoteShare, type RunResult } from '../stats/index.js';

/**
 * Parts that the reports of one run and of several share: each gives text without a final line break, or null
 * when it would say nothing.
 */
type Section = string | null;

/** Faults of the whole run by kind: first touches come before the region of interest. */
export function faultsSection(results: readonly RunResult[], paint: Paint = plain): Section {
  const kinds = keysOf(results.map((result) => result.whole.faults));
  if (kinds.length === 0) return null;
  const rows = results.map((result) => [
    result.run,
    ...kinds.map((kind) => formatCount(result.whole.faults[kind] ?? 0)),
  ]);
  return tableText(
    { title: 'Faults by kind, whole run', head: ['run', ...kinds.map((kind) => kind.replaceAll('_', ' '))], rows },
    paint,
  );
}

/** Migrations by hooks and actions: tried, done, and refused by condition or step. Runs that tried none are left out. */
export function migrationsSection(results: readonly RunResult[], paint: Paint = plain): Section {
  const tried = results.filter(
    ({ whole }) => whole.migration.tried > 0 || Object.keys(whole.migration.failed).length > 0,
  );
  if (tried.length === 0) return null;
  const reasons = keysOf(tried.map((result) => result.whole.migration.failed));
  const rows = tried.map(({ run, whole: { migration, migrationNs } }) => [
    run,
    formatCount(migration.tried),
    formatCount(migration.done),
    ...reasons.map((reason) => formatCount(migration.failed[reason] ?? 0)),
    formatNs(migrationNs),
  ]);
  const head = ['run', 'tried', 'done', ...reasons.map((reason) => `not: ${reasonText(reason)}`), 'cost'];
  return tableText({ title: 'Migrations, whole run', head, rows }, paint);
}

/** Pages mapped or cached at the end of the region of interest. */
export function pagesSection(results: readonly RunResult[], paint: Paint = plain): Section {
  const columns = nodeColumns(results.map((result) => result.pagesPerNode));
  if (columns.shown.length === 0) return null;
  const rows = results.map((result) => [result.run, ...nodeCells(result.pagesPerNode, columns)]);
  return tableText(
    {
      title: 'Pages per node at the end of the region of interest',
      head: ['run', ...columns.shown.map((node) => `node ${String(node)}`), ...(columns.hasRest ? ['others'] : [])],
      rows,
    },
    paint,
  );
}

/** Before, during and after the actions of one run, and what each action cost by itself. */
export function actionsSection(result: RunResult, paint: Paint = plain): Section {
  if (result.actions.length === 0) return null;
  return [
    phasesTable(`${result.run}: before, between and after its actions`, result.phases, paint),
    actionsTable(result, paint),
  ].join('\n');
}

export function phasesTable(title: string, phases: readonly PhaseResult[], paint: Paint = plain): string {
  const swaps = phases.some(({ swap }) => swap.written + swap.read > 0);
  const rows = phases.map((phase) => [
    phase.name,
    `${formatCount(phase.rows.from)} to ${formatCount(phase.rows.until)}`,
    formatNs(phase.timeNs),
    formatNs(phase.accessNs),
    formatNs(phase.faultNs),
    formatNs(phase.migrationNs),
    formatNs(phase.lostNs),
    formatNs(phase.settledNs),
    formatCount(phase.missesLocal),
    formatCount(phase.missesRemote),
    formatShare(remoteShare(phase)),
    pagesText(phase.pagesPerNode),
    ...(swaps ? [`${formatCount(phase.swap.written)} / ${formatCount(phase.swap.read)}`] : []),
  ]);
  const head = [
    'phase',
    'rows',
    'time',
    'accesses',
    'faults',
    'moves',
    'time lost',
    'settled after',
    'misses local',
    'misses remote',
    'remote share',
    'pages per node',
    ...(swaps ? ['swap out / in'] : []),
  ];
  return tableText({ title, head, rows, wordColumns: [0, 1] }, paint);
}

function actionsTable({ actions }: RunResult, paint: Paint): string {
  const rows = actions.map((action) => [
    action.action,
    action.row === null ? 'its moment never came' : `before row ${formatCount(action.row)}`,
    String(action.process),
    action.row === null ? '' : formatCount(action.pagesTouched),
    action.row === null ? '' : formatNs(action.ownNs),
    action.note,
  ]);
  const head = ['action', 'when', 'process', 'pages', 'its own cost', ''];
  return tableText({ title: null, head, rows, wordColumns: [0, 1, 5] }, paint);
}

/** `c1_mapped` → `C1 mapped`: the step's name as in the code, then why. */
function reasonText(reason: string): string {
  const step = /^([cm]\d[a-z]?)_/.exec(reason)?.[1];
  const words = reason.slice(step === undefined ? 0 : step.length + 1).replaceAll('_', ' ');
  return step === undefined ? words : `${step[0].toUpperCase()}${step.slice(1)} ${words}`;
}

/** Keys of all records, in the order in which they first come. */
function keysOf(records: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}
