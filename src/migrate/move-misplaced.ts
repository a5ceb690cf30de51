import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import { bugOn } from '../errors.js';
import {
  type Files,
  type Frames,
  type HugePages,
  type Lru,
  type Mempolicy,
  type MigrateOperation,
  MARK_LOW,
  PG_LOCKED,
  PG_PRIVATE,
  PG_SWAPBACKED,
  type SwapArea,
  type Task,
  type Zones,
} from '../mm/index.js';
import { C, N, type Counters, type Tracer } from '../stats/index.js';
import { NO_NODE, NO_PFN, type NodeId, type Pfn, type SwapSlot } from '../units.js';
import type { CopyPage } from './copy-page.js';
import type { MoveHuge } from './move-huge.js';
import { hasPageMapping, isMapped, migrateOperationOf } from './operation.js';
import type { MisplacedTarget, OperationTest } from './rules.js';

export interface MoveMisplacedParts {
  readonly frames: Frames;
  readonly zones: Zones;
  readonly lru: Lru;
  readonly files: Files;
  readonly swap: SwapArea;
  readonly copyPage: CopyPage;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly moveHuge: MoveHuge | null;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  readonly rules: { readonly target: MisplacedTarget; readonly operationTest: OperationTest };
  /** M4: who may refuse a move (a memory controller); null: nobody. */
  readonly charge: ((pfn: Pfn, target: NodeId) => boolean) | null;
}

export interface MoveMisplaced {
  /**
   * Moves a cached page that nothing maps to `target`, or leaves it exactly as found (FP-70): flags, references and
   * caches; only its place on its list may change, to where newly added pages go.
   * Kernel: migrate_misplaced_page(); steps M0..M9.
   *
   * @param pfn locked, in a cache, no mappings, one reference held by the caller
   * @param wanting the policy that wants the move: a fallback [MoF-0.x] keeps to its nodes
   * @returns the frame to map, locked: the new one, or `pfn` if it did not move (the reason is counted)
   * Cost: control work and one page copy by distance. Counts pgmigrate_success or pgmigrate_fail.
   */
  migrate(task: Task, pfn: Pfn, target: NodeId, wanting: Mempolicy): Pfn;
  /** One step of it, for drivers that switch between actors. @returns the next step, or `MOVED`: then `state.page` is what `migrate` returns */
  step(state: MoveState, at: number): number;
}

/** One move on its way through its steps, for a driver that takes one at a time. The straight driver needs none. */
export class MoveState {
  fresh = NO_PFN;
  operation: MigrateOperation = 'none';
  /** What `migrate` returns: the page to map. */
  page: Pfn;
  /** Next step. */
  next = M0;

  constructor(
    readonly task: Task,
    readonly old: Pfn,
    readonly target: NodeId,
    /** The policy that wants the move. */
    readonly wanting: Mempolicy,
  ) {
    this.page = old;
  }
}

/** Steps of a move (FP section 8.2), as `MoveState.next`. Another actor may come in between any two. */
export const MOVED = 0;
const M0 = 1;
const M1 = 2;
const M2 = 3;
const M3 = 4;
const M4 = 5;
const M5 = 6;
const M5C = 7;
const M5D = 8;
const M6 = 9;
const M7 = 10;
const M8 = 11;
const M9 = 12;

export function makeMoveMisplaced(parts: MoveMisplacedParts): MoveMisplaced {
  const { frames, zones, lru, files, swap, copyPage, counters, meter, tracer, charge, huge, moveHuge } = parts;
  const { target: targetRule, operationTest } = parts.rules;

  function migrate(task: Task, old: Pfn, target: NodeId, wanting: Mempolicy): Pfn {
    m0(old);
    const operation = migrateOperationOf(frames, files, old); // whose it is now; M5a asks again under the lock
    if (!m1Isolate(old)) return fail(C.mof_fail_m1_isolate, 'M1-exit', old);
    const fresh = m2Allocate(task, old, target, wanting);
    if (fresh === NO_PFN) return putbackFail(task, C.mof_fail_m2_no_page, 'M2-exit', old);
    m3Lock(fresh);
    if (!m4Prepare(old, fresh, target)) return discard(task, fresh, C.mof_fail_m4_refused, 'M4-exit', old);
    const refused = m5Replace(operation, old, fresh);
    if (refused !== 0) return refuse(task, refused, old, fresh);
    m5cBuffers(old, fresh);
    m5dCopy(old, fresh);
    m6TransferIsolation(old, fresh);
    m7ReleaseOld(old);
    m8Putback(task, fresh);
    m9Done(old, fresh, target);
    return fresh;
  }

  /** The same in a table: what `migrate` keeps in variables is in `s`. */
  function step(s: MoveState, at: number): number {
    const { task, old, fresh, target } = s;
    switch (at) {
      case M0:
        m0(old);
        s.operation = migrateOperationOf(frames, files, old);
        return M1;
      case M1:
        if (m1Isolate(old)) return M2;
        return exit(s, fail(C.mof_fail_m1_isolate, 'M1-exit', old));
      case M2:
        s.fresh = m2Allocate(task, old, target, s.wanting);
        if (s.fresh !== NO_PFN) return M3;
        return exit(s, putbackFail(task, C.mof_fail_m2_no_page, 'M2-exit', old));
      case M3:
        m3Lock(fresh);
        return M4;
      case M4:
        if (m4Prepare(old, fresh, target)) return M5;
        return exit(s, discard(task, fresh, C.mof_fail_m4_refused, 'M4-exit', old));
      case M5: {
        const refused = m5Replace(s.operation, old, fresh);
        return refused === 0 ? M5C : exit(s, refuse(task, refused, old, fresh));
      }
      case M5C:
        m5cBuffers(old, fresh);
        return M5D;
      case M5D:
        m5dCopy(old, fresh);
        return M6;
      case M6:
        m6TransferIsolation(old, fresh);
        return M7;
      case M7:
        m7ReleaseOld(old);
        return M8;
      case M8:
        m8Putback(task, fresh);
        return M9;
      default:
        m9Done(old, fresh, target);
        return exit(s, fresh);
    }
  }

  function exit(s: MoveState, page: Pfn): number {
    s.page = page;
    return MOVED;
  }

  /** What must be true on entry. */
  function m0(old: Pfn): void {
    counters.inc(C.mof_migrate_tried);
    bugOn(!frames.isLocked(old), 'M0: page not locked', old);
    bugOn(isMapped(frames, huge, old), 'M0: page is mapped', old);
    bugOn(!hasPageMapping(frames, old), 'M0: page is in no cache', old);
  }

  /** Takes the page off its list, so that it is in the state that direct migration knows (FP-73). */
  function m1Isolate(old: Pfn): boolean {
    if (tracer !== null) tracer.step('M1', old, NO_NODE);
    return lru.isolate(old);
  }

  function m2Allocate(task: Task, old: Pfn, target: NodeId, wanting: Mempolicy): Pfn {
    if (tracer !== null) tracer.step('M2', old, target);
    const { mems } = task.cpuset;
    if (frames.isHuge(old)) return mems[target] === 0 ? NO_PFN : zones.takeHugeFromNode(target, MARK_LOW, task.node); // HP-60
    const fresh = targetRule.allocate(zones, target, wanting.mask, mems, task.node);
    const { countsInterleave } = targetRule;
    const counts = countsInterleave === 'all' || (countsInterleave === 'interleaved' && wanting.countsInterleave);
    if (counts && fresh !== NO_PFN && frames.nodeOf(fresh) === target) counters.incNode(N.numa_interleave, target);
    return fresh;
  }

  /** Cannot fail: nobody else knows the new page. */
  function m3Lock(fresh: Pfn): void {
    if (tracer !== null) tracer.step('M3', fresh, NO_NODE);
    frames.set(fresh, PG_LOCKED);
  }

  function m4Prepare(old: Pfn, fresh: Pfn, target: NodeId): boolean {
    if (tracer !== null) tracer.step('M4', old, fresh);
    if (charge !== null && !charge(old, target)) return false;
    frames.setMapping(fresh, frames.mapping(old), frames.index(old));
    frames.set(fresh, frames.flags(old) & PG_SWAPBACKED);
    return true;
  }

  /**
   * The mapping's migrate operation in its "faulting" mode: no unmapping. M5a and M5b, one step under the tree lock: the
   * point of no return. @returns 0, or the counter of the refusal
   */
  function m5Replace(operation: MigrateOperation, old: Pfn, fresh: Pfn): number {
    if (tracer !== null) tracer.step('M5a', old, fresh);
    if (operation === 'none' || operation === 'fail') return C.mof_fail_m5_no_operation;
    const refused = m5aMayReplace(old);
    if (refused !== 0) return refused;
    if (moveHuge !== null && frames.isHuge(old)) moveHuge.replaceSlots(old, fresh);
    else copyPage.replaceSlot(old, fresh);
    if (tracer !== null) tracer.step('M5b', fresh, old);
    return 0;
  }

  function m5cBuffers(old: Pfn, fresh: Pfn): void {
    if (tracer !== null) tracer.step('M5c', old, fresh);
    copyPage.moveBuffers(old, fresh);
  }

  function m5dCopy(old: Pfn, fresh: Pfn): void {
    if (tracer !== null) tracer.step('M5d', old, fresh);
    if (moveHuge !== null && frames.isHuge(old)) {
      moveHuge.copy(old, fresh);
      moveHuge.forget(old);
    } else copyPage.copyAndRetire(old, fresh);
  }

  /** Under the tree lock: still in the cache, nobody else knows the page, and the slot still shows it. */
  function m5aMayReplace(old: Pfn): number {
    const isSwap = frames.isSwapCache(old);
    if (!isSwap && frames.mapping(old) <= 0) return C.mof_fail_m5a_mapping;
    const expected = frames.pagesOf(old) + (frames.has(old, PG_PRIVATE) ? 3 : 2); // cache, fault, isolation (PL-10), buffers
    if (frames.count(old) !== expected) return C.mof_fail_m5a_count;
    const shown = isSwap
      ? swap.cached(frames.private_(old) as SwapSlot)
      : files.get(frames.mapping(old)).slots.get(frames.index(old));
    return shown === (old as number) ? 0 : C.mof_fail_m5a_slot;
  }

  function m6TransferIsolation(old: Pfn, fresh: Pfn): void {
    if (tracer !== null) tracer.step('M6', old, fresh);
    frames.drop(old);
    frames.get(fresh);
  }

  function m7ReleaseOld(old: Pfn): void {
    if (tracer !== null) tracer.step('M7', old, NO_NODE);
    frames.unlock(old);
    lru.put(old); // the fault's reference was the last
  }

  function m8Putback(task: Task, fresh: Pfn): void {
    if (tracer !== null) tracer.step('M8', fresh, NO_NODE);
    lru.putback(task.cpu, fresh);
  }

  /** What it cost, and that it worked. The page: locked, the fault's reference, in its cache, unmapped. */
  function m9Done(old: Pfn, fresh: Pfn, target: NodeId): void {
    meter.pay(ACCOUNT_MIGRATION, frames.isHuge(fresh) ? PRICE.moveHuge : PRICE.movePage);
    if (frames.isHuge(fresh))
      counters.inc(C.thp_migration_success); // its copy is paid for
    else meter.payCopy(ACCOUNT_MIGRATION, frames.nodeOf(old), frames.nodeOf(fresh));
    counters.add(C.pgmigrate_success, frames.pagesOf(fresh));
    counters.inc(C.mof_migrate_done);
    if (frames.nodeOf(fresh) !== target) counters.inc(C.mof_overflowed);
    if (tracer !== null) tracer.step('M9', fresh, target);
  }

  /** @param exit by which step it stays, as the tracer is told */
  function fail(counter: number, exit: string, old: Pfn): Pfn {
    counters.add(C.pgmigrate_fail, frames.pagesOf(old));
    if (frames.isHuge(old)) counters.inc(C.thp_migration_fail); // it stays whole (HP-60)
    counters.inc(counter);
    if (tracer !== null) tracer.step(exit, old, counter);
    return old;
  }

  function refuse(task: Task, refused: number, old: Pfn, fresh: Pfn): Pfn {
    if (refused === C.mof_fail_m5_no_operation && operationTest.leaksNewPage) return leak(task, old);
    return discard(task, fresh, refused, 'M5-exit', old);
  }

  function putbackFail(task: Task, counter: number, exit: string, old: Pfn): Pfn {
    lru.putback(task.cpu, old);
    return fail(counter, exit, old);
  }

  /** The new page was not used: unlocked and freed. */
  function discard(task: Task, fresh: Pfn, counter: number, exit: string, old: Pfn): Pfn {
    frames.setMapping(fresh, 0, 0);
    frames.unlock(fresh);
    lru.put(fresh);
    return putbackFail(task, counter, exit, old);
  }

  /** [MoF-0.2] The new page stays locked and nobody knows it any more. */
  function leak(task: Task, old: Pfn): Pfn {
    counters.inc(C.mof_leaked_pages);
    return putbackFail(task, C.mof_fail_m5_no_operation, 'M5-exit', old);
  }

  return { migrate, step };
}
