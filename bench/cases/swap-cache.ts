import { makeBed, policyForBench, swapCacheFaults } from '../../src/prove/index.js';
import { label, POLICY_NAMES, type BenchCase, type PolicyName } from '../question.js';

/** 2 GiB: as much is copied to, and the address space for it is eight times that. */
const MAX_PAGES_WITH_CONTENTS = 2 ** 19;

interface Variant {
  readonly order?: 'page';
  readonly contents?: true;
}

/**
 * What does a fault take that finds its page in the swap cache, on the right node, and on another one from which it moves?
 * In random order and in the order of the pages; with `contents` a page has its 4 KiB, and they are copied.
 */
export const cases: readonly BenchCase[] = [
  ...POLICY_NAMES.flatMap((policy) => both(policy, {})),
  ...POLICY_NAMES.flatMap((policy) => both(policy, { order: 'page' })),
  ...POLICY_NAMES.flatMap((policy) => [
    swapCache('swap-cache-misplaced', policy, { contents: true }),
    swapCache('swap-cache-misplaced', policy, { order: 'page', contents: true }),
  ]),
];

function both(policy: PolicyName, variant: Variant): BenchCase[] {
  return [swapCache('swap-cache-well-placed', policy, variant), swapCache('swap-cache-misplaced', policy, variant)];
}

function swapCache(
  name: 'swap-cache-well-placed' | 'swap-cache-misplaced',
  policy: PolicyName,
  variant: Variant,
): BenchCase {
  const words = [...(variant.order === 'page' ? ['page-order'] : []), ...(variant.contents ? ['contents'] : [])];
  return {
    name: label(name, policy, ...words),
    unit: 'fault',
    reference: { name, policy, ...variant },
    ...(variant.contents && { maxPages: MAX_PAGES_WITH_CONTENTS }),
    make: async (pages) =>
      swapCacheFaults(
        await makeBed({ pages, policy: await policyForBench(policy), ...variant }),
        name === 'swap-cache-misplaced',
      ),
  };
}
