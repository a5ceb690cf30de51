import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { QUARTER_STEPS, type Quarter } from '../support/random/quarter.js';

// Each quarter has a thread of the built program, so that both run beside each other; `npm test` builds first.
const THREAD = new URL('../../dist/test/support/random/quarter-worker.js', import.meta.url);
if (!existsSync(THREAD)) throw new Error('dist/ is missing: run npm run build before these tests');

function quarter(seed: number): Promise<Quarter> {
  return new Promise((resolve, reject) => {
    new Worker(THREAD, { workerData: seed }).on('message', resolve).on('error', reject);
  });
}

describe.concurrent('random programs, a million steps and more', () => {
  it.each([1, 2, 3, 4])(
    'INV-1..18 hold after each step, contents equal the shadow copy, and every kind occurs (quarter %i)',
    async (seed) => {
      expect(await quarter(seed)).toEqual({ failure: '', steps: QUARTER_STEPS, tooRare: '' });
    },
    900_000,
  );

  it('are more than a million steps together', () => {
    expect(4 * QUARTER_STEPS).toBeGreaterThanOrEqual(1_000_000);
  });
});
