import { ACCOUNT_MIGRATION, PRICE } from '../../cost/index.js';
import { EINVAL } from '../../errors.js';
import { PTE_DIRTY, PTE_WRITE } from '../../hardware/index.js';
import { PG_DIRTY, PG_HUGE, PG_RESERVED, VM_SPECIAL, type Vma } from '../../mm/index.js';
import { NO_PAGE, NO_PFN, type PageId, type Pfn } from '../../units.js';
import type { MigrateVmaEntries, MigrateVmaParts } from './migrate-vma-entries.js';
import {
  MIGRATE_PFN_LOCKED,
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_WRITE,
  MIGRATE_VMA_DONE,
  MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
  MIGRATE_VMA_SELECT_SYSTEM,
  MIGRATE_VMA_WAIT,
  migratePfn,
  SETTLE,
  SETUP,
  type MigrateVma,
} from './migrate-vma.js';

/** Entries of one page table. */
const LEAF = 512;
/** So many references could be pins of one page that others read and write to. Kernel: GUP_PIN_COUNTING_BIAS. */
const PIN_BIAS = 1024;

const LOOK = SETUP + 1;
export const TRY_LOCK = SETUP + 2;
const FREEZE = SETUP + 3;
const FLUSH = SETUP + 4;
export const COLLECT_STEP_NAMES = ['V-setup', 'V-look', 'V-lock', 'V-freeze', 'V-flush'];

/**
 * The first part of setup: the arguments, then entry by entry what can migrate, page table by page table under its lock
 * (MV section 3). Kernel: migrate_vma_setup(), migrate_vma_collect_pmd(), mm/migrate_device.c.
 */
export function makeCollect(parts: MigrateVmaParts, { isHeld }: MigrateVmaEntries) {
  const { frames, tables, devices, lru, mapping, isExclusive, meter, zeroPage, rule } = parts;

  function setup(m: MigrateVma): number {
    if (!isSound(m)) {
      m.result = -EINVAL;
      return MIGRATE_VMA_DONE;
    }
    m.src.fill(0n);
    m.npages = m.request.end - m.start;
    m.cpages = m.at = 0;
    return LOOK;
  }

  function isSound(m: MigrateVma): boolean {
    const { vma, src, dst, start, end } = m.request;
    if (vma === null || (vma.flags & VM_SPECIAL) !== 0) return false;
    if (!(end > start) || start < vma.start || end > vma.end) return false;
    if (src === null || dst === null || src.length < end - start || dst.length < end - start) return false;
    return m.faultPage === NO_PFN || (rule.hasFaultPage && isPrivate(m.faultPage));
  }

  const isPrivate = (pfn: Pfn): boolean => frames.isDevice(pfn) && devices.poolOf(pfn).kind === 'private';

  /** What the entry holds; a candidate gets a reference, which keeps the page and its entry as they are. */
  function look(m: MigrateVma): number {
    const vma = m.vma as Vma;
    if (!m.holdsTables) {
      if (isHeld(vma)) return MIGRATE_VMA_WAIT;
      m.holdsTables = vma.space.tablesHeld = true;
      m.replaced = m.interrupted = 0;
    }
    m.dst[m.at] = 0n;
    meter.pay(ACCOUNT_MIGRATION, PRICE.scanPage);
    const page = tables.walk(vma.space.root, m.vpn);
    if (page !== NO_PAGE && tables.isWhole(page)) splitWhole(m, vma, page);
    const pfn = candidate(m, vma, page);
    if (pfn === NO_PFN) return nextEntry(m);
    m.pfn = pfn;
    frames.get(pfn);
    m.word = migratePfn(pfn) | MIGRATE_PFN_MIGRATE;
    if ((tables.bits[page] & PTE_WRITE) !== 0) m.word |= MIGRATE_PFN_WRITE;
    if (rule.retriesLocks) m.cpages++;
    return TRY_LOCK;
  }

  /** MV section 3: a huge page that is mapped as a whole is broken up; one that cannot be stays. */
  function splitWhole(m: MigrateVma, vma: Vma, page: PageId): void {
    if (tables.word[page] === (zeroPage as number)) mapping.blocks?.splitBlock(vma.space, page, m.cpu);
    else parts.breakUp?.(frames.headOf(tables.word[page] as Pfn), m.cpu);
  }

  /** The page that could migrate, or `NO_PFN`: the entry is 0 or a hole then. */
  function candidate(m: MigrateVma, vma: Vma, page: PageId): Pfn {
    if (page === NO_PAGE || tables.isNone(page)) return vma.file === null ? hole(m) : NO_PFN;
    const pfn = tables.word[page] as Pfn;
    if (tables.isDevice(page)) {
      const isSelected = (m.select & MIGRATE_VMA_SELECT_DEVICE_PRIVATE) !== 0;
      return isSelected && devices.poolOf(pfn).owner === m.owner ? pfn : NO_PFN;
    }
    if (!tables.isPresent(page) || (m.select & MIGRATE_VMA_SELECT_SYSTEM) === 0) return NO_PFN;
    if (pfn === zeroPage) return hole(m);
    return frames.has(pfn, PG_RESERVED | PG_HUGE) || frames.mapping(pfn) === 0 ? NO_PFN : pfn;
  }

  function hole(m: MigrateVma): Pfn {
    m.word = MIGRATE_PFN_MIGRATE;
    m.cpages++;
    return NO_PFN;
  }

  /** Only ever tried: other locks are held already (section 7, R-18). */
  function tryLock(m: MigrateVma): number {
    if (frames.tryLock(m.pfn)) return FREEZE;
    if (!rule.retriesLocks) forget(m);
    return nextEntry(m);
  }

  /** The migration entry at once: all that pages mapped once need (MV-1). The entry's reference goes. */
  function freeze(m: MigrateVma): number {
    const vma = m.vma as Vma;
    const { pfn } = m;
    const page = tables.walk(vma.space.root, m.vpn);
    const wasPresent = tables.isPresent(page);
    const isOwn = rule.givesUpExclusive && wasPresent && frames.isAnon(pfn) && isExclusive(pfn);
    if (isOwn) {
      mapping.flush(vma.space, page, m.cpu);
      if (frames.count(pfn) >= PIN_BIAS) {
        frames.unlock(pfn);
        forget(m);
        return nextEntry(m);
      }
    }
    if (rule.retriesLocks) m.word |= MIGRATE_PFN_LOCKED;
    else m.cpages++;
    const bits = tables.bits[page];
    if (rule.keepsDirty && (bits & PTE_DIRTY) !== 0) frames.set(pfn, PG_DIRTY);
    tables.setMigration(page, pfn, bits & rule.carries);
    if (wasPresent) {
      m.replaced++;
      m.interrupted = Math.max(m.interrupted, mapping.flushLater(vma.space, page, m.cpu));
    }
    frames.removeMapping(pfn);
    frames.drop(pfn);
    meter.pay(ACCOUNT_MIGRATION, PRICE.unmapPage);
    return nextEntry(m);
  }

  function forget(m: MigrateVma): void {
    lru.put(m.pfn);
    m.word = 0n;
  }

  function nextEntry(m: MigrateVma): number {
    m.at++;
    return m.at === m.npages || m.vpn % LEAF === 0 ? FLUSH : LOOK;
  }

  /** MV-3: once per page table. */
  function flush(m: MigrateVma): number {
    if (m.replaced > 0) mapping.countFlush(m.interrupted);
    mapping.payFlushes(ACCOUNT_MIGRATION);
    m.holdsTables = (m.vma as Vma).space.tablesHeld = false;
    if (m.at < m.npages) return LOOK;
    return m.cpages > 0 ? SETTLE : MIGRATE_VMA_DONE; // MV-13
  }

  function step(m: MigrateVma, at: number): number {
    switch (at) {
      case SETUP:
        return setup(m);
      case LOOK:
        return look(m);
      case TRY_LOCK:
        return tryLock(m);
      case FREEZE:
        return freeze(m);
      default:
        return flush(m);
    }
  }

  return { step, isPrivate };
}
