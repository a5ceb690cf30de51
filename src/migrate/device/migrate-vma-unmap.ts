import { isHole, MIGRATE_VMA_DONE, SETTLE, type MigrateVma } from './migrate-vma.js';
import type { MakeSettle, MigrateVmaEntries, MigrateVmaParts, Settle } from './migrate-vma-entries.js';

const NEXT = SETTLE + 1;
const ISOLATE = SETTLE + 2;
const UNMAP = SETTLE + 3;
const CHECK = SETTLE + 4;
const RESTORE = SETTLE + 5;
const RELEASE = SETTLE + 6;
const UNMAP_STEP_NAMES = ['V-drain', '', 'V-isolate', 'V-unmap', 'V-check', 'V-restore', 'V-release'];

/**
 * [5.16+] Collected pages are taken off their lists and unmapped from everybody else; what cannot be goes back.
 * Kernel: migrate_vma_unmap(), later migrate_device_unmap(), mm/migrate_device.c.
 */
export const makeUnmap: MakeSettle = (parts: MigrateVmaParts, entries: MigrateVmaEntries): Settle => {
  const { frames, lru, rule } = parts;

  function drain(m: MigrateVma): number {
    lru.drain(m.cpu);
    m.at = m.restore = m.unmapped = 0;
    m.hasDrained = false;
    return NEXT;
  }

  function next(m: MigrateVma): number {
    if (entries.seek(m, (word) => word !== 0n)) {
      if (!isHole(m.word)) return frames.isDevice(m.pfn) ? UNMAP : ISOLATE;
      m.unmapped++;
      m.at++;
      return NEXT;
    }
    m.at = 0;
    return nextRestore(m);
  }

  function isolate(m: MigrateVma): number {
    if (!entries.isolate(m)) return giveUp(m);
    frames.drop(m.pfn); // the reference of collect; the page lock keeps other migrations away
    return UNMAP;
  }

  /** MV-10: a page given up holds one reference more than it has users, whether it was isolated or not. */
  function check(m: MigrateVma): number {
    if (frames.mapcount(m.pfn) === 0 && !entries.isPinned(m, m.pfn)) {
      m.unmapped++;
      m.at++;
      return NEXT;
    }
    if (!frames.isDevice(m.pfn)) {
      frames.get(m.pfn);
      lru.putback(m.cpu, m.pfn);
    }
    return giveUp(m);
  }

  function giveUp(m: MigrateVma): number {
    entries.giveUp(m);
    if (!rule.countsUnmapped) m.cpages--;
    m.at++;
    return NEXT;
  }

  function nextRestore(m: MigrateVma): number {
    if (entries.seekRestore(m)) return RESTORE;
    if (rule.countsUnmapped) m.cpages = m.unmapped;
    return MIGRATE_VMA_DONE;
  }

  function release(m: MigrateVma): number {
    entries.release(m);
    lru.put(m.pfn);
    return nextRestore(m);
  }

  return {
    stepNames: UNMAP_STEP_NAMES,
    step(m, at) {
      switch (at) {
        case SETTLE:
          return drain(m);
        case NEXT:
          return next(m);
        case ISOLATE:
          return isolate(m);
        case UNMAP:
          return entries.unmapOne(m, UNMAP, CHECK);
        case CHECK:
          return check(m);
        case RESTORE:
          return entries.restoreOne(m, m.pfn, RESTORE, RELEASE);
        default:
          return release(m);
      }
    },
  };
};
