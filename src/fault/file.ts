import { ACCOUNT_FAULT, type DeviceQueue, type Meter, PRICE } from '../cost/index.js';
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  cachedFrame,
  type FileObject,
  type Frames,
  type Lru,
  type Mapping,
  type PageCache,
  PG_LOCKED,
  PG_READAHEAD,
  PG_UPTODATE,
  POPULATE_FAULTS,
  type Task,
  VM_RAND_READ,
} from '../mm/index.js';
import type { Refault } from '../reclaim/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type Pfn } from '../units.js';
import type { Misplaced } from '../migrate/index.js';
import type { CowFault } from './cow.js';
import type { FaultState } from './fault-state.js';
import { makeFileReadAhead } from './file-read-ahead.js';
import { MAJOR, MINOR, OOM, RETRY, SIGBUS, type Outcome } from './outcome.js';
import type { Placement } from './placement.js';
import type { FaultReference, FaultSwitches } from './rules.js';

/** Pages mapped around a read fault, unless fault_around_bytes says otherwise (64 KiB). */
const FAULT_AROUND = 16;

export interface FileParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly pageCache: PageCache;
  readonly mapping: Mapping;
  readonly misplaced: Misplaced;
  readonly cow: CowFault;
  readonly placement: Placement;
  readonly refault: Refault;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly disk: DeviceQueue;
  readonly tracer: Tracer | null;
  readonly switches: FaultSwitches;
  readonly rules: { readonly faultReference: FaultReference };
}

export interface FileFault {
  /** An entry that holds nothing, in a mapping of a file (FP sections 4, 5). Kernel: do_no_page(), filemap_nopage(). */
  doNoPage(f: FaultState): Outcome;
  /**
   * A page of the file, uptodate, with a reference for the caller; read from the disk if it is not cached.
   * @param around read its neighbours too, if it has to be read
   * @returns `NO_PFN`: out of memory
   */
  findOrRead(task: Task, file: FileObject, index: number, isWrite: boolean, around: boolean): Pfn;
  /** A page that is about to be overwritten as a whole: cached, or new and not read. With a reference. */
  findOrCreate(task: Task, file: FileObject, index: number): Pfn;
  /** Whether the last of these went to the disk. */
  wasRead(): boolean;
  /** Reads these pages of the file into the cache, by the task's policy (madvise WILLNEED). */
  readExactly(task: Task, file: FileObject, first: number, pages: number): void;
  /** Maps the cached neighbours of a page that a read fault has just mapped: 16, aligned. Kernel: do_fault_around() */
  mapAround(f: FaultState, bits: number): void;
  /** The switch `readahead` of the run. */
  readonly readsAround: boolean;
}

export function makeFileFault(parts: FileParts): FileFault {
  const { frames, tables, lru, pageCache, mapping, misplaced, cow, placement, refault, counters, meter, disk, tracer } =
    parts;
  const { switches } = parts;
  const { readahead } = switches;
  const marksAccessed = parts.rules.faultReference.marks;
  let lastWasRead = false;

  /** A new page of the file, filled from the disk, in the cache; with the allocation's reference. */
  function bringIn(task: Task, file: FileObject, index: number, isWrite: boolean): Pfn {
    const pfn = placement.forPageCache(task, file, index, isWrite);
    if (pfn === NO_PFN) return NO_PFN;
    pageCache.add(file, index, pfn);
    pageCache.fill(file, index, pfn);
    if (tracer !== null) {
      tracer.who(task.id, task.cpu, -1); // read ahead: not the page of the address in hand
      tracer.step('F-add', pfn, frames.nodeOf(pfn));
    }
    lru.cacheAdd(task.cpu, pfn);
    refault.file(file, index, pfn);
    return pfn;
  }

  const ahead = makeFileReadAhead({ frames, lru, bringIn });

  function findOrRead(task: Task, file: FileObject, index: number, isWrite: boolean, around: boolean): Pfn {
    lastWasRead = false;
    const found = pageCache.findAndGet(file, index);
    if (found !== NO_PFN) return found;
    lastWasRead = true;
    disk.read(ACCOUNT_FAULT, file.positionOf(index));
    if (around) ahead.around(task, file, index);
    const read = pageCache.findAndGet(file, index);
    return read === NO_PFN ? bringIn(task, file, index, isWrite) : read;
  }

  function findOrCreate(task: Task, file: FileObject, index: number): Pfn {
    lastWasRead = false;
    const found = pageCache.findAndGet(file, index);
    return found === NO_PFN ? bringIn(task, file, index, true) : found;
  }

  /** FP-80: only *try* the lock, look again, and let the task policy decide. @returns the page, or 0: start over */
  function hook(f: FaultState, file: FileObject, pfn: Pfn): Pfn {
    if (frames.mapcount(pfn) !== 0 || frames.isWriteback(pfn)) {
      return misplaced.check(f.task, null, f.offset, pfn, f.isWrite); // ends at C1 or C2, which it counts
    }
    if (!frames.tryLock(pfn)) {
      counters.inc(C.mof_stay_lock_busy);
      return pfn;
    }
    if (frames.mapping(pfn) !== file.id) {
      frames.unlock(pfn);
      lru.put(pfn);
      return NO_PFN;
    }
    const kept = misplaced.check(f.task, null, f.offset, pfn, f.isWrite);
    frames.unlock(kept);
    return kept;
  }

  function mapAround(f: FaultState, bits: number): void {
    const file = f.vma.file;
    if (file === null) return;
    const pages = parts.switches.faultAroundPages ?? FAULT_AROUND;
    const first = Math.max(f.offset - (f.page & (pages - 1)), 0);
    const end = Math.min(first + pages, f.vma.pages, f.offset - (f.page & 511) + 512);
    for (let offset = first; offset < end; offset++) {
      const page = (f.page + offset - f.offset) as typeof f.page;
      const pfn = cachedFrame(file, f.vma.filePage + offset);
      if (pfn === NO_PFN || !tables.isNone(page)) continue;
      if ((frames.flags(pfn) & (PG_UPTODATE | PG_LOCKED | PG_READAHEAD)) !== PG_UPTODATE) continue;
      frames.get(pfn);
      mapping.mapFile(f.vma, page, pfn, bits);
    }
  }

  function doNoPage(f: FaultState): Outcome {
    const file = f.vma.file;
    if (file === null) return SIGBUS;
    const index = f.vma.filePage + f.offset;
    if (index >= file.sizePages) return SIGBUS;
    const truncates = file.truncateCount;
    const readsAhead = readahead && (f.vma.flags & VM_RAND_READ) === 0;
    let pfn = findOrRead(f.task, file, index, f.isWrite, readsAhead);
    if (pfn === NO_PFN) return OOM;
    const outcome = lastWasRead ? MAJOR : MINOR;
    if (tracer !== null) {
      tracer.who(f.task.id, f.task.cpu, f.vma.start + f.offset); // the allocation may have reclaimed
      tracer.step(lastWasRead ? 'F3' : 'F2', pfn, -1);
    }
    if (marksAccessed && !lastWasRead) lru.markAccessed(pfn);
    if (lastWasRead) f.waits++;
    if (readsAhead && frames.has(pfn, PG_READAHEAD) && (!lastWasRead || f.task.faults === POPULATE_FAULTS)) {
      ahead.next(f.task, file, index, pfn);
      if (tracer !== null) tracer.who(f.task.id, f.task.cpu, f.vma.start + f.offset);
      f.waits++;
    }
    counters.inc(lastWasRead ? C.fault_file_major : C.fault_file);
    meter.pay(ACCOUNT_FAULT, PRICE.fileFault);
    const copies = f.isWrite && !f.vma.isShared;
    if (switches.hookFile && !copies) pfn = hook(f, file, pfn); // FP-82: a page that will be copied is not moved
    if (pfn === NO_PFN) return RETRY;
    if (truncates !== file.truncateCount) {
      lru.put(pfn);
      return RETRY;
    }
    if (copies) {
      const copied = cow.copyFromFile(f, pfn);
      lru.put(pfn);
      return copied === MINOR ? outcome : copied;
    }
    if (!tables.isNone(f.page)) {
      lru.put(pfn);
      return outcome;
    }
    const writable = f.isWrite ? PTE_WRITE | PTE_DIRTY : 0; // a shared mapping becomes writable by a write (K-A9)
    mapping.mapFile(f.vma, f.page, pfn, PTE_YOUNG | writable);
    if (tracer !== null) tracer.step('F6', pfn, -1);
    if (parts.switches.faultAround && !f.isWrite) mapAround(f, 0);
    return outcome;
  }

  return {
    ...{ doNoPage, findOrRead, findOrCreate, readExactly: ahead.exactly, mapAround },
    ...{ wasRead: () => lastWasRead, readsAround: readahead },
  };
}
