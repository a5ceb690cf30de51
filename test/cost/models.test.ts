import { describe, expect, it } from 'vitest';
import {
  contendedFaultRate,
  copySpeedupOf,
  factorAt,
  inFlightToFill,
  loadFactor,
  migrationTime,
  settledLoad,
} from '../../src/cost/index.js';
import { tinyDescription } from '../support/tiny-machine.js';
import { asNodeId } from '../../src/units.js';

const { cost } = tinyDescription({ nodes: 2 }); // 100 and 200 ns, 100 and 50 GB/s
const NODE = asNodeId(0);

describe('settledLoad', () => {
  it('delivers what latency allows when memory is idle: Little’s law', () => {
    const { gbs, latencyNs } = settledLoad(cost, [NODE], [1, 0], 1);
    expect(latencyNs).toBeCloseTo(64 / gbs, 9);
    expect(latencyNs).toBeGreaterThan(100);
    expect(latencyNs).toBeLessThan(101);
  });

  it('fills a node with as many lines as inFlightToFill says, and never delivers more', () => {
    expect(settledLoad(cost, [NODE], [1, 0], inFlightToFill(100, 100)).gbs).toBeCloseTo(100, 3);
    expect(settledLoad(cost, [NODE], [1, 0], 5000).gbs).toBeCloseTo(100, 3);
  });

  it('far from balance, delivers the slow node’s bandwidth over its share', () => {
    expect(settledLoad(cost, [NODE], [0.5, 0.5], 5000).gbs).toBeCloseTo(100, 3);
    expect(settledLoad(cost, [NODE], [0.25, 0.75], 5000).gbs).toBeCloseTo(50 / 0.75, 3);
  });

  it('near balance, delivers less than the sum of both nodes', () => {
    const { gbs } = settledLoad(cost, [NODE], [2 / 3, 1 / 3], inFlightToFill(100, 100));
    expect(gbs).toBeLessThan(149);
    expect(gbs).toBeGreaterThan(100);
  });

  it('reads of two nodes from each other’s memory are bound by their links', () => {
    const both = [NODE, asNodeId(1)];
    expect(settledLoad(cost, both, [0.5, 0.5], 5000).gbs).toBeCloseTo(200, 3);
    const linked = {
      ...cost,
      bandwidthGbs: [
        [100, 20],
        [20, 100],
      ],
    };
    expect(settledLoad(linked, both, [0.5, 0.5], 5000).gbs).toBeCloseTo(80, 3);
  });

  it('agrees with the curve where bandwidth is given', () => {
    for (const u of [0.1, 0.5, 0.85]) expect(factorAt(cost, NODE, NODE, 100 * u)).toBeCloseTo(loadFactor(u), 6);
  });
});

describe('contendedFaultRate', () => {
  const free = { freeNs: 900, lockedNs: 100, waiterNs: 0 };
  it('is one over the fault for one thread, whatever is locked', () => {
    expect(contendedFaultRate(free, 1)).toBeCloseTo(1e6, 3);
    expect(contendedFaultRate({ ...free, waiterNs: 500 }, 1)).toBeCloseTo(1e6, 3);
  });

  it('grows to what the lock lets through, and stays there if waiting costs nothing', () => {
    const rates = [1, 2, 4, 8, 16, 64].map((threads) => contendedFaultRate(free, threads));
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(rates[5]).toBeLessThanOrEqual(1e7 + 1);
    expect(rates[5]).toBeGreaterThan(0.99e7);
  });

  it('falls as one over the number of threads where each waiter slows the lock', () => {
    const slowed = { ...free, waiterNs: 100 };
    expect(contendedFaultRate(slowed, 256) / contendedFaultRate(slowed, 512)).toBeCloseTo(2, 1);
  });
});

describe('migrationTime', () => {
  const constants = { callNs: 100, folioNs: 10, entryNs: 2, copyGbs: 4, copySpeedup: 2 };
  it('is the sum of its parts, and copy threads shorten the copy alone', () => {
    const { callNs, controlNs, copyNs, totalNs } = migrationTime(constants, {
      calls: 3,
      folios: 5,
      folioBytes: 64,
      entries: 4,
    });
    expect([callNs, controlNs, copyNs]).toEqual([300, 5 * 18, (5 * 64) / 8]);
    expect(totalNs).toBe(callNs + controlNs + copyNs);
  });

  it('gives back the speed-up that a rate of whole folios was made with', () => {
    const { totalNs } = migrationTime(constants, { calls: 0, folios: 1, folioBytes: 4096, entries: 0 });
    expect(copySpeedupOf(constants, 4096, 4096 / totalNs)).toBeCloseTo(2, 9);
  });
});
