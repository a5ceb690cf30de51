import { NOTHING_STORED, type HintFault } from '../balancer.js';

/** Who used a page last: CPU and the low 8 bits of the thread's number (NB-52, NB-62). */
const PID_BITS = 8;
const PID_MASK = (1 << PID_BITS) - 1;

export const accessorOf = (cpu: number, pid: number): number => (cpu << PID_BITS) | (pid & PID_MASK);
export const cpuOfAccessor = (stored: number): number => stored >> PID_BITS;
export const isAccessor = (stored: number, pid: number): boolean =>
  stored !== NOTHING_STORED && (stored & PID_MASK) === (pid & PID_MASK);

/** NB-70: private if nobody else was there before. */
export const isPrivate = (stored: number, { task }: HintFault): boolean =>
  stored === NOTHING_STORED || isAccessor(stored, task.id);
