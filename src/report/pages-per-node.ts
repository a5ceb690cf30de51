import { formatCount } from './numbers.js';

/** Nodes that a table has room for. */
const WIDE = 16;

/**
 * The nodes that get a column of their own: all of them, or on a larger machine those that have most pages in any of the rows.
 * The rest share one.
 */
export function nodeColumns(rows: readonly (readonly number[])[]): { shown: number[]; hasRest: boolean } {
  const count = Math.max(0, ...rows.map((pages) => pages.length));
  const nodes = Array.from({ length: count }, (_, node) => node);
  if (count <= WIDE) return { shown: nodes, hasRest: false };
  const most = (node: number) => Math.max(...rows.map((pages) => pages[node] ?? 0));
  const fullest = nodes.filter((node) => most(node) > 0).sort((a, b) => most(b) - most(a) || a - b);
  return { shown: fullest.slice(0, WIDE - 1).sort((a, b) => a - b), hasRest: true };
}

/** Pages of each shown node, and of all others together if they have a column. */
export function nodeCells(pages: readonly number[], { shown, hasRest }: ReturnType<typeof nodeColumns>): string[] {
  const own = shown.map((node) => pages[node] ?? 0);
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  return [...own, ...(hasRest ? [sum(pages) - sum(own)] : [])].map(formatCount);
}

/** `60 / 42`; on a large machine `node 0: 26 / node 64: 24`, and what the others have. */
export function pagesText(pages: readonly number[]): string {
  const columns = nodeColumns([pages]);
  const cells = nodeCells(pages, columns);
  if (!columns.hasRest) return cells.join(' / ');
  const named = columns.shown.map((node, i) => `node ${String(node)}: ${cells[i]}`);
  return [...named, ...(cells.at(-1) === '0' ? [] : [`others: ${cells.at(-1) ?? ''}`])].join(' / ');
}
