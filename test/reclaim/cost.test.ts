import { describe, expect, it } from 'vitest';
import { ReclaimCosts, reclaimCost61, reclaimCost612 } from '../../src/reclaim/cost.js';

describe('RC-26 costs of a type', () => {
  it('X12: 4 written, 32 scanned, 20 freed cost 140 in 6.12, halved at once on 400 pages, and 4 in 6.1', () => {
    const after = (cost: number) => {
      const costs = new ReclaimCosts(1);
      costs.add(0, false, cost, 400);
      return [costs.anon(0), costs.file(0)];
    };
    expect(reclaimCost612.ofScan(4, 32, 20)).toBe(140);
    expect(after(reclaimCost612.ofScan(4, 32, 20))).toEqual([70, 0]);
    expect(after(reclaimCost61.ofScan(4, 32, 20))).toEqual([4, 0]);
  });

  it('a marked refault weighs as much as a page written, and active pages that stay count in 6.12 only', () => {
    expect([reclaimCost612.ofRefault, reclaimCost61.ofRefault]).toEqual([32, 1]);
    expect([reclaimCost612.ofKeptActive(5), reclaimCost61.ofKeptActive(5)]).toEqual([5, 0]);
  });

  it('both types are halved when their sum exceeds a quarter of the pages, and nodes are apart', () => {
    const costs = new ReclaimCosts(2);
    costs.add(1, true, 61, 400);
    costs.add(1, false, 39, 400);
    expect([costs.anon(1), costs.file(1)]).toEqual([39, 61]);
    costs.add(1, false, 2, 400);
    expect([costs.anon(1), costs.file(1)]).toEqual([20, 30]);
    expect([costs.anon(0), costs.file(0)]).toEqual([0, 0]);
  });
});
