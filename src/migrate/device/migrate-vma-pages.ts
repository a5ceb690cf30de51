import { ACCOUNT_MIGRATION, PRICE } from '../../cost/index.js';
import { bugOn } from '../../errors.js';
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG } from '../../hardware/index.js';
import { PG_DIRTY, PG_MLOCKED, PG_PRIVATE, PG_SWAPBACKED, PG_UPTODATE, type Vma } from '../../mm/index.js';
import { NO_PAGE, NO_PFN, type Pfn, type SwapSlot } from '../../units.js';
import type { MigrateVmaEntries, MigrateVmaParts } from './migrate-vma-entries.js';
import {
  frameOfWord,
  isMigrating,
  MIGRATE_PFN_MIGRATE,
  MIGRATE_VMA_DONE,
  MIGRATE_VMA_WAIT,
  PAGES,
  type MigrateVma,
} from './migrate-vma.js';

const NEXT = PAGES + 1;
const INSERT = PAGES + 2;
const REPLACE = PAGES + 3;
export const PAGES_STEP_NAMES = ['V-pages', '', 'V-insert', 'V-replace'];

/**
 * Commits entry by entry; where it cannot, MIGRATE is cleared and finalize puts the page back (MV section 5). Contents are
 * the driver's affair and were copied before. Kernel: migrate_vma_pages(), migrate_vma_insert_page().
 *
 * @param isPrivate pages of processes can live in this frame of a device
 */
export function makePages(parts: MigrateVmaParts, entries: MigrateVmaEntries, isPrivate: (pfn: Pfn) => boolean) {
  const { frames, files, tables, lru, swap, spaces, mapping, copyPage, meter, zeroPage } = parts;

  function next(m: MigrateVma): number {
    if (m.at === m.npages) return MIGRATE_VMA_DONE;
    m.pfn = frameOfWord(m.word);
    if (isMigrating(m.word) && destination(m) !== NO_PFN) return m.pfn === NO_PFN ? INSERT : REPLACE;
    return refuse(m);
  }

  const destination = (m: MigrateVma): Pfn => frameOfWord(m.dst[m.at]);

  function refuse(m: MigrateVma): number {
    m.word &= ~MIGRATE_PFN_MIGRATE;
    m.at++;
    return NEXT;
  }

  /** A hole gets the destination as a first touch would, unless a CPU was there first. */
  function insert(m: MigrateVma): number {
    const { vma } = m;
    const fresh = destination(m);
    if (vma === null || vma.file !== null || (frames.isDevice(fresh) && !isPrivate(fresh))) return refuse(m);
    if (entries.isHeld(vma)) return MIGRATE_VMA_WAIT;
    const page = spaces.pageIn(vma, m.vpn - vma.start);
    if (page === NO_PAGE) return refuse(m);
    const showsZero = tables.isPresent(page) && tables.word[page] === (zeroPage as number);
    if (!tables.isNone(page) && !showsZero) return refuse(m);
    if (showsZero) mapping.zap(vma.space, page, m.cpu);
    show(m, vma, fresh);
    meter.pay(ACCOUNT_MIGRATION, PRICE.movePage);
    m.at++;
    return NEXT;
  }

  function show(m: MigrateVma, vma: Vma, fresh: Pfn): void {
    const offset = m.vpn - vma.start;
    const page = spaces.pageIn(vma, offset);
    frames.set(fresh, PG_UPTODATE | PG_SWAPBACKED);
    frames.get(fresh); // the driver's own goes in finalize
    if (frames.isDevice(fresh)) {
      mapping.mapDevice(vma, offset, page, fresh, vma.isWritable);
      return;
    }
    if (vma.isLocked) frames.set(fresh, PG_MLOCKED);
    mapping.mapAnon(vma, offset, page, fresh, vma.isWritable ? PTE_WRITE | PTE_DIRTY | PTE_YOUNG : PTE_YOUNG);
    lru.cacheAddAnon(m.cpu, fresh);
  }

  /** The page's mapping word, slot and flags go to the destination, if nobody but the migration knows the page. */
  function replace(m: MigrateVma): number {
    const { pfn: old } = m;
    const fresh = destination(m);
    if (frames.isDevice(fresh)) {
      if (!isPrivate(fresh)) return refuse(m);
      if (isCached(old) && !leaveSwapCache(old)) return refuse(m);
    }
    bugOn(frames.isWriteback(old), 'MV-5: a page under writeback is replaced', old);
    if (frames.count(old) !== expectedCount(m, old)) return refuse(m);
    const file = frames.mapping(old) > 0 && !frames.isSwapCache(old) ? files.get(frames.mapping(old)) : null;
    if (file?.migrate === 'fail') return refuse(m);
    frames.setMapping(fresh, frames.mapping(old), frames.index(old));
    copyPage.replaceSlot(old, fresh);
    copyPage.moveBuffers(old, fresh);
    copyPage.retire(old, fresh);
    meter.pay(ACCOUNT_MIGRATION, PRICE.restOfMove);
    meter.payCopy(ACCOUNT_MIGRATION, frames.nodeOf(old), frames.nodeOf(fresh));
    m.at++;
    return NEXT;
  }

  const isCached = (pfn: Pfn): boolean => frames.isSwapCache(pfn) || frames.mapping(pfn) > 0;

  /** Only private memory can leave its cache: if no entry names the slot any more. Kernel: folio_free_swap(). */
  function leaveSwapCache(pfn: Pfn): boolean {
    if (!frames.isAnon(pfn) || !frames.isSwapCache(pfn) || frames.isWriteback(pfn)) return false;
    if (swap.users(frames.private_(pfn) as SwapSlot) > 1) return false;
    swap.remove(pfn);
    frames.set(pfn, PG_DIRTY);
    frames.drop(pfn);
    return true;
  }

  function expectedCount(m: MigrateVma, pfn: Pfn): number {
    const cached = isCached(pfn) ? 1 + (frames.has(pfn, PG_PRIVATE) ? 1 : 0) : 0;
    return 1 + cached + (pfn === m.faultPage ? 1 : 0);
  }

  return {
    step(m: MigrateVma, at: number): number {
      switch (at) {
        case PAGES:
          m.at = 0;
          return NEXT;
        case NEXT:
          return next(m);
        case INSERT:
          return insert(m);
        default:
          return replace(m);
      }
    },
  };
}
