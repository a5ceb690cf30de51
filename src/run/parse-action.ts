import { parseMoment } from './parse-moment.js';
import { checkNodes } from './parse-policy.js';
import type { Piece } from './piece.js';
import type { ActionSpec, Moment } from './run-spec.js';
import { ACTIONS, namesThere, type Word } from './words.js';

/** `NAME[=ARG][@MOMENT]`, an action of the table. */
export function parseAction(piece: Piece, word: Word): ActionSpec {
  if (!word.isThere) {
    piece.fail(
      `"${word.name}" is not there yet: ${word.about}; this version carries out ${namesThere(ACTIONS)}`,
      0,
      'NOT_THERE_YET',
    );
  }
  const [body, when] = piece.cut('@');
  const moment: Moment = when ? parseMoment(when) : { kind: 'start' };
  const argument = argumentOf(body, word);
  const needed = () => argument ?? body.fail(`expected ${word.syntax}`);
  const base = { text: piece.typed, moment };
  switch (word.name) {
    case 'lazy':
      return { ...base, kind: 'lazy', region: argument && regionOf(argument) };
    case 'move':
      return { ...base, kind: 'move', region: argument && regionOf(argument) };
    case 'migrate':
      return { ...base, kind: 'migrate', ...fromAndTo(needed()) };
    case 'swapout':
      if (argument) argument.fail(`"swapout" takes no value; expected ${word.syntax}`);
      return { ...base, kind: 'swapout' };
    case 'offline':
      return { ...base, kind: 'offline', node: nodeNumber(needed(), word) };
    case 'cpuset':
      return { ...base, kind: 'cpuset', ...nodesAndFlag(needed()) };
    default:
      return { ...base, kind: 'task', ...threadAndNode(needed()) };
  }
}

/** What follows `NAME=`; null without it. */
function argumentOf(body: Piece, word: Word): Piece | null {
  const at = body.find('=:');
  if (at < 0) return null;
  if (body.value[at] === ':') body.fail(`unexpected ":"; expected ${word.syntax}`, at);
  return body.slice(at + 1);
}

/** REGION: id, name or kind in the sidecar; with punctuation of the grammar in it, quoted. */
export function regionOf(piece: Piece): string {
  const colon = piece.find(':');
  if (colon >= 0)
    piece.fail('unexpected ":" in the name of a region; put the name in quotes if it belongs to it', colon);
  if (piece.value === '') piece.fail('the region is missing: its id, name or kind in the trace');
  return piece.value;
}

function nodeNumber(piece: Piece, word: Word): string {
  if (!/^\d{1,9}$/.test(piece.value)) piece.fail(`"${piece.value}" is not a node number; expected ${word.syntax}`);
  return piece.value;
}

function fromAndTo(piece: Piece): { from: string; to: string } {
  const [from, to] = piece.cut(':');
  if (!to) return piece.fail('the nodes to move to are missing; expected migrate=FROM:TO', piece.length);
  return { from: checkNodes(from), to: checkNodes(to) };
}

function nodesAndFlag(piece: Piece): { nodes: string; migrates: boolean } {
  const [nodes, flag] = piece.cut(':');
  if (flag && flag.value !== 'migrate' && flag.value !== 'stay')
    flag.fail(`"${flag.value}" is neither migrate nor stay; expected cpuset=NODES[:migrate|:stay]`);
  return { nodes: checkNodes(nodes), migrates: flag?.value !== 'stay' };
}

function threadAndNode(piece: Piece): { thread: number | 'all'; node: string } {
  const [thread, node] = piece.cut(':');
  if (thread.value !== 'all' && !/^\d{1,9}$/.test(thread.value))
    thread.fail(`"${thread.value}" is not a thread number; expected task=THREAD:NODE or task=all:NODE`);
  if (!node || !/^\d{1,9}$/.test(node.value)) {
    return (node ?? piece).fail(
      `"${node?.value ?? ''}" is not a node number; expected task=THREAD:NODE`,
      node ? 0 : piece.length,
    );
  }
  return { thread: thread.value === 'all' ? 'all' : Number(thread.value), node: node.value };
}
