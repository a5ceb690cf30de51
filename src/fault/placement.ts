import type { World } from '../policy/index.js';
import type { Allocator } from '../reclaim/index.js';
import {
  advanceRotor,
  askAboutVma,
  badAnswer,
  type BindOrder,
  type Contents,
  type FileObject,
  type Frames,
  type InterleaveIndex,
  type Mempolicy,
  type PolicyLookup,
  type Query,
  rotorNode,
  type Task,
  type Vma,
  type Zones,
} from '../mm/index.js';
import { N, type Counters } from '../stats/index.js';
import { NO_NODE, NO_PFN, type Pfn } from '../units.js';

export interface PlacementParts {
  readonly frames: Frames;
  readonly allocatePage: Allocator['allocatePage'];
  readonly counters: Counters;
  readonly contents: Contents | null;
  readonly query: Query;
  readonly defaultPolicy: Mempolicy;
  readonly zones: Pick<Zones, 'nodeCount' | 'rowByNumber'>;
  readonly world: World;
  readonly rules: {
    readonly lookup: PolicyLookup;
    readonly interleaveIndex: InterleaveIndex;
    /** For copies of private mappings of shmem (6.1 leaves the inode out). */
    readonly copyIndex: InterleaveIndex;
    readonly bindOrder: BindOrder;
  };
}

/** New pages where the policy wants them; each comes zeroed, with one reference, or not at all (`NO_PFN`: OOM). */
export interface Placement {
  /** Private memory: anonymous pages and copies. Kernel: alloc_page_vma(). */
  forVma(task: Task, vma: Vma, offset: number, isWrite: boolean): Pfn;
  /** A page of a shmem object (MP-11, MP-12). */
  forShmem(task: Task, vma: Vma, offset: number, isWrite: boolean): Pfn;
  /** A page of a file: by task policy and rotor, whatever the area says (MP-13, MP-26). */
  forPageCache(task: Task, file: FileObject, index: number, isWrite: boolean): Pfn;
}

export function makePlacement(parts: PlacementParts): Placement {
  const { frames, allocatePage, counters, contents, query, defaultPolicy, world } = parts;
  const { nodeCount, rowByNumber } = parts.zones;
  const { lookup, interleaveIndex, copyIndex, bindOrder } = parts.rules;

  function place(task: Task, policy: Mempolicy, isWrite: boolean): Pfn {
    query.cpuNode = policy.homeNode === NO_NODE ? task.node : policy.homeNode; // MP-32
    query.pageNode = NO_NODE;
    query.isWrite = isWrite;
    query.thread = task.id;
    const start = policy.instance.place(query);
    if (!(start >= 0 && start < nodeCount) || start !== Math.floor(start)) badAnswer(policy, 'place', start);
    if (!query.hasAddress && start === query.rotor && policy.nodes.length > 0) {
      advanceRotor(task, policy, start, world); // its turn was used
    }
    const { mems } = task.cpuset;
    const mask = policy.mask !== null && policy.allowsOneOf(mems) ? policy.mask : null; // MP-24
    const from = mask !== null && bindOrder.byNumber ? rowByNumber : start; // MP-23
    const pfn = allocatePage(from, mask, policy.mayLeaveMask, mems, task.cpu);
    if (pfn === NO_PFN) return NO_PFN;
    if (policy.isInterleave && frames.nodeOf(pfn) === start) counters.incNode(N.numa_interleave, start); // MP-31
    if (contents !== null) contents.set(pfn, 0);
    return pfn;
  }

  function byAddress(
    task: Task,
    policy: Mempolicy | null,
    vma: Vma,
    offset: number,
    isWrite: boolean,
    index: InterleaveIndex,
  ): Pfn {
    askAboutVma(query, vma, offset, index);
    return place(task, policy ?? defaultPolicy, isWrite);
  }

  return {
    forVma: (task, vma, offset, isWrite) =>
      byAddress(task, lookup.ofVma(task, vma, offset), vma, offset, isWrite, copyIndex),
    forShmem: (task, vma, offset, isWrite) =>
      byAddress(task, lookup.ofShmemAllocation(task, vma, offset), vma, offset, isWrite, interleaveIndex),
    forPageCache(task, file, index, isWrite) {
      const policy = task.policy ?? defaultPolicy;
      query.hasAddress = false;
      query.index = index;
      query.page = file.tracePageAt(index);
      query.rotor = rotorNode(task, policy);
      return place(task, policy, isWrite);
    },
  };
}
