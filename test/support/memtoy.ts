import { checkMachine, type Machine } from '../../src/engine/index.js';
import { runLine, runScript, startMemtoy, type FoundFile, type MemtoyOptions } from '../../src/memtoy/index.js';
import type { Session } from '../../src/memtoy/index.js';
import { tinyDescription } from './tiny-machine.js';

/** stdout, stderr, and both as they came. */
interface Printed {
  readonly out: string;
  readonly err: string;
  readonly all: string;
}

export interface MemtoyRun extends Printed {
  readonly status: number;
}

export interface TestMemtoyOptions extends Partial<MemtoyOptions> {
  /** Real files by path; none by default. */
  readonly files?: Readonly<Record<string, Partial<FoundFile>>>;
  readonly loops?: number;
  readonly isVerbose?: boolean;
}

/** Four nodes of 2 GiB, one CPU each: the machine that real memtoy was recorded on. */
export const FOUR_NODES = tinyDescription({ framesPerNode: 2 ** 19 });

/** A session whose output is kept, and what a test may ask of it. */
export interface TestMemtoy extends Printed {
  readonly session: Session;
  readonly machine: Machine;
  /** Carries out lines until one fails. @returns what they printed, both streams */
  do(...lines: string[]): string;
  /** The nodes that `where` shows. */
  where(segment: string, range?: string): number[];
}

export async function memtoy(options: TestMemtoyOptions = {}): Promise<TestMemtoy> {
  const { files = {}, machine = FOUR_NODES, profile = 'mof', rules } = options;
  let [out, err, all] = ['', '', ''];
  const host = {
    out(text: string) {
      out += text;
      all += text;
    },
    err(text: string) {
      err += text;
      all += text;
    },
    findFile: (path: string) =>
      path in files ? { id: path, bytes: 0, mayRead: true, mayWrite: true, ...files[path] } : 'ENOENT',
  };
  const session = await startMemtoy({ machine, profile, ...(rules !== undefined && { rules }) }, host);
  const started: TestMemtoy = {
    session,
    machine: session.machine,
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    get all() {
      return all;
    },
    do(...lines) {
      const from = all.length;
      for (const line of lines) if (runLine(session, line) === 'mistake') break;
      return all.slice(from);
    },
    where(segment, range = '0 *') {
      const rows = started.do(`where ${segment} ${range}`).matchAll(/^ +[0-9a-f]+:((?: +\d+)+)$/gm);
      return [...rows].flatMap(([, nodes]) => nodes.trim().split(/ +/).map(Number));
    },
  };
  return started;
}

/** Runs a script to its end, and recounts the machine before the program goes. */
export async function memtoyScript(script: string, options: TestMemtoyOptions = {}): Promise<MemtoyRun> {
  const started = await memtoy(options);
  const { session } = started;
  const { loops, isVerbose = false } = options;
  const running = runScript(session, script, { isVerbose, ...(loops !== undefined && { loops }) });
  let turn = running.next();
  while (turn.done !== true) turn = running.next();
  checkMachine(started.machine);
  return { status: turn.value, out: started.out, err: started.err, all: started.all };
}
