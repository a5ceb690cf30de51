import type { MempolicyRequest } from '../../src/mm/index.js';
import { makeBed, policyForBench, swapCacheFaults } from '../../src/prove/index.js';
import type { BenchCase } from '../question.js';

/** All that can say that a page is misplaced; the one missing, `stay`, never does. */
const MIXED = ['bind', 'interleave', 'local', 'preferred', 'preferred-many', 'weighted-interleave', 'oracle'];

/**
 * What do the same faults take when all policies are loaded, and neighbouring stretches of memory have different ones?
 * The reference is the one policy `default`, so that the ratio is comparable with those beside it.
 */
export const cases: readonly BenchCase[] = (['swap-cache-well-placed', 'swap-cache-misplaced'] as const).map(
  (name) => ({
    name: `${name}:mixed`,
    unit: 'fault',
    reference: { name, policy: 'default' },
    make: async (pages) => {
      const requests = await Promise.all(MIXED.map(policyForBench));
      const mixed = requests.filter((request): request is MempolicyRequest => request !== null);
      return swapCacheFaults(await makeBed({ pages, policy: null, mixed }), name === 'swap-cache-misplaced');
    },
  }),
);
