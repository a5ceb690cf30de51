import { areaPerProcess } from '../areas.js';
import { defineKind, FIRST, pagesEach, pagesOfProcess, SWEEPS } from '../kind.js';
import { pages } from '../option.js';
import type { Phase } from '../phase.js';
import { everyThread, firstTouch, writeWholePage } from '../steps.js';
import { OP_READ, OP_WRITE } from '../../batch.js';

const GRIDS = ['even', 'odd'];
/** For each page: itself, the one above, the one below, and the page of the other grid that is written. */
const ROWS_PER_PAGE = 4;

/** Jacobi iteration in two dimensions: a block of rows per thread, two grids that change their parts with every sweep. */
export const stencil = defineKind({
  name: 'stencil',
  about:
    'two grids, a block of rows per thread; each sweep reads one, with the neighbours above and below, and writes the other',
  options: { first: FIRST, sweeps: SWEEPS, width: pages('a row of the grid', '64KiB', 2 ** 20, '4GiB') },
  plan(values) {
    const { width } = values;
    const each = pagesEach(values, GRIDS.length);
    const ofProcess = pagesOfProcess(values, each);
    const grid = ofProcess * values.processes;
    const sweep = (number: number): Phase => {
      const from = (number % 2) * grid;
      const to = grid - from;
      return {
        ...everyThread(values),
        units: each,
        rowsPerUnit: ROWS_PER_PAGE,
        output: { text: `sweep ${String(number)} done` },
        write(out, at, rows, turn) {
          const begin = turn.process * ofProcess;
          const end = begin + ofProcess;
          let page = begin + turn.thread * each + turn.unit;
          let k = turn.rowOfUnit;
          for (let i = at; i < at + rows; i++) {
            if (k === 0) writeWholePage(out, i, from + page, OP_READ);
            else if (k === 1) writeWholePage(out, i, from + (page - width >= begin ? page - width : page), OP_READ);
            else if (k === 2) writeWholePage(out, i, from + (page + width < end ? page + width : page), OP_READ);
            else writeWholePage(out, i, to + page++, OP_WRITE);
            k = (k + 1) % ROWS_PER_PAGE;
          }
        },
      };
    };
    return {
      areas: GRIDS.flatMap((name) => areaPerProcess(name, values.processes, ofProcess)),
      phases: [
        ...firstTouch(values, 0, each, values.first),
        ...firstTouch(values, grid, each, values.first, 'init done'),
        ...Array.from({ length: values.sweeps }, (_, number) => sweep(number)),
      ],
    };
  },
});
