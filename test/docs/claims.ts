import { loadMachine } from '../../src/cli/load-machine.js';
import { formatCount, formatNs, formatShare } from '../../src/report/numbers.js';
import { remoteShare, type RunResult } from '../../src/stats/index.js';
import { pathOf, replay } from '../engine/replay/replays.js';

// docs/claims.md: each block of commands is followed by the table of what its runs come to. Both are read from the document.

/** One command of the document, and the table behind it. */
export interface Claim {
  readonly command: string;
  readonly runs: readonly string[];
  readonly machine: string;
  readonly table: string;
}

export function claimsIn(document: string): Claim[] {
  const blocks = document.matchAll(/```sh\n(mof [^`]*?)\n```\n\n((?:\|.*\n)+)/g);
  return [...blocks].map(([, text, table]) => {
    const command = text.replace(/\\\n\s*/g, '');
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]);
    const at = words.indexOf('--machine');
    const machine = at < 0 ? 'cascadelake-8269cy' : words[at + 1];
    const isOption = (word: string, i: number) => word.startsWith('--') || (at >= 0 && i === at + 1);
    return { command, runs: words.slice(2).filter((word, i) => !isOption(word, i + 2)), machine, table };
  });
}

/** Carries the runs of a command out, on the bundled trace (`--demo`). */
export async function resultsOf({ runs, machine }: Claim): Promise<RunResult[]> {
  const description = await loadMachine(machine);
  const results: RunResult[] = [];
  for (const run of runs) results.push(await replay(pathOf('mini-stream-4t'), run, { machine: description }));
  return results;
}

const HEAD = [
  'finished after',
  'program loses',
  'rest of the run',
  'access time',
  'remote before',
  'remote after',
  'swap slots',
  'written / read',
  'pages at the end',
];

/** The table as it stands in the document: what the runs have in common heads the first column. */
export function tableOf(results: readonly RunResult[]): string {
  const common = results.length > 1 ? commonWords(results.map(({ run }) => run.split('+'))) : [];
  const rows = results.map((result) => [nameOf(result.run, common), ...figuresOf(result)]);
  const all = [[common.length === 0 ? 'run' : `\`${common.join('+')}\` and`, ...HEAD], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |\n`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(all[0]), line(rule), ...all.slice(1).map(line)].join('');
}

function figuresOf(result: RunResult): string[] {
  const [first, last] = [result.phases[0], result.phases[result.phases.length - 1]];
  const slots = result.actions.reduce((sum, { swap }) => sum + (swap?.slots ?? 0), 0);
  return [
    formatNs(last.settledNs),
    formatNs(last.lostNs),
    formatNs(last.timeNs),
    formatNs(last.accessNs),
    formatShare(remoteShare(first)),
    formatShare(remoteShare(last)),
    formatCount(slots),
    `${formatCount(last.swap.written)} / ${formatCount(last.swap.read)}`,
    last.pagesPerNode.map(formatCount).join(' / '),
  ];
}

function commonWords(runs: readonly (readonly string[])[]): string[] {
  const [first] = runs;
  const differs = first.findIndex((word, i) => runs.some((words) => words[i] !== word));
  return differs < 0 ? [...first] : first.slice(0, differs);
}

function nameOf(run: string, common: readonly string[]): string {
  const rest = run.split('+').slice(common.length).join('+');
  return rest === '' ? 'nothing' : `\`${rest}\``;
}
