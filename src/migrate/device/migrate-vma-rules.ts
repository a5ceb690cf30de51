import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG } from '../../hardware/index.js';
import { makePrepareThenUnmap } from './migrate-vma-prepare.js';
import type { MakeSettle } from './migrate-vma-entries.js';
import { makeUnmap } from './migrate-vma-unmap.js';

/** Rule variant `migrateVma`: the form before and after the change of October 2021 (MV-11), and what came later. */
export interface MigrateVmaRule {
  /** A page whose lock was busy in collect is kept for a second try, and counted before the first (MV section 3). */
  readonly retriesLocks: boolean;
  /** From collected to unmapped: prepare, then unmap; or one function (MV section 4). */
  readonly makeSettle: MakeSettle;
  /** Collect moves the dirty bit of the entry to the page; and which bits a migration entry carries (MV-2). */
  readonly keepsDirty: boolean;
  readonly carries: number;
  /** A page of one task alone gives that up in collect, which a pinned page refuses (MV-2). */
  readonly givesUpExclusive: boolean;
  /** cpages is set to what unmap left, instead of counted down (MV-12). */
  readonly countsUnmapped: boolean;
  /**
   * References that the pin check forgives a page of a device. [6.14] One, a leftover of the time when each held one more;
   * before, when it did, none (the model does not count that one).
   */
  readonly deviceExtra: number;
  /** A request names the page of the CPU fault that it serves; and a device can be emptied by frame number (MV section 8). */
  readonly hasFaultPage: boolean;
}

export const migrateVma515: MigrateVmaRule = {
  retriesLocks: true,
  makeSettle: makePrepareThenUnmap,
  keepsDirty: false,
  carries: PTE_WRITE,
  givesUpExclusive: false,
  countsUnmapped: false,
  deviceExtra: 0,
  hasFaultPage: false,
};
/** Commit ab09243aa95a, and nothing else. */
export const migrateVma516: MigrateVmaRule = { ...migrateVma515, retriesLocks: false, makeSettle: makeUnmap };
export const migrateVma6: MigrateVmaRule = {
  ...migrateVma516,
  keepsDirty: true,
  carries: PTE_WRITE | PTE_DIRTY | PTE_YOUNG,
  givesUpExclusive: true,
  countsUnmapped: true,
  deviceExtra: 1,
  hasFaultPage: true,
};
