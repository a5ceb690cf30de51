import { ACCOUNT_FAULT, type Meter, PRICE } from '../cost/index.js';
import { PTE_DIRTY, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  type AnonVmas,
  type Frames,
  type Lru,
  type Mapping,
  PG_MLOCKED,
  PG_SWAPBACKED,
  PG_UPTODATE,
  type Vma,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type PageId, type Pfn } from '../units.js';
import type { FaultState } from './fault-state.js';
import { MINOR, OOM, type Outcome } from './outcome.js';
import type { Placement } from './placement.js';

export interface AnonParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly mapping: Mapping;
  readonly anonVmas: AnonVmas;
  readonly placement: Placement;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
}

export interface AnonFault {
  /** An entry that holds nothing, in private memory (FP section 2). Kernel: do_anonymous_page(). */
  doAnonymousPage(f: FaultState): Outcome;
  /** Maps a page that this fault has filled, as private memory of the area: rmap, lists, entry. */
  mapNewAnon(f: FaultState, pfn: Pfn): void;
}

/** Bits of a private entry: writable if the area is and the access was a write. */
function anonBits(vma: Vma, isWrite: boolean): number {
  return PTE_YOUNG | (isWrite ? PTE_DIRTY | (vma.isWritable ? PTE_WRITE : 0) : 0);
}

export function makeAnonFault(parts: AnonParts): AnonFault {
  const { frames, tables, lru, mapping, anonVmas, placement, counters, meter, tracer } = parts;

  function mapNewAnon(f: FaultState, pfn: Pfn): void {
    frames.set(pfn, PG_UPTODATE | PG_SWAPBACKED | (f.vma.isLocked ? PG_MLOCKED : 0));
    mapping.mapAnon(f.vma, f.offset, f.page, pfn, anonBits(f.vma, true));
    lru.cacheAddAnon(f.task.cpu, pfn);
  }

  function readFault(page: PageId): Outcome {
    if (!tables.isNone(page)) return MINOR; // FP-1: a sibling was faster
    if (tracer !== null) tracer.step('A1', 0, -1);
    mapping.mapZeroPage(page);
    counters.inc(C.fault_zero_page);
    meter.pay(ACCOUNT_FAULT, PRICE.zeroPageFault);
    return MINOR;
  }

  function doAnonymousPage(f: FaultState): Outcome {
    if (!f.isWrite) return readFault(f.page);
    if (f.vma.anonVma === null) anonVmas.prepare(f.vma);
    const pfn = placement.forVma(f.task, f.vma, f.offset, true);
    if (pfn === NO_PFN) return OOM;
    if (!tables.isNone(f.page)) {
      lru.put(pfn);
      return MINOR;
    }
    mapNewAnon(f, pfn);
    if (tracer !== null) {
      tracer.who(f.task.id, f.task.cpu, f.vma.start + f.offset); // the allocation may have reclaimed
      tracer.step('A4', pfn, -1);
    }
    counters.inc(C.fault_anon);
    meter.pay(ACCOUNT_FAULT, PRICE.anonFault);
    return MINOR;
  }

  return { doAnonymousPage, mapNewAnon };
}
