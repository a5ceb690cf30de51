import type { NodeId } from '../units.js';
import type { Frames } from './frames.js';

/** The unit in which memory is taken away and brought back: frames [from, until) of one node. */
export interface MemoryBlock {
  readonly node: NodeId;
  readonly from: number;
  readonly until: number;
}

const PAGES_128_MIB = 32_768;
const PAGES_2_GIB = 524_288;
const PAGES_64_GIB = 16_777_216;

/**
 * Pages of a memory block (HR-1). Kernel: probe_memory_block_size(), arch/x86/mm/init_64.c.
 *
 * @param isGuest a virtual machine takes the largest size that divides its memory, instead of 2 GiB
 */
export function memoryBlockPages(memoryPages: number, isGuest = false): number {
  if (memoryPages < PAGES_64_GIB) return PAGES_128_MIB;
  if (!isGuest) return PAGES_2_GIB;
  let pages = PAGES_2_GIB;
  while (pages > PAGES_128_MIB && memoryPages % pages !== 0) pages /= 2;
  return pages;
}

/** The blocks of a node, ascending. A node that is no whole number of blocks has a shorter last one: a small node is one block. */
export function memoryBlocks({ firstOfNode, endOfNode }: Frames, node: NodeId, blockPages: number): MemoryBlock[] {
  const blocks: MemoryBlock[] = [];
  for (let from = firstOfNode[node]; from < endOfNode[node]; from += blockPages) {
    blocks.push({ node, from, until: Math.min(from + blockPages, endOfNode[node]) });
  }
  return blocks;
}
