/**
 * Writes traces in the formats that readers/ reads.
 *
 * Called by `mof trace generate`. What always holds: a file is made as a stream of bytes, in memory of constant size; read
 * again it has the same rows, and batches that are cut at the same places, so a replay cannot tell it from its source.
 */
export { parquetBytes } from './parquet.js';
