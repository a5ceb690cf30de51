import { describe, expect, it } from 'vitest';
import { FaultKind, LoadedLatency } from '../../../src/cost/index.js';
import type { Sidecar } from '../../../src/trace/index.js';
import { tinyDescription } from '../../support/tiny-machine.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, file, type Row } from '../../support/write-trace.js';
import { replayRows, type ReplayOf } from './replays.js';

const dir = await temporaryDirectory();
/** Two nodes; thread 0 is on node 0. Latencies 100 and 200 ns, a walk 30 ns; --hit-ns 1 and --mlp 2. */
const run = (rows: readonly Row[], sidecar: Partial<Sidecar> = {}, word = 'default', of: ReplayOf = {}) =>
  replayRows(dir, { rows, sidecar }, word, { tiny: { nodes: 2 }, ...of });

const { cost } = tinyDescription();
const fault = (kind: FaultKind) => new LoadedLatency(cost).faultNs(kind);
const WALK = cost.walkNs;
const PAGE = 0;
const WRITE = 1;

describe('the cost of a row', () => {
  it.each([
    // count, misses, policy → accesses and misses by place, ns on top of the fault and its two walks
    [10, 0, 'default', 10 * 1],
    [10, 4, 'default', 6 * 1 + (4 * 100) / 2],
    [10, 10, 'default', (10 * 100) / 2],
    [10, 4, 'bind=1', 6 * 1 + (4 * 200) / 2],
  ])('%i accesses, %i of them misses, under %s: %d ns', async (count, miss, word, ns) => {
    const { whole } = await run([[0, 0, PAGE, WRITE, count, miss]], {}, word);
    const isRemote = word === 'bind=1';
    expect(whole).toMatchObject({
      ...{ accessesLocal: isRemote ? 0 : count, accessesRemote: isRemote ? count : 0 },
      ...{ missesLocal: isRemote ? 0 : miss, missesRemote: isRemote ? miss : 0 },
    });
    expect(whole.accessNs).toBeCloseTo(ns + 2 * WALK, 6);
    expect(whole.faultNs).toBeCloseTo(fault(FaultKind.anon), 6);
    expect(whole.timeNs).toBeCloseTo(ns + 2 * WALK + fault(FaultKind.anon), 6);
  });

  it('goes by --hit-ns and --mlp', async () => {
    const { whole, assumptions } = await run([[0, 0, PAGE, WRITE, 10, 4]], {}, 'default', {
      options: { hitNs: 3, mlp: 8 },
    });
    expect(whole.accessNs).toBeCloseTo(6 * 3 + (4 * 100) / 8 + 2 * WALK, 6);
    expect(assumptions).toContain('An access that hits a cache takes 3 ns (--hit-ns).');
  });

  it('has no walk while the TLB knows the page', async () => {
    const rows: Row[] = [
      [0, 0, PAGE, WRITE, 1, 0],
      [0, 0, PAGE, WRITE, 1, 0],
      [0, 0, PAGE, 0, 1, 0],
    ];
    const { whole, counters } = await run(rows);
    expect(counters.tlb_miss).toBe(2);
    expect(whole.accessNs).toBeCloseTo(3 + 2 * WALK, 6);
  });

  it('with a fault has two walks: the one that finds nothing, and the one after it, whether the page is new or known', async () => {
    const rows: Row[] = [
      [0, 0, PAGE, WRITE, 1, 0],
      [1, 0, PAGE, 0, 1, 0],
    ];
    const { counters, phases } = await run(rows, {}, 'default+lazy@row:1');
    expect(counters).toMatchObject({ fault_anon: 1, fault_swap: 1, tlb_miss: 4 });
    expect(phases.map(({ accessNs }) => accessNs)).toEqual([
      expect.closeTo(1 + 2 * WALK, 6),
      expect.closeTo(1 + 2 * WALK, 6),
    ]);
  });

  it('on the zero page is charged to the lowest node with memory, and counted apart (MP-90)', async () => {
    const rows: Row[] = [
      [0, 1, 0, 0, 10, 4],
      [1, 1, 0, 0, 10, 3],
      [2, 1, 0, WRITE, 10, 2],
      [3, 0, 1, WRITE, 1, 1],
    ];
    const { whole } = await run(rows, { regions: [anonymous({ pages: 2 })] });
    expect(whole).toMatchObject({ missesZeroPage: 7, missesRemote: 7, missesLocal: 2 + 1 });
    expect(whole.faults).toEqual({ zero_page: 1, cow: 1, anon: 1 });
  });

  it('of a page that no mapping covers is that of a call, by the page', async () => {
    const { whole } = await run([[0, 0, 0, WRITE, 10, 4]], { regions: [file({ id: 1, first_page: 0, pages: 1 })] });
    expect(whole.accessNs).toBeCloseTo(6 + (4 * 100) / 2, 6);
    expect(whole.faultNs).toBeCloseTo(new LoadedLatency(cost).fileCallNs, 6);
  });
});
