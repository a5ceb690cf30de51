import { createInterface } from 'node:readline';
import { STATUS, type Session } from '../memtoy/index.js';
import { drive } from './memtoy-batch.js';
import type { Console } from './shell.js';

const PROMPT = 'memtoy>';

/**
 * A session at a terminal: history, completion, and Ctrl-C for the command that runs – or for the line that is being
 * written. A mistake is complained of, and the session goes on; Ctrl-D or quit ends it.
 *
 * @returns the exit status
 */
export async function talk(session: Session, console: Console): Promise<number> {
  const terminal = createInterface({
    ...{ input: console.input, output: console.output, terminal: true, prompt: PROMPT, historySize: 1000 },
    completer: (line: string) => session.complete(line),
  });
  let isRunning = false;
  let wake: (() => void) | null = null;
  const interrupt = () => {
    if (isRunning) {
      session.signal('INT');
      wake?.();
      return;
    }
    terminal.write(null, { ctrl: true, name: 'e' });
    console.output.write('^C\n');
    terminal.write(null, { ctrl: true, name: 'u' });
  };
  terminal.on('SIGINT', interrupt); // the key
  const restore = console.onInterrupt(interrupt); // the signal
  const interrupted = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });

  let status: number | null = null;
  let number = 0;
  terminal.prompt();
  for await (const line of terminal) {
    isRunning = true;
    const outcome = await drive(session.execute(line, ++number), console, interrupted);
    isRunning = false;
    wake = null;
    if (outcome === 'ended' || outcome === 'killed') {
      status = outcome === 'ended' ? STATUS.ok : STATUS.killed;
      break;
    }
    terminal.prompt();
  }
  if (status === null) console.output.write('\n');
  terminal.close();
  restore();
  session.end();
  return status ?? STATUS.ok;
}
