import type { TraceBatch } from './batch.js';
import type { Sidecar } from './sidecar-schema.js';

/** An open trace. Readers make them; the replay, the pre-passes and `trace info` read them. */
export interface TraceSource {
  /** Name as the sidecar gives it. */
  readonly name: string;
  /** File the rows come from, or the words that generate them. */
  readonly path: string;
  readonly sidecar: Sidecar;
  /** Equals `sidecar.rows`. */
  readonly rows: number;
  /** Batches of a whole pass. */
  readonly batchCount: number;
  /**
   * The rows in order, from row `fromRow` (default 0) to the end. May be called again, for another pass.
   * Every row of a file is checked on the way: throws `MmError` at the first that is wrong or disagrees with the sidecar.
   */
  batches(options?: { readonly fromRow?: number }): AsyncIterable<TraceBatch>;
  /** Gives back what the reader holds. No pass may be under way or begin after it. */
  close(): void;
}

/** How traces of one format are recognised and read. */
export interface TraceReader {
  /** End of its files' names, with the dot. */
  readonly suffix: string;
  /** First bytes of its files, one character each. */
  readonly magic: string;
  /** @throws MmError if the file is not what its name or magic says, or disagrees with the sidecar */
  open(path: string, sidecar: Sidecar): Promise<TraceSource>;
}
