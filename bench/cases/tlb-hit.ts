import { makeBed, policyForBench, tlbHits } from '../../src/prove/index.js';
import { label, POLICY_NAMES, type BenchCase } from '../question.js';

/** What does an access take that the TLB answers? */
export const cases: readonly BenchCase[] = POLICY_NAMES.map((policy) => ({
  name: label('tlb-hit', policy),
  unit: 'access',
  reference: { name: 'tlb-hit', policy },
  make: async (pages) => tlbHits(await makeBed({ pages, policy: await policyForBench(policy) })),
}));
