import { ACCOUNT_FAULT, type Meter, PRICE } from '../cost/index.js';
import { PTE_DIRTY, PTE_PRESENT, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import type { AnonVmas, Contents, Frames, Lru, Mapping, SwapArea } from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type Pfn, type SwapSlot } from '../units.js';
import type { AnonFault } from './anon.js';
import type { FaultState } from './fault-state.js';
import type { HugeFault } from './huge.js';
import { MINOR, OOM, type Outcome } from './outcome.js';
import type { Placement } from './placement.js';

export interface CowParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly swap: SwapArea;
  readonly mapping: Mapping;
  readonly anonVmas: AnonVmas;
  readonly anon: AnonFault;
  readonly placement: Placement;
  readonly contents: Contents | null;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  readonly zeroPage: Pfn;
  /** null: the machine has no huge pages. */
  readonly hugeFault: HugeFault | null;
}

export interface CowFault {
  /** A write to a present entry that may not be written through (FP section 3). Kernel: do_wp_page(). */
  doWpPage(f: FaultState): Outcome;
  /** PL-41: exactly one entry, present or swapped, uses the page. */
  isExclusive(pfn: Pfn): boolean;
  /** A page for the area's own copy of a page of its file, with one reference. `NO_PFN`: out of memory. */
  newCopy(f: FaultState): Pfn;
  /** The area's own copy of a page of its file, mapped (FP section 4 step 2). The caller's reference on `source` stays. */
  copyFromFile(f: FaultState, source: Pfn): Outcome;
}

export function makeCowFault(parts: CowParts): CowFault {
  const { frames, tables, lru, swap, mapping, anonVmas, anon, placement, contents, counters, meter, tracer } = parts;
  const { zeroPage, hugeFault } = parts;

  function isExclusive(pfn: Pfn): boolean {
    if (hugeFault !== null && frames.isHuge(pfn)) return hugeFault.isExclusivePart(pfn, false);
    const inSwap = frames.isSwapCache(pfn) ? swap.users(frames.private_(pfn) as SwapSlot) - 1 : 0;
    return frames.mapcount(pfn) + inSwap === 1;
  }

  function writeInPlace(f: FaultState): Outcome {
    if (tracer !== null) tracer.step('W1', tables.word[f.page], -1);
    tables.bits[f.page] |= PTE_WRITE | PTE_DIRTY | PTE_YOUNG;
    mapping.flush(f.vma.space, f.page, f.task.cpu);
    mapping.payFlushes(ACCOUNT_FAULT);
    counters.inc(C.fault_write_in_place);
    meter.pay(ACCOUNT_FAULT, PRICE.writeInPlace);
    return MINOR;
  }

  /** Nobody maps the page any more: the swap cache lets go of one that no entry names. */
  function forgetSwapCache(pfn: Pfn): void {
    if (!frames.isSwapCache(pfn) || frames.mapcount(pfn) > 0 || frames.isWriteback(pfn)) return;
    if (swap.users(frames.private_(pfn) as SwapSlot) > 1 || !frames.tryLock(pfn)) return;
    swap.remove(pfn);
    frames.unlock(pfn);
    lru.put(pfn);
  }

  /** Replaces what the entry shows by `copy`, unless it changed while the copy was made. */
  function install(f: FaultState, old: Pfn, copy: Pfn): Outcome {
    if (!tables.isPresent(f.page) || tables.word[f.page] !== (old as number)) {
      lru.put(copy);
      return MINOR;
    }
    if (old === zeroPage) mapping.zap(f.vma.space, f.page, f.task.cpu);
    else {
      mapping.unmap(f.vma.space, f.page, f.task.cpu);
      forgetSwapCache(frames.headOf(old));
      lru.put(frames.headOf(old));
    }
    mapping.payFlushes(ACCOUNT_FAULT);
    return mapCopy(f, copy, old);
  }

  function mapCopy(f: FaultState, copy: Pfn, source: Pfn): Outcome {
    anon.mapNewAnon(f, copy);
    if (tracer !== null) {
      tracer.who(f.task.id, f.task.cpu, f.vma.start + f.offset); // the allocation may have reclaimed
      tracer.step('W2', copy, source);
    }
    counters.inc(C.fault_cow);
    meter.pay(ACCOUNT_FAULT, source === zeroPage ? PRICE.zeroPageWriteFault : PRICE.cowFault);
    return MINOR;
  }

  function copy(f: FaultState, old: Pfn): Outcome {
    const keep = old !== zeroPage;
    const held = frames.headOf(old);
    if (keep) frames.get(held); // it must not go while we allocate
    if (f.vma.anonVma === null) anonVmas.prepare(f.vma);
    // Locked, so that the allocation's own reclaim does not unmap it: the fault would start over, perhaps for ever.
    const isLocked = keep && frames.tryLock(held);
    const fresh = placement.forVma(f.task, f.vma, f.offset, true);
    if (isLocked) frames.unlock(held);
    let outcome: Outcome = OOM;
    if (fresh !== NO_PFN) {
      if (contents !== null && keep) contents.copy(fresh, old);
      outcome = install(f, old, fresh);
    }
    if (keep) lru.put(held);
    return outcome;
  }

  function mayWriteInPlace(pfn: Pfn): boolean {
    return hugeFault !== null && frames.isHuge(pfn) ? hugeFault.isExclusivePart(pfn, true) : isExclusive(pfn);
  }

  function doWpPage(f: FaultState): Outcome {
    if ((tables.bits[f.page] & (PTE_PRESENT | PTE_WRITE)) !== PTE_PRESENT) return MINOR;
    const old = tables.word[f.page] as Pfn;
    if (f.vma.isShared) return writeInPlace(f); // the first write after a read of a shared mapping (K-A9)
    if (old !== zeroPage && frames.isAnon(old) && mayWriteInPlace(old) && frames.tryLock(frames.headOf(old))) {
      frames.unlock(frames.headOf(old));
      return writeInPlace(f);
    }
    return copy(f, old);
  }

  function newCopy(f: FaultState): Pfn {
    if (f.vma.anonVma === null) anonVmas.prepare(f.vma);
    return placement.forVma(f.task, f.vma, f.offset, true);
  }

  /** Each time the fault waited for the file, what it had set aside went, and was taken anew. */
  function keptCopy(f: FaultState): Pfn {
    let kept = f.copy;
    for (let i = 0; i < f.waits && kept !== NO_PFN; i++) {
      lru.put(kept);
      kept = newCopy(f);
    }
    return kept;
  }

  function copyFromFile(f: FaultState, source: Pfn): Outcome {
    const fresh = f.copy === NO_PFN ? newCopy(f) : keptCopy(f);
    f.copy = NO_PFN;
    if (fresh === NO_PFN) return OOM;
    if (contents !== null) contents.copy(fresh, source);
    if (!tables.isNone(f.page)) {
      lru.put(fresh);
      return MINOR;
    }
    return mapCopy(f, fresh, source);
  }

  return { doWpPage, isExclusive, newCopy, copyFromFile };
}
