import { randomAt } from '../../random.js';

/** Values of the largest permutation: 31 bits stay small integers. */
export const PERMUTATION_LIMIT = 2 ** 31;

/**
 * A random order of 0 ≤ n < `length` that is computed, not stored: steps that each can be undone within so many bits as
 * `length` needs, repeated until the result is below it (twice at the most on average).
 *
 * @returns maps place to value, each value once
 */
export function makePermutation(length: number, seed: number): (place: number) => number {
  const bits = length < 2 ? 1 : 32 - Math.clz32(length - 1);
  const mask = bits === 31 ? 0x7fffffff : (1 << bits) - 1;
  const shift = Math.max(1, bits >>> 1);
  const [a, b, c] = [randomAt(seed, 0) | 1, randomAt(seed, 1) | 1, randomAt(seed, 2) | 1];
  const [d, e] = [randomAt(seed, 3) & mask, randomAt(seed, 4) & mask];

  return (place) => {
    let value = place;
    do {
      value = (Math.imul(value, a) + d) & mask;
      value ^= value >>> shift;
      value = (Math.imul(value, b) + e) & mask;
      value ^= value >>> shift;
      value = Math.imul(value, c) & mask;
      value ^= value >>> shift;
    } while (value >= length);
    return value;
  };
}
