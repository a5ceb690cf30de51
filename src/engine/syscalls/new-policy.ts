import { EINVAL } from '../../errors.js';
import { effectiveNodes, Mempolicy, type MempolicyRequest } from '../../mm/index.js';
import type { PolicyDefinition, World } from '../../policy/index.js';
import type { NodeId } from '../../units.js';

/** Mode numbers and the flags that are or-ed into them (MP section 1). */
export const MPOL_DEFAULT = 0;
const MPOL_PREFERRED = 1;
export const MPOL_BIND = 2;
const MPOL_LOCAL = 4;
export const MPOL_PREFERRED_MANY = 5;
const MPOL_F_NUMA_BALANCING = 1 << 13;
export const MPOL_F_RELATIVE_NODES = 1 << 14;
export const MPOL_F_STATIC_NODES = 1 << 15;
/** How the kernel spells its modes in numa_maps and in mount options, by number. Kernel: policy_modes[], 6.x. */
export const MODE_WORDS: readonly string[] = [
  ...['default', 'prefer', 'bind', 'interleave', 'local', 'prefer (many)', 'weighted interleave'],
];
const MODE_FLAGS = MPOL_F_NUMA_BALANCING | MPOL_F_RELATIVE_NODES | MPOL_F_STATIC_NODES;

/** Rule variant `modes`: which modes and flags a kernel knows, and how its calls look at them (MP sections 1 and 8, K section 7). */
export interface ModeRule {
  /** The first number that is no mode; where mbind takes LAZY, it is MPOL_NOOP there. Kernel: MPOL_MAX in 6.x. */
  readonly max: number;
  /** Flags that are or-ed into the mode. */
  readonly flags: number;
  /** Modes that take MPOL_F_NUMA_BALANCING. */
  readonly balancing: readonly number[];
  /** Weights per node can be set. */
  readonly hasWeights: boolean;
  /** LOCAL is a mode, and PREFERRED without nodes becomes it; else it stays PREFERRED, and shows all online nodes. */
  readonly hasLocal: boolean;
  /** Nodes are cut to those allowed; else set_mempolicy refuses others, and mbind takes them as they are. */
  readonly trims: boolean;
  /** mbind reads the mask before it looks at mode and flags. */
  readonly readsMaskFirst: boolean;
  /** mbind(DEFAULT) over nothing but a hole is fine if something is mapped behind it. */
  readonly allowsHoleBefore: boolean;
  /** get_mempolicy knows MPOL_F_MEMS_ALLOWED. */
  readonly hasMemsAllowed: boolean;
  /** MP-90: asking for the node of an untouched private page maps nothing. */
  readonly asksWithoutMapping: boolean;
}
const modes6 = {
  ...{ flags: MODE_FLAGS, hasLocal: true, trims: true, readsMaskFirst: false, allowsHoleBefore: false },
  ...{ hasMemsAllowed: true, asksWithoutMapping: false },
};
export const modes61: ModeRule = { ...modes6, max: 6, balancing: [MPOL_BIND], hasWeights: false };
export const modes612: ModeRule = { ...modes6, max: 7, balancing: [MPOL_BIND, MPOL_PREFERRED_MANY], hasWeights: true };
export const modes2616: ModeRule = {
  ...{ max: 4, flags: 0, balancing: [], hasWeights: false, hasLocal: false, trims: false, readsMaskFirst: true },
  ...{ allowsHoleBefore: true, hasMemsAllowed: false, asksWithoutMapping: true },
};

/** A mode argument taken apart. */
export interface ModeArgument {
  readonly mode: number;
  readonly flags: number;
}

/** @returns -EINVAL for an unknown mode or flags that do not go together (K-B1, K-B3). Kernel: sanitize_mpol_flags() */
export function readMode(argument: number, rule: ModeRule): ModeArgument | number {
  const flags = argument & rule.flags;
  const mode = (argument & ~rule.flags) >>> 0;
  if (mode >= rule.max) return -EINVAL;
  if ((flags & MPOL_F_STATIC_NODES) !== 0 && (flags & MPOL_F_RELATIVE_NODES) !== 0) return -EINVAL;
  if ((flags & MPOL_F_NUMA_BALANCING) !== 0 && !rule.balancing.includes(mode)) return -EINVAL;
  return { mode, flags };
}

/**
 * Does the mask fit the mode (K-B3)? `preferred` with an empty mask becomes `local`, where that is a mode.
 * @returns the mode in force, null for default, or -EINVAL. Kernel: mpol_new()
 */
export function modeFor({ mode, flags }: ModeArgument, nodes: readonly NodeId[], rule: ModeRule): number | null {
  const isEmpty = nodes.length === 0;
  const hasNodeFlag = (flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)) !== 0;
  if (mode === MPOL_DEFAULT) return isEmpty ? null : -EINVAL;
  if (mode === MPOL_PREFERRED && isEmpty && !rule.hasLocal) return MPOL_PREFERRED;
  if (mode === MPOL_PREFERRED && isEmpty) return hasNodeFlag ? -EINVAL : MPOL_LOCAL;
  if (mode === MPOL_LOCAL) return isEmpty && !hasNodeFlag ? MPOL_LOCAL : -EINVAL;
  return isEmpty ? -EINVAL : mode;
}

/** What making a policy from a call needs. */
export interface NewPolicyParts {
  readonly world: World;
  /** Policies by mode number. */
  readonly modes: ReadonlyMap<number, PolicyDefinition>;
  readonly modeRule: ModeRule;
}

/**
 * The policy itself, its nodes reduced to those the caller may use (K-B3).
 * @returns -EINVAL if no usable node is left. Kernel: mpol_set_nodemask()
 */
export function makePolicy(
  mode: number,
  flags: number,
  nodes: readonly NodeId[],
  allowed: readonly NodeId[],
  { world, modes, modeRule }: NewPolicyParts,
): Mempolicy | number {
  const definition = modes.get(mode);
  if (definition === undefined) return -EINVAL;
  const flag =
    (flags & MPOL_F_STATIC_NODES) !== 0 ? 'static' : (flags & MPOL_F_RELATIVE_NODES) !== 0 ? 'relative' : null;
  const usable = allowed.filter((node) => world.hasMemory(node));
  if (!modeRule.trims && nodes.some((node) => node >= world.nodeCount)) return -EINVAL; // not online
  if (modeRule.trims && definition.nodes !== 'none') {
    const left =
      flag === 'relative' ? effectiveNodes(nodes, flag, usable) : nodes.filter((node) => usable.includes(node));
    if (left.length === 0) return -EINVAL;
  }
  const options = Object.fromEntries(
    Object.entries(definition.options ?? {}).map(([name, { initial }]) => [name, initial]),
  );
  const numaBalancing = (flags & MPOL_F_NUMA_BALANCING) !== 0;
  const request: MempolicyRequest = { definition, nodes, flag, options, numaBalancing };
  if (modeRule.trims) return new Mempolicy(request, world, usable);
  const listed = mode === MPOL_BIND ? nodes.filter((node) => world.hasMemory(node)) : nodes; // MP-23: empty zones left out
  return new Mempolicy(request, world, allowed, listed);
}

/** Nodes as get_mempolicy shows them. */
export function shownNodes(policy: Mempolicy | null, { world, modeRule }: NewPolicyParts): readonly NodeId[] {
  if (policy === null) return [];
  const isLocal = policy.definition.mode?.number === MPOL_PREFERRED && policy.nodes.length === 0;
  if (isLocal && !modeRule.hasLocal) return Array.from({ length: world.nodeCount }, (_, node) => node as NodeId);
  return policy.shownNodes;
}

/** Mode and mode flags as get_mempolicy shows them. */
export function shownMode(policy: Mempolicy | null): number {
  if (policy === null) return MPOL_DEFAULT;
  const { definition, flag, numaBalancing } = policy.request;
  return (
    (definition.mode?.number ?? MPOL_DEFAULT) |
    (flag === 'static' ? MPOL_F_STATIC_NODES : flag === 'relative' ? MPOL_F_RELATIVE_NODES : 0) |
    (numaBalancing === true ? MPOL_F_NUMA_BALANCING : 0)
  );
}
