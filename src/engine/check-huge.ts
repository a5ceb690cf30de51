import { bugOn } from '../errors.js';
import { BLOCK_EMPTY, BLOCK_MIGRATION, BLOCK_SMALL, BLOCK_ZERO, PTE_PRESENT, PTE_WRITE } from '../hardware/index.js';
import { HUGE_PAGES, PG_HEAD, PG_TAIL, type HugePages } from '../mm/index.js';
import type { CpuId, PageId, Pfn } from '../units.js';
import type { Machine } from './machine.js';

/**
 * The part of the check that knows whole blocks: what one entry maps are 512 frames of one huge page, or the zero page 512
 * times; their number is the page's; a TLB has a block as a whole or its pages, never both (HP-75).
 */
export function makeHugeCheck(machine: Machine, huge: HugePages): () => void {
  const { tables, tlb, topology, frames, zones, zeroPage } = machine;
  const wholes = new Map<Pfn, number>();

  return () => {
    wholes.clear();
    tables.forEachLeaf(checkBlock);
    zones.forEachUsed((pfn) => {
      if (!frames.has(pfn, PG_HEAD)) return;
      bugOn(huge.wholeMappings(pfn) !== (wholes.get(pfn) ?? 0), 'INV-2: whole mappings and their number differ', pfn);
      for (let i = 1; i < HUGE_PAGES; i++) {
        bugOn(!frames.has((pfn + i) as Pfn, PG_TAIL), 'INV-9: a huge page with a frame that is none of its', pfn + i);
      }
    });
    for (let cpu = 0; cpu < topology.cpuCount; cpu++) {
      tlb.forEachHuge(cpu as CpuId, checkTranslation);
      tlb.forEach(cpu as CpuId, (page) => {
        bugOn(tables.isWhole(page), 'HP-75: a TLB has a page of a block that is mapped as a whole', page);
      });
    }
  };

  function checkBlock(first: PageId): void {
    const state = tables.block[first >> 9];
    if (state === BLOCK_SMALL) return;
    bugOn(state === BLOCK_MIGRATION, 'INV-14: a migration entry at rest', first);
    if (state === BLOCK_EMPTY) {
      for (let i = 0; i < HUGE_PAGES; i++)
        bugOn(!tables.isNone((first + i) as PageId), 'K-H2: an empty block has an entry', first);
      return;
    }
    const head = tables.word[first] as Pfn;
    const step = state === BLOCK_ZERO ? 0 : 1;
    bugOn(
      state === BLOCK_ZERO ? head !== zeroPage : !frames.has(head, PG_HEAD),
      'INV-2: a block shows no huge page',
      first,
    );
    for (let i = 0; i < HUGE_PAGES; i++) {
      const isThere = (tables.bits[first + i] & PTE_PRESENT) !== 0 && tables.word[first + i] === head + i * step;
      bugOn(!isThere, 'INV-2: an entry of a whole block differs from it', first + i);
      const isSame = ((tables.bits[first + i] ^ tables.bits[first]) & PTE_WRITE) === 0;
      bugOn(!isSame, 'INV-12: a block is writable in part', first + i);
    }
    if (state !== BLOCK_ZERO) wholes.set(head, (wholes.get(head) ?? 0) + 1);
  }

  function checkTranslation(leaf: number, at: number): void {
    bugOn(!tables.isWhole((leaf << 9) as PageId), 'INV-13: a TLB has a block that is not mapped as a whole', leaf);
    const mayWrite = (tables.bits[leaf << 9] & PTE_WRITE) !== 0;
    bugOn(tlb.isWritableAt(at) && !mayWrite, 'INV-12: a TLB lets write what the page table does not', leaf);
  }
}
