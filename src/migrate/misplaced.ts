import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import { bugOn } from '../errors.js';
import {
  askAboutVma,
  badAnswer,
  type Files,
  type Frames,
  type HugePages,
  type InterleaveIndex,
  type Lru,
  type Mempolicy,
  type MigrateOperation,
  MARK_LOW,
  PG_LOCKED,
  PG_PRIVATE,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UPTODATE,
  PG_WRITEBACK,
  rebindTask,
  type CpusetNotice,
  type PolicyLookup,
  type Query,
  type RebindRule,
  type RotorRule,
  shmemBlockIndex,
  type SwapArea,
  type Task,
  type Vma,
  type Zones,
} from '../mm/index.js';
import type { World } from '../policy/index.js';
import { C, N, type Counters, type Tracer } from '../stats/index.js';
import { NO_NODE, NO_PFN, type NodeId, type Pfn, type SwapSlot } from '../units.js';
import type { CopyPage } from './copy-page.js';
import type { MoveHuge } from './move-huge.js';
import type { BindVetting, MisplacedGate, MisplacedTarget, OperationTest } from './rules.js';

export interface MisplacedParts {
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
  readonly query: Query;
  readonly defaultPolicy: Mempolicy;
  readonly tracer: Tracer | null;
  readonly world: World;
  readonly rules: {
    readonly lookup: PolicyLookup;
    readonly interleaveIndex: InterleaveIndex;
    readonly gate: MisplacedGate;
    readonly target: MisplacedTarget;
    readonly operationTest: OperationTest;
    readonly vetting: BindVetting;
    readonly rotor: RotorRule;
    readonly rebind: RebindRule;
    readonly notice: CpusetNotice;
  };
  /** M4: who may refuse a move (a memory controller); null: nobody. */
  readonly charge: ((pfn: Pfn, target: NodeId) => boolean) | null;
}

export interface Misplaced {
  /**
   * Looks at a page that was found in a cache and, if its policy wants it elsewhere, moves it there.
   * Kernel: check_migrate_misplaced_page(), migrate-on-fault series 2006 and 2012; conditions C1..C6.
   *
   * @param pfn locked, in a cache, one reference of the caller's
   * @param vma the area that faulted, or null for a page without a policy by address (page cache, FP-80)
   * @param offset page within the area
   * @returns the page to map, locked, with the caller's reference: the new one, or `pfn` as it was found
   */
  check(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): Pfn;
  /**
   * Where the page should be, or `NO_NODE`: the policy's answer for the task and its CPU.
   * Pure for an area (MP-73); without one, taking the rotor's node advances it (MP-66). Kernel: mpol_misplaced().
   */
  mpolMisplaced(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): NodeId;
  /**
   * Moves a cached page that nothing maps to `target`, or leaves it exactly as found (FP-70): flags, references and
   * caches; only its place on its list may change, to where newly added pages go.
   * Kernel: migrate_misplaced_page(); steps M0..M9.
   *
   * @param pfn locked, in a cache, no mappings, one reference held by the caller
   * @returns the frame to map, locked: the new one, or `pfn` if it did not move (the reason is counted)
   * Cost: control work and one page copy by distance. Counts pgmigrate_success or pgmigrate_fail.
   */
  migrate(task: Task, pfn: Pfn, target: NodeId): Pfn;
  /** `migrate` before its first step, for drivers that switch between actors. */
  begin(task: Task, pfn: Pfn, target: NodeId): MoveState;
  /** One step of it; starts at `M0`. @returns the next step, or `MOVED`: then `state.page` is what `migrate` returns */
  step(state: MoveState, at: number): number;
  /** The conditions C1..C6 alone. @returns where the page should be, or `NO_NODE`: it stays, and the reason is counted */
  decide(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): NodeId;
  /** Does the page's mapping know how to move it (C4)? */
  migrateOperation(pfn: Pfn): MigrateOperation;
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
    readonly policy: Mempolicy,
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

export function makeMisplaced(parts: MisplacedParts): Misplaced {
  const { frames, zones, lru, files, swap, copyPage, counters, meter, query, defaultPolicy, tracer } = parts;
  const {
    lookup,
    interleaveIndex,
    gate,
    target: targetRule,
    operationTest,
    vetting,
    rotor,
    rebind,
    notice,
  } = parts.rules;
  const { charge, world, huge, moveHuge } = parts;
  const noticesFirst = notice.isLate && !notice.isAfterLookup;
  /** Mask of the policy that wanted the move: what a fallback (2006) keeps to. */
  let policy: Mempolicy = defaultPolicy;

  /** The page stays, by this condition. */
  function stay(counter: number, condition: string, pfn: Pfn): NodeId {
    counters.inc(counter);
    if (tracer !== null) tracer.step(condition, pfn, NO_NODE);
    return NO_NODE;
  }

  /** Any part of a huge page counts: it is looked at, and moves, as one (HP-60). */
  const isMapped = (pfn: Pfn): boolean =>
    huge !== null && frames.isHuge(pfn) ? huge.mappings(pfn) > 0 : frames.mapcount(pfn) !== 0;

  function migrateOperation(pfn: Pfn): MigrateOperation {
    // PL-1: a swap-cache page belongs to the swapper, whatever its mapping says; the swapper moves the plain way.
    if (frames.isSwapCache(pfn)) return 'simple';
    const mapping = frames.mapping(pfn);
    return mapping > 0 ? files.get(mapping).migrate : 'none';
  }

  function governing(task: Task, vma: Vma | null, offset: number): Mempolicy {
    return (vma === null ? task.policy : lookup.ofVma(task, vma, offset)) ?? defaultPolicy;
  }

  function mpolMisplaced(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): NodeId {
    if (noticesFirst && task.memsSeen !== task.cpuset.version) rebindTask(task, rebind); // MP-60, MP-80
    policy = governing(task, vma, offset);
    if (vetting.isDefaultFirst && policy.isLimited && !policy.allowsOneOf(task.cpuset.mems)) policy = defaultPolicy;
    query.cpuNode = task.node;
    query.pageNode = frames.nodeOf(pfn);
    query.isWrite = isWrite;
    query.thread = task.id;
    if (vma === null) {
      query.hasAddress = false;
      query.index = frames.index(pfn);
      query.rotor = rotor.next(task, policy);
      query.page = files.get(frames.mapping(pfn)).tracePageAt(query.index);
    } else {
      askAboutVma(query, vma, offset, interleaveIndex);
      if (huge !== null && frames.isHuge(pfn) && vma.file !== null)
        query.index = shmemBlockIndex(vma.file, vma.filePage + offset, huge.rule);
    }
    let home = policy.instance.misplaced(query);
    if (home < NO_NODE || home >= zones.nodeCount || home !== Math.floor(home)) badAnswer(policy, 'misplaced', home);
    if (home !== NO_NODE && policy.isLimited) home = vetting.vet(home, policy, task); // MP-64, MP-70
    if (notice.isAfterLookup && task.memsSeen !== task.cpuset.version) rebindTask(task, rebind); // MP-60
    if (home === query.pageNode) return NO_NODE; // MP-67
    if (vma === null && home !== NO_NODE && home === query.rotor && policy.nodes.length > 0) {
      rotor.advance(task, policy, home, world); // its turn was used (MP-66)
    }
    return home;
  }

  function decide(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): NodeId {
    if (isMapped(pfn)) return stay(C.mof_stay_c1_mapped, 'C1', pfn);
    const flags = frames.flags(pfn);
    if ((flags & PG_WRITEBACK) !== 0) return stay(C.mof_stay_c2_writeback, 'C2', pfn);
    if ((flags & PG_UPTODATE) === 0) return stay(C.mof_stay_c3_not_uptodate, 'C3', pfn);
    if (operationTest.early && (flags & PG_SWAPCACHE) === 0 && migrateOperation(pfn) === 'none') {
      return stay(C.mof_stay_c4_no_operation, 'C4', pfn);
    }
    if (!gate.isOpen(governing(task, vma, offset))) return stay(C.mof_stay_c5_no_flag, 'C5', pfn);
    const home = mpolMisplaced(task, vma, offset, pfn, isWrite);
    if (home === NO_NODE) return stay(C.mof_stay_c6_well_placed, 'C6', pfn);
    if (tracer !== null) tracer.step('C6', pfn, home);
    return home;
  }

  function check(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): Pfn {
    const head = frames.headOf(pfn);
    const home = decide(task, vma, offset, head, isWrite);
    if (home === NO_NODE) return pfn;
    const moved = migrate(task, head, home);
    if (moved !== head && policy.instance.migrated !== undefined) policy.instance.migrated(query, home);
    return (moved + (pfn - head)) as Pfn;
  }

  function migrate(task: Task, old: Pfn, target: NodeId): Pfn {
    m0(old);
    const operation = migrateOperation(old); // whose it is now; M5a asks again under the lock
    if (!m1Isolate(old)) return fail(C.mof_fail_m1_isolate, 'M1-exit', old);
    const fresh = m2Allocate(task, old, target, policy);
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

  function begin(task: Task, pfn: Pfn, target: NodeId): MoveState {
    return new MoveState(task, pfn, target, policy);
  }

  /** The same in a table: what `migrate` keeps in variables is in `s`. */
  function step(s: MoveState, at: number): number {
    const { task, old, fresh, target } = s;
    switch (at) {
      case M0:
        m0(old);
        s.operation = migrateOperation(old);
        return M1;
      case M1:
        if (m1Isolate(old)) return M2;
        return exit(s, fail(C.mof_fail_m1_isolate, 'M1-exit', old));
      case M2:
        s.fresh = m2Allocate(task, old, target, s.policy);
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
    bugOn(isMapped(old), 'M0: page is mapped', old);
    bugOn(!frames.isSwapCache(old) && frames.mapping(old) <= 0, 'M0: page is in no cache', old);
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
    meter.pay(ACCOUNT_MIGRATION, PRICE.movePage);
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

  return { check, decide, mpolMisplaced, migrate, begin, step, migrateOperation };
}
