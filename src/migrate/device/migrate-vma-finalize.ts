import { NO_PFN, type Pfn } from '../../units.js';
import type { MigrateVmaEntries, MigrateVmaParts } from './migrate-vma-entries.js';
import { FINALIZE, frameOfWord, isMigrating, MIGRATE_VMA_DONE, type MigrateVma } from './migrate-vma.js';

const NEXT = FINALIZE + 1;
const RESTORE = FINALIZE + 2;
const RELEASE = FINALIZE + 3;
export const FINALIZE_STEP_NAMES = ['V-finalize', '', 'V-restore', 'V-release'];

/**
 * Entries show where each page is now, and everything that was held goes (MV section 6, MV-20).
 * Kernel: migrate_vma_finalize(), later migrate_device_finalize().
 */
export function makeFinalize({ frames, lru }: MigrateVmaParts, { restoreOne }: MigrateVmaEntries) {
  function next(m: MigrateVma): number {
    if (m.at === m.npages) return MIGRATE_VMA_DONE;
    m.pfn = frameOfWord(m.word);
    return m.pfn === NO_PFN ? RELEASE : RESTORE;
  }

  /** The page that is used from now on: the destination if it took over, else the source. */
  function survivor(m: MigrateVma): Pfn {
    const fresh = frameOfWord(m.dst[m.at]);
    return isMigrating(m.word) && fresh !== NO_PFN ? fresh : m.pfn;
  }

  function release(m: MigrateVma): number {
    const { pfn: old } = m;
    const fresh = frameOfWord(m.dst[m.at]);
    const hasMoved = old !== NO_PFN && survivor(m) !== old;
    if (hasMoved && !frames.isDevice(fresh)) lru.cacheAdd(m.cpu, fresh);
    if (old !== NO_PFN) {
      frames.unlock(old);
      if (frames.isDevice(old)) lru.put(old);
      else lru.putback(m.cpu, old);
    }
    if (fresh !== NO_PFN) {
      frames.unlock(fresh);
      lru.put(fresh);
    }
    m.at++;
    return NEXT;
  }

  return {
    step(m: MigrateVma, at: number): number {
      switch (at) {
        case FINALIZE:
          m.at = 0;
          return NEXT;
        case NEXT:
          return next(m);
        case RESTORE:
          return restoreOne(m, survivor(m), RESTORE, RELEASE);
        default:
          return release(m);
      }
    },
  };
}
