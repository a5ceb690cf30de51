import { float64s } from '../../arrays.js';

/**
 * Virtual time of a replay: a clock per thread and per CPU, ns.
 *
 * A thread starts at its creator's clock. Threads on one CPU take turns. A thread that waited for others (rounds.ts) goes on
 * at their clock.
 */
export class Clocks {
  private readonly threadNs: Float64Array;
  private readonly cpuNs: Float64Array;
  /** Of each clock: ns that went into moving pages. Who waits for another takes its share over with its clock. */
  private readonly threadMoving: Float64Array;
  private readonly cpuMoving: Float64Array;
  /** Serial number of the stretch that a thread ran last, in the order they are carried out. */
  private readonly lastRun: Float64Array;
  private serial = 0;
  private sinceLook = 0;

  constructor(
    readonly threads: number,
    cpus: number,
  ) {
    this.threadNs = float64s(threads);
    this.cpuNs = float64s(cpus);
    this.threadMoving = float64s(threads);
    this.cpuMoving = float64s(cpus);
    this.lastRun = float64s(threads);
  }

  get(thread: number): number {
    return this.threadNs[thread];
  }

  cpu(cpu: number): number {
    return this.cpuNs[cpu];
  }

  moving(thread: number): number {
    return this.threadMoving[thread];
  }

  /** A thread starts at the clock of its creator, a process at that of the thread that was the last before it. */
  startAt(thread: number, creator: number): void {
    this.threadNs[thread] = this.threadNs[creator];
    this.threadMoving[thread] = this.threadMoving[creator];
  }

  /** The thread gets the CPU: not before whoever had it last is done. @returns its clock */
  takeCpu(thread: number, cpu: number): number {
    if (this.cpuNs[cpu] > this.threadNs[thread]) {
      this.threadNs[thread] = this.cpuNs[cpu];
      this.threadMoving[thread] = this.cpuMoving[cpu];
    }
    return this.threadNs[thread];
  }

  /** A call of the thread that moved pages kept it and its CPU busy until `ns`. */
  moved(thread: number, cpu: number, ns: number): void {
    this.end(thread, cpu, ns, ns - this.threadNs[thread]);
  }

  /**
   * Pages of this thread's process were out of reach from `fromNs` on for `ns`: it waits for as much of that as lies before it.
   * An upper bound: one that touches none of them meanwhile would not wait.
   */
  heldUp(thread: number, fromNs: number, ns: number): void {
    const wait = Math.min(ns, Math.max(0, fromNs + ns - this.threadNs[thread]));
    this.threadNs[thread] += wait;
    this.threadMoving[thread] += wait;
  }

  /** A thread begins to run on a CPU, after it has waited for others. @returns its clock */
  begin(thread: number, cpu: number, waitedFor: readonly number[] | null): number {
    this.lastRun[thread] = ++this.serial;
    if (waitedFor !== null) this.waited(thread, waitedFor);
    return this.takeCpu(thread, cpu);
  }

  /** It ends at `ns`, `movingNs` of which went into moving pages. */
  end(thread: number, cpu: number, ns: number, movingNs: number): void {
    this.threadNs[thread] = ns;
    this.threadMoving[thread] += movingNs;
    this.cpuNs[cpu] = ns;
    this.cpuMoving[cpu] = this.threadMoving[thread];
  }

  /** The furthest clock of all: how far the run has come. */
  frontier(): number {
    return this.threads === 0 ? 0 : this.threadNs[this.furthest()];
  }

  /** What of the furthest clock went into moving pages. */
  movingOfFurthest(): number {
    return this.threads === 0 ? 0 : this.threadMoving[this.furthest()];
  }

  private furthest(): number {
    let latest = 0;
    for (let i = 1; i < this.threads; i++) if (this.threadNs[i] > this.threadNs[latest]) latest = i;
    return latest;
  }

  /** Once per round of the threads: the clock of the furthest behind that ran lately; else -1. */
  behind(): number {
    if (++this.sinceLook < this.threads) return -1;
    this.sinceLook = 0;
    let least = Infinity;
    const recent = this.serial - 2 * this.threads;
    for (let i = 0; i < this.threads; i++) {
      if (this.lastRun[i] > recent && this.lastRun[i] > 0 && this.threadNs[i] < least) least = this.threadNs[i];
    }
    return least;
  }

  private waited(thread: number, waitedFor: readonly number[]): void {
    let latest = thread;
    for (const other of waitedFor) if (this.threadNs[other] > this.threadNs[latest]) latest = other;
    this.threadNs[thread] = this.threadNs[latest];
    this.threadMoving[thread] = this.threadMoving[latest];
  }
}
