import type { MmErrorCode } from '../errors.js';
import type { RunResult } from '../stats/index.js';

/** What a run's worker thread tells the thread that started it. Errors cross as plain data: a clone would lose their class. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly rows: number }
  | { readonly kind: 'result'; readonly result: RunResult }
  | { readonly kind: 'mistake'; readonly code: MmErrorCode; readonly message: string }
  | { readonly kind: 'crash'; readonly name: string; readonly message: string; readonly stack: string };
