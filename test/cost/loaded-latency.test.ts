import { describe, expect, test } from 'vitest';
import { COST_ASSUMPTIONS, FaultKind, LoadedLatency, loadFactor, settledFactor } from '../../src/cost/index.js';
import type { CostOptions } from '../../src/cost/index.js';
import { MmError } from '../../src/errors.js';
import type { CostDescription } from '../../src/hardware/machine-description.js';
import { asNodeId } from '../../src/units.js';

const [n0, n1, n2] = [0, 1, 2].map(asNodeId);
/** Two sockets and a memory-only node; the far link is asymmetric. Round numbers. */
const cost: CostDescription = {
  latencyNs: [
    [100, 200, 300],
    [180, 100, 320],
    [300, 320, 300],
  ],
  bandwidthGbs: [
    [64, 32, 16],
    [32, 64, 8],
    [16, 8, 16],
  ],
  minorFaultNs: 1353,
  majorFaultNs: 50_000,
  writebackNs: 40_000,
  pageCopyGbs: 4.096,
  migrateBaseNs: 60_000,
  migratePerPageNs: 1000,
  migratePerFolioNs: 400,
  ipiNs: 2500,
  ipiFurtherNs: 1000,
  deviceAtOnce: 2,
  deviceNextNs: 30_000,
  walkNs: 25,
};
const model = (options: Partial<CostOptions> = {}) => new LoadedLatency(cost, { hitNs: 1, mlp: 1, ...options });

describe('an access', () => {
  test('costs its hits, and its misses by the distance from CPU to memory', () => {
    expect(model().accessNs(n0, n0, 10, 0)).toBe(10);
    expect(model().accessNs(n0, n0, 0, 3)).toBe(300);
    expect(model().accessNs(n0, n1, 10, 3)).toBe(610);
    expect(model().accessNs(n1, n0, 10, 3)).toBe(550);
    expect(model().accessNs(n1, n2, 0, 1)).toBe(320);
  });
  test('hits cost --hit-ns, misses are divided by --mlp', () => {
    expect(model({ hitNs: 2.5, mlp: 4 }).accessNs(n0, n1, 4, 2)).toBe(4 * 2.5 + (2 * 200) / 4);
  });
  test('by default a hit takes 1 ns and two misses are in flight', () => {
    expect(new LoadedLatency(cost).accessNs(n0, n0, 5, 2)).toBe(5 + 100);
  });
});

/** Misses that move `share` of what `gbs` delivers in 100 µs. */
const missesFor = (gbs: number, share: number) => (share * gbs * 100_000) / 64;

describe('load', () => {
  test('is felt in the epoch after the one in which it was charged', () => {
    const costs = model();
    costs.charge(n0, n0, missesFor(64, 0.5));
    costs.advance(99_999);
    expect(costs.loadOf(n0, n0)).toBe(1);
    costs.advance(100_000);
    expect(costs.loadOf(n0, n0)).toBeCloseTo(settledFactor(0.5), 12);
    expect(costs.accessNs(n0, n0, 1, 2)).toBeCloseTo(1 + 2 * 100 * settledFactor(0.5), 9);
  });

  test('ends with an epoch without traffic', () => {
    const costs = model();
    costs.charge(n0, n0, missesFor(64, 1));
    costs.charge(n0, n2, missesFor(16, 1));
    costs.advance(100_000);
    expect(costs.loadOf(n0, n2)).toBeGreaterThan(1);
    costs.advance(200_000);
    expect([costs.loadOf(n0, n0), costs.loadOf(n0, n2)]).toEqual([1, 1]);
  });

  test('of a link slows that link alone, though its memory has room', () => {
    const costs = model();
    costs.charge(n0, n1, missesFor(32, 1));
    costs.advance(100_000);
    expect(costs.loadOf(n0, n1)).toBeCloseTo(settledFactor(1), 12);
    expect(costs.loadOf(n1, n1)).toBeCloseTo(settledFactor(0.5), 12);
    expect(costs.loadOf(n0, n0)).toBe(1);
  });

  test('of a memory adds up over its links, and the more loaded of the two counts', () => {
    const costs = model();
    costs.charge(n0, n1, missesFor(32, 0.75));
    costs.charge(n1, n1, missesFor(64, 0.5));
    costs.advance(100_000);
    const memory = settledFactor((0.75 * 32 + 0.5 * 64) / 64);
    expect(costs.loadOf(n1, n1)).toBeCloseTo(memory, 12);
    expect(costs.loadOf(n0, n1)).toBeCloseTo(memory, 12);
  });

  test('is the mean over the time that passed when the clock leaps', () => {
    const costs = model();
    costs.charge(n0, n0, missesFor(64, 1));
    costs.advance(400_000);
    expect(costs.loadOf(n0, n0)).toBeCloseTo(settledFactor(0.25), 12);
    costs.charge(n0, n0, missesFor(64, 1));
    costs.advance(499_999);
    expect(costs.loadOf(n0, n0)).toBeCloseTo(settledFactor(0.25), 12);
  });

  test('does not change when the clock of another thread lies behind', () => {
    const costs = model();
    costs.charge(n0, n0, missesFor(64, 0.5));
    costs.advance(100_000);
    const load = costs.loadOf(n0, n0);
    costs.advance(20_000);
    costs.advance(0);
    expect(costs.loadOf(n0, n0)).toBe(load);
  });

  test('charges nothing for hits alone', () => {
    const costs = model();
    for (let i = 0; i < 100; i++) costs.charge(n0, n0, 0);
    costs.advance(100_000);
    expect(costs.loadOf(n0, n0)).toBe(1);
  });

  test.each([1, 4, 8, 16, 40, 64, 128])(
    '%s threads that only miss settle on the curve and never above the peak',
    (threads) => {
      const costs = model();
      let delivered = 0;
      for (let epoch = 1; epoch <= 30; epoch++) {
        const misses = (threads * 100_000) / costs.accessNs(n0, n0, 0, 1);
        delivered = (misses * 64) / 100_000;
        costs.charge(n0, n0, misses);
        costs.advance(epoch * 100_000);
      }
      expect(delivered).toBeLessThanOrEqual(64 * (1 + 1e-6));
      const load = costs.loadOf(n0, n0);
      if (threads * 0.64 < 64 * loadFactor(1)) expect(load).toBeCloseTo(loadFactor(delivered / 64), 6);
      else expect(delivered).toBeCloseTo(64, 6);
    },
  );

  test('settles without swinging when threads also compute', () => {
    const costs = model();
    const loads: number[] = [];
    for (let epoch = 1; epoch <= 40; epoch++) {
      const misses = (200 * 100_000) / costs.accessNs(n0, n0, 80, 1);
      costs.charge(n0, n0, misses);
      costs.advance(epoch * 100_000);
      loads.push(costs.loadOf(n0, n0));
    }
    for (let i = 1; i < loads.length; i++) expect(loads[i]).toBeGreaterThanOrEqual(loads[i - 1] - 1e-9);
    expect(loads[39]).toBeCloseTo(loads[38], 6);
  });
});

describe('other costs', () => {
  test('kinds of fault have the measured shares of an anonymous first touch', () => {
    const kinds = Object.fromEntries(
      Object.entries(FaultKind).map(([name, kind]) => [name, Math.round(model().faultNs(kind))]),
    );
    expect(kinds).toEqual({
      anon: 1353,
      zeroPage: 638,
      zeroPageWrite: 1608,
      fileMinor: 1082,
      cow: 1919,
      swapCache: 1185,
      writeInPlace: 638,
      major: 1185,
    });
    expect(model().zeroingNs).toBeCloseTo(168, 9);
    const twice = new LoadedLatency({ ...cost, minorFaultNs: 2706 });
    expect(twice.faultNs(FaultKind.cow)).toBeCloseTo(2 * 1919, 9);
  });

  test('a major fault is its own work and the read of the device', () => {
    expect(model().faultNs(FaultKind.major) + model().swapReadNs).toBeCloseTo(50_000, 9);
    expect(new LoadedLatency({ ...cost, majorFaultNs: 100 }).swapReadNs).toBe(0);
  });

  test('a page copy goes by latency over the mean between nodes, and never faster than its link', () => {
    // mean of the six remote latencies: (200 + 300 + 180 + 320 + 300 + 320) / 6 = 270; a page at that latency: 1000 ns
    expect(model().copyNs(n1, n0)).toBeCloseTo((1000 * 200) / 270, 9);
    expect(model().copyNs(n0, n1)).toBeCloseTo((1000 * 180) / 270, 9);
    expect(model().copyNs(n0, n0)).toBeCloseTo((1000 * 100) / 270, 9);
    const fast = new LoadedLatency({ ...cost, pageCopyGbs: 409.6 });
    expect(fast.copyNs(n2, n1)).toBe(4096 / 8);
  });

  test('a machine of one node copies at its rate', () => {
    const one = { ...cost, latencyNs: [[90]], bandwidthGbs: [[50]] };
    expect(new LoadedLatency(one).copyNs(n0, n0)).toBeCloseTo(1000, 9);
  });

  test('calls, moves, walks, write-back and shootdowns are those of the machine', () => {
    const { migrateCallNs, migratePageNs, migrateHugeNs, walkNs, writebackNs } = model();
    expect({ migrateCallNs, migratePageNs, migrateHugeNs, walkNs, writebackNs }).toEqual({
      migrateCallNs: 60_000,
      migratePageNs: 1000,
      migrateHugeNs: 400,
      walkNs: 25,
      writebackNs: 40_000,
    });
    expect([0, 1, 7].map((cpus) => model().shootdownNs(cpus))).toEqual([0, 2500, 8500]);
    expect([model().scanPageNs, model().unmapPageNs, model().fileCallNs].map(Math.round)).toEqual([35, 248, 424]);
  });

  test('the assumptions state the parameters in force', () => {
    expect(model({ hitNs: 3, mlp: 5 }).assumptions).toEqual([
      'An access that hits a cache takes 3 ns (--hit-ns).',
      '5 misses are in flight at once, so each counts its latency divided by 5 (--mlp).',
      ...COST_ASSUMPTIONS,
    ]);
  });

  test.each([
    [{ hitNs: -1 }, '--hit-ns is -1: expected nanoseconds, at least 0'],
    [{ hitNs: NaN }, '--hit-ns is NaN: expected nanoseconds, at least 0'],
    [{ mlp: 0.5 }, '--mlp is 0.5: expected a number of misses in flight, at least 1'],
    [{ epochNs: 0 }, 'epochNs is 0: expected nanoseconds, above 0'],
  ])('parameters %j are refused', (options, message) => {
    expect(() => new LoadedLatency(cost, options)).toThrow(new MmError('BAD_OPTION', message));
  });
});

test('256 nodes: only links in use are touched, and all of them when all are used', () => {
  const rows = (same: number, other: number) =>
    Array.from({ length: 256 }, (_, i) => Array.from({ length: 256 }, (_, j) => (i === j ? same : other)));
  const large = new LoadedLatency({ ...cost, latencyNs: rows(100, 200), bandwidthGbs: rows(64, 32) }, { mlp: 1 });
  for (let from = 0; from < 256; from++) {
    for (let to = 0; to < 256; to++) large.charge(asNodeId(from), asNodeId(to), 500);
  }
  large.advance(100_000);
  const demand = (256 * 500 * 64) / (64 * 100_000);
  expect(large.loadOf(n1, n0)).toBeCloseTo(settledFactor(demand), 12);
  expect(large.loadOf(asNodeId(255), asNodeId(254))).toBeCloseTo(settledFactor(demand), 12);
  large.advance(200_000);
  expect(large.loadOf(asNodeId(255), asNodeId(254))).toBe(1);
});
