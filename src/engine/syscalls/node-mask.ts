import { EFAULT, EINVAL } from '../../errors.js';
import { asNodeId, type NodeId } from '../../units.js';

/** A node mask as a program passes it: the bits that are set, NULL, or a pointer that cannot be read. */
export type NodeMaskArgument = readonly number[] | null | 'bad';

/** Bits a mask may have at most (8 × page size), and nodes the kernel is built for (MAX_NUMNODES). */
const MAX_BITS = 32768;
const MAX_NODES = 1024;

/**
 * Reads a node mask argument (MP section 8, K-B2): `maxnode` is decremented first, so 1 means no bits and 0 very many.
 *
 * @returns nodes, ascending, or -EINVAL, -EFAULT. Kernel: get_nodes(), mm/mempolicy.c
 */
export function readNodeMask(mask: NodeMaskArgument, maxnode: number): NodeId[] | number {
  const bits = maxnode === 0 ? Infinity : maxnode - 1;
  if (bits === 0 || mask === null) return [];
  if (bits > MAX_BITS) return -EINVAL;
  if (mask === 'bad') return -EFAULT;
  const set = mask.filter((bit) => bit < bits);
  if (set.some((bit) => bit >= MAX_NODES)) return -EINVAL;
  return [...new Set(set)].sort((a, b) => a - b).map(asNodeId);
}

/** 64-bit words the kernel writes for a mask of `maxnode` (K-Q2). */
export const maskWords = (maxnode: number): number => Math.ceil((maxnode - 1) / 64);
