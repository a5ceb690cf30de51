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
}

/** MPOL_INTERLEAVE and MPOL_WEIGHTED_INTERLEAVE. */
const INTERLEAVING_MODES = new Set([3, 6]);

/** A plug-in answered with something that is no node of this machine. */
export function badAnswer(policy: Mempolicy, question: string, answer: number): never {
  throw new MmError(
    'BAD_POLICY',
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
  nodes: readonly NodeId[];
  instance: PolicyInstance;
  /** Nodes an allocation is kept to, as a byte per node; null: it may go anywhere. */
  mask: NodeMask | null;
  /** After the masked nodes are full: fail (BIND), or go anywhere (PREFERRED_MANY). */
  readonly mayLeaveMask: boolean;
  /** Spreads by index or rotor: its hits are counted as numa_interleave (MP-31). */
  readonly isInterleave: boolean;
  private readonly userNodes: readonly NodeId[];

  constructor(
    readonly request: MempolicyRequest,
    private readonly world: World,
    allowed: readonly NodeId[],
  ) {
    this.userNodes = request.nodes;
    this.nodes = effectiveNodes(request.nodes, request.flag, allowed);
    this.mask = this.makeMask(allowed);
    this.isInterleave = INTERLEAVING_MODES.has(request.definition.mode?.number ?? 0);
    this.mayLeaveMask = request.definition.fallback === 'within-then-any';
    this.instance = this.makeInstance();
  }

  get definition(): PolicyDefinition {
    return this.request.definition;
  }

  /** A policy of its own for a child, with the nodes as they are now (MP-17). Kernel: mpol_dup(). */
  clone(allowed: readonly NodeId[]): Mempolicy {
    const copy = new Mempolicy(this.request, this.world, allowed);
    copy.isMof = this.isMof;
    copy.nodes = this.nodes;
    copy.mask = this.mask;
    copy.instance = copy.makeInstance();
    return copy;
  }

  /** The allowed nodes changed (MP-81, MP-84). */
  rebind(before: readonly NodeId[], after: readonly NodeId[]): void {
    if (this.definition.rebind === 'remap') {
      const { flag } = this.request;
      this.nodes = flag === null ? remapNodes(this.nodes, before, after) : effectiveNodes(this.userNodes, flag, after);
    }
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
    const mask = new Uint8Array(new ArrayBuffer(Math.max(128, this.world.nodeCount)));
    for (const node of this.nodes) mask[node] = 1;
    return mask;
  }
}

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
  const mapped = nodes.map((node) => {
    const place = before.indexOf(node);
    return place < 0 ? node : after[place % after.length];
  });
  return [...new Set(mapped)].sort((a, b) => a - b);
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

/** The node whose turn it is for allocations without an address (MP-26); asking does not advance it. */
export function rotorNode(task: Task, policy: Mempolicy): NodeId {
  const nodes = policy.nodes;
  for (let i = 0; i < nodes.length; i++) if (nodes[i] > task.ilPrev) return nodes[i];
  return nodes.length > 0 ? nodes[0] : task.node;
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
export const index2616: InterleaveIndex = { bits: 32, addsInode: false };

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
