import type { PageTables } from '../hardware/index.js';
import type { Lru } from '../mm/index.js';
import { NO_PFN, type PageId, type Pfn } from '../units.js';
import { isolateLruPage } from './lists.js';

/** Rule variant `isolation`: whether the page-table lock is held from reading an entry to the end of the isolation. */
export interface IsolationRule {
  readonly dropsPtl: boolean;
}
/** The entry's own reference keeps the page while it is isolated (Jan 2006). */
export const isolatesUnderPtl: IsolationRule = { dropsPtl: false };
/** Isolation could sleep, so the lock was dropped around it: by then the frame may be anybody's (8 to 18 Jan 2006). */
export const isolatesAfterPtl: IsolationRule = { dropsPtl: true };

/** Selecting the page behind one entry. */
export class EntryState {
  next = I1;
  pfn = NO_PFN;
  constructor(
    readonly page: PageId,
    readonly list: Pfn[],
  ) {}
}

/** The steps: read the entry; isolate the page it named. Under one lock they are one. */
export const I1 = 1;
const I2 = 2;

export interface IsolateEntry {
  /** Isolates the page that an entry maps onto `list`; one that cannot be isolated is left, silently (DM-3). @returns whether it was */
  isolateEntry(page: PageId, list: Pfn[]): boolean;
  /** One step of the same. @returns the next step, or 0 */
  step(s: EntryState, at: number): number;
}

/** Kernel: check_pte_range() with migrate_page_add(), mm/mempolicy.c, 2.6.16. */
export function makeIsolateEntry(tables: PageTables, lru: Lru, { dropsPtl }: IsolationRule): IsolateEntry {
  function step(s: EntryState, at: number): number {
    if (at === I1) {
      if (!tables.isPresent(s.page)) return 0;
      s.pfn = tables.word[s.page] as Pfn;
      if (dropsPtl) return I2;
    }
    isolateLruPage(lru, lru.folioOf(s.pfn), s.list);
    return 0;
  }

  return {
    isolateEntry(page, list) {
      const before = list.length;
      const s = new EntryState(page, list);
      while (s.next > 0) s.next = step(s, s.next);
      return list.length > before;
    },
    step,
  };
}
