/**
 * Where accesses come from. A trace is rows (thread, page, operation, accesses, misses) in the order they happened, and
 * a sidecar that says what its numbers mean: processes, threads, regions of pages, mappings of files, events.
 *
 * Called by the engine (replay and pre-passes) and by the trace commands. Files are opened in readers/ and written in
 * writers/, which alone import Node; generators/ makes traces; shared/ holds one in memory for several threads. What
 * always holds: rows come as batches of columns, in order, checked against the sidecar on the way (generated ones agree
 * with it by construction, which tests check); a source can be passed over any number of times; every mistake in a
 * trace is one `MmError` that names file and place; sums are exact (doubles below 2^53), and memory grows with pages
 * and the threads that share them, not with rows.
 */
export { BATCH_ROWS, OP_WRITE, type TraceBatch } from './batch.js';
export { bestStatic } from './best-static.js';
export { traceInfo, type TraceInfo } from './info.js';
export { firstParallelRow } from './parallel-part.js';
export { RegionMap } from './region-map.js';
export { scaledMisses } from './scaled-misses.js';
export { isFile, pageCount, parseSidecar, vpnOf } from './sidecar.js';
export type {
  FileMapping,
  FileRegion,
  MemoryRegion,
  Region,
  Sidecar,
  TraceEvent,
  TraceProcess,
  TraceThread,
} from './sidecar-schema.js';
export type { TraceSource } from './trace-source.js';
