import type { Assumption } from './assumptions.js';
import { baselineOf, ratioTo } from './baseline.js';
import { formatCount, formatNs, formatRatio, formatShare } from './numbers.js';
import { plain, type Paint } from './paint.js';
import type { CostAssumptions } from './ranking.js';
import { actionsSection, faultsSection, migrationsSection, pagesSection } from './sections.js';
import { sensitivitySection } from './sensitivity-text.js';
import { tableText } from './table.js';
import { verdictOf, verdictText } from './verdict.js';
import type { Sensitivity } from '../sensitivity/index.js';
import { remoteShare, type RunResult } from '../stats/index.js';

/** Short; the verdict says why. */
const OUTCOMES = { done: 'done', oom: 'out of memory', sigbus: 'SIGBUS', failed: 'failed' } as const;

/** What a report says about all its runs at once. */
export interface ReportContext {
  readonly trace: string;
  readonly machine: string;
  readonly costs: CostAssumptions;
  /** Of a comparison whose constants were varied. */
  readonly sensitivity?: Sensitivity;
}

/** Several runs of one trace side by side, and the verdict. Ends with a line break. */
export function compareReport(results: readonly RunResult[], context: ReportContext, paint: Paint = plain): string {
  const { sensitivity } = context;
  const verdict = verdictOf(results, context.costs, sensitivity);
  const done = results.filter((result) => result.outcome.kind === 'done');
  const sections = [
    headLine(results, context),
    summary(results, verdict.best, paint),
    faultsSection(done, paint),
    migrationsSection(done, paint),
    pagesSection(done, paint),
    ...done.map((result) => actionsSection(result, paint)),
    sensitivity === undefined ? null : sensitivitySection(sensitivity, paint),
    verdictText(verdict, paint),
    sourcesHint(verdict.assumptions, context),
  ];
  return `${sections.filter((section) => section !== null).join('\n\n')}\n`;
}

/** Assumptions about a bundled machine cite publications as `[id]`. */
function sourcesHint(assumptions: readonly Assumption[], { machine }: ReportContext): string | null {
  const isCited = assumptions.some(({ text }) => /\[[\w-]+(?: #\d+)*\]/.test(text));
  return isCited ? `  What [id] stands for: mof machine show ${machine}` : null;
}

function headLine(results: readonly RunResult[], { trace, machine }: ReportContext): string {
  const region = results.find((result) => result.outcome.kind === 'done')?.regionRows;
  const rows = region ? `; region of interest: rows ${formatCount(region.from)} to ${formatCount(region.until)}` : '';
  return `${trace} on ${machine}${rows}`;
}

function summary(results: readonly RunResult[], best: string | null, paint: Paint): string {
  const baseline = baselineOf(results);
  const rows = results.map((result) => {
    if (result.outcome.kind !== 'done') return [result.run, OUTCOMES[result.outcome.kind], '', '', '', '', ''];
    const { region } = result;
    const ratio = ratioTo(baseline, result);
    return [
      result.run,
      formatNs(region.timeNs),
      ratio === null ? '' : formatRatio(ratio),
      formatCount(region.accessesLocal),
      formatCount(region.accessesRemote),
      formatCount(region.missesRemote),
      formatShare(remoteShare(region)),
    ];
  });
  const head = [
    'run',
    'time',
    `× ${baseline?.run ?? 'first'}`,
    'accesses local',
    'accesses remote',
    'misses remote',
    'remote share',
  ];
  const styleOf = (row: number) => {
    if (results[row].outcome.kind !== 'done') return 'bad';
    return results[row].run === best ? 'good' : null;
  };
  return tableText({ title: 'Region of interest, estimated', head, rows, styleOf }, paint);
}
