import type { Files, Frames, HugePages, MigrateOperation } from '../mm/index.js';
import type { Pfn } from '../units.js';

/**
 * Whether the page's mapping knows how to move it (C4, P9). A swap-cache page belongs to the swapper, whatever its mapping word
 * says (PL-1); the swapper moves the plain way. Kernel: a_ops->migratepage of page_mapping().
 */
export function migrateOperationOf(frames: Frames, files: Files, pfn: Pfn): MigrateOperation {
  if (frames.isSwapCache(pfn)) return 'simple';
  const mapping = frames.mapping(pfn);
  return mapping > 0 ? files.get(mapping).migrate : 'none';
}

/** PL-1: the address space that a page's cache slot is in: the swapper's, a file's, or none. Kernel: page_mapping() != NULL. */
export const hasPageMapping = (frames: Frames, pfn: Pfn): boolean => frames.isSwapCache(pfn) || frames.mapping(pfn) > 0;

/** Any part of a huge page counts: it is looked at, and moves, as one (HP-60). Kernel: page_mapped() */
export const isMapped = (frames: Frames, huge: HugePages | null, pfn: Pfn): boolean =>
  huge !== null && frames.isHuge(pfn) ? huge.mappings(pfn) > 0 : frames.mapcount(pfn) !== 0;

/** Rule variant `pageMapping` (PL-52): which field says, on the way to the slot, that the page is still in a cache. */
export interface PageMappingRule {
  isInCache(frames: Frames, pfn: Pfn): boolean;
}
/** Fixed on 30 Nov 2005. */
export const testsPageMapping: PageMappingRule = { isInCache: hasPageMapping };
/** The mapping word alone: null for a tmpfs page that writing it out has put into the swap cache (PL-50). */
export const testsRawMapping: PageMappingRule = { isInCache: (frames, pfn) => frames.mapping(pfn) !== 0 };
