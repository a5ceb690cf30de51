import type { AddressSpace } from '../mm/index.js';

/** Mappings are placed from here downwards, below the pages the kernel maps itself; as recorded on x86-64. */
const CEILING = 0x7ffff7ff9;
/** vm.mmap_min_addr, 64 KiB. */
const FLOOR = 16;

/**
 * Where mmap puts a new mapping: the highest gap that is large enough. Kernel: arch_get_unmapped_area_topdown().
 *
 * @returns its page number, or null if there is no gap
 */
export function findPlace(space: AddressSpace, pages: number): number | null {
  let end = CEILING;
  for (let vma = space.vmas.last; vma !== undefined; vma = space.vmas.before(vma)) {
    if (vma.start >= CEILING) continue;
    if (end - vma.end >= pages) return end - pages;
    end = vma.start;
  }
  return end - FLOOR >= pages ? end - pages : null;
}
