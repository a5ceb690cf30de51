import { ACCOUNT_FAULT, ACCOUNT_REFAULT, type Meter, PRICE } from '../cost/index.js';
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  type Frames,
  type Lru,
  type Mapping,
  PG_DIRTY,
  PG_MLOCKED,
  type SwapArea,
  type Task,
  type Vma,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type PageId, type Pfn, type SwapSlot } from '../units.js';
import type { Misplaced } from '../migrate/index.js';
import type { CowFault } from './cow.js';
import { FaultState } from './fault-state.js';
import { MAJOR, MINOR, OOM, RETRY, SIGBUS, type Outcome } from './outcome.js';
import type { EntryWait, FaultReference, FaultSwitches, SwapHook, SwapIn } from './rules.js';
import type { SwapRead } from './swap-read.js';

export interface SwapFaultParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly mapping: Mapping;
  readonly misplaced: Misplaced;
  readonly cow: CowFault;
  readonly swapRead: SwapRead;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  /** The swap device is a RAM disk that the kernel knows to be one (SWP_SYNCHRONOUS_IO). */
  readonly readsAtOnce: boolean;
  readonly switches: FaultSwitches;
  readonly rules: {
    readonly swapHook: SwapHook;
    readonly swapIn: SwapIn;
    readonly faultReference: FaultReference;
    readonly entryWait: EntryWait;
  };
}

/** Steps of doSwapPage (FP section 7), as `FaultState.next`. Another actor may come in between any two. */
const S1 = 1;
export const S2 = 2;
export const S3 = 3;
export const S4 = 4;
export const S5 = 5;
export const HOOK = 6;
export const S6 = 7;
const S7 = 8;
const S8 = 9;
const S10 = 10;
const S11 = 11;
const S12 = 12;
const S1_WAIT = 13;
export const DONE = 0;
/** Waiting for the page lock: nothing was done, take the same step again later. */
export const WAIT = -1;

export interface SwapFault {
  /** An entry that holds a swap slot, or names a page being moved. Straight through; kernel: do_swap_page(), mm/memory.c. */
  doSwapPage(f: FaultState): Outcome;
  /** The same on somebody else's behalf: no fault, so nobody is counted one. @returns whether the page is mapped now */
  bringIn(task: Task, vma: Vma, offset: number, page: PageId): boolean;
  /** One step of the same, for drivers that switch between actors. Starts at `firstStep`; @returns the next step, `WAIT` or `DONE` */
  step(f: FaultState, step: number): number;
}

export function makeSwapFault(parts: SwapFaultParts): SwapFault {
  const { frames, tables, lru, swap, mapping, misplaced, cow, swapRead, counters, meter, tracer } = parts;
  const { switches } = parts;
  const { swapHook, swapIn, entryWait } = parts.rules;
  const marksAccessed = parts.rules.faultReference.marks;

  /** FP-3: the entry names a page that is being moved. Kernel: migration_entry_wait(). */
  function s1Migration(f: FaultState): number {
    f.outcome = RETRY; // once it has moved the fault is taken again, and finds the new page
    if (!tables.isMigration(f.page)) return DONE;
    f.pfn = frames.headOf(tables.word[f.page] as Pfn);
    if (!entryWait.takesReference) return frames.isLocked(f.pfn) ? WAIT : DONE;
    frames.get(f.pfn);
    return S1_WAIT;
  }

  /** With a reference, which keeps the page from being moved. */
  function s1Wait(f: FaultState): number {
    if (frames.isLocked(f.pfn)) return WAIT;
    lru.put(f.pfn);
    return DONE;
  }

  /** Looks the slot up in the swap cache, with a reference. */
  function s2Lookup(f: FaultState): number {
    const pfn = swapRead.lookupFor(f);
    f.isAlone = false;
    if (pfn === NO_PFN) return S3;
    f.pfn = pfn;
    return S4;
  }

  /** Reads it: major. A sibling may have read it since S2, or have been through already and left no user of the slot. */
  function s3Read(f: FaultState): number {
    let pfn = swap.cached(f.slot);
    if (pfn !== NO_PFN) frames.get(pfn);
    else if (swap.users(f.slot) > 0) pfn = readSlot(f);
    if (pfn === NO_PFN) {
      f.outcome = isSame(f) ? OOM : MINOR;
      return DONE;
    }
    f.pfn = pfn;
    f.outcome = MAJOR;
    return S4;
  }

  /** From a device that reads at once, a page that nobody else names does not go through the swap cache. */
  function readSlot(f: FaultState): Pfn {
    f.isAlone = parts.readsAtOnce && swap.users(f.slot) === 1;
    return f.isAlone ? swapRead.readAlone(f, f.slot) : swapRead.read(f, f.slot);
  }

  /** Sleeps for the page lock. */
  function s4Lock(f: FaultState): number {
    if (!frames.tryLock(f.pfn)) return WAIT;
    if (marksAccessed) lru.markAccessed(f.pfn);
    return S5;
  }

  /** While we slept the page may have been migrated or dropped: it must still be this slot's (PL-30). */
  function s5Recheck(f: FaultState): number {
    if (f.isAlone) return S6;
    if (frames.isSwapCache(f.pfn) && frames.private_(f.pfn) === (f.slot as number)) return HOOK;
    unlockAndPut(f.pfn);
    return S2;
  }

  /** A page that is still in memory, or that a mover took out, is faulted in again: part of what its move costs. */
  function accountOf(f: FaultState): number {
    return f.outcome === MAJOR && !swap.isMoved(f.slot) ? ACCOUNT_FAULT : ACCOUNT_REFAULT;
  }

  /** Migrate-on-fault, before the entry is locked (FP-50). */
  function hookBeforePtl(f: FaultState): number {
    if (switches.hookSwap && !swapHook.underPtl) {
      if (frames.mapcount(f.pfn) === 0) counters.inc(C.mof_anon_faults);
      if (f.isWrite && swapHook.skipsCopies && !cow.isExclusive(f.pfn)) counters.inc(C.mof_stay_would_copy);
      else f.pfn = misplaced.check(f.task, f.vma, f.offset, f.pfn, f.isWrite, accountOf(f));
    }
    return S6;
  }

  /** Takes the entry's lock and looks again. */
  function s6Same(f: FaultState): number {
    return isSame(f) ? S7 : backOut(f, MINOR);
  }

  function s7Uptodate(f: FaultState): number {
    if (!frames.isUptodate(f.pfn)) return backOut(f, SIGBUS);
    if (switches.hookSwap && swapHook.underPtl) hookUnderPtl(f);
    return S8;
  }

  /** The 2006 position: with the entry locked, where nobody may sleep. */
  function hookUnderPtl(f: FaultState): void {
    if (frames.mapcount(f.pfn) === 0) counters.inc(C.mof_anon_faults);
    const before = counters.values[C.mof_migrate_tried];
    f.pfn = misplaced.check(f.task, f.vma, f.offset, f.pfn, f.isWrite, accountOf(f));
    if (counters.values[C.mof_migrate_tried] !== before) counters.inc(C.mof_atomic_sleeps);
  }

  /** S8, S9: rss, the entry, the reverse map. */
  function s8Map(f: FaultState): number {
    const writes = f.vma.isWritable && (f.isAlone || cow.isExclusive(f.pfn)) && (f.isWrite || swapIn.readMapsWritable);
    const bits = PTE_YOUNG | (writes ? PTE_WRITE : 0) | (writes && f.isWrite ? PTE_DIRTY : 0);
    if (f.vma.isLocked) frames.set(f.pfn, PG_MLOCKED);
    f.vma.space.swapEntries--;
    mapping.mapAnon(f.vma, f.offset, f.page, f.pfn, bits);
    return S10;
  }

  /** The entry no longer names the slot; with swap more than half full the cache lets go too (PL-40). */
  function s10DropSlot(f: FaultState): number {
    swap.dropUser(f.slot);
    if (swap.isHalfFull) leaveSwapCache(f.pfn, f.slot);
    return S11;
  }

  /** Only if this entry and the cache are all that know the page. Kernel: remove_exclusive_swap_page(). */
  function leaveSwapCache(pfn: Pfn, slot: SwapSlot): void {
    if (swap.users(slot) !== 1 || frames.isWriteback(pfn)) return;
    if (swapIn.leavesCacheOnlyAlone && frames.count(pfn) !== 2) return;
    swap.remove(pfn);
    frames.set(pfn, PG_DIRTY);
    frames.drop(pfn);
  }

  function s11Unlock(f: FaultState): number {
    frames.unlock(f.pfn);
    counters.inc(f.outcome === MAJOR ? C.fault_swap_major : C.fault_swap);
    meter.pay(accountOf(f), PRICE.swapCacheFault);
    return f.isWrite && (tables.bits[f.page] & PTE_WRITE) === 0 ? S12 : DONE;
  }

  /** Still a write, and the page is shared: copy. */
  function s12Copy(f: FaultState): number {
    const copied = cow.doWpPage(f);
    if (copied !== MINOR) f.outcome = copied;
    return DONE;
  }

  function isSame(f: FaultState): boolean {
    return tables.isSwap(f.page) && tables.word[f.page] === (f.slot as number);
  }

  function backOut(f: FaultState, outcome: Outcome): number {
    unlockAndPut(f.pfn);
    f.outcome = outcome;
    return DONE;
  }

  function unlockAndPut(pfn: Pfn): void {
    frames.unlock(pfn);
    lru.put(pfn);
  }

  function step(f: FaultState, at: number): number {
    if (tracer !== null) {
      tracer.who(f.task.id, f.task.cpu, f.vma.start + f.offset);
      tracer.step(STEP_NAMES[at], f.pfn, f.slot);
    }
    switch (at) {
      case S1:
        return s1Migration(f);
      case S1_WAIT:
        return s1Wait(f);
      case S2:
        return s2Lookup(f);
      case S3:
        return s3Read(f);
      case S4:
        return s4Lock(f);
      case S5:
        return s5Recheck(f);
      case HOOK:
        return hookBeforePtl(f);
      case S6:
        return s6Same(f);
      case S7:
        return s7Uptodate(f);
      case S8:
        return s8Map(f);
      case S10:
        return s10DropSlot(f);
      case S11:
        return s11Unlock(f);
      default:
        return s12Copy(f);
    }
  }

  /** The steps without the table, from S2 on: what nobody comes in between of, the compiler can put into one. */
  function straight(f: FaultState): void {
    let next = S2;
    while (next === S2) {
      if (s2Lookup(f) === S3 && s3Read(f) === DONE) return;
      if (s4Lock(f) === WAIT) return;
      next = s5Recheck(f);
    }
    if (next === HOOK) hookBeforePtl(f);
    if (s6Same(f) === DONE || s7Uptodate(f) === DONE) return;
    s8Map(f);
    s10DropSlot(f);
    if (s11Unlock(f) === S12) s12Copy(f);
  }

  function byTable(f: FaultState): void {
    let at = firstStep(tables, f.page);
    let last = at;
    while (at > DONE) {
      last = at;
      at = step(f, at);
    }
    if (at === WAIT && last === S1_WAIT) lru.put(f.pfn); // who goes straight through has nobody to wait for: RETRY
  }

  function doSwapPage(f: FaultState): Outcome {
    f.slot = tables.word[f.page] as SwapSlot;
    f.outcome = MINOR;
    f.pfn = NO_PFN;
    if (tracer === null && tables.isSwap(f.page)) straight(f);
    else byTable(f);
    return f.outcome;
  }

  function bringIn(task: Task, vma: Vma, offset: number, page: PageId): boolean {
    const f = new FaultState(task, vma);
    f.offset = offset;
    f.page = page;
    doSwapPage(f);
    return tables.isPresent(page);
  }

  return { doSwapPage, bringIn, step };
}

/** Where a fault on such an entry begins. */
export function firstStep(tables: PageTables, page: PageId): number {
  return tables.isMigration(page) ? S1 : S2;
}

const STEP_NAMES = ['', 'S1', 'S2', 'S3', 'S4', 'S5', 'HOOK', 'S6', 'S7', 'S8', 'S10', 'S11', 'S12', 'S1'];
