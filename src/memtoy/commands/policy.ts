import { callFailed, checkCall, mistake } from '../mistake.js';
import type { Toy } from '../toy.js';
import { bytesOf, maskNumber, pagesOf, readIds, type Words } from '../words.js';
import type { Command } from './command.js';
import { readPages } from './pages.js';

const POLICY_HELP = `    POLICY is default, preferred, bind, interleaved or noop, or the beginning of one of them.
    NODES is a list such as 0,2; preferred takes the lowest of them. * stands for none, with preferred (local) and interleaved.`;

/** mbind, mpol: memory policies. */
export const POLICY_COMMANDS: Readonly<Record<string, Command>> = {
  mbind: {
    name: 'mbind',
    usage: 'NAME [OFFSET LENGTH] POLICY[+shared][+move[+all][+lazy]] [NODES|*]',
    about: 'set the policy of a mapped segment, or of a part of it',
    more: `${POLICY_HELP}
    +move moves pages that lie elsewhere, +all also those that others map; +lazy only unmaps them: the next touch moves them.`,
    run: mbind,
  },
  mpol: {
    name: 'mpol',
    usage: '[POLICY [NODES|*]]',
    about: 'set the policy of the task, or show it',
    more: POLICY_HELP,
    run: mpol,
  },
};

/** Mode numbers as memtoy passes them, in the order in which beginnings are compared. */
const MODES = { default: 0, preferred: 1, bind: 2, interleaved: 3, noop: 4 } as const;
type ModeName = keyof typeof MODES;
/** How the answers of get_mempolicy are called, by number. */
const MODE_NAMES: readonly string[] = [
  ...['default', 'preferred', 'bind', 'interleaved', 'local', 'preferred-many', 'weighted-interleave'],
];

const MPOL_MF_MOVE = 2;
const MPOL_MF_MOVE_ALL = 4;
const MPOL_MF_LAZY = 8;
/** Policies of shared files are a series that no profile has: a bit that no kernel knows stands for the flag. */
const NO_SUCH_FLAG = 1 << 16;

/** A policy with its nodes; `mask` null: none are passed. */
interface PolicyArgument {
  readonly mode: ModeName;
  readonly flags: number;
  readonly mask: readonly number[] | null;
}

function readPolicy(toy: Toy, words: Words, takesFlags: boolean): PolicyArgument {
  const [name, ...flagNames] = words.need('policy').text.split('+');
  const mode = modeNamed(toy, name);
  const flags = readFlags(flagNames);
  if (flags !== 0 && !takesFlags)
    throw mistake(`the policy of a task takes no flags, but +${flagNames.join('+')} is there`);
  return { mode, flags, mask: readMask(toy, words, mode) };
}

/** An unknown policy is complained of, and then taken for preferred: what memtoy does. */
function modeNamed(toy: Toy, name: string): ModeName {
  const found = (Object.keys(MODES) as ModeName[]).find((mode) => mode.startsWith(name));
  if (found !== undefined) return found;
  toy.complain(`unknown policy:  ${name} (taken for preferred)`);
  return 'preferred';
}

function readFlags(names: readonly string[]): number {
  const left = [...names];
  let flags = 0;
  if (left[0] === 'shared') {
    flags |= NO_SUCH_FLAG;
    left.shift();
  }
  if (left.length === 0) return flags;
  if (left[0] !== 'move') throw mistake(`expected 'shared' or 'move' after the policy, not '${left[0]}'`);
  flags |= MPOL_MF_MOVE;
  for (const name of left.slice(1)) {
    if (name === 'all') flags = (flags & ~MPOL_MF_MOVE) | MPOL_MF_MOVE_ALL;
    else if (name === 'lazy') flags |= MPOL_MF_LAZY;
    else throw mistake(`expected 'all' or 'lazy' after 'move', not '${name}'`);
  }
  return flags;
}

function readMask(toy: Toy, words: Words, mode: ModeName): readonly number[] | null {
  if (mode === 'default' || mode === 'noop') return null;
  const text = words.need('node-list').text;
  if (text === '*') {
    if (mode === 'bind') throw mistake("'*' is for preferred and interleaved");
    return null;
  }
  const nodes = readIds(text, 'node', toy.world.highestNode);
  return mode === 'preferred' ? [Math.min(...nodes)] : nodes;
}

function mbind(toy: Toy, words: Words): void {
  const { segment, vpn, range } = readPages(toy, words);
  const policy = readPolicy(toy, words, true);
  const part = range ?? { first: 0, pages: pagesOf(segment.length) };
  const seconds = toy.seconds(() => {
    checkCall('mbind', callMbind(toy, vpn + part.first, part.pages, policy), segment.name);
  });
  if ((policy.flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) === 0) return;
  const what = (policy.flags & MPOL_MF_LAZY) === 0 ? 'migration' : 'unmap';
  toy.say(`${what} of ${segment.name} [${part.pages} pages] took ${seconds}secs.`);
}

function callMbind(toy: Toy, start: number, pages: number, policy: PolicyArgument): number {
  const { calls, maskWidth } = toy.world;
  const [address, length] = [BigInt(start) * 4096n, BigInt(bytesOf(pages))];
  const { flags, mask } = policy;
  return calls.policy.mbind(toy.task, address, length, modeOf(toy, policy), mask, mask === null ? 0 : maskWidth, flags);
}

/** MPOL_NOOP is the number behind the last mode of its kernel (DM-43); where there is none, memtoy's own 4 is MPOL_LOCAL. */
function modeOf({ world: { machine } }: Toy, { mode }: PolicyArgument): number {
  const { lazyUnmap, modes } = machine.rules;
  return mode === 'noop' && lazyUnmap.isAccepted ? modes.max : MODES[mode];
}

function mpol(toy: Toy, words: Words): void {
  const { calls, maskWidth } = toy.world;
  if (words.peek() === undefined) {
    const { ret, value, nodes } = calls.policy.getMempolicy(toy.task, 0n, maskWidth, 0, true, true);
    if (ret < 0) throw callFailed('get_mempolicy', ret);
    toy.say(`task policy = ${MODE_NAMES[(value ?? 0) & 0xff] ?? String(value)} ${maskNumber(nodes ?? [])}`);
    return;
  }
  const policy = readPolicy(toy, words, false);
  const { mask } = policy;
  const maxnode = mask === null ? 0 : maskWidth;
  checkCall('set_mempolicy', calls.policy.setMempolicy(toy.task, modeOf(toy, policy), mask, maxnode));
}
