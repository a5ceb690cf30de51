import { C, COUNTER_NAMES, type CounterName, type Counters } from '../../../src/stats/index.js';

/** How often each kind of operation was carried out, each kind of event was seen, and each counter counted. */
export class Coverage {
  steps = 0;
  programs = 0;
  readonly events = new Map<string, number>();
  private readonly counters = new Float64Array(COUNTER_NAMES.length);

  event(name: string, times = 1): void {
    this.events.set(name, (this.events.get(name) ?? 0) + times);
  }

  addCounters(counters: Counters): void {
    for (let i = 0; i < this.counters.length; i++) this.counters[i] += counters.values[i];
  }

  timesOf(name: string): number {
    return name in C ? this.counters[C[name as CounterName]] : (this.events.get(name) ?? 0);
  }

  /** What was seen less than `times` times, as a table; empty if all of it was. */
  missing(names: readonly string[], times: number): string {
    const rare = names.filter((name) => this.timesOf(name) < times);
    return rare.map((name) => `${name.padEnd(40)} ${String(this.timesOf(name)).padStart(9)}`).join('\n');
  }

  table(names: readonly string[]): string {
    return names.map((name) => `${name.padEnd(40)} ${String(this.timesOf(name)).padStart(9)}`).join('\n');
  }
}
