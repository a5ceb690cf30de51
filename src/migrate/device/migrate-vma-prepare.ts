import {
  frameOfWord,
  isMigrating,
  MIGRATE_PFN_LOCKED,
  MIGRATE_VMA_DONE,
  SETTLE,
  type MigrateVma,
} from './migrate-vma.js';
import type { MakeSettle, MigrateVmaEntries, MigrateVmaParts, Settle } from './migrate-vma-entries.js';

const NEXT = SETTLE + 1;
const LOCK = SETTLE + 2;
const ISOLATE = SETTLE + 3;
const CHECK = SETTLE + 4;
const RESTORE = SETTLE + 5;
const RELEASE = SETTLE + 6;
const NEXT_UNMAP = SETTLE + 7;
const UNMAP = SETTLE + 8;
const CHECK_UNMAPPED = SETTLE + 9;
const RESTORE_UNMAPPED = SETTLE + 10;
const RELEASE_UNMAPPED = SETTLE + 11;
const PREPARE_STEP_NAMES = [
  ...['V-drain', '', 'V-lock-again', 'V-isolate', 'V-check', 'V-restore', 'V-release'],
  ...['', 'V-unmap', 'V-check', 'V-restore', 'V-release'],
];

/**
 * [5.15] In two functions: prepare locks what collect could not, isolates and looks for pins; unmap takes the remaining
 * mappings away. "Giving up" has two shapes, by whether collect has put the migration entry there already, and each ends
 * with another set of references (MV-11). Kernel: migrate_vma_prepare(), migrate_vma_unmap(), mm/migrate.c, 5.15.
 */
export const makePrepareThenUnmap: MakeSettle = (parts: MigrateVmaParts, entries: MigrateVmaEntries): Settle => {
  const { frames, lru } = parts;

  function drain(m: MigrateVma): number {
    lru.drain(m.cpu);
    m.at = m.restore = 0;
    m.hasDrained = false;
    return NEXT;
  }

  const isPage = (word: bigint): boolean => frameOfWord(word) > 0;

  /** Ends early once nothing is left to migrate. */
  function next(m: MigrateVma): number {
    if (m.cpages > 0 && entries.seek(m, isPage)) {
      if ((m.word & MIGRATE_PFN_LOCKED) === 0n) return LOCK;
      return frames.isDevice(m.pfn) ? CHECK : ISOLATE;
    }
    m.at = 0;
    return nextRestore(m);
  }

  /** Only tried again: other locks are held. */
  function lock(m: MigrateVma): number {
    if (!frames.tryLock(m.pfn)) return drop(m);
    m.word |= MIGRATE_PFN_LOCKED;
    m.lockedLate = true;
    return frames.isDevice(m.pfn) ? CHECK : ISOLATE;
  }

  /** The entry is 0 and its reference goes. */
  function drop(m: MigrateVma): number {
    m.word = 0n;
    m.cpages--;
    lru.put(m.pfn);
    return advance(m);
  }

  function advance(m: MigrateVma): number {
    m.lockedLate = false;
    m.at++;
    return NEXT;
  }

  function isolate(m: MigrateVma): number {
    if (entries.isolate(m)) {
      frames.drop(m.pfn); // the reference of collect; the page lock keeps other migrations away
      return CHECK;
    }
    if (m.lockedLate) {
      frames.unlock(m.pfn);
      return drop(m);
    }
    return giveUp(m);
  }

  function check(m: MigrateVma): number {
    const { pfn } = m;
    const isSystem = !frames.isDevice(pfn);
    if (!entries.isPinned(m, pfn)) return advance(m);
    if (m.lockedLate) {
      frames.unlock(pfn);
      if (!isSystem) return drop(m);
      m.word = 0n;
      m.cpages--;
      lru.putback(m.cpu, pfn);
      return advance(m);
    }
    if (isSystem) {
      frames.get(pfn);
      lru.putback(m.cpu, pfn);
    }
    return giveUp(m);
  }

  function giveUp(m: MigrateVma): number {
    entries.giveUp(m);
    m.cpages--;
    return advance(m);
  }

  function nextRestore(m: MigrateVma): number {
    if (entries.seekRestore(m)) return RESTORE;
    m.at = m.restore = 0;
    return m.cpages > 0 ? NEXT_UNMAP : MIGRATE_VMA_DONE;
  }

  function release(m: MigrateVma): number {
    entries.release(m);
    lru.put(m.pfn);
    return nextRestore(m);
  }

  function nextUnmap(m: MigrateVma): number {
    if (entries.seek(m, (word) => isPage(word) && isMigrating(word))) return UNMAP;
    m.at = 0;
    return nextRestoreUnmapped(m);
  }

  function checkUnmapped(m: MigrateVma): number {
    if (frames.mapcount(m.pfn) > 0 || entries.isPinned(m, m.pfn)) {
      entries.giveUp(m);
      m.cpages--;
    }
    m.at++;
    return NEXT_UNMAP;
  }

  function nextRestoreUnmapped(m: MigrateVma): number {
    return entries.seekRestore(m) ? RESTORE_UNMAPPED : MIGRATE_VMA_DONE;
  }

  function releaseUnmapped(m: MigrateVma): number {
    entries.release(m);
    if (frames.isDevice(m.pfn)) lru.put(m.pfn);
    else lru.putback(m.cpu, m.pfn);
    return nextRestoreUnmapped(m);
  }

  return {
    stepNames: PREPARE_STEP_NAMES,
    step(m, at) {
      switch (at) {
        case SETTLE:
          return drain(m);
        case NEXT:
          return next(m);
        case LOCK:
          return lock(m);
        case ISOLATE:
          return isolate(m);
        case CHECK:
          return check(m);
        case RESTORE:
          return entries.restoreOne(m, m.pfn, RESTORE, RELEASE);
        case RELEASE:
          return release(m);
        case NEXT_UNMAP:
          return nextUnmap(m);
        case UNMAP:
          return entries.unmapOne(m, UNMAP, CHECK_UNMAPPED);
        case CHECK_UNMAPPED:
          return checkUnmapped(m);
        case RESTORE_UNMAPPED:
          return entries.restoreOne(m, m.pfn, RESTORE_UNMAPPED, RELEASE_UNMAPPED);
        default:
          return releaseUnmapped(m);
      }
    },
  };
};
