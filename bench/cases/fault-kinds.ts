import {
  FAULT_KINDS,
  faultsOfKind,
  framesPerNodeFor,
  makeBed,
  spuriousFaults,
  type FaultKindName,
} from '../../src/prove/index.js';
import type { BenchCase } from '../question.js';

/** What does a fault of each other kind take? */
export const cases: readonly BenchCase[] = [
  ...(Object.keys(FAULT_KINDS) as FaultKindName[]).map((kind): BenchCase => ({
    name: `fault-${kind}`,
    unit: 'fault',
    reference: null,
    make: async (pages) =>
      faultsOfKind(await makeBed({ pages, policy: null, framesPerNode: framesPerNodeFor(kind, pages) }), kind),
  })),
  {
    name: 'fault-spurious',
    unit: 'fault',
    reference: null,
    make: async (pages) => spuriousFaults(await makeBed({ pages, policy: null })),
  },
];
