import { makeBatch } from './batch.js';
import { ReclaimCosts, reclaimCost61, reclaimCost612, type ReclaimCostRule } from './cost.js';
import { makeShrinkInactive } from './inactive.js';
import { makeShrinkMixed, makeShrinkPage2616 } from './mixed-lists.js';
import { makePageOut } from './page-out.js';
import { makeReferenceTest, recency61, recency612, type RecencyRule } from './reference.js';
import type { ReclaimParts, ReclaimSysctls } from './parts.js';
import type { NodeScanner } from './scan.js';
import { makeShrinkPage, type ShrinkPage } from './shrink-list.js';
import { makeShrinkNode } from './shrink-node.js';
import { makeNoWorkingset, makeWorkingset, type Refault } from './workingset.js';

/** What an era makes of a machine's lists: who ages and shrinks a node, and who is told of refaults. */
export interface Lists {
  readonly shrinkPage: ShrinkPage;
  readonly scanner: NodeScanner;
  readonly refault: Refault;
}

/** Rule variant `reclaim`: in what the eras differ when a node is full. */
export interface ReclaimRule {
  /** RC-10 A7: rounds of direct reclaim without progress before an allocation gives up. */
  readonly roundsWithoutProgress: number;
  /** RC-16: a background run in which preferring file pages freed nothing is made once more without. */
  readonly retriesWithoutCacheTrim: boolean;
  /** MP-43 [2.6.16]: a distance beyond this one on the machine switches zone reclaim on, unless an administrator says otherwise. */
  readonly zoneReclaimBeyond: number;
  makeLists(parts: ReclaimParts, sysctls: ReclaimSysctls): Lists;
}

/** Four lists per node, refault distance (RC-20..RC-61). */
function splitLists(cost: ReclaimCostRule, recency: RecencyRule): ReclaimRule['makeLists'] {
  return (parts, { swappiness }) => {
    const { frames, lru, zones } = parts;
    const costs = new ReclaimCosts(zones.nodeCount);
    const workingset = makeWorkingset({ ...parts, costs }, cost);
    const batch = makeBatch(frames, lru);
    const reference = makeReferenceTest(parts, recency);
    const pageOut = makePageOut({ buffersBusy: null, ...parts }, workingset, true);
    const shrinkPage = makeShrinkPage({ ...parts, reference, pageOut });
    const shrinkInactive = makeShrinkInactive({ ...parts, batch, pageOut }, shrinkPage);
    const scanner = makeShrinkNode(
      { ...parts, ...{ batch, reference, costs, workingset, shrinkInactive, swappiness } },
      cost,
    );
    return { scanner, shrinkPage, refault: workingset.refault };
  };
}

/** Two lists per node, no memory of what was evicted (RC-80..RC-83). */
const mixedLists: ReclaimRule['makeLists'] = (parts, { swappiness }) => {
  const workingset = makeNoWorkingset();
  const batch = makeBatch(parts.frames, parts.lru);
  const reference = makeReferenceTest(parts, recency61);
  const pageOut = makePageOut({ buffersBusy: null, ...parts }, workingset, false);
  const shrinkPage = makeShrinkPage2616({ ...parts, reference, pageOut });
  const shrinkInactive = makeShrinkInactive({ ...parts, batch, pageOut }, shrinkPage);
  const scanner = makeShrinkMixed({ ...parts, ...{ batch, reference, shrinkInactive, swappiness } });
  return { scanner, shrinkPage, refault: workingset.refault };
};

/** [6.12] */
export const reclaim612: ReclaimRule = {
  roundsWithoutProgress: 16,
  retriesWithoutCacheTrim: true,
  zoneReclaimBeyond: Infinity,
  makeLists: splitLists(reclaimCost612, recency612),
};
/** [6.1] */
export const reclaim61: ReclaimRule = {
  roundsWithoutProgress: 16,
  retriesWithoutCacheTrim: false,
  zoneReclaimBeyond: Infinity,
  makeLists: splitLists(reclaimCost61, recency61),
};
/** [2.6.16] Goes with the LRU rule that mixes the lists. */
export const reclaim2616: ReclaimRule = {
  roundsWithoutProgress: 0,
  retriesWithoutCacheTrim: false,
  zoneReclaimBeyond: 20,
  makeLists: mixedLists,
};
