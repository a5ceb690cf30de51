import { MARK_LOW, MARK_MIN, type Mempolicy, type NodeMask, type Zones } from '../mm/index.js';
import { NO_PFN, type NodeId, type Pfn } from '../units.js';

/** Rule variant `misplacedGate` (C5, MP-61): whose pages may be looked at in a fault. */
export interface MisplacedGate {
  isOpen(policy: Mempolicy | null): boolean;
}
/** [MoF-0.x] and `mof`: every policy counts. */
export const gateEveryPolicy: MisplacedGate = { isOpen: () => true };
/** [MoF-2012] Only policies that a lazy mbind marked. */
export const gateMarkedPolicies: MisplacedGate = { isOpen: (policy) => policy?.isMof === true };

/** Rule variant `misplacedTarget` (M2): where the new page comes from. */
export interface MisplacedTarget {
  /** @returns a frame with one reference, or 0 */
  allocate(zones: Zones, target: NodeId, mask: NodeMask | null, allowed: NodeMask, cpuNode: NodeId): Pfn;
  /** Counts numa_interleave for pages that an interleave policy wanted [MoF-0.x]. */
  readonly countsInterleave: boolean;
}
/** [MoF-2012] This node only, if the task may use it (MP-44): no waiting, no reserves; else the page stays (FP 8.3). */
export const targetNodeOnly: MisplacedTarget = {
  allocate: (zones, target, _mask, allowed, cpuNode) =>
    allowed[target] === 0 ? NO_PFN : zones.takeFromNode(target, MARK_LOW, cpuNode),
  countsInterleave: false,
};
/** [MoF-0.x] Normal fallback from the target: the page may land on another wrong node (FP 8.3). */
export const targetWithFallback: MisplacedTarget = {
  allocate(zones, target, mask, allowed, cpuNode) {
    const pfn = zones.takeFromRow(target, mask, allowed, MARK_LOW, cpuNode);
    return pfn > 0 ? pfn : zones.takeFromRow(target, mask, allowed, MARK_MIN, cpuNode);
  },
  countsInterleave: true,
};

/**
 * Rule variant `operationTest` (C4): whether a mapping without a migrate operation is found out before the policy is
 * asked, or only at M5. [MoF-0.2] found out late and leaked the new page.
 */
export interface OperationTest {
  readonly early: boolean;
  readonly leaksNewPage: boolean;
}
export const operationTestedFirst: OperationTest = { early: true, leaksNewPage: false };
export const operationTestedLate: OperationTest = { early: false, leaksNewPage: false };
export const operationTestedLateLeaking: OperationTest = { early: false, leaksNewPage: true };

/** Rule variant `hotRemove`: where the pages of a block go that is taken away, and in what portions. */
export interface HotRemoveRule {
  /** Pages isolated for one call of the mover (HR-10, HR-30). */
  readonly listPages: number;
  /** Pages go where an ordinary allocation of the asker would (HR-30), or along the fallback row of the node (HR-12). */
  readonly startsAtAsker: boolean;
  /** The node itself is no target, as long as there is another (HR-12). */
  readonly excludesNode: boolean;
  /** The mover of the time takes anonymous pages through a swap slot (P5, HR-31). */
  readonly needsSwapSlot: boolean;
}
/** [6.x] */
export const hotRemove6: HotRemoveRule = {
  ...{ listPages: Infinity, startsAtAsker: false, excludesNode: true, needsSwapSlot: false },
};
/** [2.6.24] in form, and for the movers before it (HR-31). */
export const hotRemove2624: HotRemoveRule = {
  ...{ listPages: 256, startsAtAsker: true, excludesNode: false, needsSwapSlot: true },
};
