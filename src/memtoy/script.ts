/** A line of a script, with its number. */
export interface ScriptLine {
  readonly text: string;
  readonly number: number;
}

/** What a line of a script may hold, its end left out. */
const LONGEST = 254;

/**
 * The lines of a script, in the order in which they are carried out.
 *
 * @param loops undefined: as they stand; else what stands behind the line `#loop` so many times, and no quit or exit
 */
export function* scriptLines(text: string, loops?: number): Generator<ScriptLine, void, undefined> {
  const lines = text.split(/\r?\n/).map((line, i) => ({ text: line, number: i + 1 }));
  if (lines.at(-1)?.text === '') lines.pop();
  if (loops === undefined) {
    yield* lines;
    return;
  }
  const kept = lines.filter((line) => !/^[ \t]*(quit|exit)\b/.test(line.text));
  const mark = kept.findIndex((line) => line.text.trim() === '#loop');
  yield* mark < 0 ? kept : kept.slice(0, mark);
  if (mark < 0) return;
  for (let i = 0; i < loops; i++) yield* kept.slice(mark + 1);
}

/** @returns what is wrong with a line that is longer than memtoy reads, else null */
export function checkLength({ text, number }: ScriptLine): string | null {
  if (text.trim().startsWith('#') || text.length <= LONGEST) return null;
  return `line ${number} is longer than ${LONGEST} characters`;
}
