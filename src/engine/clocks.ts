/**
 * Virtual time of a replay: a clock per thread and per CPU, ns.
 *
 * A thread starts at its creator's clock. Threads on one CPU take turns. A thread whose rows pause for a whole round of
 * the others waited, and goes on at their clock: some other thread has begun two quanta since this one's last.
 */
export class Clocks {
  private readonly threadNs: Float64Array;
  private readonly cpuNs: Float64Array;
  private readonly lastRun: Float64Array;
  private serial = 0;
  /** The latest "last but one" quantum of any thread: after it, whoever has not run has missed a round. */
  private secondLast = 0;
  private sinceLook = 0;

  constructor(
    readonly threads: number,
    cpus: number,
  ) {
    const doubles = (n: number) => new Float64Array(new ArrayBuffer(Math.max(16, n) * 8));
    this.threadNs = doubles(threads);
    this.cpuNs = doubles(cpus);
    this.lastRun = doubles(threads);
  }

  get(thread: number): number {
    return this.threadNs[thread];
  }

  cpu(cpu: number): number {
    return this.cpuNs[cpu];
  }

  set(thread: number, ns: number): void {
    this.threadNs[thread] = ns;
  }

  /** A thread begins a quantum on a CPU. @returns its clock */
  begin(thread: number, cpu: number): number {
    const previous = this.lastRun[thread];
    if (previous > 0 && this.secondLast > previous) this.waited(thread, previous);
    if (this.lastRun[thread] > this.secondLast) this.secondLast = this.lastRun[thread];
    this.lastRun[thread] = ++this.serial;
    if (this.cpuNs[cpu] > this.threadNs[thread]) this.threadNs[thread] = this.cpuNs[cpu];
    return this.threadNs[thread];
  }

  /** It ends the quantum at `ns`. */
  end(thread: number, cpu: number, ns: number): void {
    this.threadNs[thread] = ns;
    this.cpuNs[cpu] = ns;
  }

  /** The furthest clock of all: how far the run has come. */
  frontier(): number {
    let latest = 0;
    for (let i = 0; i < this.threads; i++) if (this.threadNs[i] > latest) latest = this.threadNs[i];
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

  private waited(thread: number, since: number): void {
    let latest = this.threadNs[thread];
    for (let i = 0; i < this.threads; i++) {
      if (this.lastRun[i] > since && this.threadNs[i] > latest) latest = this.threadNs[i];
    }
    this.threadNs[thread] = latest;
  }
}
