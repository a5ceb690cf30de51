import type { AddressSpace, Vma } from '../../mm/index.js';
import { vpnOf, type MemoryRegion } from '../../trace/index.js';

/**
 * Steps in which a free range of addresses is looked for: a multiple of the pages under a leaf table, and of 1 to 16, so
 * that an interleave index keeps its meaning.
 */
const ADDRESS_STEP = 512 * 720_720;
const ADDRESS_END = 2 ** 36;

/**
 * At which addresses the regions of a trace lie: at their own, as long as nothing that is used later lies there. What is
 * mapped over memory that the program has moved away goes elsewhere, because moved pages stay where they are; and so
 * does, while a stretch of rows is replayed again, what is mapped over anything.
 */
export class TraceAddresses {
  /** What is mapped over will be used again: the rows before that point come once more. */
  keepsReplaced = false;
  /** Page number at which a region was mapped, by its id. */
  private readonly starts = new Map<number, number>();
  /** Trace pages that the program has moved to another address. */
  private readonly moved: { readonly first: number; readonly pages: number }[] = [];

  startOf(region: MemoryRegion): number {
    return this.starts.get(region.id) ?? vpnOf(region.vaddr);
  }

  placeRegion(region: MemoryRegion, space: AddressSpace): number {
    const start = this.place(region, space);
    this.starts.set(region.id, start);
    return start;
  }

  /** Page number at which something is mapped that has an address of its own. */
  place({ vaddr, pages }: { readonly vaddr: string; readonly pages: number }, space: AddressSpace): number {
    const start = vpnOf(vaddr);
    const stays = overlapping(space, start, pages).some(
      (vma) => this.keepsReplaced || this.wasMoved(vma, start, pages),
    );
    if (!stays) return start;
    for (let other = start + ADDRESS_STEP; other + pages <= ADDRESS_END; other += ADDRESS_STEP) {
      if (overlapping(space, other, pages).length === 0) return other;
    }
    return start;
  }

  /**
   * The program moves pages to another address (mremap). They keep their numbers, frames and interleave indices (K-I2), so
   * nothing happens but that their old address is free.
   */
  movePages(first: number, pages: number): void {
    this.moved.push({ first, pages });
  }

  private wasMoved(vma: Vma, start: number, pages: number): boolean {
    if (vma.tracePage < 0) return false;
    const from = vma.tracePage + Math.max(0, start - vma.start);
    const until = vma.tracePage + Math.min(vma.pages, start + pages - vma.start);
    return this.moved.some((range) => range.first < until && range.first + range.pages > from);
  }
}

function overlapping(space: AddressSpace, start: number, pages: number): Vma[] {
  return space.vmas.within(start, start + pages);
}

/** The parts of a range of addresses that show what they were mapped for, and not what was mapped over it since. */
export function eachOwnPart(
  space: AddressSpace,
  start: number,
  pages: number,
  isOwn: (vma: Vma) => boolean,
  act: (start: number, pages: number) => void,
): void {
  const parts = overlapping(space, start, pages)
    .filter(isOwn)
    .map((vma) => [Math.max(start, vma.start), Math.min(start + pages, vma.end)] as const);
  for (const [from, end] of parts) act(from, end - from);
}
