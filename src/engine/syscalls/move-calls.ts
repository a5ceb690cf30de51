import type { SwapArea, Task, Vma } from '../../mm/index.js';

/** Rule variant `moveCalls`: what mbind(MOVE), migrate_pages(2) and cpusets check and select, and where pages may go. */
export interface MoveCallsRule {
  /** Nothing is selected while swap has no free slot: -ENODEV (section 2 step 1). */
  readonly needsFreeSlot: boolean;
  /** Locked areas are looked at for STRICT alone. */
  readonly skipsLocked: boolean;
  /** Areas of shmem objects are not looked at for moving (PL-52). */
  readonly skipsShmem: boolean;
  /** move_pages(2) exists. */
  readonly hasMovePages: boolean;
  /**
   * Who may move another's pages: a task whose effective or real user is the real or saved one of the target [2.6.16], or only
   * whoever may trace it [6.x]: a task that gave up its privileges is not dumpable, so not even its own user's processes.
   */
  readonly sameUserMayMove: boolean;
  /** migrate_pages(2): the destination is cut down to the caller's own nodes, and none left is -EINVAL. */
  readonly cutsToOwnNodes: boolean;
  /** Sources inside the destination stay if the sets differ in size (section 6). */
  readonly staysInside: boolean;
  /** New pages come from the destination's fallback row, or from the destination alone. */
  readonly fallsBack: boolean;
  /** mbind allocates for invented addresses, not for those of its pages (DM-15). */
  readonly inventsAddresses: boolean;
  /** An empty destination means out to swap; otherwise it moves nothing, or is -EINVAL. */
  readonly emptyMeansSwap: boolean;
}

export const moveCalls6: MoveCallsRule = {
  ...{ needsFreeSlot: false, skipsLocked: false, skipsShmem: false, hasMovePages: true, sameUserMayMove: false },
  ...{ cutsToOwnNodes: true, staysInside: true, fallsBack: false, inventsAddresses: false, emptyMeansSwap: false },
};
export const moveCalls2616: MoveCallsRule = {
  ...{ needsFreeSlot: true, skipsLocked: true, skipsShmem: false, hasMovePages: false, sameUserMayMove: true },
  ...{ cutsToOwnNodes: false, staysInside: false, fallsBack: true, inventsAddresses: true, emptyMeansSwap: false },
};
/** Swap migration asks for no slot beforehand: each page that finds none fails for itself (P5). */
export const moveCallsSwap2006: MoveCallsRule = { ...moveCalls2616, needsFreeSlot: false, emptyMeansSwap: true };
/** Before 30 Nov 2005 shared memory was left out. */
export const moveCalls2005: MoveCallsRule = { ...moveCalls2616, needsFreeSlot: false, skipsShmem: true };

/** What the rule makes of a machine's state, for the calls that select pages. */
export interface MoveCalls extends MoveCallsRule {
  /** May pages of this area be selected to move? */
  isMigratable(vma: Vma): boolean;
  /** Selecting anything fails with -ENODEV now. */
  lacksSlots(): boolean;
  /** @param capability what it takes to move any process's pages */
  mayAct(task: Task, target: Task, capability: number): boolean;
}

export function makeMoveCalls(rule: MoveCallsRule, swap: SwapArea): MoveCalls {
  return {
    ...rule,
    isMigratable: (vma) => !(rule.skipsLocked && vma.isLocked) && !(rule.skipsShmem && vma.file?.isShmem === true),
    lacksSlots: () => rule.needsFreeSlot && swap.free === 0,
    mayAct(task, target, capability) {
      if (!rule.sameUserMayMove) return task.uid === 0 || task.space === target.space;
      const [{ uid, euid }, other] = [task.credentials, target.credentials];
      return task.credentials.has(capability) || [other.uid, other.suid].some((id) => id === uid || id === euid);
    },
  };
}
