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
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number, 0 ≤ n < limit. */
  below(limit: number): number {
    return this.next() % limit;
  }
}
