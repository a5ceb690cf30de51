import { closeSync, openSync, writeSync } from 'node:fs';
import type { TraceLogPart } from '../run/run-request.js';
import { LOG_FORMATS, TraceLog } from '../stats/trace-log/index.js';
import type { Tracer } from '../stats/index.js';
import type { Machine } from './machine.js';
import { traceView } from './trace-view.js';
import type { PageWatch } from './replay/watched-loop.js';

/** Somebody who watches a replay. `tracer` is bound before the machine is made, `watch` is called once it is. */
export interface Watcher {
  readonly tracer: Tracer;
  watch(machine: Machine): void;
  close(): void;
  /** A page whose rows are told one by one. */
  readonly page?: PageWatch;
}

/** Characters that are collected before they are written. */
const CHUNK = 1 << 16;

export function openTraceLog({ path, format, index, name }: TraceLogPart): Watcher {
  const file = openSync(path, 'w');
  let pending = '';
  const flush = (): void => {
    writeSync(file, pending);
    pending = '';
  };
  const sink = (text: string): void => {
    pending += text;
    if (pending.length >= CHUNK) flush();
  };
  const writer = LOG_FORMATS[format].writer(sink, { index, name });
  const tracer = new TraceLog(writer);
  return {
    tracer,
    watch: (machine) => {
      tracer.watch(traceView(machine));
    },
    close() {
      writer.end();
      flush();
      closeSync(file);
    },
  };
}
