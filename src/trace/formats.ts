import { parquetReader } from './readers/parquet.js';
import type { TraceReader } from './trace-source.js';

/** Format → its reader. A new format: one file in readers/ and one line here. */
export const TRACE_FORMATS: Readonly<Record<string, TraceReader>> = {
  parquet: parquetReader,
};
