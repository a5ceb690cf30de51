import { areaPerProcess } from '../areas.js';
import { defineKind, FIRST, pagesEach, pagesOfProcess, ROWS, rowsEach } from '../kind.js';
import { decimal, whole } from '../option.js';
import { everyThread, firstTouch } from '../steps.js';
import { OP_READ, OP_WRITE } from '../../batch.js';
import { randomAt } from '../../../random.js';

/** Random updates: every thread of a process anywhere in its table, each row a cache line or several. */
export const updates = defineKind({
  name: 'updates',
  about: 'a table that all threads update at random places, as in GUPS',
  options: {
    first: FIRST,
    rows: ROWS,
    reads: decimal('share of rows that only read', '0', 0, 1),
    count: whole('accesses of each row, all of which miss', '1', 1, 2 ** 31),
  },
  plan(values) {
    const each = pagesEach(values);
    const table = pagesOfProcess(values, each);
    const { count } = values;
    const readLimit = values.reads * 2 ** 32;
    return {
      areas: areaPerProcess('table', values.processes, table),
      phases: [
        ...firstTouch(values, 0, each, values.first, 'init done'),
        {
          ...everyThread(values),
          units: rowsEach(values.rows, values.threads),
          rowsPerUnit: 1,
          write(out, at, rows, turn) {
            const { seed } = turn;
            const first = turn.process * table;
            for (let i = 0; i < rows; i++) {
              const draw = 2 * (turn.rowOfQuantum + i);
              out.page[at + i] = first + Math.floor(randomAt(seed, draw) * 2 ** -32 * table);
              out.op[at + i] = randomAt(seed, draw + 1) < readLimit ? OP_READ : OP_WRITE;
              out.count[at + i] = count;
              out.miss[at + i] = count;
            }
          },
        },
      ],
    };
  },
});
