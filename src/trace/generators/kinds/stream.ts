import { areaPerProcess } from '../areas.js';
import { defineKind, FIRST, pagesEach, pagesOfProcess, SWEEPS, threadsEach } from '../kind.js';
import type { Phase } from '../phase.js';
import { everyThread, firstTouch, writeWholePage } from '../steps.js';
import { OP_READ, OP_WRITE } from '../../batch.js';

/** Arrays a, b, c by number; each kernel reads some and writes the last named. */
const KERNELS = [
  { name: 'copy', arrays: [0, 2] },
  { name: 'scale', arrays: [2, 1] },
  { name: 'add', arrays: [0, 1, 2] },
  { name: 'triad', arrays: [1, 2, 0] },
] as const;
const ARRAYS = ['a', 'b', 'c'];

/** STREAM: each thread sweeps its own part of three arrays, in four kernels. */
export const stream = defineKind({
  name: 'stream',
  about: 'three arrays, each thread sweeping its part of them, as in STREAM',
  options: { first: FIRST, sweeps: SWEEPS },
  plan(values) {
    const each = pagesEach(values, ARRAYS.length);
    const array = pagesOfProcess(values, each) * values.processes;
    const threads = threadsEach(values);
    const kernel = (arrays: readonly number[]): Phase => ({
      ...everyThread(values),
      units: each,
      rowsPerUnit: arrays.length,
      write(out, at, rows, turn) {
        let page = (turn.process * threads + turn.thread) * each + turn.unit;
        let k = turn.rowOfUnit;
        for (let i = at; i < at + rows; i++) {
          const isLast = k === arrays.length - 1;
          writeWholePage(out, i, arrays[k] * array + page, isLast ? OP_WRITE : OP_READ);
          if (isLast) page++;
          k = isLast ? 0 : k + 1;
        }
      },
    });
    const kernels = KERNELS.map(({ arrays }) => kernel(arrays));
    const inits = ARRAYS.flatMap((_, i) =>
      firstTouch(values, i * array, each, values.first, i === ARRAYS.length - 1 ? 'init done' : undefined),
    );
    const sweeps = Array.from({ length: values.sweeps }, (_, sweep) => [
      ...kernels.slice(0, -1),
      { ...kernels[kernels.length - 1], output: { text: `sweep ${String(sweep)} done` } },
    ]);
    return {
      areas: ARRAYS.flatMap((name) => areaPerProcess(name, values.processes, array / values.processes)),
      phases: [...inits, ...sweeps.flat()],
    };
  },
});
