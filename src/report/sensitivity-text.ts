import { formatRatio } from './numbers.js';
import { plain, type Paint } from './paint.js';
import { tableText } from './table.js';
import type { ConstantStudy, RankingOf, Sensitivity, Standing } from '../sensitivity/index.js';

/** Over which ranges the verdict holds: a sentence per ranking, and how far the best run and the baseline are apart. */
export function sensitivitySentences({ rankings, constants }: Sensitivity, baseline: string | null): string[] {
  if (rankings.length === 0)
    return ['There is nothing to vary: it takes two runs, one of which can lose to the other.'];
  return rankings.flatMap(({ of, leader, runs }) => {
    const what =
      of === 'attainable' ? `${leader} stays the best` : `${leader}, which nobody can have, stays the fastest`;
    const where = `${what}, or within 1 % of it, over the ranges of all ${String(constants.length)} constants that were varied, one at a time`;
    const exceptions = exceptionsTo(of, constants);
    const holds = exceptions.length === 0 ? `${where}.` : `${where}, except that ${exceptions.join('; ')}.`;
    const isCompared = of === 'attainable' && baseline !== null && baseline !== leader && runs.includes(baseline);
    return isCompared ? [holds, apart(leader, baseline, constants)] : [holds];
  });
}

/** By who leads instead: `default leads with a fault of 1,230 ns or more, or with --mlp 1.3 or less`. */
function exceptionsTo(of: RankingOf, constants: readonly ConstantStudy[]): string[] {
  const places = new Map<string, string[]>();
  for (const { name, unit, changes } of constants) {
    for (const { at, when, to } of changes.filter((change) => change.of === of)) {
      const value = unit === '' ? numberText(at) : `${numberText(at)} ${unit}`;
      const place = `${name} ${value} or ${when === 'above' ? 'more' : 'less'}`;
      places.set(to, [...(places.get(to) ?? []), place]);
    }
  }
  return [...places].map(([to, where]) => `${to} leads with ${listed(where)}`);
}

/** `Over these ranges it takes 0.70 to 0.84 times as long as default.` */
function apart(leader: string, baseline: string, constants: readonly ConstantStudy[]): string {
  const ratios = constants.flatMap(({ tried }) =>
    tried.flatMap(({ times }) => {
      const timeOf = (run: string) => times.find((each) => each.run === run)?.timeNs ?? null;
      const [best, other] = [timeOf(leader), timeOf(baseline)];
      return best === null || other === null || other === 0 ? [] : [best / other];
    }),
  );
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map(formatRatio);
  return `Over these ranges it takes ${least === most ? least : `${least} to ${most}`} times as long as ${baseline}.`;
}

const listed = (parts: readonly string[]): string =>
  parts.length === 1 ? parts[0] : `${parts.slice(0, -1).join(', ')} or ${parts[parts.length - 1]}`;

/** What was varied over which range and what it changed, as a table, and where the ranges come from. */
export function sensitivitySection(sensitivity: Sensitivity, paint: Paint = plain): string | null {
  const { constants, rankings, notVaried, runs } = sensitivity;
  if (rankings.length === 0) return null;
  const tables = rankings.map(({ of, leader }) => {
    const title =
      of === 'attainable'
        ? `Sensitivity: the best run, ${leader}, when one constant is another`
        : `Sensitivity: the fastest of all, ${leader}, when one constant is another`;
    const rows = constants.map((constant) => rowOf(constant, of));
    return tableText({ title, head: HEAD, rows, wordColumns: [0, 4, 5, 6] }, paint);
  });
  const bases = constants.map(({ name, basis }) => `    - ${name}: ${basis}`);
  const others = notVaried.map(({ name, why }) => `    - ${name}: not varied, ${why}`);
  return [
    ...tables,
    ['  Ranges', ...bases, ...others, `  ${String(runs)} runs were carried out for it.`].join('\n'),
  ].join('\n\n');
}

const HEAD = ['constant', 'used', 'from', 'until', 'best at the lower end', 'best at the upper end', 'changes'];

function rowOf({ name, unit, used, from, until, tried, changes }: ConstantStudy, of: RankingOf): string[] {
  const standing = (at: number) => standingText(tried.at(at)?.standings.find((each) => each.of === of));
  const changed = changes
    .filter((change) => change.of === of)
    .map(({ at, when, to }) => `${when === 'above' ? '≥' : '≤'} ${numberText(at)}: ${to}`);
  const label = unit === '' ? name : `${name}, ${unit}`;
  return [
    label,
    ...[used, from, until].map(numberText),
    standing(0),
    standing(-1),
    changed.length === 0 ? 'none' : changed.join('; '),
  ];
}

/** `interleave=all, default × 1.12`. */
function standingText(standing: Standing | undefined): string {
  if (standing === undefined) return '';
  const { first, second, lead } = standing;
  return second === null || lead === null ? first : `${first} (${second} × ${formatRatio(lead)})`;
}

/** Three digits or more. */
function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.5) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
