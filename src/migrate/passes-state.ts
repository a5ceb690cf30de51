import { NO_PFN, type CpuId, type Pfn } from '../units.js';

/** What became of one page of a list. `left`: it could still be tried again when the passes ended, or was never reached. */
export type PageFate = 'left' | 'moved' | 'swapped' | 'freed' | 'failed';

export interface PageRecord {
  readonly pfn: Pfn;
  fate: PageFate;
  /** Of a page that failed for good: ENOMEM, EPERM, EIO. */
  errno: number;
  /** Times it was put off to a later pass. */
  retries: number;
  /** Where it is now; 0 unless `moved`. */
  to: Pfn;
}

/** How a call over a list ended; the last two never return. */
export type Ending = 'returned' | 'hung' | 'asserted';

/** What a mover tells of one call (section 11). */
export interface MigrateRecord {
  /** Pages that failed and pages still to be tried (DM-12). */
  result: number;
  /** Passes over the list, of the call that took most. */
  passes: number;
  /** Swap slots given to pages. */
  slots: number;
  /** Pages that were to move and were written out instead (P13). */
  fallbacks: number;
  ending: Ending;
  readonly pages: PageRecord[];
}

/** A call of migrate_pages() under way: what the steps of passes.ts work on. */
export class PassesState {
  /** Old pages to look at in this pass, and how far it is. */
  from: readonly Pfn[];
  at = 0;
  /** Pages of this pass that stay on the list for the next one. */
  keep: Pfn[] = [];
  readonly moved: Pfn[] = [];
  readonly failed: Pfn[] = [];
  pass = 0;
  retry = 0;
  /** The page in hand, its new frame (`NO_PFN`: none), and the references expected of it. */
  page = NO_PFN;
  fresh = NO_PFN;
  refs = 2;
  /** The step to take next, for drivers that take one at a time. */
  next = 1;
  ending: Ending = 'returned';
  slots = 0;
  fallbacks = 0;

  /**
   * @param from isolated pages, in order
   * @param to new frames, each with one reference: the last is used first (P7); null: pages go out to swap
   * @param records where the fates of the pages are kept, by old frame
   */
  constructor(
    from: readonly Pfn[],
    readonly to: Pfn[] | null,
    readonly cpu: CpuId,
    readonly records: Map<Pfn, PageRecord> = newRecords(from),
  ) {
    this.from = from;
  }

  get record(): PageRecord {
    return this.records.get(this.page) ?? newRecord(this.page);
  }

  /** DM-12. */
  get result(): number {
    let pages = this.retry;
    for (const { fate } of this.records.values()) if (fate === 'failed') pages++;
    return pages;
  }
}

const newRecord = (pfn: Pfn): PageRecord => ({ pfn, fate: 'left', errno: 0, retries: 0, to: NO_PFN });

export const newRecords = (pages: readonly Pfn[]): Map<Pfn, PageRecord> =>
  new Map(pages.map((pfn) => [pfn, newRecord(pfn)]));
