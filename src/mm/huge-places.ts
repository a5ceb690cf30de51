import type { PageTables } from '../hardware/index.js';
import { NO_PAGE, type PageId, type Pfn } from '../units.js';
import type { AnonVmas } from './anon-vma.js';
import type { Files } from './files.js';
import { HUGE_PAGES, type Frames } from './frames.js';
import type { Vma } from './vma.js';

export interface HugePlacesParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly files: Files;
  readonly anonVmas: AnonVmas;
}

/**
 * Calls `visit` for every place at which one of the 512 pages of a huge page could be mapped, area by area in ascending
 * order, with that page; entries are still to be compared. `visit` may change entries, but not make or remove areas.
 */
export type ForEachHugePlace = (head: Pfn, visit: (vma: Vma, page: PageId, part: Pfn, offset: number) => void) => void;

/** The reverse map of huge pages. Kernel: rmap_walk() of a large folio. */
export function makeHugePlaces({ frames, tables, files, anonVmas }: HugePlacesParts): ForEachHugePlace {
  return (head, visit) => {
    const mapping = frames.mapping(head);
    const vmas = mapping < 0 ? anonVmas.get(-mapping)?.vmas : mapping > 0 ? files.get(mapping).vmas : undefined;
    if (vmas === undefined) return;
    for (const vma of vmas) {
      const first = frames.index(head) - (mapping < 0 ? vma.anonIndex : vma.filePage);
      const end = Math.min(vma.pages, first + HUGE_PAGES);
      for (let offset = Math.max(0, first); offset < end; offset++) {
        const page = tables.walk(vma.space.root, vma.start + offset);
        if (page !== NO_PAGE) visit(vma, page, (head + offset - first) as Pfn, offset);
      }
    }
  };
}
