/**
 * A trace that is decoded once and read by several threads, from memory that they share.
 *
 * One thread makes room (`makeSharedTrace`), one fills it from the file (`fillSharedTrace`), and any number read it as a
 * `TraceSource` like any other (`sharedSource`), while it is being filled or later. Called by run/. Always holds: the
 * batches are those of the file's reader, cut at the same rows, since results depend on that; a block that is ready never
 * changes; nothing here needs Node.
 */
export { sharedSource } from './shared-source.js';
export { expectedBytes, fillSharedTrace, makeSharedTrace, type SharedTrace } from './shared-trace.js';
