import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { MmError } from '../errors.js';

/** Temporary files that are not in their place yet. */
const unfinished = new Set<string>();

/** A file that appears whole or not at all. */
export interface OutputFile {
  /** Writes everything and puts the file in its place. */
  write(text: string): void;
}

/**
 * Makes sure that `path` can be written before the work begins: reserves a temporary file beside it, which `write`
 * fills and renames. What is no regular file (a pipe, /dev/null) is written to directly: it must not be replaced.
 *
 * @throws MmError BAD_OPTION if it cannot be written
 */
export function reserveOutputFile(path: string): OutputFile {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory())
      throw new MmError('BAD_OPTION', `cannot write ${path}: it is a folder; give the name of a file`);
    if (found && !found.isFile())
      return {
        write: (text) => {
          writeFileSync(path, text);
        },
      };
    const target = found ? realpathSync(path) : path; // a link stays a link
    const temporary = `${target}.${String(process.pid)}.tmp`;
    closeSync(openSync(temporary, 'wx'));
    unfinished.add(temporary);
    return {
      write: (text) => {
        replace(target, temporary, text);
      },
    };
  } catch (error) {
    if (error instanceof MmError) throw error;
    throw new MmError('BAD_OPTION', `cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** Removes what was reserved and never written. Called when the process ends, whatever ends it. */
export function discardOutputFiles(): void {
  for (const temporary of unfinished) rmSync(temporary, { force: true });
  unfinished.clear();
}

function replace(target: string, temporary: string, text: string): void {
  try {
    const file = openSync(temporary, 'w');
    writeFileSync(file, text);
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, target);
  } catch (error) {
    throw new MmError(
      'BAD_OPTION',
      `cannot write ${target}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
  unfinished.delete(temporary);
}
