import { CONTROL_COMMANDS } from './commands/control.js';
import { type Command, detailsOf } from './commands/command.js';
import { EXTENSIONS } from './commands/extensions.js';
import { NODE_COMMANDS } from './commands/nodes.js';
import { PAGE_COMMANDS } from './commands/pages.js';
import { POLICY_COMMANDS } from './commands/policy.js';
import { SEGMENT_COMMANDS } from './commands/segments.js';
import { mistake } from './mistake.js';
import type { Toy } from './toy.js';
import type { Words } from './words.js';

const help: Command = {
  name: 'help',
  usage: '[COMMAND]',
  about: 'what there is, or all about the commands that begin so',
  run: printHelp,
};

const ALL: Readonly<Record<string, Command>> = {
  ...{ help, man: { ...help, name: 'man', about: 'the same as help' } },
  ...{ ...CONTROL_COMMANDS, ...NODE_COMMANDS, ...SEGMENT_COMMANDS, ...PAGE_COMMANDS, ...POLICY_COMMANDS },
};

/** memtoy's own commands, in the order in which abbreviations are looked up. */
const TABLE: readonly Command[] = [
  ...['help', 'man', 'quit', 'exit', 'pid', 'pause', 'numa', 'migrate', 'show', 'anon', 'file', 'shmem', 'remove'],
  ...['map', 'unmap', 'lock', 'unlock', 'slock', 'sunlock', 'touch', 'mbind', 'where', 'cpus', 'mems', 'child'],
  ...['kick', 'snooze', 'mpol'],
].map((name) => ALL[name]);

/** Every command's name: memtoy's, then ours. */
export const COMMAND_NAMES: readonly string[] = [...TABLE, ...EXTENSIONS].map(({ name }) => name);

/**
 * The command that a word means: one of memtoy's by any beginning that fits only one, one of ours by its whole name.
 *
 * @throws MmError if there is none, or more than one
 */
export function commandNamed(word: string): Command {
  const extension = EXTENSIONS.find(({ name }) => name === word);
  if (extension !== undefined) return extension;
  const matching = TABLE.filter(({ name }) => name.startsWith(word));
  if (matching.length === 0) throw mistake(`unrecognized command ${word}`);
  if (matching.length > 1) throw mistake(`ambiguous command:  ${word}`);
  return matching[0];
}

/** help, man: to the stream of mistakes, as memtoy does. */
function printHelp(toy: Toy, words: Words): void {
  const prefix = words.take()?.text;
  const { err } = toy.world.host;
  if (prefix === undefined) {
    err(
      `${[...TABLE.map(summaryOf), ...CHILD_LINES, '', 'Beyond memtoy:', ...EXTENSIONS.map(summaryOf)].join('\n')}\n`,
    );
    return;
  }
  const found = [...TABLE, ...EXTENSIONS].filter(({ name }) => name.startsWith(prefix));
  if (found.length === 0) throw mistake(`unrecognized command ${prefix}`);
  err(`${found.map(detailsOf).join('\n')}\n`);
}

const summaryOf = ({ name, about }: Command): string => `  ${name.padEnd(18)}${about}`;
const CHILD_LINES = [
  '  /NAME COMMAND     make a child do something; /A/B COMMAND a child of a child',
  '  /                 list the children',
];
