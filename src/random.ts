const STEP = 0x6d2b79f5;

/**
 * The one seeded generator of the model (mulberry32): 32 bits of state, the same stream on every machine.
 * Nothing below `cli/` draws chance from anywhere else.
 */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** A whole number, 0 ≤ n < 2^32. */
  next(): number {
    this.state = (this.state + STEP) | 0;
    return scramble(this.state);
  }

  /** A whole number, 0 ≤ n < limit. */
  below(limit: number): number {
    return this.next() % limit;
  }
}

/** What `new Random(seed)` answers the (`index` + 1)-th time, without the times before. */
export function randomAt(seed: number, index: number): number {
  return scramble((seed + Math.imul(index + 1, STEP)) | 0);
}

function scramble(state: number): number {
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}
