import type { Machine } from '../engine/index.js';
import { MmError } from '../errors.js';
import { COMMAND_NAMES, commandNamed } from './command-table.js';
import { type Wait, detailsOf } from './commands/command.js';
import { childNamed, listChildren } from './commands/control.js';
import { mistake } from './mistake.js';
import type { Signal, Toy } from './toy.js';
import { Words } from './words.js';
import type { Host } from './world.js';

/** How a line ended: done, a mistake (complained of already), the end of the program, or its death for lack of memory. */
export type LineOutcome = 'done' | 'mistake' | 'ended' | 'killed';

/** A memtoy that takes lines. It knows no streams and no process: what it says goes to its host. */
export interface Session {
  readonly pid: number;
  readonly machine: Machine;
  readonly host: Host;
  /**
   * Carries out one line. A long command lets go now and then (`working`), and `pause` until a signal has come; who does
   * not care drives it with `runLine`.
   *
   * @param number of the line, for messages that name it
   */
  execute(line: string, number: number): Generator<Wait, LineOutcome, undefined>;
  /** A signal for whatever is running: it stops. Without effect if nothing is. */
  signal(signal: Signal): void;
  /** What could stand where the line ends: words, and the beginning that they complete. */
  complete(line: string): [string[], string];
  /** Ends the process and its children. */
  end(): void;
}

export function makeSession(root: Toy): Session {
  let running: Toy | null = null;

  function* execute(line: string, number: number): Generator<Wait, LineOutcome, undefined> {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return 'done';
    const outcome = yield* carryOut(root, text, number);
    running = null;
    if (!root.isKilled) return root.isAlive ? outcome : 'ended';
    root.end();
    return 'killed';
  }

  /** One line for one process; mistakes end here. */
  function* carryOut(toy: Toy, text: string, number: number): Generator<Wait, LineOutcome, undefined> {
    try {
      if (text.startsWith('/')) return yield* forChild(toy, text, number);
      running = toy;
      toy.signal = null;
      const words = new Words(text, number);
      const command = commandNamed(words.need('command').text);
      words.command = { name: command.name, help: detailsOf(command) };
      if (command.runLong === undefined) command.run(toy, words);
      else yield* command.runLong(toy, words);
      return 'done';
    } catch (error) {
      if (!(error instanceof MmError)) throw error;
      toy.complain(error.message);
      return 'mistake';
    }
  }

  /** `/NAME COMMAND`, and `/` alone. A child's mistakes are counted with its parent, and are no mistake of the parent's. */
  function* forChild(toy: Toy, text: string, number: number): Generator<Wait, LineOutcome, undefined> {
    const [, name, rest] = /^\/[ \t]*([^/ \t]*)[ \t]*(.*)$/.exec(text) ?? ['', '', ''];
    if ((name === '' || name === '?') && rest === '') {
      listChildren(toy);
      return 'done';
    }
    const child = childNamed(toy, name);
    if (rest === '') throw mistake(`command '/${name}' missing required argument: command`);
    const outcome = yield* carryOut(child.toy, rest, number);
    if (outcome === 'mistake') child.errors++;
    if (child.toy.isKilled) child.toy.end();
    if (!child.toy.isAlive) toy.children.delete(name);
    return 'done';
  }

  return {
    pid: root.pid,
    machine: root.world.machine,
    host: root.world.host,
    execute,
    signal(signal) {
      if (running !== null) running.signal = signal;
    },
    complete: (line) => completions(root, line),
    end() {
      root.end();
    },
  };
}

/** Carries out a line to its end, and never waits for a signal. */
export function runLine(session: Session, line: string, number = 1): LineOutcome {
  const running = session.execute(line, number);
  let turn = running.next();
  while (turn.done !== true) turn = running.next();
  return turn.value;
}

const POLICIES = ['default', 'preferred', 'bind', 'interleaved', 'noop'];
const BEHIND: Readonly<Record<string, readonly string[]>> = {
  ...{
    mbind: POLICIES,
    touch: ['read', 'write'],
    mpol: POLICIES,
    anon: ['private', 'shared'],
    map: ['private', 'shared'],
  },
  ...{ migrate_on_fault: ['on', 'off'], trace: ['on', 'off'], node: ['full', 'free'], cpuset: ['migrate', 'stay'] },
};

function completions(toy: Toy, line: string): [string[], string] {
  const words = line.trimStart().split(/[ \t]+/);
  const last = words.at(-1) ?? '';
  const [first = ''] = words;
  const segments = () => toy.segments.all(true).map(({ name }) => name);
  const children = () => [...toy.children.keys()].map((name) => `/${name}`);
  let candidates: readonly string[];
  if (words.length === 1) candidates = last.startsWith('/') ? children() : COMMAND_NAMES;
  else if (first === 'help' || first === 'man') candidates = COMMAND_NAMES;
  else candidates = [...segments(), ...(BEHIND[COMMAND_NAMES.find((name) => name.startsWith(first)) ?? ''] ?? [])];
  return [candidates.filter((word) => word.startsWith(last)).map((word) => `${word} `), last];
}
