import { describe, expect, it } from 'vitest';
import { rowOfMoment, rowOfTraceMoment } from '../../../src/engine/replay/moments.js';
import { parseMomentOption } from '../../../src/run/index.js';
import type { Sidecar } from '../../../src/trace/index.js';
import { errorOf } from '../../support/error-of.js';
import { output, sidecarFor } from '../../support/write-trace.js';
import { write } from './replays.js';

/** 300 rows: process 0 has [0, 100), process 1 has [100, 300) and a second thread from row 150 on, a third from 160. */
const SIDECAR: Sidecar = (() => {
  const plain = sidecarFor(Array.from({ length: 300 }, (_, i) => write(i, 0, 0)));
  const [process] = plain.processes;
  const thread = (tid: number, pid: number, parent: number | null, row: number) => ({
    ...{ tid, process: pid, parent, start_row: row, end_row: null },
  });
  return {
    ...plain,
    processes: [
      { ...process, last_row: 99, rows: 100 },
      { ...process, pid: 1, first_row: 100, last_row: 299, rows: 200 },
    ],
    threads: [thread(0, 0, null, 0), thread(1, 1, null, 100), thread(3, 1, 1, 160), thread(2, 1, 1, 150)],
    events: [output(40, 'phase one'), output(120, 'phase one', 1), output(130, 'phase two', 1)],
  };
})();

const NEVER = null;

/** Moment → row in process 0, in process 1, and of the whole trace. */
const TABLE: readonly (readonly [string, number | null, number | null, number | null])[] = [
  ['start', 0, 100, 0],
  ['threads', NEVER, 150, 150],
  ['row:0', 0, NEVER, 0],
  ['row:99', 99, NEVER, 99],
  ['row:100', NEVER, 100, 100],
  ['row:299', NEVER, 299, 299],
  ['row:300', NEVER, NEVER, 300],
  ['row:5000', NEVER, NEVER, NEVER],
  // Percent of the rows from the first to the last of the process; of the trace for its options.
  ['0%', 0, 100, 0],
  ['50%', 50, 200, 150],
  ['12.5%', 12, 125, 37],
  ['100%', 100, 300, 300],
  // The first output of the process that contains the text.
  ['event:phase', 40, 120, 40],
  ['event:one', 40, 120, 40],
  ['event:two', NEVER, 130, 130],
  ['event:three', NEVER, NEVER, NEVER],
];

describe('moments', () => {
  it.each(TABLE)('%s', (word, first, second, whole) => {
    const moment = parseMomentOption('--from', word);
    expect(SIDECAR.processes.map((process) => rowOfMoment(moment, process, SIDECAR))).toEqual([first, second]);
    if (whole === NEVER) expect(errorOf(() => rowOfTraceMoment(moment, SIDECAR, '--from')).code).toBe('BAD_OPTION');
    else expect(rowOfTraceMoment(moment, SIDECAR, '--from')).toBe(whole);
  });

  it('the table has all five kinds', () => {
    expect(TABLE).toHaveLength(16);
    expect(new Set(TABLE.map(([word]) => parseMomentOption('--from', word).kind))).toEqual(
      new Set(['start', 'threads', 'row', 'percent', 'event']),
    );
  });

  it('a text that no output contains: the line has the outputs that there are', () => {
    const moment = parseMomentOption('--until', 'event:three');
    expect(errorOf(() => rowOfTraceMoment(moment, SIDECAR, '--until')).message).toBe(
      '--until: no output of the trace contains "three". Outputs: phase one | phase one | phase two',
    );
  });

  it('threads of a trace that has none', () => {
    const threads = SIDECAR.threads.filter(({ parent }) => parent === null);
    const moment = parseMomentOption('--from', 'threads');
    expect(errorOf(() => rowOfTraceMoment(moment, { ...SIDECAR, threads }, '--from')).message).toBe(
      '--from: no process creates a thread.',
    );
  });
});
