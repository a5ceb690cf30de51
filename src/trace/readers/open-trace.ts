import { open as openFile, readFile, stat } from 'node:fs/promises';
import { TRACE_FORMATS } from '../formats.js';
import { GENERATOR_PREFIX, openGenerated } from '../generators/index.js';
import { parseSidecar } from '../sidecar.js';
import type { TraceReader, TraceSource } from '../trace-source.js';
import { MmError } from '../../errors.js';

const SIDECAR_SUFFIX = '.json';
const EXPECTED = 'expected a trace, NAME.parquet with NAME.json beside it';
const READERS = Object.values(TRACE_FORMATS);

/**
 * Opens the trace that `path` names: the file with the rows, its sidecar, or the name they share; `gen:…` is generated.
 * The format follows from the file's suffix, else from its first bytes.
 *
 * @throws MmError, one line: no such file, unknown format, no sidecar, either of them malformed, or both disagree
 */
export async function openTrace(path: string): Promise<TraceSource> {
  if (path.startsWith(GENERATOR_PREFIX)) return openGenerated(path);
  const { file, base, reader } = await findTrace(path);
  const sidecarPath = base + SIDECAR_SUFFIX;
  const text = await readFile(sidecarPath, 'utf8').catch((error: unknown) => {
    if (isMissing(error))
      throw new MmError('NO_SUCH_FILE', `no ${sidecarPath}: ${file} needs it to know what its pages and threads are`);
    throw unreadable(sidecarPath, error);
  });
  return reader.open(file, parseSidecar(text, sidecarPath));
}

interface Found {
  readonly file: string;
  /** What file and sidecar have in common: the path without its suffix. */
  readonly base: string;
  readonly reader: TraceReader;
}

async function findTrace(path: string): Promise<Found> {
  const shared = READERS.map((reader) => path + reader.suffix);
  const names = await Promise.all(shared.map(isFile));
  if (!names.includes(true) && (await isFolder(path))) {
    throw new MmError('NO_SUCH_FILE', `${path} is a folder; ${EXPECTED}`);
  }
  const named = READERS.find((reader) => path.endsWith(reader.suffix));
  if (named !== undefined) {
    if (!(await isFile(path))) throw noSuchFile(path);
    return { file: path, base: path.slice(0, -named.suffix.length), reader: named };
  }
  const bare = path.endsWith(SIDECAR_SUFFIX) ? path.slice(0, -SIDECAR_SUFFIX.length) : path;
  for (const reader of READERS) {
    const file = bare + reader.suffix;
    if (await isFile(file)) return { file, base: bare, reader };
  }
  if (bare !== path || !(await isFile(path)))
    throw noSuchFile(READERS.map((reader) => bare + reader.suffix).join(' or '));
  return { file: path, base: path.replace(/\.[^./\\]*$/, ''), reader: await readerByMagic(path) };
}

async function readerByMagic(path: string): Promise<TraceReader> {
  const head = await firstBytes(path, Math.max(...READERS.map((reader) => reader.magic.length)));
  const reader = READERS.find(({ magic }) => head.startsWith(magic));
  if (reader !== undefined) return reader;
  const known = Object.entries(TRACE_FORMATS).map(([name, { suffix }]) => `${name} (NAME${suffix})`);
  throw new MmError('BAD_TRACE', `${path} is in no known trace format; known are: ${known.join(', ')}`);
}

async function firstBytes(path: string, length: number): Promise<string> {
  try {
    const file = await openFile(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw unreadable(path, error);
  }
}

function noSuchFile(path: string): MmError {
  return new MmError('NO_SUCH_FILE', `no such file: ${path}; ${EXPECTED}`);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function unreadable(path: string, error: unknown): MmError {
  return new MmError('NO_SUCH_FILE', `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
}

/** No file of that name: ENOENT, or ENOTDIR when a part of the path is itself a file. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
