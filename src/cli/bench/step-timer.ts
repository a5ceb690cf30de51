import type { Tracer } from '../../stats/index.js';
import type { StepTime } from './cell.js';
import { nowNs, percentilesOf } from './percentiles.js';

/** What comes before the first step of a fault: finding its area and its kind. */
const BEFORE = 'enter';

/**
 * A tracer that takes the time between two steps: each is told as it begins, so it has the time until the next one, or until the
 * fault ends.
 */
export class StepTimer implements Tracer {
  isOn = false;
  private readonly samples = new Map<string, { times: Float64Array; count: number }>();
  private open: string | null = null;
  private since = 0;

  /** @param most samples per step; more are not kept */
  constructor(private readonly most: number) {}

  who(): void {
    // the same for all
  }

  enter(): void {
    if (this.isOn) this.begin(BEFORE);
  }

  leave(): void {
    this.end(nowNs());
  }

  step(step: string): void {
    if (this.isOn) this.begin(step);
  }

  times(clockNs: number): StepTime[] {
    return [...this.samples].map(([step, { times, count }]) => {
      const taken = times.slice(0, Math.min(count, this.most));
      return { step, count, ...percentilesOf(taken, clockNs) };
    });
  }

  private begin(step: string): void {
    this.end(nowNs());
    this.open = step;
    this.since = nowNs();
  }

  private end(now: number): void {
    if (this.open === null) return;
    let kept = this.samples.get(this.open);
    if (kept === undefined) this.samples.set(this.open, (kept = { times: new Float64Array(this.most), count: 0 }));
    if (kept.count < this.most) kept.times[kept.count] = now - this.since;
    kept.count++;
    this.open = null;
  }
}
