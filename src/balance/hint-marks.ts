import { ACCOUNT_MIGRATION, PRICE, type Meter } from '../cost/index.js';
import { PTE_HINT, PTE_PRESENT, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import { HUGE_PAGES, type Frames, type Mapping, type Task, type Vma } from '../mm/index.js';
import type { BalancedWorld, MarkOptions, VisitedPage } from '../policy/index.js';
import { PIN_REFERENCES } from '../reclaim/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_NODE, NO_PAGE, type PageId, type Pfn } from '../units.js';

export interface HintMarksParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly mapping: Mapping;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly zeroPage: Pfn;
  readonly world: Pick<BalancedWorld, 'isTopTier'>;
}

export interface HintMarks {
  /** Entries of an area become such that their next use faults (section 3.1). @returns how many. Kernel: change_prot_numa() */
  mark(task: Task, vma: Vma, from: number, until: number, options: MarkOptions): number;
  /** Shows the mapped pages of a range, and takes their accessed bits back if asked to. */
  visit(
    task: Task,
    vma: Vma,
    range: { readonly from: number; readonly until: number; readonly clears: boolean },
    visit: (page: VisitedPage) => void,
  ): void;
}

/** The time as it is stored with a page, in ms (TI-29). */
const TIME_MASK = (1 << 21) - 1;

export function makeHintMarks(parts: HintMarksParts): HintMarks {
  const { frames, tables, mapping, counters, meter, zeroPage, world } = parts;

  /** NB-25..NB-30 */
  function mayMark(task: Task, vma: Vma, page: PageId, options: MarkOptions): boolean {
    const bits = tables.bits[page];
    if ((bits & (PTE_PRESENT | PTE_HINT)) !== PTE_PRESENT) return false;
    const pfn = tables.word[page] as Pfn;
    if (pfn === zeroPage) return false;
    const head = frames.headOf(pfn);
    const isWhole = tables.isWhole(page);
    if (!vma.isShared && !isWhole && (frames.mapcount(pfn) > 1 || frames.count(head) >= PIN_REFERENCES)) return false;
    if (frames.mapping(head) > 0 && vma.file?.isShmem !== true && frames.isDirty(head)) return false;
    if (!isWhole && !vma.isShared && vma.space.threads === 1 && frames.nodeOf(pfn) === task.node) return false;
    const isTop = world.isTopTier(frames.nodeOf(pfn));
    if (options.skipsTopTier && isTop) return false;
    if (options.storesTime && !isTop && frames.stored !== null)
      frames.stored[head] = (Math.floor(meter.nowNs / 1e6) & TIME_MASK) + 1;
    return true;
  }

  /** Calls `act` for each page that has a table, a whole block once. */
  function eachPage(vma: Vma, from: number, until: number, act: (page: PageId, vpn: number) => void): void {
    for (let vpn = Math.max(from, vma.start); vpn < Math.min(until, vma.end); vpn++) {
      const page = tables.walk(vma.space.root, vpn);
      if (page === NO_PAGE) {
        vpn += HUGE_PAGES - 1 - (vpn % HUGE_PAGES);
        continue;
      }
      act(page, vpn);
      if (tables.isWhole(page)) vpn += HUGE_PAGES - 1 - (vpn % HUGE_PAGES);
    }
  }

  function mark(task: Task, vma: Vma, from: number, until: number, options: MarkOptions): number {
    let marked = 0;
    let looked = 0;
    mapping.beginBatch();
    eachPage(vma, from, until, (page) => {
      looked++;
      if (!mayMark(task, vma, page, options)) return;
      const pages = tables.isWhole(page) ? HUGE_PAGES : 1;
      const first = pages === 1 ? page : page - (page % HUGE_PAGES);
      for (let i = 0; i < pages; i++) tables.bits[first + i] |= PTE_HINT;
      if (pages > 1) counters.inc(C.numa_huge_pte_updates);
      marked += pages;
      mapping.flush(vma.space, page, task.cpu);
    });
    mapping.endBatch();
    counters.add(C.numa_pte_updates, marked);
    meter.payTimes(ACCOUNT_MIGRATION, PRICE.scanPage, looked);
    mapping.payFlushes(ACCOUNT_MIGRATION);
    return marked;
  }

  const shown = { page: 0, node: NO_NODE, pages: 1, wasUsed: false };
  const visit: HintMarks['visit'] = (task, vma, { from, until, clears }, visitor) => {
    mapping.beginBatch();
    eachPage(vma, from, until, (page, vpn) => {
      meter.pay(ACCOUNT_MIGRATION, PRICE.scanPage);
      const pfn = tables.word[page] as Pfn;
      if (!tables.isPresent(page) || pfn === zeroPage) return;
      shown.page = vpn;
      shown.node = frames.nodeOf(pfn);
      shown.pages = tables.isWhole(page) ? HUGE_PAGES : 1;
      shown.wasUsed = false;
      const first = shown.pages === 1 ? page : page - (page % HUGE_PAGES);
      for (let i = 0; i < shown.pages; i++) {
        if ((tables.bits[first + i] & PTE_YOUNG) === 0) continue;
        shown.wasUsed = true;
        if (clears) tables.bits[first + i] &= ~PTE_YOUNG;
      }
      if (clears && shown.wasUsed) mapping.flush(vma.space, page, task.cpu);
      visitor(shown);
    });
    mapping.endBatch();
    mapping.payFlushes(ACCOUNT_MIGRATION);
  };

  return { mark, visit };
}
