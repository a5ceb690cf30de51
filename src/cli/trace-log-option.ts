import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { reserveOutputFile } from './output-file.js';
import { MmError } from '../errors.js';
import type { TraceLogPart } from '../run/index.js';
import { LOG_FORMATS } from '../stats/trace-log/index.js';

/** `--trace FILE`: the log of one or several runs, written while they go and put together at their end. */
export interface ReservedTraceLog {
  /** What run number `index` writes. */
  part(index: number, name: string): TraceLogPart;
  /** All runs are done: the file appears. A run that never began has left no part. */
  finish(): void;
}

/** @throws MmError BAD_OPTION if the ending names no format, or the file cannot be written */
export function reserveTraceLog(path: string): ReservedTraceLog {
  const format = extname(path).slice(1);
  if (!(format in LOG_FORMATS)) {
    const known = Object.keys(LOG_FORMATS).map((each) => `.${each}`);
    throw new MmError(
      'BAD_OPTION',
      `--trace ${path}: its ending says in which form the log is written, and has to be one of ${known.join(', ')}; see docs/trace-log.md`,
    );
  }
  const file = reserveOutputFile(path);
  const parts: string[] = [];
  return {
    part(index, name) {
      parts[index] = file.part(index);
      return { path: parts[index], format, index, name };
    },
    finish() {
      const { head, tail } = LOG_FORMATS[format];
      const written = parts.filter((part) => existsSync(part)).map((part) => ({ file: part }));
      file.assemble([head, ...written, tail]);
    },
  };
}

/** @throws MmError BAD_OPTION if results and log were to go to one file */
export function expectTwoFiles({ json, trace }: { readonly json?: string; readonly trace?: string }): void {
  if (json === undefined || trace === undefined || resolve(json) !== resolve(trace)) return;
  throw new MmError('BAD_OPTION', `--json and --trace both name ${json}; give each a file of its own`);
}

export const TRACE_OPTION = [
  '--trace <FILE>',
  'write each named step: .txt or .log as text, .jsonl as JSON lines, .json for Perfetto',
] as const;
