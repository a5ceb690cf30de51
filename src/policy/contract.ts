import type { NodeId } from '../units.js';

/**
 * What a policy is told about one fault. One object is refilled for each fault: read it, do not keep it.
 */
export interface Fault {
  /**
   * Page index that interleaving goes by (MP-50): for private memory the page number of the virtual address,
   * for a file its page offset, for shared memory the page offset plus the inode number. May exceed 2^31:
   * use `indexModulo(fault, n)`.
   */
  readonly index: number;
  /** False for an allocation without an address (page cache): then interleaving goes by `rotor`. */
  readonly hasAddress: boolean;
  /** The node whose turn it is among the policy's nodes, for allocations without an address (MP-26). */
  readonly rotor: NodeId;
  /** Node of the CPU that faults; `set_mempolicy_home_node` replaces it for policies that ask for it (MP-32). */
  readonly cpuNode: NodeId;
  /** Node of the page that was found; `NO_NODE` in `place`, where there is none yet. */
  readonly pageNode: NodeId;
  readonly isWrite: boolean;
  /** The thread that faults. */
  readonly thread: number;
  /** The page, as the trace numbers it (replay), else its id: for policies that look at single pages. */
  readonly page: number;
}

/** The machine as a policy sees it. Does not change during a run. */
export interface World {
  readonly nodeCount: number;
  readonly cpuCount: number;
  nodeOfCpu(cpu: number): NodeId;
  /** SLIT distance, 10 = local. */
  distance(from: NodeId, to: NodeId): number;
  hasMemory(node: NodeId): boolean;
  /** The node of `nodes` that an allocation starting at `from` reaches first when nothing is full (MP-23). */
  firstOf(nodes: readonly NodeId[], from: NodeId): NodeId;
  /** Weight of a node for weighted interleaving, as the administrator set it; 1 if not set (MP-53). */
  weight(node: NodeId): number;
  /** The weight that follows from what the node's memory delivers, as 6.16 reduces bandwidths. */
  autoWeight(node: NodeId): number;
  readonly seed: number;
}

/** The two questions a policy answers, and two notices it may want. One instance per mempolicy. */
export interface PolicyInstance {
  /** At which node does the allocation of a new page start? */
  place(fault: Fault): NodeId;
  /** Is the page found on `fault.pageNode` wrong? Where it should be, or `NO_NODE` if it may stay. */
  misplaced(fault: Fault): NodeId;
  /** A page was moved because this policy said so. */
  migrated?(fault: Fault, to: NodeId): void;
}

/** How an allocation goes on when the node of `place` is full: anywhere; within the policy's nodes; those first, then anywhere. */
export type Fallback = 'any' | 'within' | 'within-then-any';

/** One `:NAME=VALUE` option of a policy; parsing, `--help` and the report all read it. */
export interface OptionSpec {
  readonly about: string;
  readonly kind: 'number' | 'text' | 'boolean';
  readonly initial: number | string | boolean;
}
export type OptionValues = Readonly<Record<string, number | string | boolean>>;

export interface PolicyContext {
  /** The policy's nodes, ascending, after cpuset and flags. Empty if it takes none or was given none. */
  readonly nodes: readonly NodeId[];
  readonly options: OptionValues;
  readonly world: World;
  /** What a pre-pass over the trace found: best node of each page of the trace (policies with `prepass`), else undefined. */
  readonly bestNodes?: Int16Array;
}

export interface PolicyDefinition {
  /** Name on the command line and in the report: kebab-case. */
  readonly name: string;
  /** One line for `mof policy list`. */
  readonly about: string;
  /** Which NODES it takes: none; one, or none meaning the CPU's node; at least one. */
  readonly nodes: 'none' | 'optional' | 'some';
  readonly fallback: Fallback;
  /** On a change of the allowed nodes: map each node to its counterpart (MP-81), or keep the nodes as given. */
  readonly rebind: 'remap' | 'keep';
  /** Number and name of the kernel's mode, if it is one of them (`MPOL_BIND` 2 …). */
  readonly mode?: { readonly number: number; readonly name: string };
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Needs a pre-pass over the trace (`bestNodes`); such a policy cannot win a comparison. */
  readonly prepass?: 'best-static';
  /** False: what it shows cannot be had on a real machine (`stay`, `oracle`); it is never recommended. */
  readonly attainable?: boolean;
  create(context: PolicyContext): PolicyInstance;
}
