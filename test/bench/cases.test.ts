import { describe, expect, it } from 'vitest';
import { CASE_NAMES, makeCase, POLICY_NAMES } from '../../bench/cases.js';

const ALL = CASE_NAMES.flatMap((name) => POLICY_NAMES.map((policy) => [name, policy] as const));

describe('cases of the benchmark', () => {
  it('are four, each with the four policies', () => {
    expect(CASE_NAMES).toEqual(['tlb-hit', 'miss-present', 'swap-cache-well-placed', 'swap-cache-misplaced']);
    expect(POLICY_NAMES).toEqual(['default', 'bind', 'interleave', 'preferred']);
  });

  it.each(ALL)(
    '%s under %s measures what it says, also when pages are unmapped and placed anew',
    async (name, policy) => {
      const bed = await makeCase(name, policy, 16_384);
      for (let i = 0; i < 6; i++) {
        bed.prepare();
        bed.run();
      }
      expect(() => {
        bed.verify();
      }).not.toThrow();
    },
  );
});
