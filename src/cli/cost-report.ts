import type { Explanation } from '../cost/index.js';
import type { MachineDescription, ValueOrigin } from '../hardware/index.js';
import { formatNs, formatShare, type Paint, tableText } from '../report/index.js';

/** An explanation with the constants behind it. */
export interface Explained extends Explanation {
  readonly constants: readonly ValueOrigin[];
  /** Those of them that nobody measured on this machine, and what is taken for granted besides; sentences. */
  readonly assumed: readonly string[];
}

/** Finds the constants of the terms among the values of the machine. */
export function explained(explanation: Explanation, machine: MachineDescription): Explained {
  const fields = new Set(explanation.terms.flatMap(({ uses }) => uses));
  const constants = (machine.origins ?? []).filter(({ field }) => fields.has(field));
  const isUsed = (sentence: string): boolean => fields.has(sentence.slice(0, sentence.indexOf(':')));
  const assumed = [...machine.assumed.filter(isUsed), ...explanation.notes];
  return { ...explanation, constants, assumed };
}

/** @param sources publications that the origins of values refer to as `[id]` */
export function explainedText(
  { what, terms, totalNs, constants, assumed }: Explained,
  machine: string,
  sources: Readonly<Record<string, string>>,
  paint: Paint,
): string {
  const rows = terms.map(({ name, ns, formula }) => [name, formatNs(ns), formatShare(ns / totalNs), formula]);
  const cited = Object.entries(sources).filter(([id]) =>
    constants.some(({ source }) => source.includes(`[${id}]`) || source.includes(`[${id} `)),
  );
  return sections([
    tableText(
      {
        title: `On ${machine}: ${what}`,
        head: ['term', 'time', 'share', 'how'],
        rows: [...rows, ['total', formatNs(totalNs), '', `${String(Math.round(totalNs * 1000) / 1000)} ns`]],
        wordColumns: [0, 3],
        styleOf: (row) => (row === terms.length ? 'bold' : null),
      },
      paint,
    ),
    tableText(
      {
        title: 'Constants',
        head: ['value', '', 'known how', 'source'],
        rows: constants.map(({ field, value, mark, source }) => [field, value, mark, source]),
        wordColumns: [0, 1, 2, 3],
      },
      paint,
    ),
    list('Assumptions', assumed, paint),
    list(
      'Sources',
      cited.map(([id, text]) => `[${id}] ${text}`),
      paint,
    ),
  ]);
}

/** Ways to do the same, beside each other. */
export function comparedText(
  ways: readonly { readonly name: string; readonly explained: Explained }[],
  machine: string,
  pages: number,
  paint: Paint,
): string {
  const [first] = ways;
  const assumed = [...new Set(ways.flatMap((way) => way.explained.assumed))];
  return sections([
    tableText(
      {
        title: `On ${machine}: ${String(pages)} pages, moved in turn by`,
        head: ['', 'time', 'per page', `× ${first.name}`, 'of which'],
        rows: ways.map(({ name, explained: { totalNs, terms } }) => [
          name,
          formatNs(totalNs),
          formatNs(totalNs / pages),
          (totalNs / first.explained.totalNs).toFixed(2),
          terms
            .filter(({ ns }) => ns > 0)
            .map((term) => `${term.name} ${formatNs(term.ns)}`)
            .join(', '),
        ]),
        wordColumns: [0, 4],
      },
      paint,
    ),
    list('Assumptions', assumed, paint),
  ]);
}

function list(title: string, lines: readonly string[], paint: Paint): string {
  return lines.length === 0 ? '' : [paint('bold', title), ...lines.map((line) => `  - ${line}`)].join('\n');
}

const sections = (parts: readonly string[]): string => `${parts.filter((part) => part !== '').join('\n\n')}\n`;
