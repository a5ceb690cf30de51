import { MmError } from '../errors.js';
import { asNodeId, type NodeId } from '../units.js';

/** What a node string is read against. */
export interface NodeWorld {
  readonly nodeCount: number;
  hasMemory(node: NodeId): boolean;
  /** The nodes that the task may use (cpuset), ascending. */
  readonly allowed: readonly NodeId[];
}

/**
 * Reads a node string as numactl takes it: `0-3`, `0,2`, `all`, `!1`, `+0`, `!+0-1,3`.
 *
 * `!` (all nodes of the machine but these) and `+` (numbers count the allowed nodes: `+0` is the first of them) stand
 * once, at the front, and hold for the whole list. Then numbers and ranges, joined by commas; the last item may be
 * `all`: the allowed nodes that have memory.
 *
 * @returns the nodes, ascending, each once, never empty. Nodes without memory stay in: whether they are of use is for
 *   the caller to say (the kernel drops them from a policy, a task may well run there).
 * @throws MmError BAD_NODES, one line with the position
 */
export function parseNodes(text: string, world: NodeWorld): NodeId[] {
  const prefix = /^(!?)(\+?)/.exec(text) as RegExpExecArray;
  const [inverted, relative] = [prefix[1] !== '', prefix[2] !== ''];
  const named = new Set<number>();
  const list = readList(text, prefix[0].length, 'all');
  if ('problem' in list) throw malformed(text, list);
  for (const { first, last, at } of list.ranges) {
    for (const number of [first, last]) checkNode(number, at, text, world, relative);
    for (let number = first; number <= last; number++) named.add(relative ? world.allowed[number] : number);
  }
  if (list.endsInWord) for (const node of world.allowed) if (world.hasMemory(node)) named.add(node);
  const nodes = everyNode(world).filter((node) => named.has(node) !== inverted);
  if (nodes.length > 0) return nodes;
  throw new MmError('BAD_NODES', `"${text}" leaves no node: this machine has ${nodesOf(world)}`);
}

/** `0-3,5` of ascending node numbers; empty text for none. */
export function formatNodes(nodes: readonly NodeId[]): string {
  return formatList(nodes);
}

/** `0-3,5` of ascending numbers of any kind. */
export function formatList(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length;) {
    let end = i;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) end++;
    parts.push(end === i ? String(numbers[i]) : `${String(numbers[i])}-${String(numbers[end])}`);
    i = end + 1;
  }
  return parts.join(',');
}

export interface NumberRange {
  readonly first: number;
  readonly last: number;
  /** Index in the text of the item. */
  readonly at: number;
}
export interface ListProblem {
  readonly problem: string;
  readonly at: number;
}
export interface NumberList {
  readonly ranges: readonly NumberRange[];
  /** The last item was `word`. */
  readonly endsInWord: boolean;
}

/** Items of `text` from `start`: `N` or `A-B`, joined by commas; the last may be `word`. The other readers build on it. */
export function readList(text: string, start: number, word?: string): NumberList | ListProblem {
  if (start === text.length) return { problem: 'the list is empty', at: start };
  const ranges: NumberRange[] = [];
  let at = start;
  let endsInWord = false;
  for (const item of text.slice(start).split(',')) {
    if (endsInWord) return { problem: `"${word ?? ''}" can only be the last item`, at };
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(item);
    if (match !== null) {
      const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
      if (last < first) return { problem: `the range ${item} runs backwards`, at };
      ranges.push({ first, last, at });
    } else if (item === word) {
      endsInWord = true;
    } else {
      return { problem: `${item === '' ? 'an empty item' : `"${item}"`} where a number or a range A-B belongs`, at };
    }
    at += item.length + 1;
  }
  return { ranges, endsInWord };
}

function checkNode(number: number, at: number, text: string, world: NodeWorld, relative: boolean): void {
  if (number < (relative ? world.allowed.length : world.nodeCount)) return;
  const what = relative
    ? `+${String(number)} is not there: the allowed nodes are ${formatNodes(world.allowed)}, counted from +0`
    : `node ${String(number)} is not on this machine: it has ${nodesOf(world)}`;
  throw new MmError('BAD_NODES', `${what} (${place(text, at)})`);
}

function malformed(text: string, { problem, at }: ListProblem): MmError {
  return new MmError('BAD_NODES', `${problem} (${place(text, at)}); a list looks like 0-3,5`);
}

const place = (text: string, at: number): string => `position ${String(at + 1)} of "${text}"`;
const everyNode = ({ nodeCount }: NodeWorld) => Array.from({ length: nodeCount }, (_, node) => asNodeId(node));
const nodesOf = (world: NodeWorld) =>
  world.nodeCount === 1 ? 'node 0 only' : `nodes ${formatNodes(everyNode(world))}`;
