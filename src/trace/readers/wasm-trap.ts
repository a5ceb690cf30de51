import process from 'node:process';

/**
 * Damaged data can make the Parquet library trap inside a callback of its own: the promise it gave out then never
 * settles, and the trap arrives as an uncaught exception. Here it is turned into a rejection of what waits.
 */
/** Name of WebAssembly's own errors; JavaScript has none of that name. */
const TRAP_NAME = 'RuntimeError';
const waiting = new Set<(error: Error) => void>();

/** `work` itself, or a rejection if the library traps meanwhile. */
export async function orTrap<T>(work: () => Promise<T>): Promise<T> {
  let rejectTrap: (error: Error) => void = () => undefined;
  const trapped = new Promise<never>((_, reject) => (rejectTrap = reject));
  if (waiting.size === 0) watch();
  waiting.add(rejectTrap);
  try {
    return await Promise.race([work(), trapped]);
  } finally {
    waiting.delete(rejectTrap);
    if (waiting.size === 0) unwatch();
  }
}

let watching = false;

function watch(): void {
  if (process.hasUncaughtExceptionCaptureCallback()) return; // someone else's; the trap is then theirs to show
  try {
    process.setUncaughtExceptionCaptureCallback(onUncaught);
    watching = true;
  } catch {
    watching = false; // Node's REPL (node:domain) does not allow it
  }
}

function unwatch(): void {
  if (watching) process.setUncaughtExceptionCaptureCallback(null);
  watching = false;
}

function onUncaught(error: Error): void {
  if (error.name !== TRAP_NAME) {
    unwatch();
    throw error; // not the library's: ends the process, as it would have without us
  }
  for (const reject of waiting) reject(new Error('its data cannot be decoded', { cause: error }));
}
