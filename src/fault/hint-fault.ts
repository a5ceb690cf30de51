import { ACCOUNT_FAULT, PRICE, type Meter } from '../cost/index.js';
import { PTE_DIRTY, PTE_HINT, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import { HUGE_PAGES, type Frames, type Mempolicy, type PolicyLookup, type Task, type Vma } from '../mm/index.js';
import { NOTHING_STORED, type BalancerInstance, type HintFault, type Served } from '../policy/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_NODE, type NodeId, type PageId, type Pfn } from '../units.js';
import type { FaultState } from './fault-state.js';
import { MINOR, type Outcome } from './outcome.js';

export interface HintFaultParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly zeroPage: Pfn;
  readonly lookup: PolicyLookup;
  readonly defaultPolicy: Mempolicy;
  readonly move: {
    /** NB-41: may it be tried? It is isolated then. */
    prepare(vma: Vma, page: PageId, to: NodeId): boolean;
    /** NB-42. @returns pages moved */
    migrate(task: Task, page: PageId, to: NodeId): number;
  };
  readonly instance: BalancerInstance;
}

/** The one description of a hint fault, refilled for each. */
class HintFaultState implements HintFault {
  pfn = 0 as Pfn;
  page = 0;
  pages = 1;
  isWrite = false;
  pageNode = NO_NODE;
  target = NO_NODE;
  isShared = false;
  groups = true;
  stored = NOTHING_STORED;
  isActive = false;

  constructor(
    public task: Task,
    public area: Vma,
  ) {}
}

/** The fault on a marked page (section 4, H1..H11). Kernel: do_numa_page(), do_huge_pmd_numa_page() */
export function makeHintFault(parts: HintFaultParts): (f: FaultState) => Outcome {
  const { frames, tables, counters, meter, zeroPage, lookup, defaultPolicy, move, instance } = parts;
  let state: HintFaultState | null = null;

  /** MP-69, MP-72: only pages of the default policy, and of policies with the numa_balancing flag, follow. */
  function policyTarget(task: Task, vma: Vma, offset: number, pageNode: NodeId): NodeId {
    const policy = lookup.ofVma(task, vma, offset) ?? defaultPolicy;
    if (policy.definition === defaultPolicy.definition) return pageNode === task.node ? NO_NODE : task.node; // NB-61
    if (policy.request.numaBalancing !== true) return NO_NODE;
    return policy.nodes.includes(task.node) ? task.node : NO_NODE;
  }

  function describe(f: FaultState, pfn: Pfn): HintFaultState {
    const hint = (state ??= new HintFaultState(f.task, f.vma));
    const head = frames.headOf(pfn);
    hint.task = f.task;
    hint.area = f.vma;
    hint.pfn = head;
    hint.page = tables.vpnOf(f.page);
    hint.pages = tables.isWhole(f.page) ? HUGE_PAGES : 1;
    hint.isWrite = f.isWrite;
    hint.pageNode = frames.nodeOf(pfn);
    hint.target = policyTarget(f.task, f.vma, f.offset, hint.pageNode);
    hint.groups = (tables.bits[f.page] & PTE_WRITE) !== 0;
    hint.isShared = frames.mapcount(pfn) > 1 && f.vma.isShared;
    hint.stored = frames.stored === null ? NOTHING_STORED : frames.stored[head] - 1;
    hint.isActive = frames.isActive(head);
    return hint;
  }

  /** The entry lets the processor through again; a page whose move failed is not made writable again (NB-40). */
  function restore(page: PageId, isWrite: boolean, hasFailed: boolean): void {
    const pages = tables.isWhole(page) ? HUGE_PAGES : 1;
    const first = pages === 1 ? page : page - (page % HUGE_PAGES);
    const cleared = PTE_HINT | (hasFailed ? PTE_WRITE : 0);
    for (let i = 0; i < pages; i++) tables.bits[first + i] = (tables.bits[first + i] & ~cleared) | PTE_YOUNG;
    if (isWrite && (tables.bits[page] & PTE_WRITE) !== 0) tables.bits[page] |= PTE_DIRTY;
  }

  function tell(hint: HintFaultState, page: PageId, how: Served): void {
    hint.pageNode = frames.nodeOf(tables.word[page] as Pfn);
    instance.served?.(hint, how);
  }

  return (f) => {
    const { page } = f;
    const pfn = tables.word[page] as Pfn;
    meter.pay(ACCOUNT_FAULT, PRICE.writeInPlace);
    if (pfn === zeroPage) {
      restore(page, f.isWrite, false); // H3
      return MINOR;
    }
    const hint = describe(f, pfn);
    counters.inc(C.numa_hint_faults);
    if (hint.pageNode === f.task.node) counters.inc(C.numa_hint_faults_local);
    const to = instance.hintFault?.(hint) ?? NO_NODE;
    if (to === NO_NODE || to === hint.pageNode) {
      restore(page, f.isWrite, false);
      tell(hint, page, 'stayed');
      return MINOR;
    }
    const isPrepared = move.prepare(f.vma, page, to);
    if (isPrepared && move.migrate(f.task, page, to) > 0) {
      tell(hint, page, 'moved');
      return MINOR;
    }
    restore(page, f.isWrite, isPrepared);
    tell(hint, page, 'failed');
    return MINOR;
  };
}
