import Table from 'cli-table3';
import { plain, type Paint, type Style } from './paint.js';

export interface TableText {
  /** Line above the table; null for none. */
  readonly title: string | null;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of words, aligned left; all others hold numbers. By default the first alone. */
  readonly wordColumns?: readonly number[];
  /** How a whole row stands out. */
  readonly styleOf?: (row: number) => Style | null;
}

const NONE = '';
/** A rule under the head, none elsewhere: as quiet as a table can be. */
const CHARS = {
  top: NONE,
  'top-mid': NONE,
  'top-left': NONE,
  'top-right': NONE,
  bottom: NONE,
  'bottom-mid': NONE,
  'bottom-left': NONE,
  'bottom-right': NONE,
  left: NONE,
  'left-mid': NONE,
  right: NONE,
  'right-mid': NONE,
  mid: NONE,
  'mid-mid': NONE,
  middle: '  ',
};

/** Title, head and rows as text; numbers stand right-aligned under one another. Ends without a line break. */
export function tableText({ title, head, rows, wordColumns = [0], styleOf }: TableText, paint: Paint = plain): string {
  const table = new Table({
    chars: CHARS,
    colAligns: head.map((_, column) => (wordColumns.includes(column) ? 'left' : 'right')),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  if (head.some((cell) => cell !== '')) table.push(head.map((cell) => paint('dim', cell)));
  rows.forEach((row, i) => {
    const style = styleOf?.(i) ?? null;
    table.push(row.map((cell) => (style === null ? cell : paint(style, cell))));
  });
  const lines = table
    .toString()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd());
  return [...(title === null ? [] : [paint('bold', title)]), ...lines].join('\n');
}
