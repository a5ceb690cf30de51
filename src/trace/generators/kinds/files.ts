import type { Area } from '../areas.js';
import { defineKind, SWEEPS, threadsEach } from '../kind.js';
import { oneOf } from '../option.js';
import type { Phase } from '../phase.js';
import { writeWholePage } from '../steps.js';
import { OP_READ, OP_WRITE } from '../../batch.js';
import { MmError } from '../../../errors.js';
import { formatPages } from '../../../memory-size.js';

/** Private pages of each thread that file pages are copied from and to. */
const BUFFER_PAGES = 16;

/** Producers write files, consumers read them: the page cache is first touched by who will not use it. */
export const files = defineKind({
  name: 'files',
  about: 'the first half of the processes write a file each, then the other half read them, over and over',
  options: {
    sweeps: SWEEPS,
    via: oneOf('how consumers read: with read(), or through a mapping', ['call', 'map']),
  },
  initials: { processes: '2' },
  plan(values) {
    const { size, processes, sweeps, via } = values;
    if (processes % 2 !== 0)
      throw new MmError('BAD_OPTION', `processes=${String(processes)} is odd; expected a consumer for each producer`);
    const pairs = processes / 2;
    const threads = threadsEach(values);
    const each = Math.floor(size / (pairs * threads));
    if (each === 0)
      throw new MmError(
        'BAD_OPTION',
        `size is ${formatPages(size)}, less than a page for each of the ${String(pairs * threads)} threads that write; expected at least ${formatPages(pairs * threads)}`,
      );
    const filePages = each * threads;
    const firstBuffer = pairs * filePages;
    /** One side's work: for each page of its file, one row on the file and one on the buffer. */
    const side = (first: number, text: string): Phase => ({
      processes: { first, count: pairs },
      threads: { first: 0, count: threads },
      units: each,
      rowsPerUnit: 2,
      output: { text },
      write(out, at, rows, turn) {
        const isProducer = first === 0;
        const file = (turn.process - first) * filePages + turn.thread * each;
        const buffer = firstBuffer + (turn.process * threads + turn.thread) * BUFFER_PAGES;
        let unit = turn.unit;
        let isSecond = turn.rowOfUnit === 1;
        for (let i = at; i < at + rows; i++) {
          const page = isSecond === isProducer ? file + unit : buffer + (unit % BUFFER_PAGES);
          writeWholePage(out, i, page, isSecond ? OP_WRITE : OP_READ);
          if (isSecond) unit++;
          isSecond = !isSecond;
        }
      },
    });
    const fileAreas: Area[] = Array.from({ length: pairs }, (_, pair) => ({
      ...{ name: `file ${String(pair)}`, pages: filePages, kind: 'file' },
      processes: via === 'map' ? [pairs + pair] : [],
    }));
    const buffers: Area[] = Array.from({ length: processes }, (_, process) => ({
      ...{ name: 'buffers', pages: threads * BUFFER_PAGES, kind: 'mmap', processes: [process] },
    }));
    return {
      areas: [...fileAreas, ...buffers],
      phases: Array.from({ length: sweeps }, (_, sweep) => [
        side(0, `sweep ${String(sweep)} written`),
        side(pairs, `sweep ${String(sweep)} read`),
      ]).flat(),
    };
  },
});
