import { ACCOUNT_MIGRATION, PRICE, type Meter } from '../cost/index.js';
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  PG_DIRTY,
  PG_PRIVATE,
  type Block,
  type Files,
  type Frames,
  type HugeRule,
  type Lru,
  type Mapping,
  type MigrateOperation,
  type PageCache,
  type Place,
  type Places,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type CpuId, type PageId, type Pfn } from '../units.js';
import type { CopyPage } from './copy-page.js';
import { MigrateState, type NewPage } from './migrate-state.js';
import type { MoveHuge } from './move-huge.js';
import type { BatchLock } from './rules.js';
import type { SplitHuge } from './split-huge.js';
import type { SwapOut } from './swap-out.js';

/** Pages that are unmapped together before one TLB flush (DM, 6.x), passes of a batch, and of a leftover taken singly. */
const BATCH = 512;
const BATCH_PASSES = 3;
const SINGLE_PASSES = 7;

export interface MigratePagesParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly block: Block;
  readonly mapping: Mapping;
  readonly pageCache: PageCache;
  readonly swapOut: SwapOut;
  readonly copyPage: CopyPage;
  readonly places: Places;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  readonly rules: { readonly batchLock: BatchLock; readonly hugePages: HugeRule; readonly flushBatch: number };
  /** null: the machine has no huge pages. */
  readonly moveHuge: MoveHuge | null;
  readonly splitHuge: SplitHuge | null;
}

export interface MigrateResult {
  /** Pages that did not move. */
  readonly failed: number;
  /** Somewhere there was no frame: the call ended after what was unmapped had moved (DM section 5, 6.x). */
  readonly noMemory: boolean;
  /** The kernel of 2005 would wait for ever or has stopped at an assertion: pages stay locked. */
  readonly neverReturns?: boolean;
}

export interface MigratePages {
  /**
   * Moves isolated pages; those that could not move go back to their lists. Kernel: migrate_pages(), mm/migrate.c.
   *
   * @param pages isolated, each with the isolation's reference, in order
   * @param cpu CPU that does it
   */
  migratePages(pages: readonly Pfn[], newPage: NewPage, cpu: CpuId): MigrateResult;
}

export interface MigratePagesSteps extends MigratePages {
  /** The same call before its first step, for drivers that switch between actors. */
  begin(pages: readonly Pfn[], newPage: NewPage, cpu: CpuId): MigrateState;
  /** One step; starts at `state.next`. @returns the next step, `MIGRATE_WAIT` or `MIGRATE_DONE` */
  step(state: MigrateState, at: number): number;
}

/** Steps of migratePages(). Another actor may come in between any two. */
export const MIGRATE_DONE = 0;
/** Waiting for a page lock: nothing was done, take the same step again later. */
export const MIGRATE_WAIT = -1;
const ROUND = 1;
const NEXT = 2;
export const LOCK = 3;
const WRITEBACK = 4;
const ALLOCATE = 5;
const LOCK_NEW = 6;
export const UNMAP = 7;
const FLUSH = 8;
const NEXT_MOVE = 9;
export const REPLACE = 10;
const COPY = 11;
export const RESTORE = 12;
const UNLOCK_NEW = 13;
export const UNLOCK_OLD = 14;
const PUTBACK = 15;
const UNDO = 16;

/**
 * [6.x] In batches of 512: all are unmapped (their entries become migration entries, DM-23), TLBs are flushed once, then
 * each is copied and mapped again. A batch only tries page locks and does not wait for writes; what it could not move is
 * then taken singly, with sleeping locks, so that two batches never wait for each other.
 */
export function makeMigratePages(parts: MigratePagesParts): MigratePagesSteps {
  const { frames, files, tables, lru, block, mapping, pageCache, swapOut, copyPage, counters, meter, tracer } = parts;
  const { moveHuge, splitHuge } = parts;
  const { batchLock, hugePages } = parts.rules;
  /** Until 6.3 each entry was flushed by itself, as it was taken down. */
  const flushesEach = parts.rules.flushBatch === 1;

  /** One leftover of the batch after the other; then the next batch; without memory nothing more. */
  function round(s: MigrateState): number {
    s.pass = 0;
    if (s.isParts) endParts(s);
    if (s.noMemory) {
      for (const old of [...s.leftovers, ...s.parts, ...s.pages.slice(s.rest)]) giveBack(s, old);
      return MIGRATE_DONE;
    }
    const single = s.leftovers.shift();
    s.isSingle = single !== undefined;
    if (single !== undefined) s.queue = [single];
    else if (s.parts.length > 0) {
      s.isParts = true;
      s.failedBefore = s.failed;
      s.queue = s.parts.splice(0);
    } else if (s.rest < s.pages.length) {
      const end = endOfBatch(s);
      s.queue = s.pages.slice(s.rest, end);
      s.rest = end;
    } else return MIGRATE_DONE;
    return NEXT;
  }

  /** A huge page fills a batch, which takes what comes before it along. */
  function endOfBatch({ pages, rest }: MigrateState): number {
    let end = rest;
    for (let taken = 0; end < pages.length && taken < BATCH; end++) taken += frames.pagesOf(pages[end]);
    return end;
  }

  /** HP-61: the huge page failed as one page, if any of it stays; that there was no memory for it is nobody else's business [6.12]. */
  function endParts(s: MigrateState): void {
    s.isParts = false;
    if (hugePages.partsEndList) return;
    s.noMemory = false;
    s.failed = Math.min(s.failed, s.failedBefore + 1);
  }

  /**
   * No room for a huge page: it is broken up, and its pages move singly (HP-60, HP-61, K-H11). One that cannot be broken up stays.
   */
  function breakUp(s: MigrateState): number {
    const pages = splitHuge?.(s.old, s.cpu) ?? null;
    counters.inc(C.thp_migration_fail);
    if (pages === null) {
      frames.unlock(s.old);
      refuse(s, s.old);
      return NEXT;
    }
    counters.inc(C.thp_migration_split);
    if (hugePages.partsEndList) s.queue.unshift(...pages.splice(0, 1));
    s.parts.push(...pages);
    return NEXT;
  }

  /** The next page of this pass; after the last pass the flush. */
  function next(s: MigrateState): number {
    const old = s.queue.shift();
    if (old !== undefined) {
      s.old = old;
      s.fresh = NO_PFN;
      if (frames.count(old) > 1) return LOCK;
      lru.putback(s.cpu, old); // freed by everybody else meanwhile: nothing to move
      counters.inc(C.pgmigrate_success);
      return NEXT;
    }
    s.pass++;
    if (s.again.length > 0 && s.pass < passes(s)) {
      [s.queue, s.again] = [s.again, []];
      return NEXT;
    }
    for (const left of s.again.splice(0)) refuse(s, left);
    return s.unmapped.length > 0 ? FLUSH : ROUND;
  }

  const passes = (s: MigrateState): number =>
    s.isParts && !hugePages.partsEndList ? 1 : s.isSingle ? SINGLE_PASSES : BATCH_PASSES;

  /** The page, unlocked, is not tried again in this round. */
  function refuse(s: MigrateState, old: Pfn): void {
    if (!s.isSingle && !s.noMemory && !s.isParts) s.leftovers.push(old);
    else {
      counters.add(C.pgmigrate_fail, frames.pagesOf(old));
      giveBack(s, old);
    }
  }

  function giveBack(s: MigrateState, old: Pfn): void {
    lru.putback(s.cpu, old);
    s.failed++;
  }

  function lock(s: MigrateState): number {
    if (frames.tryLock(s.old)) return WRITEBACK;
    if (s.isSingle || batchLock.sleeps) return MIGRATE_WAIT;
    s.again.push(s.old);
    return NEXT;
  }

  /** A batch refuses a page whose write is in flight (EBUSY); a single one waits for it. */
  function writeback(s: MigrateState): number {
    if (!frames.isWriteback(s.old)) return ALLOCATE;
    if (s.isSingle) {
      block.waitForPage(s.old);
      return ALLOCATE;
    }
    frames.unlock(s.old);
    refuse(s, s.old);
    return NEXT;
  }

  function allocate(s: MigrateState): number {
    if (moveHuge?.mustBreakUp(s.old) === true) return breakUp(s);
    s.fresh = s.newPage(s.old);
    if (s.fresh !== NO_PFN) return LOCK_NEW;
    if (frames.isHuge(s.old)) return breakUp(s);
    frames.unlock(s.old);
    s.noMemory = true;
    for (const old of [s.old, ...s.again.splice(0), ...s.leftovers.splice(0, s.isSingle ? 0 : s.leftovers.length)]) {
      refuse(s, old);
    }
    for (const untried of s.queue.splice(0)) giveBack(s, untried);
    return s.unmapped.length > 0 ? FLUSH : ROUND;
  }

  /** Cannot fail: nobody else knows the new page. */
  function lockNew(s: MigrateState): number {
    frames.tryLock(s.fresh);
    s.places = isHuge(s.old) ? null : parts.places(s.old);
    return UNMAP;
  }

  /** One entry that maps the page becomes a migration entry, which remembers what it was allowed (DM-21, 2.6.18 on). */
  function unmap(s: MigrateState): number {
    const { old } = s;
    if (moveHuge !== null && isHuge(old)) {
      interrupt(s, moveHuge.unmap(old, s.cpu));
      if (moveHuge.isMapped(old)) return backOut(s, true);
      s.unmapped.push({ old, fresh: s.fresh });
      return NEXT;
    }
    const place = nextPlace(s, (page) => tables.isPresent(page) && tables.word[page] === (old as number));
    if (place !== null) {
      const { vma, page } = place;
      if ((tables.bits[page] & PTE_DIRTY) !== 0) frames.set(old, PG_DIRTY);
      tables.setMigration(page, old, tables.bits[page]);
      interrupt(s, mapping.flushLater(vma.space, page, s.cpu));
      frames.removeMapping(old);
      frames.drop(old);
      meter.pay(ACCOUNT_MIGRATION, PRICE.unmapPage);
      return UNMAP;
    }
    if (frames.mapcount(old) > 0) return backOut(s, true); // somebody mapped it behind the walk
    s.unmapped.push({ old, fresh: s.fresh });
    return NEXT;
  }

  /** Other CPUs may know an entry that was taken down: they are told at once, or with the rest of the batch. */
  function interrupt(s: MigrateState, cpus: number): void {
    if (!flushesEach) s.interrupted = Math.max(s.interrupted, cpus);
    else {
      mapping.countFlush(cpus);
      mapping.payFlushes(ACCOUNT_MIGRATION);
    }
  }

  const isHuge = (old: Pfn): boolean => moveHuge !== null && frames.isHuge(old);

  function nextPlace(s: MigrateState, holds: (page: PageId) => boolean): Place | null {
    if (s.places === null) return null;
    for (let at = s.places.next(); at.done !== true; at = s.places.next()) if (holds(at.value.page)) return at.value;
    s.places = null;
    return null;
  }

  function flush(s: MigrateState): number {
    s.pass = 0;
    if (flushesEach) return NEXT_MOVE;
    mapping.countFlush(s.interrupted);
    s.interrupted = 0;
    mapping.payFlushes(ACCOUNT_MIGRATION);
    return NEXT_MOVE;
  }

  function nextMove(s: MigrateState): number {
    const pair = s.unmapped.shift();
    if (pair !== undefined) {
      s.old = pair.old;
      s.fresh = pair.fresh;
      return REPLACE;
    }
    s.pass++;
    if (s.unmappedAgain.length === 0) return ROUND;
    [s.unmapped, s.unmappedAgain] = [s.unmappedAgain, []];
    return NEXT_MOVE;
  }

  /** Nobody else may know the page (PL-10): then its slot shows the new one. The point of no return. */
  function replace(s: MigrateState): number {
    const { old, fresh } = s;
    const operation = operationOf(old);
    if (operation === 'none' && frames.isDirty(old)) {
      if (!s.isSingle) return backOut(s, false);
      s.writesOut = true; // the entries are put right before the write, which gives the lock away
      return backOut(s, true);
    }
    if (operation === 'none') pageCache.releaseBuffers(old);
    if (frames.count(old) !== expectedCount(old)) {
      if (s.pass + 1 >= passes(s)) return backOut(s, false);
      s.unmappedAgain.push({ old, fresh });
      return NEXT_MOVE;
    }
    if (operation === 'fail') return backOut(s, false);
    if (moveHuge !== null && isHuge(old)) {
      moveHuge.replaceSlots(old, fresh);
      return COPY;
    }
    frames.setMapping(fresh, frames.mapping(old), frames.index(old));
    copyPage.replaceSlot(old, fresh);
    copyPage.moveBuffers(old, fresh);
    return COPY;
  }

  function operationOf(old: Pfn): MigrateOperation {
    return isInFile(old) ? files.get(frames.mapping(old)).migrate : 'simple';
  }

  const isInFile = (old: Pfn): boolean => !frames.isSwapCache(old) && frames.mapping(old) > 0;

  /** Isolation, cache, buffers; a page of no cache has only the isolation's. */
  function expectedCount(old: Pfn): number {
    const isCached = frames.isSwapCache(old) || isInFile(old);
    return 1 + (isCached ? frames.pagesOf(old) : 0) + (frames.has(old, PG_PRIVATE) ? 1 : 0);
  }

  function copy(s: MigrateState): number {
    const { old, fresh } = s;
    s.hasMoved = true;
    if (moveHuge !== null && isHuge(old)) {
      moveHuge.copy(old, fresh);
      return RESTORE;
    }
    meter.payCopy(ACCOUNT_MIGRATION, frames.nodeOf(old), frames.nodeOf(fresh));
    copyPage.copy(old, fresh);
    s.places = parts.places(fresh);
    return RESTORE;
  }

  /** Everything as it was: entries show the old page again. @param triesAgain in the next pass, else not in this round */
  function backOut(s: MigrateState, triesAgain: boolean): number {
    s.hasMoved = false;
    s.triesAgain = triesAgain;
    s.places = isHuge(s.old) ? null : parts.places(s.old);
    return RESTORE;
  }

  /** One migration entry that names the old page shows where it is now. Kernel: remove_migration_ptes(). */
  function restore(s: MigrateState): number {
    const { old } = s;
    if (moveHuge !== null && isHuge(old)) {
      moveHuge.restore(old, s.hasMoved ? s.fresh : old);
      return s.hasMoved ? UNLOCK_NEW : UNDO;
    }
    const place = nextPlace(s, (page) => tables.isMigration(page) && tables.word[page] === (old as number));
    if (place === null) return s.hasMoved ? UNLOCK_NEW : UNDO;
    const now = s.hasMoved ? s.fresh : old;
    frames.get(now);
    frames.addMapping(now);
    const kept = PTE_WRITE | PTE_YOUNG | (s.writesOut ? 0 : PTE_DIRTY); // a page that is written out is clean in its entries
    tables.set(place.page, now, tables.bits[place.page] & kept);
    return RESTORE;
  }

  function unlockNew(s: MigrateState): number {
    frames.unlock(s.fresh);
    return UNLOCK_OLD;
  }

  function unlockOld(s: MigrateState): number {
    if (moveHuge !== null && isHuge(s.old)) moveHuge.forget(s.old);
    else copyPage.forget(s.old);
    frames.unlock(s.old);
    return PUTBACK;
  }

  /** The new page goes to its list; the old one was retired, and its last reference is the isolation's. */
  function putback(s: MigrateState): number {
    const { old, fresh } = s;
    frames.get(fresh); // the isolation's reference is the new page's now
    lru.put(fresh); // the allocation's
    lru.putback(s.cpu, fresh);
    lru.isolated++; // putback ended the old page's isolation; its reference goes here
    lru.putback(s.cpu, old);
    meter.pay(ACCOUNT_MIGRATION, isHuge(fresh) ? PRICE.restOfHugeMove : PRICE.restOfMove);
    counters.add(C.pgmigrate_success, frames.pagesOf(fresh));
    if (isHuge(fresh)) counters.inc(C.thp_migration_success);
    return NEXT_MOVE;
  }

  /** The new page was not used: freed. The old one goes on as it was. */
  function undo(s: MigrateState): number {
    const { old, fresh } = s;
    frames.unlock(fresh);
    lru.put(fresh);
    if (s.writesOut) swapOut.startWrite(old);
    s.writesOut = false;
    frames.unlock(old);
    if (!s.triesAgain) {
      refuse(s, old);
      return NEXT_MOVE;
    }
    s.again.push(old);
    return NEXT;
  }

  function step(s: MigrateState, at: number): number {
    if (tracer !== null) tell(tracer, s, at);
    switch (at) {
      case ROUND:
        return round(s);
      case NEXT:
        return next(s);
      case LOCK:
        return lock(s);
      case WRITEBACK:
        return writeback(s);
      case ALLOCATE:
        return allocate(s);
      case LOCK_NEW:
        return lockNew(s);
      case UNMAP:
        return unmap(s);
      case FLUSH:
        return flush(s);
      case NEXT_MOVE:
        return nextMove(s);
      case REPLACE:
        return replace(s);
      case COPY:
        return copy(s);
      case RESTORE:
        return restore(s);
      case UNLOCK_NEW:
        return unlockNew(s);
      case UNLOCK_OLD:
        return unlockOld(s);
      case PUTBACK:
        return putback(s);
      default:
        return undo(s);
    }
  }

  function begin(pages: readonly Pfn[], newPage: NewPage, cpu: CpuId): MigrateState {
    const s = new MigrateState(pages, newPage, cpu);
    s.next = ROUND;
    if (tracer !== null) for (const pfn of pages) tracer.step('D-isolate', pfn, -1);
    return s;
  }

  function migratePages(pages: readonly Pfn[], newPage: NewPage, cpu: CpuId): MigrateResult {
    const s = begin(pages, newPage, cpu);
    while (s.next !== MIGRATE_DONE) {
      s.next = step(s, s.next);
      if (s.next !== MIGRATE_WAIT) continue;
      refuse(s, s.old); // nobody is there who could let go of the lock
      s.next = NEXT;
    }
    return s;
  }

  return { migratePages, begin, step };
}

/** Steps that only choose what is next are told to nobody. */
function tell(tracer: Tracer, s: MigrateState, at: number): void {
  if (at === ROUND || at === NEXT || at === NEXT_MOVE) return;
  tracer.step(STEP_NAMES[at], at === FLUSH ? NO_PFN : s.old, at > LOCK_NEW ? s.fresh : -1);
}

const STEP_NAMES = [
  ...['', '', '', 'D-lock', 'D-writeback', 'D-allocate', 'D-lock-new', 'D-unmap', 'D-flush', '', 'D-replace'],
  ...['D-copy', 'D-restore', 'D-unlock-new', 'D-unlock-old', 'D-putback', 'D-undo'],
];
