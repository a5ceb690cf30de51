import { readFileSync } from 'node:fs';
import { DEMO_TRACE } from '../src/cli/bundled.js';
import { parseSidecar } from '../src/trace/index.js';

const path = DEMO_TRACE.replace(/\.parquet$/, '.json');

/** Rows of the bundled trace, without opening it: a process that has read Parquet is slower from then on (README.md). */
export const DEMO_ROWS = parseSidecar(readFileSync(path, 'utf8'), path).rows;
