import { float64s } from '../../arrays.js';

/**
 * Who waited, by the order of the rows: a thread that blocks has no rows meanwhile, so one whose rows pause for a whole
 * round of the others waited. A round has gone by when some other thread has begun two quanta since this one's last.
 *
 * Told of quanta in row order, in whatever order they are carried out.
 */
export class Rounds {
  /** Serial number of the quantum that a thread began last, 0 if it has begun none; and that quantum's own number. */
  private readonly lastBegun: Float64Array;
  private readonly lastQuantum: Float64Array;
  private serial = 0;
  /** The latest "last but one" quantum of any thread: whoever has not begun one since has missed a round. */
  private secondLast = 0;

  constructor(private readonly threads: number) {
    this.lastBegun = float64s(threads);
    this.lastQuantum = float64s(threads).fill(-1);
  }

  /**
   * A thread begins a quantum, or goes on with it: a quantum may come in pieces, and counts once.
   * @returns the threads that it waited for, which are those with rows in between; null if it did not wait
   */
  next(thread: number, quantum: number): readonly number[] | null {
    if (this.lastQuantum[thread] === quantum) return null;
    this.lastQuantum[thread] = quantum;
    const previous = this.lastBegun[thread];
    const waitedFor = previous > 0 && this.secondLast > previous ? this.begunSince(previous) : null;
    if (previous > this.secondLast) this.secondLast = previous;
    this.lastBegun[thread] = ++this.serial;
    return waitedFor;
  }

  private begunSince(serial: number): number[] {
    const threads: number[] = [];
    for (let i = 0; i < this.threads; i++) if (this.lastBegun[i] > serial) threads.push(i);
    return threads;
  }
}
