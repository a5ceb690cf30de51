import type { AddressSpace, HugeMapping, Mapping, Spaces, Vma, VmaAttributes } from '../../mm/index.js';
import type { PageTables } from '../../hardware/index.js';
import { NO_PAGE, type CpuId, type PageId } from '../../units.js';

export interface MemoryParts {
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly mapping: Mapping;
}

export interface MemorySyscalls {
  /** Maps `pages` pages at page number `start`; what was mapped there is unmapped first (MAP_FIXED). Kernel: mmap(). */
  mmap(space: AddressSpace, start: number, pages: number, attributes: VmaAttributes, cpu: CpuId): Vma;
  /** Kernel: munmap(). Holes do not matter (K-A8). */
  munmap(space: AddressSpace, start: number, pages: number, cpu: CpuId): void;
  /** Frees the private pages of a range and keeps the mapping (K-A6). Kernel: madvise(MADV_DONTNEED). */
  discard(space: AddressSpace, start: number, pages: number, cpu: CpuId): void;
  /** Everything goes: the end of a process. */
  unmapAll(space: AddressSpace, cpu: CpuId): void;
  /** Visits the entries of an area that hold something, in ascending order. */
  forEachEntry(vma: Vma, visit: (offset: number, page: PageId) => void): void;
}

const LEAF = 512;

export function makeMemorySyscalls({ tables, spaces, mapping }: MemoryParts): MemorySyscalls {
  /** Entries of [first, end) of an area, leaf table by leaf table. */
  function visitRange(vma: Vma, first: number, end: number, visit: (offset: number, page: PageId) => void): void {
    for (let offset = first; offset < end;) {
      const page = tables.walk(vma.space.root, vma.start + offset);
      const inLeaf = LEAF - ((vma.start + offset) % LEAF);
      const stop = Math.min(end, offset + inLeaf);
      if (page !== NO_PAGE) {
        for (let i = offset; i < stop; i++) {
          const entry = (page + i - offset) as PageId;
          if (!tables.isNone(entry)) visit(i, entry);
        }
      }
      offset = stop;
    }
  }

  /** Blocks that one entry maps end as a whole, or, if only a part goes, become small pieces first (K-H2, K-H7). */
  function zapBlocks(blocks: HugeMapping, vma: Vma, first: number, end: number, cpu: CpuId): void {
    for (let offset = first; offset < end;) {
      const inLeaf = (vma.start + offset) % LEAF;
      const next = offset - inLeaf + LEAF;
      const page = tables.walk(vma.space.root, vma.start + offset);
      if (page !== NO_PAGE && tables.isWhole(page)) {
        if (inLeaf === 0 && next <= end) blocks.zapBlock(vma.space, page, cpu);
        else blocks.splitBlock(vma.space, page, cpu);
      }
      offset = next;
    }
  }

  function zapRange(vma: Vma, first: number, end: number, cpu: CpuId): void {
    mapping.beginBatch();
    if (mapping.blocks !== null) zapBlocks(mapping.blocks, vma, first, end, cpu);
    visitRange(vma, first, end, (_, page) => {
      mapping.zap(vma.space, page, cpu);
    });
    mapping.endBatch();
    mapping.forgetFlushes();
  }

  /** Leaf tables that no area reaches into any more go (page-table pages are freed with the last of their areas). */
  function freeTables(space: AddressSpace, start: number, end: number): void {
    for (let leaf = Math.floor(start / LEAF); leaf * LEAF < end; leaf++) {
      const vma = space.vmas.endingAfter(leaf * LEAF);
      if (vma !== undefined && vma.start < (leaf + 1) * LEAF) continue;
      tables.freeLeaf(space.root, leaf * LEAF);
    }
  }

  function munmap(space: AddressSpace, start: number, pages: number, cpu: CpuId): void {
    for (const vma of spaces.isolateRange(space, start, pages)) {
      zapRange(vma, 0, vma.pages, cpu);
      const { start: first, end } = vma;
      spaces.remove(vma);
      freeTables(space, first, end);
    }
  }

  return {
    mmap(space, start, pages, attributes, cpu) {
      munmap(space, start, pages, cpu);
      return spaces.insert(space, start, pages, attributes);
    },
    munmap,
    discard(space, start, pages, cpu) {
      const end = start + pages;
      for (const vma of space.vmas.within(start, end)) {
        zapRange(vma, Math.max(0, start - vma.start), Math.min(vma.pages, end - vma.start), cpu);
      }
    },
    unmapAll(space, cpu) {
      for (let vma = space.vmas.last; vma !== undefined; vma = space.vmas.last) {
        munmap(space, vma.start, vma.pages, cpu);
      }
    },
    forEachEntry: (vma, visit) => {
      visitRange(vma, 0, vma.pages, visit);
    },
  };
}
