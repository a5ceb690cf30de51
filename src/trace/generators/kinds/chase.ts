import { areaPerProcess } from '../areas.js';
import { defineKind, FIRST, pagesEach, pagesOfProcess, ROWS, rowsEach } from '../kind.js';
import { makePermutation } from '../permutation.js';
import { everyThread, firstTouch } from '../steps.js';
import { OP_READ } from '../../batch.js';
import { randomAt } from '../../../random.js';

/** A pointer chase: the pages of a process are one ring in random order, which its threads walk, each from another place. */
export const chase = defineKind({
  name: 'chase',
  about: 'a ring of pointers through all pages in random order, walked by each thread from another place',
  options: { first: FIRST, rows: ROWS },
  plan(values) {
    const each = pagesEach(values);
    const ring = pagesOfProcess(values, each);
    const pageAt = makePermutation(ring, randomAt(values.seed, 0));
    return {
      areas: areaPerProcess('ring', values.processes, ring),
      phases: [
        ...firstTouch(values, 0, each, values.first, 'init done'),
        {
          ...everyThread(values),
          units: rowsEach(values.rows, values.threads),
          rowsPerUnit: 1,
          write(out, at, rows, turn) {
            const first = turn.process * ring;
            let place = (turn.thread * each + turn.unit) % ring;
            for (let i = at; i < at + rows; i++) {
              out.page[i] = first + pageAt(place);
              out.op[i] = OP_READ;
              out.count[i] = out.miss[i] = 1;
              place = place + 1 === ring ? 0 : place + 1;
            }
          },
        },
      ],
    };
  },
});
