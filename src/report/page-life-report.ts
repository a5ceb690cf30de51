import { formatNs } from './numbers.js';
import { tableText } from './table.js';
import type { Paint } from './paint.js';
import type { PageEpisode, PageLife } from '../engine/index.js';
import { C } from '../stats/index.js';
import { detailWords, OUTCOME_WORDS, wordsOf } from '../stats/trace-log/index.js';

/** Episodes shown whole; a page that moves to and fro has more. */
const MAX_EPISODES = 40;

/** The life of one page as text: who used it from where, then each thing that happened to it and why. */
export function pageLifeReport(life: PageLife, run: string, paint: Paint): string {
  const { page, vpn, rows, uses, episodes, lastNode } = life;
  const heading = `Page ${String(page)} in run ${run}: address 0x${vpn.toString(16)}000, ${String(rows)} rows, ${lastNode < 0 ? 'in no frame at the end' : `on node ${String(lastNode)} at the end`}`;
  const table = tableText(
    {
      title: 'Who used it',
      head: ['thread', 'CPU', 'on node', 'page on', 'first row', 'at', 'first as', 'accesses', 'misses'],
      rows: uses.map((use) => [
        ...[String(use.tid), String(use.cpu), String(use.cpuNode), use.pageNode < 0 ? '-' : String(use.pageNode)],
        ...[String(use.firstRow), formatNs(use.firstNs), use.isWrite ? 'write' : 'read'],
        ...[String(use.accesses), String(use.misses)],
      ]),
    },
    paint,
  );
  const shown = episodes.slice(0, MAX_EPISODES).map(episodeText);
  const more = episodes.length - shown.length;
  return [
    `${heading}\n`,
    table,
    'What happened to it\n',
    ...shown,
    ...(more > 0 ? [`  … and ${String(more)} more; --json has them all\n`] : []),
  ].join('\n');
}

function episodeText(episode: PageEpisode): string {
  const { what, task, cpu, beganNs, endedNs, steps } = episode;
  const who = task < 0 ? '' : ` of thread ${String(task)}`;
  const cost = endedNs > beganNs ? `, ${formatNs(endedNs - beganNs)}` : '';
  const lines = steps.map((step) => {
    const detail = detailWords(step.name, step.detail, step.detailNode);
    return `    ${step.name.padEnd(13)} ${wordsOf(step.name)}${detail === '' ? '' : ` – ${detail}`}`;
  });
  return [
    `  ${formatNs(beganNs)}  ${what}${who} on CPU ${String(cpu)}${cost}: ${verdictOf(episode)}`,
    ...lines,
    '',
  ].join('\n');
}

/** In one line: it moved, it stayed and why, or what else the episode did. */
function verdictOf({ what, outcome, steps }: PageEpisode): string {
  const outcomeWord = what === 'fault' ? ` (${OUTCOME_WORDS[outcome] ?? String(outcome)} fault)` : '';
  const has = (name: string) => steps.find((step) => step.name === name);
  const moved = has('M9');
  if (moved !== undefined) return `moved to node ${String(moved.node)}, where its policy wants it${outcomeWord}`;
  const direct = has('D-copy');
  if (direct !== undefined) return `moved from node ${String(direct.node)} to node ${String(direct.detailNode)}`;
  const exit = steps.find((step) => step.name.endsWith('-exit') || (/^C[1-6]$/.test(step.name) && step.detail < 0));
  if (exit !== undefined) return `${stayWords(exit.name, exit.detail)}${outcomeWord}`;
  if (has('D-undo') !== undefined) return 'was to move and could not: somebody else knows it';
  if (has('L6')?.detail === 0) return 'unmapped, to follow whoever touches it next';
  const placed = steps.find((step) => ['A4', 'F6', 'H5', 'W2', 'S8'].includes(step.name));
  if (placed !== undefined) return `mapped on node ${String(placed.node)}${outcomeWord}`;
  if (has('RC-free') !== undefined) return 'thrown out of memory';
  if (has('RC-write') !== undefined) return 'written out';
  return `nothing that lasts${outcomeWord}`;
}

function stayWords(step: string, detail: number): string {
  if (step === 'C6') return 'stays: its policy says that it is where it should be (C6)';
  const reason = step === 'M5-exit' ? M5_WORDS[detail] : undefined;
  return reason === undefined ? wordsOf(step) : `${wordsOf(step)}: ${reason}`;
}

const M5_WORDS: Readonly<Record<number, string>> = {
  [C.mof_fail_m5_no_operation]: 'its mapping cannot move pages',
  [C.mof_fail_m5a_mapping]: 'it has left its cache',
  [C.mof_fail_m5a_count]: 'somebody else holds a reference',
  [C.mof_fail_m5a_slot]: 'the slot shows another page',
};
