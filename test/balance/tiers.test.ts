import { expect, it } from 'vitest';
import { abstractDistance, tierOfDistance, topTierOf } from '../../src/balance/tiers.js';

it('W22, TI-1: tiers of abstract distances', () => {
  expect([511, 576, 640, 2880].map(tierOfDistance)).toEqual([3, 4, 5, 22]);
});

it('W23, TI-2: twice the latency and half the bandwidth of DRAM is tier 18', () => {
  expect(abstractDistance(400, 100, { latency: 200, bandwidth: 200 })).toBe(2304);
  expect(tierOfDistance(2304)).toBe(18);
});

it('W26, TI-3: memory faster than the slowest with a CPU is of the top tier, with or without CPUs', () => {
  expect(topTierOf([4, 3, 22], (node) => node === 0)).toEqual([true, true, false]);
  expect(topTierOf([4, 4], (node) => node === 0)).toEqual([true, true]); // W27
});
