import type { TraceBatch } from '../../trace/index.js';

/** Some rows of one thread, one after the other, all of one quantum. `waitedFor`: threads that it waited for before. */
export type RunRows = (batch: TraceBatch, from: number, until: number, waitedFor: WaitedFor) => boolean;
export type WaitedFor = readonly number[] | null;

/** Asked of each quantum in row order: which threads its own waited for. */
export type BeginQuantum = (tid: number, quantum: number) => WaitedFor;

/** `--order rows`: as the trace has them. @returns false as soon as `run` does */
export function inRowOrder(batch: TraceBatch, from: number, until: number, begin: BeginQuantum, run: RunRows): boolean {
  for (let start = from; start < until;) {
    const end = endOfQuantum(batch, start, until);
    if (!run(batch, start, end, begin(batch.tid[start], batch.quantum[start]))) return false;
    start = end;
  }
  return true;
}

/** Quanta that `--order clocks` may choose among: the bounded window. */
const WINDOW = 256;

interface Quantum {
  readonly start: number;
  readonly end: number;
  readonly waitedFor: WaitedFor;
}

export interface Cpus {
  /** CPU that a thread runs on now. */
  ofTid(tid: number): number;
  clock(cpu: number): number;
}

/**
 * `--order clocks`: the CPU that is furthest behind goes next, with its first quantum in row order. A thread that waited goes
 * on when all rows before have been carried out. Rows between two items of the agenda (a thread's start or end, an exit,
 * an unmapping, an output, an action) stay between them: the caller hands over one such stretch at a time.
 *
 * @returns false as soon as `run` does
 */
export function inClockOrder(
  batch: TraceBatch,
  from: number,
  until: number,
  begin: BeginQuantum,
  run: RunRows,
  cpus: Cpus,
): boolean {
  /** Pending quanta by CPU, each list in row order. */
  const queues = new Map<number, Quantum[]>();
  let pending = 0;
  let next = from;

  function refill(): void {
    for (; pending < WINDOW && next < until; pending++) {
      const start = next;
      next = endOfQuantum(batch, start, until);
      const cpu = cpus.ofTid(batch.tid[start]);
      const waitedFor = begin(batch.tid[start], batch.quantum[start]);
      const queue = queues.get(cpu);
      if (queue === undefined) queues.set(cpu, [{ start, end: next, waitedFor }]);
      else queue.push({ start, end: next, waitedFor });
    }
  }

  /** Row at which the first of all pending quanta starts. */
  function firstPending(): number {
    let first = Infinity;
    for (const queue of queues.values()) if (queue.length > 0 && queue[0].start < first) first = queue[0].start;
    return first;
  }

  function choose(): Quantum[] | null {
    const first = firstPending();
    let chosen: Quantum[] | null = null;
    let least = Infinity;
    for (const [cpu, queue] of queues) {
      if (queue.length === 0 || (queue[0].waitedFor !== null && queue[0].start !== first)) continue;
      const clock = cpus.clock(cpu);
      if (chosen !== null && (clock > least || (clock === least && queue[0].start > chosen[0].start))) continue;
      [least, chosen] = [clock, queue];
    }
    return chosen;
  }

  refill();
  for (let queue = choose(); queue !== null; queue = choose()) {
    const [{ start, end, waitedFor }] = queue.splice(0, 1);
    pending--;
    if (!run(batch, start, end, waitedFor)) return false;
    refill();
  }
  return true;
}

/** Row after the last of the quantum that begins at `start`. */
function endOfQuantum({ quantum }: TraceBatch, start: number, until: number): number {
  let end = start + 1;
  while (end < until && quantum[end] === quantum[start]) end++;
  return end;
}
