import { PAGE_DOUBLES, PAGE_LINES, threadsEach, type CommonValues } from './kind.js';
import type { Phase, RowColumns, Turn } from './phase.js';
import { OP_WRITE } from '../batch.js';

/** One row: a page touched from its beginning to its end. */
export function writeWholePage(out: RowColumns, at: number, page: number, op: number): void {
  out.page[at] = page;
  out.op[at] = op;
  out.count[at] = PAGE_DOUBLES;
  out.miss[at] = PAGE_LINES;
}

/** All take part. */
export function everyThread(values: CommonValues): Pick<Phase, 'processes' | 'threads'> {
  return {
    processes: { first: 0, count: values.processes },
    threads: { first: 0, count: threadsEach(values) },
  };
}

function firstThreads({ processes }: CommonValues): Pick<Phase, 'processes' | 'threads'> {
  return { processes: { first: 0, count: processes }, threads: { first: 0, count: 1 } };
}

/**
 * The first touch of data that processes have one after the other, each thread's part after the other.
 *
 * @param first page; @param each pages of each thread; @param who serial: the first thread of a process touches all of it; use: there is no such phase
 * @param text printed at the end, if anything is
 */
export function firstTouch(
  values: CommonValues,
  first: number,
  each: number,
  who: 'serial' | 'parallel' | 'use',
  text?: string,
): readonly Phase[] {
  if (who === 'use') return [];
  const threads = threadsEach(values);
  const isSerial = who === 'serial';
  const phase: Phase = {
    ...(isSerial ? firstThreads(values) : everyThread(values)),
    units: isSerial ? each * threads : each,
    rowsPerUnit: 1,
    ...(text !== undefined && { output: { text } }),
    write(out: RowColumns, at: number, rows: number, turn: Turn) {
      const page = first + (turn.process * threads + turn.thread) * each + turn.unit;
      for (let i = 0; i < rows; i++) writeWholePage(out, at + i, page + i, OP_WRITE);
    },
  };
  return [phase];
}
