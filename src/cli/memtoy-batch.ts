import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { endOfInput, runBatchLine, runScript, type ScriptOptions, type Session, type Wait } from '../memtoy/index.js';
import type { Console } from './shell.js';

/** How long a script works before signals are looked at, ms. */
const TURN_MS = 20;

/**
 * Drives a script or a line to its end. `pause` waits for Ctrl-C if there is a terminal; elsewhere nobody could end it,
 * and it is over at once.
 *
 * @param interrupted resolves at the next Ctrl-C; for a terminal whose keys somebody else reads
 */
export async function drive<Result>(
  running: Generator<Wait, Result, undefined>,
  console: Console | null,
  interrupted: (() => Promise<void>) | null = console?.input.isTTY === true ? () => nextInterrupt(console) : null,
): Promise<Result> {
  let looked = performance.now();
  for (;;) {
    const turn = running.next();
    if (turn.done === true) return turn.value;
    if (turn.value === 'pause') await interrupted?.();
    else if (performance.now() - looked > TURN_MS) {
      await nextTurn();
      looked = performance.now();
    }
  }
}

/** Waits for Ctrl-C, and keeps the program alive meanwhile. */
async function nextInterrupt(console: Console): Promise<void> {
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    const restore = console.onInterrupt(() => {
      restore();
      resolve();
    });
  });
  clearInterval(alive);
}

/** Commands from a pipe or a file, each carried out when it has come. @returns the exit status */
export async function takeLines(session: Session, options: ScriptOptions, console: Console): Promise<number> {
  const lines = createInterface({ input: console.input, crlfDelay: Infinity });
  if (options.loops !== undefined) {
    const script: string[] = [];
    for await (const line of lines) script.push(line);
    return drive(runScript(session, script.join('\n'), options), console);
  }
  let number = 0;
  for await (const text of lines) {
    const status = await drive(runBatchLine(session, { text, number: ++number }, options.isVerbose), console);
    if (status === null) continue;
    lines.close();
    console.input.destroy();
    return status;
  }
  return endOfInput(session);
}
