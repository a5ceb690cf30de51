/**
 * The trace log: each named step of faults, migrations and reclaim, written down. A `TraceLog` is the tracer; a
 * writer makes text, JSON lines or Perfetto's trace events of what it tells, as a stream. Nothing here knows of files.
 */
export type { TraceEvent, TraceView } from './event.js';
export { detailWords, namesFrame, OUTCOME_WORDS, STEP_NAMES, wordsOf } from './step-words.js';
export { TraceLog } from './trace-log.js';
export { LOG_FORMATS } from './writers.js';
