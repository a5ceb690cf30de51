import { makeBed, presentMisses, swapCacheFaults, tlbHits, type Bed } from '../../src/prove/index.js';
import type { BenchCase, Prepared, ReferenceCase } from '../question.js';

const PAGES_PER_GIB = 2 ** 18;
/** Machines by GiB and nodes: more memory on four nodes, then a terabyte on one to 256 nodes. */
const MACHINES: readonly (readonly [gib: number, nodes: number])[] = [
  ...[1, 16, 128, 1024].map((gib) => [gib, 4] as const),
  ...[1, 16, 64, 256].map((nodes) => [1024, nodes] as const),
];

const QUESTIONS: Readonly<Record<ReferenceCase['name'], ((bed: Bed) => Prepared) | null>> = {
  'tlb-hit': tlbHits,
  'miss-present': presentMisses,
  'swap-cache-well-placed': (bed) => swapCacheFaults(bed, false),
  'swap-cache-misplaced': (bed) => swapCacheFaults(bed, true),
  'replay-tlb-hit': null,
};

/**
 * Do an access and a fault take the same on a machine of a terabyte with 256 nodes as on one of a gigabyte with four? The
 * working set is as asked, at most half of the memory, and lies on all nodes where it is misplaced; the reference has the same
 * working set, on its four nodes. Not among the cases that are measured unasked: `npm run bench:scale`.
 */
export const cases: readonly BenchCase[] = MACHINES.flatMap(([gib, nodes]) =>
  Object.entries(QUESTIONS).flatMap(([question, ask]): BenchCase[] => {
    if (ask === null || (nodes === 1 && question === 'swap-cache-misplaced')) return []; // there is no other node
    const name = question as ReferenceCase['name'];
    const frames = gib * PAGES_PER_GIB;
    return [
      {
        name: `scale:${name}:${String(gib)}-gib:${String(nodes)}-nodes`,
        unit: name.startsWith('swap') ? 'fault' : 'access',
        reference: { name, policy: 'default', mostPages: frames / 2 },
        make: async (pages) =>
          ask(
            await makeBed({
              ...{ pages: Math.min(pages, frames / 2), policy: null, nodes, framesPerNode: frames / nodes },
            }),
          ),
      },
    ];
  }),
);
