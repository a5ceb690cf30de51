import type { Wait } from './commands/command.js';
import { checkLength, scriptLines, type ScriptLine } from './script.js';
import type { LineOutcome, Session } from './session.js';

/** What a program ends with. */
export const STATUS = {
  ok: 0,
  /** memtoy's own, for a mistake in a script. */
  mistake: 4,
  /** 128 and SIGKILL: there was no memory left. */
  killed: 137,
} as const;

export interface ScriptOptions {
  /** Each command is printed before it is carried out. */
  readonly isVerbose: boolean;
  /** How often the lines behind `#loop` are carried out; undefined: the script is taken as it stands. */
  readonly loops?: number;
}

/**
 * Runs a script until its end, its first mistake, or `quit`. Lets go now and then, as `Session.execute` does.
 *
 * @returns the exit status
 */
export function* runScript(
  session: Session,
  text: string,
  { isVerbose, loops }: ScriptOptions,
): Generator<Wait, number, undefined> {
  for (const line of scriptLines(text, loops)) {
    const status = yield* runBatchLine(session, line, isVerbose);
    if (status !== null) return status;
    yield 'working';
  }
  return endOfInput(session);
}

/** One line of a script. @returns the exit status, or null to go on */
export function* runBatchLine(
  session: Session,
  line: ScriptLine,
  isVerbose: boolean,
): Generator<Wait, number | null, undefined> {
  const { out, err } = session.host;
  const text = line.text.trim();
  if (isVerbose && text !== '' && !text.startsWith('#')) out(`memtoy>${text}\n`);
  const tooLong = checkLength(line);
  if (tooLong !== null) err(`memtoy:  ${tooLong}\n`);
  const outcome = tooLong === null ? yield* session.execute(line.text, line.number) : 'mistake';
  if (outcome === 'done') return null;
  session.end();
  return statusOf(outcome);
}

/** @returns the exit status */
export function endOfInput(session: Session): number {
  session.end();
  session.host.out('memtoy EOF on stdin\n');
  return STATUS.ok;
}

function statusOf(outcome: Exclude<LineOutcome, 'done'>): number {
  if (outcome === 'ended') return STATUS.ok;
  return outcome === 'killed' ? STATUS.killed : STATUS.mistake;
}
