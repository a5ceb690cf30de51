import { uint8s } from '../arrays.js';
import { MmError } from '../errors.js';
import type { Fault, OptionValues, PolicyDefinition, PolicyInstance, World } from '../policy/index.js';
import { NO_NODE, type NodeId } from '../units.js';
import type { Task } from './task.js';
import type { Vma } from './vma.js';
import type { NodeMask } from './zones.js';

/** How a set given by a user follows the allowed nodes (MP-84). */
export type NodesFlag = 'static' | 'relative' | null;

/** What it takes to make a policy, and to make it anew after a rebind. */
export interface MempolicyRequest {
  readonly definition: PolicyDefinition;
  /** Nodes as the user gave them, ascending. */
  readonly nodes: readonly NodeId[];
  readonly flag: NodesFlag;
  readonly options: OptionValues;
  readonly bestNodes?: Int16Array;
  /** MPOL_F_NUMA_BALANCING. */
  readonly numaBalancing?: boolean;
}

const PREFERRED = 1;
const INTERLEAVE = 3;
const WEIGHTED_INTERLEAVE = 6;

/** A plug-in answered with something that is no node of this machine. */
export function badAnswer(policy: Mempolicy, question: string, answer: number): never {
  throw new MmError(
    'BAD_ANSWER',
    `policy "${policy.definition.name}" answered ${question} with ${String(answer)}; expected a node of the machine` +
      (question === 'misplaced' ? ', or NO_NODE to let the page stay' : ''),
  );
}

/**
 * A policy in force: one instance with its own nodes, counted by its holders (INV-17). Kernel: struct mempolicy.
 * The instance is replaced when the allowed nodes change (MP-81, MP-84); everything else stays.
 */
export class Mempolicy {
  refs = 1;
  /** Set for pages that may be looked at in a fault (rule variant `misplacedGate`, MP-61). Kernel: MPOL_F_MOF. */
  isMof = false;
  /** Where allocations start instead of the CPU's node (MP-32), or `NO_NODE`. */
  homeNode = NO_NODE;
  nodes: readonly NodeId[];
  instance: PolicyInstance;
  /** Nodes an allocation is kept to, as a byte per node; null: it may go anywhere. */
  mask: NodeMask | null;
  /** Its nodes are a limit: tried alone, or first. */
  readonly isLimited: boolean;
  /** After the masked nodes are full: fail (BIND), or go anywhere (PREFERRED_MANY). */
  readonly mayLeaveMask: boolean;
  /** Spreads by index or rotor. */
  readonly isInterleave: boolean;
  /** Its hits are counted as numa_interleave (MP-31): not those of weighted interleaving. */
  readonly countsInterleave: boolean;
  readonly isWeighted: boolean;
  /**
   * With static or relative the user's nodes, else the allowed nodes the policy was made against. The kernel keeps both in
   * one place, so a rebind of a policy that keeps its nodes overwrites the user's (K-C2).
   */
  private remembered: readonly NodeId[];

  /** @param given nodes in force; left out: the user's, as far as they are allowed (MP-84) */
  constructor(
    readonly request: MempolicyRequest,
    private readonly world: World,
    allowed: readonly NodeId[],
    given: readonly NodeId[] = effectiveNodes(request.nodes, request.flag, allowed),
  ) {
    const { definition, flag } = request;
    this.remembered = flag === null ? allowed : request.nodes;
    this.nodes = definition.nodes === 'optional' ? given.slice(0, 1) : given; // the lowest of several (K-N2)
    this.mask = this.makeMask(allowed);
    this.isWeighted = definition.mode?.number === WEIGHTED_INTERLEAVE;
    this.countsInterleave = definition.mode?.number === INTERLEAVE;
    this.isInterleave = definition.mode?.number === INTERLEAVE || this.isWeighted;
    this.isLimited = definition.fallback !== 'any';
    this.mayLeaveMask = definition.fallback === 'within-then-any';
    this.instance = this.makeInstance();
  }

  /** The allowed nodes it was made or rebound for; with static or relative the user's nodes. Kernel: cpuset_mems_allowed. */
  get definedFor(): readonly NodeId[] {
    return this.remembered;
  }

  get definition(): PolicyDefinition {
    return this.request.definition;
  }

  /** Nodes as get_mempolicy shows them: the user's own with static or relative (K-B3). */
  get shownNodes(): readonly NodeId[] {
    return this.request.flag === null ? this.nodes : this.remembered;
  }

  /** A policy of its own for a child (MP-17). Kernel: mpol_dup(). */
  clone(allowed: readonly NodeId[]): Mempolicy {
    const copy = new Mempolicy(this.request, this.world, allowed);
    copy.isMof = this.isMof;
    copy.homeNode = this.homeNode;
    copy.remembered = this.remembered;
    copy.nodes = this.nodes;
    copy.mask = this.mask;
    copy.instance = copy.makeInstance();
    return copy;
  }

  /** K-P4: same mode, flags, home node and nodes, and with static or relative the same user's nodes. Kernel: mpol_equal(). */
  equals(other: Mempolicy | null): boolean {
    if (other === null) return false;
    const [a, b] = [this.request, other.request];
    return (
      a.definition === b.definition &&
      a.flag === b.flag &&
      a.numaBalancing === b.numaBalancing &&
      this.homeNode === other.homeNode &&
      this.isMof === other.isMof &&
      sameNodes(this.nodes, other.nodes) &&
      (a.flag === null || sameNodes(this.remembered, other.remembered))
    );
  }

  /**
   * The allowed nodes changed (MP-81, MP-84, K-C2). Kernel: mpol_rebind_policy().
   * @param mapsPreferred rule variant `rebind`: PREFERRED's node is mapped too
   */
  rebind(after: readonly NodeId[], mapsPreferred: boolean): void {
    const { definition, flag } = this.request;
    if (definition.nodes === 'none' || this.nodes.length === 0) return;
    if (flag === null && sameNodes(this.remembered, after)) return;
    const keeps = definition.rebind === 'keep' && !(mapsPreferred && definition.mode?.number === PREFERRED);
    if (keeps) this.remembered = after;
    else if (flag === null) {
      const mapped = remapNodes(this.nodes, this.remembered, after);
      this.nodes = mapped.length > 0 ? mapped : after;
      this.remembered = after;
    } else this.nodes = effectiveNodes(this.remembered, flag, after);
    this.mask = this.makeMask(after);
    this.instance = this.makeInstance();
  }

  /** MP-24: whether a task with these nodes may use one of the policy's; it may be another task than the one it was made for. */
  allowsOneOf(mems: NodeMask): boolean {
    for (const node of this.nodes) if (mems[node] !== 0) return true;
    return false;
  }

  private makeInstance(): PolicyInstance {
    const { options, bestNodes, definition } = this.request;
    return definition.create({ nodes: this.nodes, options, world: this.world, ...(bestNodes && { bestNodes }) });
  }

  /** MP-24: a set without an allowed node is no set. */
  private makeMask(allowed: readonly NodeId[]): NodeMask | null {
    if (this.request.definition.fallback === 'any' || !this.nodes.some((node) => allowed.includes(node))) return null;
    const mask = uint8s(this.world.nodeCount);
    for (const node of this.nodes) mask[node] = 1;
    return mask;
  }
}

const sameNodes = (a: readonly NodeId[], b: readonly NodeId[]): boolean =>
  a.length === b.length && a.every((node, i) => node === b[i]);

/** MP-84: static keeps the given nodes that are allowed, relative takes them as ordinals; nothing left: all allowed. */
export function effectiveNodes(given: readonly NodeId[], flag: NodesFlag, allowed: readonly NodeId[]): NodeId[] {
  if (given.length === 0 || allowed.length === 0) return [...given];
  const nodes =
    flag === 'relative'
      ? allowed.filter((_, i) => given.some((node) => node % allowed.length === i))
      : given.filter((node) => allowed.includes(node));
  return nodes.length > 0 ? nodes : [...allowed];
}

/** MP-81: the n-th node of the old set becomes the (n mod w)-th of the new one; a node outside the old set stays. */
export function remapNodes(nodes: readonly NodeId[], before: readonly NodeId[], after: readonly NodeId[]): NodeId[] {
  if (after.length === 0) return [...nodes];
  const mapped = nodes.map((node) => mapNode(node, before, after));
  return [...new Set(mapped)].sort((a, b) => a - b);
}

/** MP-81 for one node. Kernel: node_remap(). */
export function mapNode(node: NodeId, before: readonly NodeId[], after: readonly NodeId[]): NodeId {
  const place = before.indexOf(node);
  return place < 0 || after.length === 0 ? node : after[place % after.length];
}

/** The one fault description, refilled for each question. */
export class Query implements Fault {
  index = 0.5; // a double from the start, so that the field never changes its representation
  hasAddress = true;
  rotor = NO_NODE;
  cpuNode = NO_NODE;
  pageNode = NO_NODE;
  isWrite = false;
  thread = 0;
  page = -1;
}

/** Rule variant `policyLookup`: which policy governs a page of a mapping (MP-10, MP-12). */
export interface PolicyLookup {
  /** For questions about a page that is there (misplaced?): the vma as it is. */
  ofVma(task: Task, vma: Vma, page: number): Mempolicy | null;
  /** For allocating a page of a shmem object. */
  ofShmemAllocation(task: Task, vma: Vma, page: number): Mempolicy | null;
}

const sharedPolicy = (vma: Vma, page: number): Mempolicy | null => vma.file?.policyAt(vma.filePage + page) ?? null;

/** [6.x] MP-12: vma or shared policy, else the task's; the same for questions and allocations. */
export const lookup6: PolicyLookup = {
  ofVma: (task, vma, page) => (vma.file?.isShmem === true ? sharedPolicy(vma, page) : vma.policy) ?? task.policy,
  ofShmemAllocation: (task, vma, page) => sharedPolicy(vma, page) ?? task.policy,
};
/** [2.6.16] MP-10, MP-11: a shmem vma's answer replaces the task policy even when it is "none", but allocation differs. */
export const lookup2616: PolicyLookup = {
  ofVma: (task, vma, page) => (vma.file?.isShmem === true ? sharedPolicy(vma, page) : (vma.policy ?? task.policy)),
  ofShmemAllocation: (task, vma, page) => sharedPolicy(vma, page) ?? task.policy,
};

/** Rule variant `interleaveIndex` (MP-50..52): what a page index is cut to, and whether shmem adds the inode number. */
export interface InterleaveIndex {
  readonly bits: 32 | 64;
  readonly addsInode: boolean;
}
export const index612: InterleaveIndex = { bits: 64, addsInode: true };
export const index61: InterleaveIndex = { bits: 32, addsInode: true };
/** [6.1] Moves by mbind, and copies of private mappings of shmem. */
export const index61Moves: InterleaveIndex = { bits: 32, addsInode: false };
export const index2616: InterleaveIndex = { bits: 32, addsInode: false };

/** The same for a block of private memory, by blocks (K-H4): an area that begins inside one counts its blocks from that one. */
export function askAboutBlock(query: Query, vma: Vma, offset: number, rule: InterleaveIndex): void {
  askAboutVma(query, vma, offset, rule);
  if (vma.file === null) query.index = Math.floor(vma.pgoff / 512) + Math.floor(offset / 512);
}

/** Fills `query` for a page of a mapping: its interleave index (MP-50, MP-51) and its place in the trace. */
export function askAboutVma(query: Query, vma: Vma, page: number, rule: InterleaveIndex): void {
  let index: number;
  if (vma.file === null) index = vma.pgoff + page;
  else index = vma.filePage + page + (rule.addsInode && vma.file.isShmem ? vma.file.inode : 0);
  query.index = rule.bits === 32 ? index % 2 ** 32 : index;
  query.hasAddress = true;
  if (vma.file !== null) query.page = vma.file.tracePageAt(vma.filePage + page);
  else query.page = vma.tracePage < 0 ? -1 : vma.tracePage + page;
}
