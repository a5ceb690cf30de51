import { ACCOUNT_MIGRATION, PRICE, type Meter } from '../cost/index.js';
import { PTE_DIRTY, PTE_MIGRATION, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  PG_PRIVATE,
  type Block,
  type Files,
  type ForEachPlace,
  type Frames,
  type Lru,
  type Mapping,
  type MigrateOperation,
} from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PFN, type CpuId, type PageId, type Pfn } from '../units.js';
import type { CopyPage } from './copy-page.js';

/** Pages that are unmapped together before one TLB flush (DM, 6.x). */
const BATCH = 512;

export interface MigratePagesParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly block: Block;
  readonly mapping: Mapping;
  readonly copyPage: CopyPage;
  readonly forEachPlace: ForEachPlace;
  readonly forEachMapping: ForEachPlace;
  readonly counters: Counters;
  readonly meter: Meter;
}

/** Where the copy of a page goes: a new frame with one reference, or `NO_PFN`. */
export type NewPage = (old: Pfn) => Pfn;

export interface MigrateResult {
  /** Pages that did not move. */
  readonly failed: number;
  /** Somewhere there was no frame: the call ended after what was unmapped had moved (DM section 5, 6.x). */
  readonly noMemory: boolean;
}

export interface MigratePages {
  /**
   * Moves isolated pages: in batches of 512 all are unmapped (their entries become migration entries), TLBs are flushed
   * once, then each is copied and mapped again. Pages that could not move go back to their lists.
   * Kernel: migrate_pages(), mm/migrate.c, 6.x.
   *
   * @param pages isolated, each with the isolation's reference, in order
   * @param cpu CPU that does it
   */
  migratePages(pages: readonly Pfn[], newPage: NewPage, cpu: CpuId): MigrateResult;
}

interface Unmapped {
  readonly old: Pfn;
  readonly fresh: Pfn;
}

export function makeMigratePages(parts: MigratePagesParts): MigratePages {
  const { frames, files, tables, lru, block, mapping, copyPage, forEachPlace, forEachMapping, counters, meter } = parts;

  function migratePages(pages: readonly Pfn[], newPage: NewPage, cpu: CpuId): MigrateResult {
    let failed = 0;
    for (let at = 0; at < pages.length; at += BATCH) {
      const batch = pages.slice(at, at + BATCH);
      const result = migrateBatch(batch, newPage, cpu);
      failed += result.failed;
      if (!result.noMemory) continue;
      const rest = pages.slice(at + BATCH);
      for (const pfn of rest) lru.putback(cpu, pfn);
      return { failed: failed + rest.length, noMemory: true };
    }
    return { failed, noMemory: false };
  }

  function migrateBatch(pages: readonly Pfn[], newPage: NewPage, cpu: CpuId): MigrateResult {
    const unmapped: Unmapped[] = [];
    let [failed, noMemory] = [0, false];
    mapping.beginBatch();
    for (const old of pages) {
      if (noMemory) {
        failed += putback(old, cpu);
        continue;
      }
      if (frames.count(old) === 1) {
        lru.putback(cpu, old); // freed by everybody else meanwhile: nothing to move
        continue;
      }
      if (!lockAndSettle(old)) {
        failed += putback(old, cpu);
        continue;
      }
      const fresh = newPage(old);
      if (fresh === NO_PFN) {
        frames.unlock(old);
        noMemory = true;
        failed += putback(old, cpu);
        continue;
      }
      frames.tryLock(fresh); // cannot fail: it is new
      unmapToEntries(old, cpu);
      unmapped.push({ old, fresh });
    }
    mapping.endBatch();
    meter.payTimes(ACCOUNT_MIGRATION, PRICE.shootdown, mapping.takeInterrupts());
    for (const { old, fresh } of unmapped) if (!moveOne(old, fresh, cpu)) failed++;
    return { failed, noMemory };
  }

  /** The lock, and no write in flight: the synchronous passes wait for it. */
  function lockAndSettle(old: Pfn): boolean {
    if (!frames.tryLock(old)) return false;
    if (frames.isWriteback(old)) block.waitForPage(old);
    return true;
  }

  function putback(old: Pfn, cpu: CpuId): number {
    lru.putback(cpu, old);
    counters.inc(C.pgmigrate_fail);
    return 1;
  }

  /** Every entry that maps the page becomes a migration entry, which remembers what it was allowed (DM-21, 2.6.18 on). */
  function unmapToEntries(old: Pfn, cpu: CpuId): void {
    forEachMapping(old, (vma, page) => {
      const bits = tables.bits[page] & (PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
      tables.word[page] = old;
      tables.bits[page] = bits | PTE_MIGRATION;
      mapping.flush(vma.space, page, cpu);
      frames.removeMapping(old);
      frames.drop(old);
      meter.pay(ACCOUNT_MIGRATION, PRICE.unmapPage);
    });
  }

  /** Migration entries that name `old` show `now` again. */
  function removeEntries(old: Pfn, now: Pfn): void {
    forEachPlace(now, (_, page: PageId) => {
      if ((tables.bits[page] & PTE_MIGRATION) === 0 || tables.word[page] !== (old as number)) return;
      frames.get(now);
      frames.addMapping(now);
      tables.set(page, now, tables.bits[page] & (PTE_WRITE | PTE_DIRTY | PTE_YOUNG));
    });
  }

  /** @returns whether it moved; either way both pages are unlocked and the isolation has ended */
  function moveOne(old: Pfn, fresh: Pfn, cpu: CpuId): boolean {
    frames.setMapping(fresh, frames.mapping(old), frames.index(old));
    if (!mayMove(old)) {
      frames.setMapping(fresh, 0, 0);
      frames.unlock(fresh);
      lru.put(fresh);
      removeEntries(old, old);
      frames.unlock(old);
      putback(old, cpu);
      return false;
    }
    copyPage.replaceSlot(old, fresh);
    copyPage.moveBuffers(old, fresh);
    const [from, to] = [frames.nodeOf(old), frames.nodeOf(fresh)];
    copyPage.copyAndRetire(old, fresh);
    removeEntries(old, fresh);
    frames.unlock(fresh);
    frames.unlock(old);
    frames.get(fresh); // the isolation's reference is the new page's now
    lru.putback(cpu, fresh);
    lru.put(fresh); // the allocation's
    lru.isolated++; // putback ended the old page's isolation; its reference goes here
    lru.putback(cpu, old);
    meter.pay(ACCOUNT_MIGRATION, PRICE.movePage);
    meter.payCopy(ACCOUNT_MIGRATION, from, to);
    counters.inc(C.pgmigrate_success);
    return true;
  }

  /** Expected references (PL-10): isolation, cache, buffers; a page of no cache has only the isolation's. */
  function mayMove(old: Pfn): boolean {
    const inSwap = frames.isSwapCache(old);
    const inFile = !inSwap && frames.mapping(old) > 0;
    const expected = 1 + (inSwap || inFile ? 1 : 0) + (frames.has(old, PG_PRIVATE) ? 1 : 0);
    if (frames.count(old) !== expected) return false;
    const operation: MigrateOperation = inFile ? files.get(frames.mapping(old)).migrate : 'simple';
    return operation !== 'fail';
  }

  return { migratePages };
}
