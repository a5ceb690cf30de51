/**
 * Reads trace files: the only part of trace/ that touches the file system.
 *
 * `openTrace` finds the two files of a trace, picks the reader by format (formats.ts) and gives a `TraceSource`. Called by
 * the engine's worker and by the commands that look at traces. Always holds: what comes out was checked, rows against
 * sidecar; every mistake in the files is one `MmError` that names file and place; memory outside the JavaScript heap is
 * given back on `close()`.
 */
export { openTrace } from './open-trace.js';
