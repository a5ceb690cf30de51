import { describe, expect, it } from 'vitest';
import { Random, randomAt } from '../../../src/random.js';
import { makePermutation } from '../../../src/trace/generators/permutation.js';
import { makeZipfRanks } from '../../../src/trace/generators/zipf-ranks.js';

describe('chance without memory', () => {
  it('randomAt gives what the generator gives in turn', () => {
    const random = new Random(42);
    for (let i = 0; i < 100; i++) expect(randomAt(42, i)).toBe(random.next());
  });

  it.each([1, 2, 3, 5, 64, 100, 1000, 65_536, 65_537])('a permutation of %i has every value once', (length) => {
    for (const seed of [1, 2, 0xffffffff]) {
      const values = Array.from({ length }, (_, i) => makePermutation(length, seed)(i)).sort((a, b) => a - b);
      expect(values).toEqual(Array.from({ length }, (_, i) => i));
    }
  });

  it('a permutation of 2^31 stays within it', () => {
    const at = makePermutation(2 ** 31, 3);
    const values = Array.from({ length: 10_000 }, (_, i) => at(2 ** 31 - 1 - i));
    expect(values.every((value) => value >= 0 && value < 2 ** 31)).toBe(true);
    expect(new Set(values).size).toBe(10_000);
  });

  it.each([
    [10, 0],
    [10, 0.5],
    [10, 1],
    [100, 0.99],
    [100, 2],
    [1, 1],
    [2, 3],
  ])('zipf ranks of %i values with theta %f come as often as they should', (count, theta) => {
    const rankOf = makeZipfRanks(count, theta);
    const draws = 100_000;
    const times = new Float64Array(count);
    for (let i = 0; i < draws; i++) times[rankOf(randomAt(9, i))]++;
    const weights = Array.from({ length: count }, (_, k) => (k + 1) ** -theta);
    const sum = weights.reduce((a, b) => a + b);
    const chiSquare = weights.reduce((total, weight, k) => {
      const expected = (draws * weight) / sum;
      return total + (times[k] - expected) ** 2 / expected;
    }, 0);
    expect(chiSquare).toBeLessThan(count + 6 * Math.sqrt(2 * count));
  });
});
