import { describe, expect, test } from 'vitest';
import { loadFactor, settledFactor } from '../../src/cost/index.js';

/**
 * Delivered bandwidth (GB/s) and latency (ns) of all cores reading local memory on a 2 x Xeon Platinum 8269CY, Intel MLC
 * (blog article on memory latency, 2022), below saturation. Peak 225.1 GB/s, idle 78.2 ns.
 */
const MEASURED: readonly (readonly [gbs: number, ns: number])[] = [
  [195.8824, 130.61],
  [133.8201, 102.65],
  [101.3532, 95.04],
  [81.5859, 91.56],
  [58.8191, 87.94],
  [41.5513, 85.54],
  [32.2136, 84.7],
  [24.8725, 83.14],
  [17.1943, 81.74],
  [12.5242, 81.14],
  [9.0132, 80.74],
  [5.37, 80.09],
  [2.8672, 78.92],
];

describe('latency under load', () => {
  test('is idle latency without load and 2.25 times it at full load', () => {
    expect(loadFactor(0)).toBe(1);
    expect(loadFactor(0.5)).toBeCloseTo(1 + 0.25 + 0.75 / 256, 12);
    expect(loadFactor(1)).toBe(2.25);
  });

  test.each(MEASURED)('at %s GB/s lies within 1.5 %% of the %s ns measured', (gbs, ns) => {
    expect(Math.abs((78.2 * loadFactor(gbs / 225.1)) / ns - 1)).toBeLessThan(0.015);
  });
  test('is compared at 13 points', () => {
    expect(MEASURED).toHaveLength(13);
  });
});

describe('the factor that threads settle at', () => {
  test.each([0.01, 0.1, 0.5, 1, 1.5, 2, 2.2, 2.2499])('leaves a load that gives it again, demand %s', (demand) => {
    const factor = settledFactor(demand);
    expect(loadFactor(demand / factor)).toBeCloseTo(factor, 6);
  });
  test.each([2.25, 3, 100])('is the demand itself when memory is full, demand %s: the peak is delivered', (demand) => {
    expect(demand / settledFactor(demand)).toBe(1);
  });
  test('is 1 without demand and never falls as demand grows', () => {
    expect(settledFactor(0)).toBe(1);
    let last = 1;
    for (let demand = 0; demand < 5; demand += 0.01) {
      const factor = settledFactor(demand);
      expect(factor).toBeGreaterThanOrEqual(last);
      last = factor;
    }
  });
});
