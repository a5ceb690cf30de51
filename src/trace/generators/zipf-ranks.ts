import { randomAt } from '../../random.js';

/** 2^32 as a divisor: a draw becomes a number below 1. */
const DRAW = 2 ** -32;

/**
 * Ranks 0 ≤ r < `count` of which rank r comes in proportion to (r + 1)^-theta, in constant memory: rejection-inversion
 * (W. Hörmann and G. Derflinger, Rejection-inversion to generate variates from monotone discrete distributions, 1996).
 *
 * @param theta 0: all alike
 * @returns the rank that a seed gives
 */
export function makeZipfRanks(count: number, theta: number): (seed: number) => number {
  const weight = (x: number) => Math.exp(-theta * Math.log(x));
  /** Integral of the weight, and its inverse. */
  const area = (x: number) => {
    const log = Math.log(x);
    const t = (1 - theta) * log;
    return (Math.abs(t) > 1e-8 ? Math.expm1(t) / t : 1 + t / 2) * log;
  };
  const areaInverse = (y: number) => {
    const t = Math.max(-1, y * (1 - theta));
    return Math.exp((Math.abs(t) > 1e-8 ? Math.log1p(t) / t : 1 - t / 2) * y);
  };
  const least = area(1.5) - 1;
  const most = area(count + 0.5);
  const sure = 2 - areaInverse(area(2.5) - weight(2));

  return (seed) => {
    for (let attempt = 0; ; attempt++) {
      const y = most + (randomAt(seed, attempt) + 0.5) * DRAW * (least - most);
      const x = areaInverse(y);
      const k = Math.min(count, Math.max(1, Math.floor(x + 0.5)));
      if (k - x <= sure || y >= area(k + 0.5) - weight(k)) return k - 1;
    }
  };
}
