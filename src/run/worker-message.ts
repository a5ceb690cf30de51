import { MmError, type MmErrorCode } from '../errors.js';
import type { RunResult } from '../stats/index.js';

/** What a worker thread tells the thread that started it. Errors cross as plain data: a clone would lose their class. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly rows: number }
  | { readonly kind: 'result'; readonly result: RunResult }
  | Trouble;

export type Trouble =
  | { readonly kind: 'mistake'; readonly code: MmErrorCode; readonly message: string }
  | { readonly kind: 'crash'; readonly name: string; readonly message: string; readonly stack: string };

export function troubleOf(error: unknown): Trouble {
  // A policy that answers nonsense costs its own run; every other mistake is in what all runs were given.
  if (error instanceof MmError && error.code === 'BAD_ANSWER') {
    return { kind: 'crash', name: error.name, message: error.message, stack: '' };
  }
  if (error instanceof MmError) return { kind: 'mistake', code: error.code, message: error.message };
  if (!(error instanceof Error)) return { kind: 'crash', name: 'Error', message: String(error), stack: '' };
  return { kind: 'crash', name: error.name, message: error.message, stack: error.stack ?? '' };
}
