/**
 * Latency under load as a multiple of idle latency, u = delivered / peak bandwidth, 0 ≤ u ≤ 1: 1 + u/2 + 3u⁸/4.
 * Fitted to Intel MLC's loaded latencies of a 2 x Xeon Platinum 8269CY (2022): within 1.5 % of each point up to u = 0.87.
 * Powers are products: Math.pow may round differently from one V8 to the next.
 */
export function loadFactor(u: number): number {
  const u2 = u * u;
  const u4 = u2 * u2;
  return 1 + 0.5 * u + 0.75 * u4 * u4;
}

/** The factor at full load. Beyond it the queue grows until demand has fallen to what the memory delivers. */
const FULL = loadFactor(1);

/**
 * The factor at which threads settle that would move `demand` times the peak bandwidth if latency stayed idle.
 *
 * Slower memory is asked less: a factor f leaves a demand of demand / f, so u = demand / f and f = loadFactor(u) must
 * hold together. Solving for both, rather than putting the u of the last epoch into the curve, keeps the load
 * from swinging between two values near saturation. At a demand of `loadFactor(1)` and above u stays 1 and the factor is the demand:
 * what is delivered never settles above the peak.
 */
export function settledFactor(demand: number): number {
  if (demand <= 0) return 1;
  if (demand >= FULL) return demand;
  // Newton on u·loadFactor(u) = demand from above, where it is convex: each step stays above the root.
  let u = Math.min(1, demand);
  for (let i = 0; i < 32; i++) {
    const u2 = u * u;
    const u8 = u2 * u2 * u2 * u2;
    const step = (u * (1 + 0.5 * u + 0.75 * u8) - demand) / (1 + u + 6.75 * u8);
    u -= step;
    if (step < 1e-9) break;
  }
  return loadFactor(u);
}
