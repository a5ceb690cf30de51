import { areaPerProcess } from '../areas.js';
import { defineKind, PAGE_LINES, pagesEach, pagesOfProcess, ROWS, rowsEach, threadsEach } from '../kind.js';
import { decimal, whole } from '../option.js';
import type { Phase } from '../phase.js';
import { everyThread, firstTouch } from '../steps.js';
import { OP_READ, OP_WRITE } from '../../batch.js';
import { MmError } from '../../../errors.js';
import { randomAt } from '../../../random.js';

/**
 * A server of long-lived workers: each works on sessions of its own and on a table that all share. From time to time it prints
 * that the scheduler would move one of them, for a run that does: `default+task=1:1@event:"move 1:"`.
 */
export const server = defineKind({
  name: 'server',
  about: 'workers with sessions of their own and a shared table; prints when the scheduler would move which',
  options: {
    rows: ROWS,
    private: decimal("share of rows in the worker's own sessions", '0.8', 0, 1),
    reads: decimal('share of rows that only read', '0.7', 0, 1),
    moves: whole('moments "move K: thread N"', '4', 0, 10_000),
  },
  plan(values) {
    const { processes, threads, moves } = values;
    const each = pagesEach(values, 2);
    const half = pagesOfProcess(values, each);
    const sessions = half * processes;
    const ofProcess = threadsEach(values);
    const privateLimit = values.private * 2 ** 32;
    const readLimit = values.reads * 2 ** 32;
    const rowsOfStretch = rowsEach(Math.ceil(values.rows / (moves + 1)), threads);
    if (rowsOfStretch < 1) throw new MmError('BAD_OPTION', `moves=${String(moves)} are more than there are rows`);
    const serve: Phase = {
      ...everyThread(values),
      units: rowsOfStretch,
      rowsPerUnit: 1,
      write(out, at, rows, turn) {
        const own = sessions + (turn.process * ofProcess + turn.thread) * each;
        const table = turn.process * half;
        for (let i = 0; i < rows; i++) {
          const draw = 3 * (turn.rowOfQuantum + i);
          const where = randomAt(turn.seed, draw) * 2 ** -32;
          const isOwn = randomAt(turn.seed, draw + 1) < privateLimit;
          out.page[at + i] = isOwn ? own + Math.floor(where * each) : table + Math.floor(where * half);
          out.op[at + i] = randomAt(turn.seed, draw + 2) < readLimit ? OP_READ : OP_WRITE;
          out.count[at + i] = PAGE_LINES;
          out.miss[at + i] = PAGE_LINES / 8;
        }
      },
    };
    const stretches = Array.from({ length: moves + 1 }, (_, k): Phase => {
      if (k === moves) return serve;
      const tid = (k + 1) % threads;
      const [process, thread] = [Math.floor(tid / ofProcess), tid % ofProcess];
      return { ...serve, output: { text: `move ${String(k + 1)}: thread ${String(tid)}`, process, thread } };
    });
    return {
      areas: [...areaPerProcess('table', processes, half), ...areaPerProcess('sessions', processes, half)],
      phases: [
        ...firstTouch(values, 0, each, 'serial'),
        ...firstTouch(values, sessions, each, 'parallel', 'init done'),
        ...stretches,
      ],
    };
  },
});
