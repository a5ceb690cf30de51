import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/stats/index.js';
import { pathOf, replay, replayRows, write } from '../engine/replay/replays.js';
import { tinyDescription } from '../support/tiny-machine.js';
import { temporaryDirectory } from '../support/tmp-dir.js';
import type { Row } from '../support/write-trace.js';

// Laws that hold whatever a machine's constants are, through the whole engine. They need no measurement.

const dir = await temporaryDirectory();
const NODES = 3;
/** One CPU per node: thread i runs on node i. */
const tiny = { nodes: NODES, cpusPerNode: 1, framesPerNode: 256 };
const RUNS = [
  'default',
  'interleave=all',
  'bind=1',
  'preferred=2',
  'oracle',
  'default+lazy@40%',
  'default+move@40%',
  'default+swapout@40%',
  'default+migrate=0:1@40%',
];

/** Rows of one thread or of several, in quanta of their own: [thread, page, how many misses]. */
const rowsOf = (threads: number, pages = 24): fc.Arbitrary<Row[]> =>
  fc
    .array(fc.tuple(fc.nat(threads - 1), fc.nat(pages - 1), fc.integer({ min: 1, max: 300 })), {
      minLength: 3,
      maxLength: 120,
    })
    .map((steps) => [
      ...Array.from({ length: threads }, (_, tid) => write(tid, tid, 0)), // each thread is there from the start
      ...steps.map(([tid, page, misses], i) => write(threads + i, tid, page, misses)),
    ]);

const times = ({ whole, region, phases, actions, marks }: RunResult): number[] => [
  ...[whole, region, ...phases].flatMap((phase) => [
    ...[phase.timeNs, phase.accessNs, phase.faultNs, phase.refaultNs, phase.migrationNs, phase.lostNs],
    phase.settledNs,
  ]),
  ...actions.map(({ ownNs }) => ownNs),
  ...marks.flatMap(({ atNs, movingNs }) => [atNs, movingNs]),
];
const partsOf = ({ whole }: RunResult): number => whole.accessNs + whole.faultNs + whole.migrationNs;

describe('time', () => {
  property.prop([rowsOf(NODES), fc.constantFrom(...RUNS)], { numRuns: 25 })('is never negative', async (rows, run) => {
    const result = await replayRows(dir, { rows }, run, { tiny });
    expect(result.outcome.kind).toBe('done');
    expect(times(result).filter((ns) => !(ns >= 0))).toEqual([]);
    expect(result.whole.timeNs).toBeGreaterThan(0);
  });

  // What another process does, it does on a clock of its own.
  const own = RUNS.filter((run) => !/swapout|migrate=/.test(run));
  property.prop([rowsOf(1), fc.constantFrom(...own)], { numRuns: 25 })(
    'of one thread is the sum of its accesses, its faults and its moves',
    async (rows, run) => {
      const result = await replayRows(dir, { rows }, run, { tiny });
      expect(result.whole.timeNs / partsOf(result)).toBeCloseTo(1, 9);
    },
  );

  property.prop([rowsOf(NODES), fc.constantFrom(...own)], { numRuns: 25 })(
    'of several threads is not more than all of theirs together, and not less than an equal share of it',
    async (rows, run) => {
      const result = await replayRows(dir, { rows }, run, { tiny });
      expect(result.whole.timeNs).toBeLessThanOrEqual(partsOf(result) * (1 + 1e-9));
      expect(result.whole.timeNs * NODES).toBeGreaterThanOrEqual(partsOf(result) * (1 - 1e-9));
    },
  );

  it('of a real trace too: its phases add up to the whole', async () => {
    const result = await replay(pathOf('mini-bfs-4t'), 'default+lazy@threads+move@60%');
    const sum = (of: (phase: RunResult['whole']) => number) => result.phases.reduce((all, phase) => all + of(phase), 0);
    for (const field of ['timeNs', 'accessNs', 'faultNs', 'migrationNs'] as const)
      expect(sum((phase) => phase[field]) / result.whole[field]).toBeCloseTo(1, 9);
    expect(times(result).filter((ns) => !(ns >= 0))).toEqual([]);
  });
});

describe('distance', () => {
  /** Slow memory, so that it is loaded. */
  const remoteNs = (ns: number) => {
    const bandwidthGbs = Array.from({ length: NODES }, () => Array.from({ length: NODES }, () => 0.6));
    const machine = tinyDescription({ ...tiny, bandwidthGbs });
    const latencyNs = machine.cost.latencyNs.map((row, from) => row.map((local, to) => (from === to ? local : ns)));
    return { ...machine, cost: { ...machine.cost, latencyNs } };
  };

  property.prop([rowsOf(NODES), fc.constantFrom('default', 'interleave=all', 'bind=1'), fc.nat(400), fc.nat(400)], {
    numRuns: 25,
  })('is never cheaper when it is more, for one placement and one order', async (rows, run, near, more) => {
    const [close, far] = await Promise.all(
      [100 + near, 100 + near + more].map((ns) => replayRows(dir, { rows }, run, { machine: remoteNs(ns) })),
    );
    expect(far.pagesPerNode).toEqual(close.pagesPerNode);
    expect(far.whole.accessNs).toBeGreaterThanOrEqual(close.whole.accessNs * (1 - 1e-9));
    expect(far.whole.timeNs).toBeGreaterThanOrEqual(close.whole.timeNs * (1 - 1e-9));
  });

  property.prop([rowsOf(1)], { numRuns: 15 })('makes every other node dearer than the own one', async (rows) => {
    const [own, other] = await Promise.all(['bind=0', 'bind=1'].map((run) => replayRows(dir, { rows }, run, { tiny })));
    expect(other.whole.timeNs).toBeGreaterThan(own.whole.timeNs);
    expect(other.whole.faultNs).toBe(own.whole.faultNs);
  });
});

describe('migration', () => {
  property.prop([rowsOf(NODES), fc.constantFrom('default', 'interleave=all', 'bind=0-1', 'preferred=2', 'local')], {
    numRuns: 20,
  })('costs nothing where no page is moved', async (rows, run) => {
    const { whole, counters, marks } = await replayRows(dir, { rows }, run, { tiny });
    expect([whole.migrationNs, whole.refaultNs, whole.lostNs, whole.settledNs]).toEqual([0, 0, 0, 0]);
    expect(marks.map(({ movingNs }) => movingNs)).toEqual(marks.map(() => 0));
    expect(counters.pgmigrate_success).toBeUndefined();
  });
});

describe('placement', () => {
  /** Remote misses of a placement, node by page: the rows alone say them. */
  const remoteOf = (rows: readonly Row[], nodeOf: readonly number[]): number =>
    rows.reduce((sum, [, tid, page, , , miss]) => sum + (nodeOf[page] === tid ? 0 : miss), 0);
  const PAGES = 5;
  const placements = Array.from({ length: NODES ** PAGES }, (_, n) =>
    Array.from({ length: PAGES }, (__, page) => Math.floor(n / NODES ** page) % NODES),
  );

  property.prop([rowsOf(NODES, PAGES)], { numRuns: 20 })(
    'of the oracle has the fewest remote misses of all static ones',
    async (rows) => {
      const { whole } = await replayRows(dir, { rows }, 'oracle', { tiny });
      const fewest = Math.min(...placements.map((nodeOf) => remoteOf(rows, nodeOf)));
      expect(whole.missesRemote).toBe(fewest);
      for (const run of ['default', 'interleave=all', 'bind=1', 'preferred=2']) {
        const other = await replayRows(dir, { rows }, run, { tiny });
        expect(other.whole.missesRemote).toBeGreaterThanOrEqual(fewest);
      }
    },
  );

  property.prop([fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 7 })], { numRuns: 20 })(
    'interleaved over equal nodes gives them equal pages, but for one',
    async (pages, nodes) => {
      const rows = Array.from({ length: pages }, (_, page) => write(page, 0, page));
      const { pagesPerNode } = await replayRows(dir, { rows }, 'interleave=all', { tiny: { ...tiny, nodes } });
      expect(pagesPerNode.reduce((a, b) => a + b, 0)).toBe(pages);
      expect(Math.max(...pagesPerNode) - Math.min(...pagesPerNode)).toBeLessThanOrEqual(1);
    },
  );
});
