import { lazyUnmapping, makeBed } from '../../src/prove/index.js';
import type { BenchCase } from '../question.js';

/** What does lazy unmapping take per page? */
export const cases: readonly BenchCase[] = (['random', 'page'] as const).map((order) => ({
  name: order === 'random' ? 'lazy-unmapping' : 'lazy-unmapping:page-order',
  unit: 'page',
  reference: null,
  make: async (pages) => lazyUnmapping(await makeBed({ pages, policy: null, order })),
}));
