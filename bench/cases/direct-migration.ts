import { directMigration, makeBed } from '../../src/prove/index.js';
import type { BenchCase } from '../question.js';

/** What does direct migration take per page, by pages per call of move_pages? */
export const cases: readonly BenchCase[] = [1, 16, 512, 4096].map((batch) => ({
  name: `direct-migration:${String(batch)}`,
  unit: 'page',
  reference: null,
  make: async (pages) => directMigration(await makeBed({ pages, policy: null, order: 'page' }), batch),
}));
