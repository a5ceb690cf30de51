import { float64s } from '../arrays.js';

export interface FaultContention {
  /** The part of a fault that threads do side by side, ns. */
  readonly freeNs: number;
  /** The part under the lock that they share, ns, when nobody waits for it. */
  readonly lockedNs: number;
  /** What each thread that waits adds to a hand-over of the lock: its line goes through one more cache; ns. */
  readonly waiterNs: number;
}

/**
 * Faults per second of `threads` threads that fault without pause and share one lock: the machine-repairman queue, whose
 * service grows with the number that wait, as for spin locks that all waiters poll. Rises while the lock has slack, and falls
 * as one over the number of threads when it has none.
 *
 * Steady state of a birth-death chain over the number k of threads at the lock: p(k+1) / p(k) = (threads − k) / free × service(k + 1).
 * Threads wait and never sleep; exponential times.
 */
export function contendedFaultRate({ freeNs, lockedNs, waiterNs }: FaultContention, threads: number): number {
  const serviceNs = (atLock: number) => lockedNs + (atLock - 1) * waiterNs;
  if (freeNs === 0) return 1e9 / serviceNs(threads);
  // In logarithms: the weights span hundreds of orders of magnitude.
  const weights = float64s(threads + 1);
  for (let k = 0; k < threads; k++) weights[k + 1] = weights[k] + Math.log(((threads - k) * serviceNs(k + 1)) / freeNs);
  const most = Math.max(...weights);
  let [sum, perNs] = [0, 0];
  for (let k = 0; k <= threads; k++) {
    const weight = Math.exp(weights[k] - most);
    sum += weight;
    if (k > 0) perNs += weight / serviceNs(k);
  }
  return (1e9 * perNs) / sum;
}
