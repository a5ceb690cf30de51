import { DEMO_TRACE } from '../../src/cli/bundled.js';
import { mustHold } from '../../src/prove/index.js';
import { openTrace } from '../../src/trace/readers/index.js';
import { DEMO_ROWS } from '../demo-rows.js';
import type { BenchCase, Prepared } from '../question.js';

/** What does reading a trace take per row: Parquet to columns, each row checked? */
export const cases: readonly BenchCase[] = [
  { name: 'read-parquet', unit: 'row', reference: null, loop: DEMO_ROWS, isAsync: true, make: reads },
];

function reads(): Promise<Prepared> {
  let [rows, passes] = [0, 0];
  return Promise.resolve({
    prepare: () => undefined,
    async run() {
      const source = await openTrace(DEMO_TRACE);
      for await (const batch of source.batches()) rows += batch.rows;
      source.close();
      passes++;
    },
    verify() {
      mustHold(rows === passes * DEMO_ROWS, `${String(rows)} rows in ${String(passes)} passes`);
    },
  });
}
