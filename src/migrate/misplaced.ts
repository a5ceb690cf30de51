import {
  askAboutVma,
  badAnswer,
  type Files,
  type Frames,
  type HugePages,
  type InterleaveIndex,
  type Mempolicy,
  PG_UPTODATE,
  PG_WRITEBACK,
  rebindTask,
  type CpusetNotice,
  type PolicyLookup,
  type Query,
  type RebindRule,
  type RotorRule,
  shmemBlockIndex,
  type Task,
  type Vma,
  type Zones,
} from '../mm/index.js';
import { ACCOUNT_FAULT, type Meter, PRICE } from '../cost/index.js';
import type { World } from '../policy/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_NODE, type NodeId, type Pfn } from '../units.js';
import type { MoveMisplaced } from './move-misplaced.js';
import { isMapped, migrateOperationOf } from './operation.js';
import type { BindVetting, MisplacedGate, OperationTest } from './rules.js';

export interface MisplacedParts {
  readonly frames: Frames;
  readonly zones: Pick<Zones, 'nodeCount'>;
  readonly files: Files;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly query: Query;
  readonly defaultPolicy: Mempolicy;
  readonly tracer: Tracer | null;
  readonly world: World;
  readonly moveMisplaced: Pick<MoveMisplaced, 'migrate'>;
  readonly rules: {
    readonly lookup: PolicyLookup;
    readonly interleaveIndex: InterleaveIndex;
    readonly gate: MisplacedGate;
    readonly operationTest: OperationTest;
    readonly vetting: BindVetting;
    readonly rotor: RotorRule;
    readonly rebind: RebindRule;
    readonly notice: CpusetNotice;
  };
}

export interface Misplaced {
  /**
   * Looks at a page that was found in a cache and, if its policy wants it elsewhere, moves it there.
   * Kernel: check_migrate_misplaced_page(), migrate-on-fault series 2006 and 2012; conditions C1..C6.
   *
   * @param pfn locked, in a cache, one reference of the caller's
   * @param vma the area that faulted, or null for a page without a policy by address (page cache, FP-80)
   * @param offset page within the area
   * @param account who pays for looking, and for a move that is given up: a fault, or one that is taken again
   * @returns the page to map, locked, with the caller's reference: the new one, or `pfn` as it was found (the reason is counted)
   */
  check(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean, account?: number): Pfn;
  /**
   * Where the page should be, or `NO_NODE`: the policy's answer for the task and its CPU.
   * Pure for an area (MP-73); without one, taking the rotor's node advances it (MP-66). Kernel: mpol_misplaced().
   */
  mpolMisplaced(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): NodeId;
}

export function makeMisplaced(parts: MisplacedParts): Misplaced {
  const { frames, zones, files, counters, meter, query, defaultPolicy, tracer, world, huge } = parts;
  const { lookup, interleaveIndex, gate, operationTest, vetting, rotor, rebind, notice } = parts.rules;
  const { migrate } = parts.moveMisplaced;
  const noticesFirst = notice.isLate && !notice.isAfterLookup;
  /** The policy that was asked last: the governing one, or the default in its place. */
  let asked: Mempolicy = defaultPolicy;

  /** The page stays, by this condition. */
  function stay(counter: number, condition: string, pfn: Pfn): NodeId {
    counters.inc(counter);
    if (tracer !== null) tracer.step(condition, pfn, NO_NODE);
    return NO_NODE;
  }

  function governing(task: Task, vma: Vma | null, offset: number): Mempolicy {
    return (vma === null ? task.policy : lookup.ofVma(task, vma, offset)) ?? defaultPolicy;
  }

  /** What `policy`, which governs the page, says about it: its node, or `NO_NODE`. */
  function ask(policy: Mempolicy, task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): NodeId {
    if (noticesFirst && task.memsSeen !== task.cpuset.version) rebindTask(task, rebind); // MP-60, MP-80
    const isDefault = vetting.isDefaultFirst && policy.isLimited && !policy.allowsOneOf(task.cpuset.mems);
    asked = isDefault ? defaultPolicy : policy;
    query.cpuNode = task.node;
    query.pageNode = frames.nodeOf(pfn);
    query.isWrite = isWrite;
    query.thread = task.id;
    if (vma === null) {
      query.hasAddress = false;
      query.index = frames.index(pfn);
      query.rotor = rotor.next(task, asked);
      query.page = files.get(frames.mapping(pfn)).tracePageAt(query.index);
    } else {
      askAboutVma(query, vma, offset, interleaveIndex);
      if (huge !== null && frames.isHuge(pfn) && vma.file !== null)
        query.index = shmemBlockIndex(vma.file, vma.filePage + offset, huge.rule);
    }
    let home = asked.instance.misplaced(query);
    if (home < NO_NODE || home >= zones.nodeCount || home !== Math.floor(home)) badAnswer(asked, 'misplaced', home);
    if (home !== NO_NODE && asked.isLimited) home = vetting.vet(home, asked, task); // MP-64, MP-70
    if (notice.isAfterLookup && task.memsSeen !== task.cpuset.version) rebindTask(task, rebind); // MP-60
    if (home === query.pageNode) return NO_NODE; // MP-67
    if (vma === null && home !== NO_NODE && home === query.rotor && asked.nodes.length > 0) {
      rotor.advance(task, asked, home, world); // its turn was used (MP-66)
    }
    return home;
  }

  /** The conditions C1..C6. @returns where the page should be, or `NO_NODE`: it stays, and the reason is counted */
  function decide(task: Task, vma: Vma | null, offset: number, pfn: Pfn, isWrite: boolean): NodeId {
    if (isMapped(frames, huge, pfn)) return stay(C.mof_stay_c1_mapped, 'C1', pfn);
    const flags = frames.flags(pfn);
    if ((flags & PG_WRITEBACK) !== 0) return stay(C.mof_stay_c2_writeback, 'C2', pfn);
    if ((flags & PG_UPTODATE) === 0) return stay(C.mof_stay_c3_not_uptodate, 'C3', pfn);
    if (operationTest.early && migrateOperationOf(frames, files, pfn) === 'none') {
      return stay(C.mof_stay_c4_no_operation, 'C4', pfn);
    }
    const policy = governing(task, vma, offset);
    if (!gate.isOpen(policy)) return stay(C.mof_stay_c5_no_flag, 'C5', pfn);
    const home = ask(policy, task, vma, offset, pfn, isWrite);
    if (home === NO_NODE) return stay(C.mof_stay_c6_well_placed, 'C6', pfn);
    if (tracer !== null) tracer.step('C6', pfn, home);
    return home;
  }

  return {
    check(task, vma, offset, pfn, isWrite, account = ACCOUNT_FAULT) {
      meter.pay(account, PRICE.checkPage);
      const head = frames.headOf(pfn);
      const home = decide(task, vma, offset, head, isWrite);
      if (home === NO_NODE) return pfn;
      const moved = migrate(task, head, home, asked);
      if (moved === head) meter.pay(account, PRICE.givenUpMove);
      else if (asked.instance.migrated !== undefined) asked.instance.migrated(query, home);
      return (moved + (pfn - head)) as Pfn;
    },
    mpolMisplaced: (task, vma, offset, pfn, isWrite) =>
      ask(governing(task, vma, offset), task, vma, offset, pfn, isWrite),
  };
}
