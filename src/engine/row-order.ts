import type { TraceBatch } from '../trace/index.js';

/** Some rows of one thread, one after the other, all of one quantum. */
export type RunRows = (batch: TraceBatch, from: number, until: number) => boolean;

/** `--order rows`: as the trace has them. @returns false as soon as `run` does */
export function inRowOrder(batch: TraceBatch, from: number, until: number, run: RunRows): boolean {
  const quanta = batch.quantum;
  for (let start = from; start < until;) {
    const quantum = quanta[start];
    let end = start + 1;
    while (end < until && quanta[end] === quantum) end++;
    if (!run(batch, start, end)) return false;
    start = end;
  }
  return true;
}

/** Quanta that `--order clocks` may choose among: the bounded window. */
const WINDOW = 256;

/**
 * `--order clocks`: the CPU that is furthest behind goes next, with its first quantum in row order. Rows between two
 * items of the agenda (a thread's start or end, an exit, an unmapping, an output, an action) stay between them: the
 * caller hands over one such stretch at a time.
 */
export function inClockOrder(
  batch: TraceBatch,
  from: number,
  until: number,
  run: RunRows,
  cpuOfTid: (tid: number) => number,
  clockOfCpu: (cpu: number) => number,
): boolean {
  const pending: { start: number; end: number; cpu: number }[] = [];
  let next = from;
  const refill = () => {
    while (pending.length < WINDOW && next < until) {
      const start = next;
      while (next < until && batch.quantum[next] === batch.quantum[start]) next++;
      pending.push({ start, end: next, cpu: cpuOfTid(batch.tid[start]) });
    }
  };
  refill();
  while (pending.length > 0) {
    let chosen = 0;
    let least = Infinity;
    const seen = new Set<number>();
    for (let i = 0; i < pending.length; i++) {
      const { cpu } = pending[i];
      if (seen.has(cpu)) continue;
      seen.add(cpu);
      const clock = clockOfCpu(cpu);
      if (clock < least) [least, chosen] = [clock, i];
    }
    const [{ start, end }] = pending.splice(chosen, 1);
    if (!run(batch, start, end)) return false;
    refill();
  }
  return true;
}
