/**
 * Three kinds of trouble (README, "Errors"):
 *  - outcomes of the model are the negative numbers below, and are never thrown;
 *  - mistakes of people are `MmError`: one sentence with what came, what was expected, what to do and where;
 *  - bugs stop at `bugOn`, which names what was violated.
 */

/** errno values of Linux (asm-generic), negated when a function of the model returns them. */
export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const ENODEV = 19;
export const EINVAL = 22;
export const EFBIG = 27;
export const ENOSPC = 28;
/** The model's word for a call that never returns: a kernel of 2005 that waits for ever, or has stopped at an assertion. */
export const EDEADLK = 35;
export const ENOSYS = 38;
export const EOPNOTSUPP = 95;
export const EEXIST = 17;

const ERRNO_NAMES: Readonly<Record<number, string>> = {
  ...{
    [EPERM]: 'EPERM',
    [ENOENT]: 'ENOENT',
    [ESRCH]: 'ESRCH',
    [EINTR]: 'EINTR',
    [EIO]: 'EIO',
    [EAGAIN]: 'EAGAIN',
    [ENOMEM]: 'ENOMEM',
  },
  ...{ [EACCES]: 'EACCES', [EFAULT]: 'EFAULT', [EBUSY]: 'EBUSY', [EEXIST]: 'EEXIST', [ENODEV]: 'ENODEV' },
  ...{ [EINVAL]: 'EINVAL', [ENOSPC]: 'ENOSPC', [EOPNOTSUPP]: 'EOPNOTSUPP', [EFBIG]: 'EFBIG' },
  ...{ [EDEADLK]: 'EDEADLK', [ENOSYS]: 'ENOSYS' },
};

/** The name of an errno value: 22 → `EINVAL`. */
export const errnoName = (errno: number): string => ERRNO_NAMES[errno] ?? `errno ${String(errno)}`;

/** What kind of mistake it was; the command line exits with 2 for each. */
export type MmErrorCode =
  | 'NO_SUCH_FILE'
  | 'BAD_TRACE'
  | 'BAD_SIDECAR'
  | 'BAD_MACHINE'
  | 'BAD_NODES'
  | 'BAD_RUN'
  | 'BAD_POLICY'
  | 'BAD_ANSWER'
  | 'BAD_OPTION'
  | 'BAD_SCRIPT'
  | 'BAD_FIGURE'
  | 'NO_ROOM'
  | 'NOT_THERE_YET';

/** A mistake of the person using the program. The command line prints `message` as one line. */
export class MmError extends Error {
  override readonly name = 'MmError';
  constructor(
    readonly code: MmErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A bug of this program: stops with the name of what was violated. Kernel: VM_BUG_ON(). */
export class ModelBug extends Error {
  override readonly name = 'ModelBug';
}

/** Stops if `condition` holds. `id` is the frame, page or slot concerned. */
export function bugOn(condition: boolean, what: string, id = -1): void {
  if (condition) bug(what, id);
}

/** Stops here: what was violated, and the frame, page or slot concerned. */
export function bug(what: string, id = -1): never {
  throw new ModelBug(id < 0 ? what : `${what} (${String(id)})`);
}

/** The candidate nearest to `word` by edit distance, if it is near enough to be a slip; else undefined. */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** ` (mine.ts:12:7)`, the first frame of a stack; empty if there is none. */
export function placeInStack(stack: string | undefined): string {
  const line = stack?.split('\n').find((text) => text.trim().startsWith('at ')) ?? '';
  const frame = /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?/.exec(line);
  return frame ? ` (${frame[1].replace('file://', '')})` : '';
}
