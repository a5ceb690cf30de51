import { assumptionsOf, type Assumption } from './assumptions.js';
import { baselineOf, ratioTo } from './baseline.js';
import { formatNs, formatRatio, formatShare } from './numbers.js';
import { plain, type Paint } from './paint.js';
import { rangesOf, type CostAssumptions, type Range } from './ranking.js';
import { nearestRealMeans, realMeans } from './real-means.js';
import { sensitivitySentences } from './sensitivity-text.js';
import { parseRun, PROFILES } from '../run/index.js';
import type { Sensitivity } from '../sensitivity/index.js';
import { remoteShare, type RunResult } from '../stats/index.js';

/** Runs this close to the best are called equal: the model is not better than that. */
export const TIE = 0.01;

/** What a comparison comes to. Plain data, written to JSON as it is. */
export interface Verdict {
  /** The fastest run that a user can have; null if there was none. */
  readonly best: string | null;
  readonly bestTimeNs: number | null;
  readonly baseline: string | null;
  /** Time of the best run over that of the baseline. */
  readonly ratio: number | null;
  readonly realMeans: readonly string[];
  /** Other runs a user can have, within 1 % of the best. */
  readonly ties: readonly string[];
  /** Runs that cannot win, and why. */
  readonly excluded: readonly Excluded[];
  readonly oracle: {
    readonly run: string;
    readonly timeNs: number;
    readonly bestOverOracle: number | null;
    readonly remoteShare: number;
  } | null;
  /** Over which range of the cost assumptions the best run stays best; null without another run to lose to. */
  readonly holds: { readonly hitNs: Range; readonly mlp: Range } | null;
  /** The same after the constants were varied in runs of their own, a sentence per ranking; absent if they were not. */
  readonly sensitivity?: readonly string[];
  /** What no mainline kernel has and some run used, in sentences. */
  readonly notInMainline: readonly string[];
  /** Given when a hook moved pages, or pages were unmapped for it: what real kernels offer instead. */
  readonly insteadOfLazy: readonly string[];
  readonly assumptions: readonly Assumption[];
}

export interface Excluded {
  readonly run: string;
  readonly timeNs: number | null;
  readonly kind: 'hooks' | 'policy' | 'history' | 'not finished';
  readonly why: string;
}

/** Names the best run among those that a user can have: a run in which a hook moved a page is not, nor are `stay`, `oracle` and kernels of the past. */
export function verdictOf(results: readonly RunResult[], costs: CostAssumptions, sensitivity?: Sensitivity): Verdict {
  const baseline = baselineOf(results);
  const excluded = results.flatMap((result) => exclusionOf(result) ?? []);
  const candidates = attainableRuns(results);
  const best = candidates.length > 0 ? candidates[0] : null;
  const others = candidates.slice(1);
  const oracle = results.find((result) => result.policy === 'oracle' && result.outcome.kind === 'done') ?? null;
  const moved = results
    .filter((result) => exclusionOf(result)?.kind === 'hooks')
    .sort((a, b) => a.region.timeNs - b.region.timeNs);
  return {
    best: best?.run ?? null,
    bestTimeNs: best?.region.timeNs ?? null,
    baseline: baseline?.run ?? null,
    ratio: best && ratioTo(baseline, best),
    realMeans: best ? realMeans(best) : [],
    ties: best
      ? others.filter((other) => other.region.timeNs <= best.region.timeNs * (1 + TIE)).map((other) => other.run)
      : [],
    excluded,
    oracle: oracle && {
      run: oracle.run,
      timeNs: oracle.region.timeNs,
      bestOverOracle: best && oracle.region.timeNs > 0 ? best.region.timeNs / oracle.region.timeNs : null,
      remoteShare: remoteShare(oracle.region),
    },
    holds: best && others.length > 0 ? rangesOf(best, others, costs) : null,
    ...(sensitivity && { sensitivity: sensitivitySentences(sensitivity, baseline?.run ?? null) }),
    notInMainline: [...new Set(moved.map(missing))],
    insteadOfLazy: moved.length > 0 ? nearestRealMeans(moved[0]) : [],
    assumptions: assumptionsOf(results),
  };
}

/** The runs that a user can have, best first. */
export function attainableRuns(results: readonly RunResult[]): RunResult[] {
  return fastestFirst(results.filter((result) => exclusionOf(result) === null));
}

/** With them, those that need what no mainline kernel has, best first; neither yardsticks nor kernels of the past. */
export function thinkableRuns(results: readonly RunResult[]): RunResult[] {
  return fastestFirst(results.filter((result) => [undefined, 'hooks'].includes(exclusionOf(result)?.kind)));
}

/** As good with fewer words is better. */
function fastestFirst(results: RunResult[]): RunResult[] {
  return results.sort((a, b) => a.region.timeNs - b.region.timeNs || a.run.length - b.run.length);
}

/** Why a run cannot win; null if it can. */
function exclusionOf(result: RunResult): Excluded | null {
  const { run, outcome, region } = result;
  if (outcome.kind !== 'done') return { run, timeNs: null, kind: 'not finished', why: outcomeText(result) };
  if (!result.policyAttainable) {
    return { run, timeNs: region.timeNs, kind: 'policy', why: `"${result.policy}" is a yardstick, nothing to choose` };
  }
  const moved = result.whole.migration.done;
  const isUnmapped = result.actions.some((action) => action.row !== null && isLazy(result, action.action));
  if (result.attainable && !isUnmapped) return historyOf(result);
  const isAutomatic = parseRun(result.run).switches.autoMigrate !== null;
  if (isAutomatic) return { run, timeNs: region.timeNs, kind: 'hooks', why: 'automatic migration was never merged' };
  const why = moved > 0 ? 'a hook moved pages at their faults' : 'pages were unmapped for migrate-on-fault';
  return { run, timeNs: region.timeNs, kind: 'hooks', why: `${why}; no mainline kernel does that` };
}

/** A run on a kernel of the past cannot win either. */
function historyOf({ run, profile, region }: RunResult): Excluded | null {
  if (PROFILES.find(({ name }) => name === profile)?.isHistory !== true) return null;
  const why = `profile ${profile} is a kernel of the past, to compare with`;
  return { run, timeNs: region.timeNs, kind: 'history', why };
}

/** What a run used that no mainline kernel has. */
function missing(result: RunResult): string {
  if (result.actions.some(({ action }) => isLazy(result, action)))
    return 'No mainline kernel accepts MPOL_MF_LAZY (EINVAL).';
  return parseRun(result.run).switches.autoMigrate === null
    ? 'No mainline kernel moves pages at the faults of those who use them.'
    : 'Automatic migration was never merged.';
}

/** `action` is the text of an action of the run, or begins with its name. */
function isLazy(result: RunResult, action: string): boolean {
  return (
    /^lazy\b/.test(action) || parseRun(result.run).actions.some((each) => each.text === action && each.kind === 'lazy')
  );
}

/** How a run ended, in words. */
export function outcomeText({ outcome }: RunResult): string {
  if (outcome.kind === 'done') return 'done';
  if (outcome.kind === 'failed') return `failed: ${outcome.message}`;
  const where = `at row ${String(outcome.row)}, thread ${String(outcome.thread)}`;
  if (outcome.kind === 'oom') return `out of memory ${where}${outcome.nodes === '' ? '' : `, nodes ${outcome.nodes}`}`;
  return `SIGBUS ${where}`;
}

/** The verdict in sentences. */
export function verdictText(verdict: Verdict, paint: Paint = plain): string {
  return [
    paint('bold', 'Verdict'),
    ...bestLines(verdict, paint),
    ...excludedLines(verdict),
    ...oracleLines(verdict),
    ...holdsLines(verdict),
    ...assumptionLines(verdict),
  ].join('\n');
}

function bestLines({ best, bestTimeNs, baseline, ratio, realMeans: means, ties }: Verdict, paint: Paint): string[] {
  if (best === null || bestTimeNs === null) return ['  None of these runs is one that a user can have.'];
  const than = ratio === null || best === baseline ? '' : `, ${comparison(ratio)} ${String(baseline)}`;
  const lines = [`  Best of what you can have: ${paint('good', best)}, ${formatNs(bestTimeNs)}${than}.`];
  means.forEach((line, i) => lines.push(`  ${i === 0 ? 'On a real machine:' : '                  '} ${line}`));
  if (ties.length > 0) {
    const nothing = ties.includes(baseline ?? '') && baseline === 'default' ? ' Changing nothing is as good.' : '';
    lines.push(`  As good, within 1 %: ${ties.join(', ')}.${nothing}`);
  }
  return lines;
}

/** `18.00 % less than`. */
function comparison(ratio: number): string {
  if (Math.abs(ratio - 1) < 0.00005) return 'as long as';
  return ratio < 1 ? `${formatShare(1 - ratio)} less than` : `${formatShare(ratio - 1)} more than`;
}

function excludedLines({ excluded, bestTimeNs, notInMainline, insteadOfLazy, oracle }: Verdict): string[] {
  const others = excluded.filter(({ run }) => run !== oracle?.run); // the oracle has its own line
  const lines = others.map(({ run, timeNs, why }) => {
    const faster =
      timeNs !== null && bestTimeNs !== null && bestTimeNs > 0 ? `, ${comparison(timeNs / bestTimeNs)} the best` : '';
    return `  Cannot win: ${run}${timeNs === null ? '' : ` (${formatNs(timeNs)}${faster})`}: ${why}.`;
  });
  if (insteadOfLazy.length > 0) {
    lines.push(`  ${notInMainline.join(' ')} The nearest real means:`);
    for (const means of insteadOfLazy) lines.push(`    - ${means}`);
  }
  return lines;
}

function oracleLines({ oracle }: Verdict): string[] {
  if (!oracle) return [];
  const far =
    oracle.bestOverOracle === null ? '' : ` The best run takes ${formatRatio(oracle.bestOverOracle)} times that.`;
  return [
    `  Best static placement (oracle): ${formatNs(oracle.timeNs)}, ${formatShare(oracle.remoteShare)} of misses remote.${far}`,
  ];
}

function holdsLines({ holds, sensitivity }: Verdict): string[] {
  if (sensitivity !== undefined) return sensitivity.map((sentence) => `  ${sentence}`);
  if (!holds) return [];
  const range = ({ from, until, isWhole }: Range) =>
    `${String(from)} to ${String(until)}${isWhole ? ' (all that was tried)' : ''}`;
  return [
    `  It stays the best for --hit-ns from ${range(holds.hitNs)} and for --mlp from ${range(holds.mlp)}: estimated, one varied at a time.`,
  ];
}

function assumptionLines({ assumptions }: Verdict): string[] {
  if (assumptions.length === 0) return [];
  return [
    '',
    '  Assumptions',
    ...assumptions.map(({ text, runs }) => `    - ${text}${runs === null ? '' : ` [${runs.join(', ')}]`}`),
  ];
}
