import {
  closeSync,
  fsyncSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MmError } from '../errors.js';

/** Temporary files that are not in their place yet. */
const unfinished = new Set<string>();

/** A file that appears whole or not at all. */
export interface OutputFile {
  /** Writes everything and puts the file in its place. */
  write(text: string): void;
  /** The same, piece by piece. @throws MmError if it cannot be written; `signal.reason` on abort */
  writePieces(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** A file for part `index` of what is to come, beside it; it goes with the others. */
  part(index: number): string;
  /** Puts the file together from texts and from files, which are read in pieces, and puts it in its place. */
  assemble(pieces: readonly (string | { readonly file: string })[]): void;
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
        writePieces: (pieces, signal) => writePieces(path, pieces, signal),
        part: (index) => partFile(join(tmpdir(), `mof-${String(process.pid)}.tmp`), index),
        assemble: (pieces) => {
          assemble(path, pieces);
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
      async writePieces(pieces, signal) {
        await writePieces(temporary, pieces, signal);
        putInPlace(target, temporary);
      },
      part: (index) => partFile(temporary, index),
      assemble: (pieces) => {
        assemble(temporary, pieces);
        putInPlace(target, temporary);
      },
    };
  } catch (error) {
    if (error instanceof MmError) throw error;
    throw new MmError('BAD_OPTION', `cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** Each write is awaited: an interrupt is noticed between two pieces. */
async function writePieces(path: string, pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const file = await open(path, 'w');
  try {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      await file.writeFile(piece).catch((error: unknown) => {
        throw new MmError(
          'BAD_OPTION',
          `cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
        );
      });
    }
    if ((await file.stat()).isFile()) await file.sync();
  } finally {
    await file.close();
  }
}

function partFile(temporary: string, index: number): string {
  const path = `${temporary}.${String(index)}`;
  unfinished.add(path);
  return path;
}

const PIECE_BYTES = 1 << 20;

function assemble(path: string, pieces: readonly (string | { readonly file: string })[]): void {
  const out = openSync(path, 'w');
  try {
    const buffer = Buffer.alloc(PIECE_BYTES);
    for (const piece of pieces) {
      if (typeof piece === 'string') {
        writeSync(out, piece);
        continue;
      }
      const part = openSync(piece.file, 'r');
      for (let bytes = readSync(part, buffer); bytes > 0; bytes = readSync(part, buffer))
        writeSync(out, buffer, 0, bytes);
      closeSync(part);
      rmSync(piece.file);
      unfinished.delete(piece.file);
    }
  } finally {
    closeSync(out);
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
    putInPlace(target, temporary);
  } catch (error) {
    throw new MmError(
      'BAD_OPTION',
      `cannot write ${target}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
}

function putInPlace(target: string, temporary: string): void {
  renameSync(temporary, target);
  unfinished.delete(temporary);
}
