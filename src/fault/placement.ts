import type { World } from '../policy/index.js';
import type { Allocator } from '../reclaim/index.js';
import {
  askAboutBlock,
  askAboutVma,
  badAnswer,
  type BindOrder,
  type Contents,
  type CpusetNotice,
  type FileObject,
  type Frames,
  HUGE_PAGES,
  type HugePages,
  type InterleaveIndex,
  type Mempolicy,
  type PolicyLookup,
  type Query,
  type RebindRule,
  rebindTask,
  type RotorRule,
  shmemBlockIndex,
  type TakeHuge,
  type Task,
  type Vma,
  type Zones,
} from '../mm/index.js';
import { N, type Counters } from '../stats/index.js';
import { NO_NODE, NO_PFN, type NodeId, type Pfn } from '../units.js';

export interface PlacementParts {
  readonly frames: Frames;
  readonly allocatePage: Allocator['allocatePage'];
  readonly counters: Counters;
  readonly contents: Contents | null;
  readonly query: Query;
  readonly defaultPolicy: Mempolicy;
  readonly zones: Pick<Zones, 'nodeCount' | 'rowByNumber'>;
  readonly world: World;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly takeHuge: TakeHuge | null;
  readonly rules: {
    readonly lookup: PolicyLookup;
    readonly interleaveIndex: InterleaveIndex;
    /** For copies of private mappings of shmem (6.1 leaves the inode out). */
    readonly copyIndex: InterleaveIndex;
    readonly bindOrder: BindOrder;
    readonly rotor: RotorRule;
    readonly rebind: RebindRule;
    readonly notice: CpusetNotice;
  };
}

/** New pages where the policy wants them; each comes zeroed, with one reference, or not at all (`NO_PFN`: OOM). */
export interface Placement {
  /** Private memory: anonymous pages and copies. Kernel: alloc_page_vma(). */
  forVma(task: Task, vma: Vma, offset: number, isWrite: boolean): Pfn;
  /** A page of a shmem object (MP-11, MP-12). */
  forShmem(task: Task, vma: Vma, offset: number, isWrite: boolean): Pfn;
  /** A page that no area belongs to: by the task's policy and rotor. Kernel: alloc_page_vma() without a vma, 2.6.16. */
  withoutArea(task: Task): Pfn;
  /** A page of a file: by task policy and rotor, whatever the area says (MP-13, MP-26). */
  forPageCache(task: Task, file: FileObject, index: number, isWrite: boolean): Pfn;
  /** A huge page for the block at `offset` of a private area (K-H4, K-H5). `NO_PFN`: small pages will do. */
  forHuge(task: Task, vma: Vma, offset: number): Pfn;
  /** A huge page for the block of a shmem object in which the page at `offset` of an area lies (K-H18). */
  forHugeShmem(task: Task, vma: Vma, offset: number): Pfn;
  /** A huge page that no area belongs to. */
  hugeByTask(task: Task): Pfn;
}

export function makePlacement(parts: PlacementParts): Placement {
  const { frames, allocatePage, counters, contents, query, defaultPolicy, world, huge, takeHuge } = parts;
  const { nodeCount, rowByNumber } = parts.zones;
  const { lookup, interleaveIndex, copyIndex, bindOrder, rotor, rebind } = parts.rules;
  const { isLate } = parts.rules.notice;

  /** The node at which the policy starts, for what `query` says already. */
  function startOf(task: Task, policy: Mempolicy, isWrite: boolean): NodeId {
    query.cpuNode = policy.homeNode === NO_NODE ? task.node : policy.homeNode; // MP-32
    query.pageNode = NO_NODE;
    query.isWrite = isWrite;
    query.thread = task.id;
    const start = policy.instance.place(query);
    if (!(start >= 0 && start < nodeCount) || start !== Math.floor(start)) badAnswer(policy, 'place', start);
    if (!query.hasAddress && start === query.rotor && policy.nodes.length > 0) {
      rotor.advance(task, policy, start, world); // its turn was used
    }
    return start;
  }

  function place(task: Task, policy: Mempolicy, isWrite: boolean): Pfn {
    const start = startOf(task, policy, isWrite);
    const { mems } = task.cpuset;
    const mask = policy.mask !== null && policy.allowsOneOf(mems) ? policy.mask : null; // MP-24
    const from = mask !== null && bindOrder.byNumber ? rowByNumber : start; // MP-23
    const pfn = allocatePage(from, mask, policy.mayLeaveMask, mems, task.cpu);
    if (pfn === NO_PFN) return NO_PFN;
    if (policy.countsInterleave && frames.nodeOf(pfn) === start) counters.incNode(N.numa_interleave, start); // MP-31
    if (contents !== null) contents.set(pfn, 0);
    return pfn;
  }

  /** K-H5, with `query` filled: 512 zeroed frames. */
  function placeHuge(task: Task, policy: Mempolicy, makesEffort: boolean): Pfn {
    if (takeHuge === null) return NO_PFN;
    const start = startOf(task, policy, true);
    const head = takeHuge(task, policy, start, makesEffort);
    if (head === NO_PFN) return NO_PFN;
    if (policy.countsInterleave && frames.nodeOf(head) === start) counters.incNode(N.numa_interleave, start); // MP-31
    if (contents !== null) for (let i = 0; i < HUGE_PAGES; i++) contents.set((head + i) as Pfn, 0);
    return head;
  }

  function forHuge(task: Task, vma: Vma, offset: number): Pfn {
    noticeCpuset(task);
    askAboutBlock(query, vma, offset, copyIndex);
    return placeHuge(task, lookup.ofVma(task, vma, offset) ?? defaultPolicy, huge?.makesEffort(vma) === true);
  }

  function forHugeShmem(task: Task, vma: Vma, offset: number): Pfn {
    if (huge === null || vma.file === null) return NO_PFN;
    noticeCpuset(task);
    askAboutVma(query, vma, offset, interleaveIndex);
    query.index = shmemBlockIndex(vma.file, vma.filePage + offset, huge.rule);
    return placeHuge(task, lookup.ofShmemAllocation(task, vma, offset) ?? defaultPolicy, huge.makesEffort(vma));
  }

  function hugeByTask(task: Task): Pfn {
    const policy = askByRotor(task, 0, -1);
    return placeHuge(task, policy, huge?.settings.defrag === 'always');
  }

  /** MP-80: before any allocation that a policy governs. */
  function noticeCpuset(task: Task): void {
    if (isLate && task.memsSeen !== task.cpuset.version) rebindTask(task, rebind);
  }

  function byAddress(
    task: Task,
    policy: Mempolicy | null,
    vma: Vma,
    offset: number,
    isWrite: boolean,
    index: InterleaveIndex,
  ): Pfn {
    noticeCpuset(task);
    askAboutVma(query, vma, offset, index);
    return place(task, policy ?? defaultPolicy, isWrite);
  }

  function askByRotor(task: Task, index: number, tracePage: number): Mempolicy {
    noticeCpuset(task);
    const policy = task.policy ?? defaultPolicy;
    query.hasAddress = false;
    query.index = index;
    query.page = tracePage;
    query.rotor = rotor.next(task, policy);
    return policy;
  }

  function byRotor(task: Task, index: number, tracePage: number, isWrite: boolean): Pfn {
    return place(task, askByRotor(task, index, tracePage), isWrite);
  }

  return {
    forVma: (task, vma, offset, isWrite) =>
      byAddress(task, lookup.ofVma(task, vma, offset), vma, offset, isWrite, copyIndex),
    forShmem: (task, vma, offset, isWrite) =>
      byAddress(task, lookup.ofShmemAllocation(task, vma, offset), vma, offset, isWrite, interleaveIndex),
    withoutArea: (task) => byRotor(task, 0, -1, false),
    forPageCache: (task, file, index, isWrite) => byRotor(task, index, file.tracePageAt(index), isWrite),
    forHuge,
    forHugeShmem,
    hugeByTask,
  };
}
