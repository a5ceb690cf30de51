import { formatNs, formatRatio } from '../../src/report/numbers.js';
import type { Verdict } from '../../src/report/verdict.js';
import type { RunResult } from '../../src/stats/index.js';

// docs/verdicts.md: the verdict on each trace. Two tables; the last column of the second is written by hand and kept.

/** Runs of the first table, on both machines; of the second, the two that differ and lead anywhere. */
export const COMPARED = ['default', 'bind=all', 'interleave=all', 'preferred=all', 'default+lazy@threads', 'oracle'];
export const VARIED = ['default', 'interleave=all'];
/** Of two and of four nodes. */
export const MACHINES = ['cascadelake-8269cy', 'opteron-8347he-quad'] as const;

/** What `mof compare --json` writes, as far as it is used. */
export interface Comparison {
  readonly runs: readonly RunResult[];
  readonly verdict: Verdict;
}

/** A row of the first table: per machine the best run and how the others compare with default. */
export function figuresRow(trace: string, perMachine: readonly Comparison[]): string[] {
  return [trace, ...perMachine.flatMap(({ runs, verdict }) => figuresOf(runs, verdict))];
}

function figuresOf(runs: readonly RunResult[], { best, ties }: Verdict): string[] {
  const timeOf = (name: string) => runs.find(({ run }) => run === name)?.region.timeNs ?? NaN;
  const times = ['interleave=all', 'preferred=all', 'default+lazy@threads', 'oracle'].map((run) =>
    formatRatio(timeOf(run) / timeOf('default')),
  );
  const isTie = best === 'default' || ties.includes('default');
  return [
    isTie && best !== 'default' ? `${String(best)}, or default` : String(best),
    formatNs(timeOf('default')),
    ...times,
  ];
}

/** Programs whose slowdown by bad placement literature has figures for, and how many misses each may have in flight. */
export const BADLY_PLACED = ['stream-serial-8t', 'gap-bfs-kron-8t', 'gap-pr-kron-8t'];
export const MLP = ['2', '10'];
/** CPUs of one node, and the node furthest from it. */
const ONE_NODE = {
  'cascadelake-8269cy': { cpus: '0,1,2,3,4,5,6,7', far: '1' },
  'opteron-8347he-quad': { cpus: '0,1,2,3', far: '3' },
} as const;

/** Runs of a row of the third table. */
export function placedRuns(machine: (typeof MACHINES)[number]): string[] {
  const { cpus, far } = ONE_NODE[machine];
  return ['default', 'bind=0', 'interleave=all', 'oracle', `bind=0+cpus=${cpus}`, `bind=${far}+cpus=${cpus}`];
}

/** How much longer than with the fastest of these placements; and all threads on one node, their memory far or near. */
export function placedRow(trace: string, machine: string, mlp: string, { runs }: Pick<Comparison, 'runs'>): string[] {
  const [firstTouch, oneNode, interleaved, oracle, near, far] = runs.map(({ region }) => region.timeNs);
  const best = Math.min(firstTouch, oneNode, interleaved, oracle);
  const ratios = [firstTouch / best, oneNode / best, interleaved / best, far / near];
  return [`${trace}, ${machine}, --mlp ${mlp}`, ...ratios.map(formatRatio)];
}

/** A row of the second table, `why` being what was there. */
export function rangesRow(trace: string, { verdict }: Comparison, why: string): string[] {
  return [trace, (verdict.sensitivity ?? []).join(' '), why];
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** As it stands in the document. */
  readonly text: string;
}

/** The tables of a document, in order. */
export function tablesIn(document: string): Table[] {
  return [...document.matchAll(/(?:^\|.*\n)+/gm)].map(([text]) => {
    const lines = text.trimEnd().split('\n').map(cellsOf);
    return { head: lines[0], rows: lines.slice(2), text };
  });
}

/**
 * The same table with some rows in place of those of the same name, or added.
 *
 * @param words columns of words, aligned left
 */
export function tableWith(
  { head, rows }: Table,
  fresh: readonly (readonly string[])[],
  words: readonly number[],
): string {
  const named = new Map([...rows, ...fresh].map((row) => [row[0], row]));
  const all = [head, ...[...named.values()].sort((a, b) => (a[0] < b[0] ? -1 : 1))];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (words.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |\n`;
  const rule = widths.map((width, i) => (words.includes(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(all[0]), line(rule), ...all.slice(1).map(line)].join('');
}

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
