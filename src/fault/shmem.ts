import { ACCOUNT_FAULT, type Meter, PRICE } from '../cost/index.js';
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  type Block,
  cachedFrame,
  type FileObject,
  type Frames,
  type Lru,
  type Mapping,
  type PageCache,
  PG_DIRTY,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
  type SwapArea,
  type Task,
  Vma,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type Pfn, type SwapSlot } from '../units.js';
import type { Misplaced } from '../migrate/index.js';
import type { CowFault } from './cow.js';
import { FaultState } from './fault-state.js';
import type { HugeShmem } from './huge-shmem.js';
import { MAJOR, MINOR, OOM, RETRY, SIGBUS, type Outcome } from './outcome.js';
import type { Placement } from './placement.js';
import type { SwapRead } from './swap-read.js';
import type { FaultReference, FaultSwitches } from './rules.js';

export interface ShmemParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly pageCache: PageCache;
  readonly swap: SwapArea;
  readonly block: Block;
  readonly swapRead: SwapRead;
  readonly mapping: Mapping;
  readonly misplaced: Misplaced;
  readonly cow: CowFault;
  readonly placement: Placement;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  readonly mapAround: (f: FaultState, bits: number) => void;
  readonly switches: FaultSwitches;
  readonly rules: { readonly faultReference: FaultReference };
  /** null: the machine has no huge pages. */
  readonly hugeShmem: HugeShmem | null;
}

export interface ShmemFault {
  /** An entry that holds nothing, in a mapping of a shmem object (FP section 6). Kernel: shmem_nopage(), shmem_getpage(). */
  doShmemPage(f: FaultState): Outcome;
  /** The object's page for a read or write call, with a reference (to the first one, of a huge page); never moved (FP-83). `NO_PFN`: out of memory. */
  findOrCreate(task: Task, file: FileObject, index: number, isWrite: boolean): Pfn;
}

export function makeShmemFault(parts: ShmemParts): ShmemFault {
  const { frames, tables, lru, pageCache, swap, block, swapRead, mapping, misplaced, cow, placement } = parts;
  const { counters, meter, tracer, hugeShmem } = parts;
  const { switches } = parts;
  const marksAccessed = parts.rules.faultReference.marks;

  /** No page and no slot: a new zeroed page by the object's policy. With the allocation's reference, unlocked. */
  function create(f: FaultState, file: FileObject, index: number): Pfn {
    const part = file.usesHuge && hugeShmem !== null ? hugeShmem.create(f, file, index) : NO_PFN;
    if (part !== NO_PFN) return part;
    const pfn = placement.forShmem(f.task, f.vma, f.offset, f.isWrite);
    if (pfn === NO_PFN) return NO_PFN;
    pageCache.add(file, index, pfn);
    pageCache.fill(file, index, pfn);
    if (file.isUnevictable) frames.set(pfn, PG_UNEVICTABLE);
    lru.cacheAddAnon(f.task.cpu, pfn);
    return pfn;
  }

  /** PL-51: from the swap cache back into the object. The page comes locked and uptodate, with a reference. */
  function backFromSwap(file: FileObject, index: number, slot: SwapSlot, pfn: Pfn): void {
    swap.remove(pfn); // the cache's user of the slot
    frames.drop(pfn);
    file.slots.set(index, 0);
    pageCache.add(file, index, pfn);
    frames.set(pfn, PG_DIRTY | PG_SWAPBACKED);
    swap.dropUser(slot); // the object's
  }

  /** The object's page, locked and uptodate, with a reference; `f.outcome` says if it had to be read. `NO_PFN`: see there. */
  function getPage(f: FaultState, file: FileObject, index: number, mayMove: boolean): Pfn {
    const slotValue = file.slots.get(index);
    if (slotValue > 0) {
      const pfn = slotValue as Pfn;
      const head = frames.headOf(pfn);
      if (!frames.tryLock(head)) return again(f);
      frames.get(head);
      return mayMove && switches.hookShmem && !(f.isWrite && !f.vma.isShared) ? hook(f, pfn) : pfn;
    }
    if (slotValue === 0) {
      const pfn = create(f, file, index);
      if (pfn === NO_PFN) f.outcome = OOM;
      else frames.tryLock(frames.headOf(pfn)); // cannot fail: it is new
      return pfn;
    }
    const slot = -slotValue as SwapSlot;
    let pfn = swapRead.lookup(slot);
    if (pfn === NO_PFN) {
      f.readsObject = true;
      pfn = swapRead.read(f, slot);
      f.readsObject = false;
      if (pfn === NO_PFN) {
        f.outcome = OOM;
        return NO_PFN;
      }
      f.outcome = MAJOR;
    }
    block.waitForPage(pfn); // PL-51
    if (!frames.tryLock(pfn)) {
      lru.put(pfn);
      return again(f);
    }
    backFromSwap(file, index, slot, pfn);
    return pfn;
  }

  function again(f: FaultState): Pfn {
    f.outcome = RETRY;
    return NO_PFN;
  }

  /** FP-83: the object's policy by index. The page is locked already. */
  function hook(f: FaultState, pfn: Pfn): Pfn {
    return misplaced.check(f.task, f.vma, f.offset, pfn, f.isWrite);
  }

  function doShmemPage(f: FaultState): Outcome {
    const file = f.vma.file;
    if (file === null) return SIGBUS;
    const index = f.vma.filePage + f.offset;
    if (index >= file.sizePages) return SIGBUS;
    f.outcome = MINOR;
    const pfn = getPage(f, file, index, true);
    if (pfn === NO_PFN) return f.outcome;
    const head = frames.headOf(pfn);
    frames.unlock(head);
    if (marksAccessed) lru.markAccessed(head);
    counters.inc(C.fault_shmem);
    meter.pay(ACCOUNT_FAULT, PRICE.shmemFault);
    if (f.isWrite && !f.vma.isShared) {
      const copied = cow.copyFromFile(f, pfn);
      lru.put(head);
      return copied === MINOR ? f.outcome : copied;
    }
    if (!tables.isNone(f.page) || cachedFrame(file, index) !== pfn) {
      lru.put(head);
      return f.outcome;
    }
    // A read of a shared writable mapping maps it writable at once (K-A9).
    const writable = f.vma.isShared && f.vma.isWritable ? PTE_WRITE : 0;
    const isWhole = frames.isHuge(pfn) && hugeShmem?.mapWhole(f, head, PTE_YOUNG | writable) === true;
    if (!isWhole) mapping.mapFile(f.vma, f.page, pfn, PTE_YOUNG | writable);
    if (f.isWrite) tables.bits[f.page] |= PTE_DIRTY;
    if (tracer !== null) {
      tracer.who(f.task.id, f.task.cpu, f.vma.start + f.offset); // the allocation may have reclaimed
      tracer.step('H5', pfn, -1);
    }
    if (switches.faultAround && !f.isWrite && !isWhole) parts.mapAround(f, writable);
    return f.outcome;
  }

  function findOrCreate(task: Task, file: FileObject, index: number, isWrite: boolean): Pfn {
    const whole = new Vma(task.space); // a pseudo-area over the object, as the kernel makes one
    whole.file = file;
    whole.flags = VM_READ | VM_WRITE | VM_SHARED;
    whole.moveTo(0, file.sizePages);
    const f = new FaultState(task, whole);
    f.offset = index;
    f.isWrite = isWrite;
    const pfn = getPage(f, file, index, false);
    if (pfn !== NO_PFN) frames.unlock(frames.headOf(pfn));
    return pfn;
  }

  return { doShmemPage, findOrCreate };
}
