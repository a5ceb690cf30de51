import type { Percentiles } from './cell.js';

/** @param samples ns; sorted in place. `clockNs` is taken off each, and none is below 0 */
export function percentilesOf(samples: Float64Array, clockNs: number): Percentiles {
  samples.sort();
  const at = (share: number) => {
    const sample = samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? 0;
    return Math.max(0, sample - clockNs);
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** The clock, ns. */
export const nowNs = (): number => performance.now() * 1e6;

/** What two readings of the clock are apart when nothing is between them, ns: median. */
export function clockCost(): number {
  const samples = Float64Array.from({ length: 20_001 }, () => {
    const before = nowNs();
    return nowNs() - before;
  });
  return percentilesOf(samples, 0).p50;
}
