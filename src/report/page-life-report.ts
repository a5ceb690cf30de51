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
  const { page, rows, uses, episodes } = life;
  const heading = `Page ${String(page)} in run ${run}: ${addressOf(life)}, ${String(rows)} rows, ${placeAtEnd(life)}`;
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
    '',
    'What happened to it, in this order; times are on the clock of whoever did it\n',
    ...shown,
    ...(more > 0 ? [`  … and ${String(more)} more; --json has them all\n`] : []),
  ].join('\n');
}

const addressOf = ({ vpn }: PageLife): string => (vpn < 0 ? 'mapped nowhere' : `address 0x${vpn.toString(16)}000`);

function placeAtEnd({ lastNode, cached }: PageLife): string {
  if (cached === null) return lastNode < 0 ? 'in no frame at the end' : `on node ${String(lastNode)} at the end`;
  const mapped = cached.isMapped ? '' : ', which nobody maps';
  return `in the page cache at the end: frame ${String(cached.frame)} on node ${String(cached.node)}${mapped}`;
}

const BY = {
  thread: '',
  kernel: ' by the kernel',
  'another process': ' by another process, on its own clock,',
} as const;

function episodeText(episode: PageEpisode): string {
  const { what, task, by, cpu, beganNs, endedNs, steps } = episode;
  const who = by === 'thread' ? ` of thread ${String(task)}` : BY[by];
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
  if (direct !== undefined) return movedWords(direct);
  const mover = has('P-C2'); // of 2005 and 2006
  if (mover !== undefined) return movedWords(mover);
  const exit = steps.find((step) => step.name.endsWith('-exit') || (/^C[1-6]$/.test(step.name) && step.detail < 0));
  if (exit !== undefined) return `${stayWords(exit.name, exit.detail)}${outcomeWord}`;
  if (has('D-undo') !== undefined) return 'was to move and could not: somebody else knows it';
  if (has('L6')?.detail === 0) return 'unmapped, to follow whoever touches it next';
  const placed = steps.find((step) => ['A4', 'F6', 'H5', 'W2', 'S8'].includes(step.name));
  if (placed !== undefined) return `mapped on node ${String(placed.node)}${outcomeWord}`;
  if (has('RC-free') !== undefined) return 'thrown out of memory';
  if (has('P-W4') !== undefined) return 'out of memory: its contents are in swap or in its file';
  if (has('RC-write') !== undefined) return 'written out';
  const added = has('F-add');
  if (added !== undefined) return `into the page cache, on node ${String(added.node)}`;
  if (has('W1') !== undefined) return `made writable for its owner where it is${outcomeWord}`;
  if (steps.some(({ name }) => /^P/.test(name))) return 'was to move and could not';
  return `nothing that lasts${outcomeWord}`;
}

function movedWords({ node, detailNode }: PageEpisode['steps'][number]): string {
  if (node === detailNode) return `moved to another frame of node ${String(node)}`;
  return `moved from node ${String(node)} to node ${String(detailNode)}`;
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
