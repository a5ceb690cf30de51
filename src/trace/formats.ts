import { parquetReader } from './readers/parquet.js';
import type { Sidecar } from './sidecar-schema.js';
import type { TraceSource } from './trace-source.js';

/** How traces of one format are recognised and read. A new format: one file in readers/ and one line below. */
export interface TraceReader {
  /** End of its files' names, with the dot. */
  readonly suffix: string;
  /** First bytes of its files, one character each. */
  readonly magic: string;
  /** @throws MmError if the file is not what its name or magic says, or disagrees with the sidecar */
  open(path: string, sidecar: Sidecar): Promise<TraceSource>;
}

export const TRACE_FORMATS: Readonly<Record<string, TraceReader>> = {
  parquet: parquetReader,
};
