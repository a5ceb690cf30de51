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

/** A place at which a page could be mapped. */
export interface Place {
  readonly vma: Vma;
  readonly page: PageId;
}

/**
 * The same places one at a time, for walks between whose steps others may act. Areas that join meanwhile come last, so a
 * child's after its parent's; areas that go are left out.
 */
export type Places = (pfn: Pfn) => Iterator<Place, void>;

/**
 * The reverse map: from a page to the entries that map it. Object-based like the kernel's, so mapping a page costs
 * nothing beyond its mapping word. Anonymous pages go by their anon_vma, file and shmem pages by the object's areas;
 * a page without a mapping word is mapped nowhere (PL-53).
 */
export function makeRmap({ frames, tables, files, anonVmas }: RmapParts): {
  forEachPlace: ForEachPlace;
  forEachMapping: ForEachPlace;
  places: Places;
} {
  function vmasOf(mapping: number): ReadonlySet<Vma> | undefined {
    return mapping < 0 ? anonVmas.get(-mapping)?.vmas : files.get(mapping).vmas;
  }

  /** The entry at which an area could map the page with this index, or `NO_PAGE`. */
  function pageIn(vma: Vma, mapping: number, index: number): PageId {
    const offset = index - (mapping < 0 ? vma.anonIndex : vma.filePage);
    return offset < 0 || offset >= vma.pages ? NO_PAGE : tables.walk(vma.space.root, vma.start + offset);
  }

  function* places(pfn: Pfn): Generator<Place, void> {
    const mapping = frames.mapping(pfn);
    const index = frames.index(pfn);
    const vmas = mapping === 0 ? undefined : vmasOf(mapping);
    if (vmas === undefined) return;
    for (const vma of vmas) {
      const page = pageIn(vma, mapping, index);
      if (page !== NO_PAGE) yield { vma, page };
    }
  }

  function walk(pfn: Pfn, visit: (vma: Vma, page: PageId) => void, isMappedOnly: boolean): void {
    const mapping = frames.mapping(pfn);
    if (mapping === 0) return;
    const index = frames.index(pfn);
    const near = mapping < 0 ? anonVmas.get(-mapping)?.around(index) : files.get(mapping).vmas;
    if (near === undefined) return;
    for (const vma of near) {
      const page = pageIn(vma, mapping, index);
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
    places,
  };
}
