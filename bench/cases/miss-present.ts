import { makeBed, policyForBench, presentMisses } from '../../src/prove/index.js';
import { label, POLICY_NAMES, type BenchCase } from '../question.js';

/** What does an access take that misses the TLB and finds its page present? */
export const cases: readonly BenchCase[] = POLICY_NAMES.map((policy) => ({
  name: label('miss-present', policy),
  unit: 'access',
  reference: { name: 'miss-present', policy },
  make: async (pages) => presentMisses(await makeBed({ pages, policy: await policyForBench(policy) })),
}));
