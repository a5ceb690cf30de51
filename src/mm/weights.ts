/** Weights are scaled to this sum before they are reduced. Kernel: weightiness, mm/mempolicy.c, 6.16. */
const WEIGHTINESS = 32;

/**
 * Weights for weighted interleaving in proportion to bandwidth, as 6.16 derives them when its `weighted_interleave/auto` is on:
 * each node's share of the whole bandwidth in 32nds, at least 1, and all divided by what divides all of them. A node
 * without memory (bandwidth 0) has weight 1, and so has every node where nothing is known.
 * Kernel: reduce_interleave_weights(), mm/mempolicy.c, 6.16; Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-interleave.
 *
 * @param bandwidths what each node's memory delivers, in any unit
 */
export function weightsFromBandwidth(bandwidths: readonly number[]): number[] {
  const sum = bandwidths.reduce((total, bandwidth) => total + bandwidth, 0);
  const scaled = bandwidths.map((bandwidth) =>
    bandwidth > 0 ? Math.max(1, Math.floor((WEIGHTINESS * bandwidth) / sum)) : 0,
  );
  const divisor = scaled.reduce(greatestDivisor, 0);
  return scaled.map((weight) => (weight === 0 ? 1 : weight / divisor));
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
