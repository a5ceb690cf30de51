import { areaPerProcess } from '../areas.js';
import { defineKind, PAGE_LINES, pagesEach, pagesOfProcess, threadsEach } from '../kind.js';
import { whole } from '../option.js';
import type { Phase } from '../phase.js';
import { everyThread, writeWholePage } from '../steps.js';
import { OP_READ, OP_WRITE } from '../../batch.js';
import { randomAt } from '../../../random.js';

/** A heap that grows page by page while older pages are read, is given back, and grows again under other threads. */
export const heap = defineKind({
  name: 'heap',
  about: 'a heap that grows page by page, is trimmed and grows again, each part by the next thread',
  options: {
    cycles: whole('how often it grows', '2', 1, 10_000),
    revisits: whole('older pages of its own that a thread reads for each new one', '3', 0, 1000),
  },
  plan(values) {
    const { cycles, revisits, processes } = values;
    const each = pagesEach(values);
    const ofProcess = pagesOfProcess(values, each);
    const threads = threadsEach(values);
    const grow = (cycle: number): Phase => ({
      ...everyThread(values),
      units: each,
      rowsPerUnit: 1 + revisits,
      output: { text: `cycle ${String(cycle)} done` },
      ...(cycle + 1 < cycles && {
        discards: Array.from({ length: processes }, (_, process) => ({
          ...{ process, firstPage: process * ofProcess, pages: ofProcess },
        })),
      }),
      write(out, at, rows, turn) {
        const first = turn.process * ofProcess + ((turn.thread + cycle) % threads) * each;
        let unit = turn.unit;
        let k = turn.rowOfUnit;
        for (let i = 0; i < rows; i++) {
          if (k === 0) writeWholePage(out, at + i, first + unit, OP_WRITE);
          else {
            out.page[at + i] = first + Math.floor(randomAt(turn.seed, turn.rowOfQuantum + i) * 2 ** -32 * (unit + 1));
            out.op[at + i] = OP_READ;
            out.count[at + i] = out.miss[at + i] = PAGE_LINES;
          }
          if (k === revisits) unit++;
          k = k === revisits ? 0 : k + 1;
        }
      },
    });
    return {
      areas: areaPerProcess('[heap]', processes, ofProcess, 'heap'),
      phases: Array.from({ length: cycles }, (_, cycle) => grow(cycle)),
    };
  },
});
