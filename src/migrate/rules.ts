import { MARK_LOW, MARK_MIN, type Mempolicy, type NodeMask, type Task, type Zones } from '../mm/index.js';
import { NO_PFN, type NodeId, type Pfn } from '../units.js';

/** Rule variant `misplacedGate` (C5, MP-61): whose pages may be looked at in a fault. */
export interface MisplacedGate {
  isOpen(policy: Mempolicy | null): boolean;
}
/** [MoF-0.x] and `mof`: every policy counts. */
export const gateEveryPolicy: MisplacedGate = { isOpen: () => true };
/** [MoF-2012] Only policies that a lazy mbind marked. */
export const gateMarkedPolicies: MisplacedGate = { isOpen: (policy) => policy?.isMof === true };

/** Rule variant `lazyUnmap`: mbind with MPOL_MF_LAZY, and what unmapping is (DM section 8, DM-41). */
export interface LazyUnmap {
  /** MPOL_MF_LAZY and MPOL_NOOP exist; in mainline they never did (DM, "Fate of LAZY"). */
  readonly isAccepted: boolean;
  /** The new policy is marked (MP-61). */
  readonly marksPolicy: boolean;
  /** Pages whose mapping has no migrate operation are left where they are. */
  readonly skipsUnmovable: boolean;
  /** An anonymous page without a free slot counts as a failure, for STRICT. */
  readonly countsNoSlot: boolean;
  /** Afterwards the vectors of all CPUs are drained, or only those of the caller's. */
  readonly drainsAll: boolean;
}
export const lazyRefused: LazyUnmap = {
  ...{ isAccepted: false, marksPolicy: false, skipsUnmovable: false, countsNoSlot: false, drainsAll: true },
};
export const lazy2006: LazyUnmap = { ...lazyRefused, isAccepted: true };
export const lazy2012: LazyUnmap = {
  ...{ isAccepted: true, marksPolicy: true, skipsUnmovable: true, countsNoSlot: true, drainsAll: false },
};

/** Rule variant `misplacedTarget` (M2): where the new page comes from. */
export interface MisplacedTarget {
  /** @returns a frame with one reference, or 0 */
  allocate(zones: Zones, target: NodeId, mask: NodeMask | null, allowed: NodeMask, cpuNode: NodeId): Pfn;
  /** Whose pages count as numa_interleave: nobody's, those of interleave policies [MoF-0.x], or all, by mistake (MP-71). */
  readonly countsInterleave: 'none' | 'interleaved' | 'all';
}
/** [MoF-2012] This node only, if the task may use it (MP-44): no waiting, no reserves; else the page stays (FP 8.3). */
export const targetNodeOnly: MisplacedTarget = {
  allocate: (zones, target, _mask, allowed, cpuNode) =>
    allowed[target] === 0 ? NO_PFN : zones.takeFromNode(target, MARK_LOW, cpuNode),
  countsInterleave: 'none',
};
/** [MoF-0.x] Normal fallback from the target: the page may land on another wrong node (FP 8.3). */
export const targetWithFallback: MisplacedTarget = {
  allocate(zones, target, mask, allowed, cpuNode) {
    const pfn = zones.takeFromRow(target, mask, allowed, MARK_LOW, cpuNode);
    return pfn > 0 ? pfn : zones.takeFromRow(target, mask, allowed, MARK_MIN, cpuNode);
  },
  countsInterleave: 'interleaved',
};
/** [MoF-0.1, patches 1 to 4] The question whether it was interleave always said yes (MP-71). */
export const targetWithFallbackMiscounted: MisplacedTarget = { ...targetWithFallback, countsInterleave: 'all' };

/**
 * Rule variant `bindVetting` (MP-64, MP-70): what a check of a misplaced page makes of nodes of BIND that the task may not use.
 */
export interface BindVetting {
  /** No node of the set is allowed: as DEFAULT, wherever the page lies (MP-70, MP-24). */
  readonly isDefaultFirst: boolean;
  /** Where a page that lies outside the set goes. */
  vet(home: NodeId, policy: Mempolicy, task: Task): NodeId;
}
/** As reviewed (MP-70): the policy's answer stands; a node that is not allowed is refused at M2. */
export const vetAsReviewed: BindVetting = { isDefaultFirst: true, vet: (home) => home };
/** [MoF-0.1] The first listed node that the task may use, else the CPU's; a page on any listed node is fine. */
export const vetByTask: BindVetting = {
  isDefaultFirst: false,
  vet(_home, policy, task) {
    for (const node of policy.nodes) if (task.cpuset.mems[node] !== 0) return node;
    return task.node;
  },
};
/** [MoF-0.2] The same by the allowed nodes that the policy remembers, which may not be the task's. */
export const vetByPolicy: BindVetting = {
  isDefaultFirst: false,
  vet(_home, policy, task) {
    for (const node of policy.nodes) if (policy.definedFor.includes(node)) return node;
    return task.node;
  },
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

/**
 * Rule variant `batchLock`: what a batch of migratePages(), which holds page locks already, does about a page that
 * somebody else has locked.
 */
export interface BatchLock {
  readonly sleeps: boolean;
}
/** [6.x] It is tried again, and in the end taken singly. */
export const batchTriesLocks: BatchLock = { sleeps: false };
/** Broken: two that wait for each other never end. Of no kernel that was released. */
export const batchSleepsForLocks: BatchLock = { sleeps: true };
