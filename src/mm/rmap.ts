import type { PageTables } from '../hardware/index.js';
import { NO_PAGE, type PageId, type Pfn } from '../units.js';
import type { AnonVmas } from './anon-vma.js';
import type { Files } from './files.js';
import type { Frames } from './frames.js';
import type { Vma } from './vma.js';

export interface RmapParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly files: Files;
  readonly anonVmas: AnonVmas;
}

/**
 * Calls `visit` for every place at which the page could be mapped; entries are still to be compared.
 * `visit` may change entries, but not make or remove areas.
 */
export type ForEachPlace = (pfn: Pfn, visit: (vma: Vma, page: PageId) => void) => void;

/**
 * The reverse map: from a page to the entries that map it. Object-based like the kernel's, so mapping a page costs
 * nothing beyond its mapping word. Anonymous pages go by their anon_vma, file and shmem pages by the object's areas;
 * a page without a mapping word is mapped nowhere (PL-53).
 */
export function makeRmap({ frames, tables, files, anonVmas }: RmapParts): {
  forEachPlace: ForEachPlace;
  forEachMapping: ForEachPlace;
} {
  function walk(pfn: Pfn, visit: (vma: Vma, page: PageId) => void, isMappedOnly: boolean): void {
    const mapping = frames.mapping(pfn);
    if (mapping === 0) return;
    const index = frames.index(pfn);
    const vmas = mapping < 0 ? anonVmas.get(-mapping)?.vmas : files.get(mapping).vmas;
    if (vmas === undefined) return;
    for (const vma of vmas) {
      const offset = index - (mapping < 0 ? vma.anonIndex : vma.filePage);
      if (offset < 0 || offset >= vma.pages) continue;
      const page = tables.walk(vma.space.root, vma.start + offset);
      if (page === NO_PAGE) continue;
      if (isMappedOnly && !(tables.isPresent(page) && tables.word[page] === (pfn as number))) continue;
      visit(vma, page);
    }
  }

  return {
    forEachPlace: (pfn, visit) => {
      walk(pfn, visit, false);
    },
    /** Only the entries that do map it. Kernel: rmap_walk() with page_vma_mapped_walk(). */
    forEachMapping: (pfn, visit) => {
      walk(pfn, visit, true);
    },
  };
}
