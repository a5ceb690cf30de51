import { ACCOUNT_FAULT, PRICE, type Meter } from '../cost/index.js';
import { BLOCK_ZERO, PTE_DIRTY, PTE_WRITE, PTE_YOUNG, type PageTables } from '../hardware/index.js';
import {
  HUGE_PAGES,
  PG_EXCLUSIVE,
  PG_HEAD,
  PG_MLOCKED,
  PG_RESERVED,
  PG_SWAPBACKED,
  PG_TAIL,
  PG_UPTODATE,
  type AnonVmas,
  type Frames,
  type HugeMapping,
  type HugePages,
  type Lru,
  type Mapping,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type PageId, type Pfn } from '../units.js';
import type { FaultState } from './fault-state.js';
import { MINOR, type Outcome } from './outcome.js';
import type { Placement } from './placement.js';

/** In place of an outcome: no huge page for this fault, which goes on with small ones. */
export const FALLBACK: Outcome = -1;

export interface HugeFaultParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly anonVmas: AnonVmas;
  readonly mapping: Mapping;
  readonly blocks: HugeMapping;
  readonly huge: HugePages;
  readonly placement: Placement;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
}

export interface HugeFault {
  /** A fault in an empty block of private memory (K-H1). Kernel: do_huge_pmd_anonymous_page(), mm/huge_memory.c */
  fill(f: FaultState): Outcome;
  /**
   * A write to a block that is mapped as a whole, read-only (K-H6, K-H8): in place, or the block goes to small pieces and the
   * fault on with one of them. Kernel: do_huge_pmd_wp_page()
   */
  write(f: FaultState): Outcome;
  /** K-H8: whether a page of a huge page is its process's alone. `adopts`: the last part that is left becomes so. */
  isExclusivePart(pfn: Pfn, adopts: boolean): boolean;
}

export function makeHugeFault(parts: HugeFaultParts): HugeFault {
  const { frames, tables, lru, anonVmas, mapping, blocks, huge, placement, counters, meter, tracer } = parts;

  function fill(f: FaultState): Outcome {
    const offset = f.offset - (f.page & (HUGE_PAGES - 1));
    if (offset < 0 || offset + HUGE_PAGES > f.vma.pages || !huge.mayFill(f.vma)) return FALLBACK;
    huge.see(f.vma.space);
    if (f.isWrite || !huge.settings.useZeroPage) return fillWithPage(f, offset);
    return hasZeroPage(f) ? fillWithZero(f.page) : fallBack();
  }

  function fallBack(): Outcome {
    counters.inc(C.thp_fault_fallback);
    return FALLBACK;
  }

  function fillWithPage(f: FaultState, offset: number): Outcome {
    if (f.vma.anonVma === null) anonVmas.prepare(f.vma);
    const head = placement.forHuge(f.task, f.vma, offset);
    if (head === NO_PFN) return fallBack();
    for (let i = 0; i < HUGE_PAGES; i++) frames.set((head + i) as Pfn, PG_UPTODATE | PG_SWAPBACKED | PG_EXCLUSIVE);
    if (f.vma.isLocked) frames.set(head, PG_MLOCKED);
    blocks.mapWhole(f.vma, offset, f.page, head, PTE_YOUNG | (f.vma.isWritable ? PTE_WRITE : 0));
    lru.cacheAddAnon(f.task.cpu, head);
    if (tracer !== null) {
      tracer.who(f.task.id, f.task.cpu, f.vma.start + offset);
      tracer.step('A4', head, -1);
    }
    counters.inc(C.thp_fault_alloc);
    counters.inc(C.fault_huge);
    meter.pay(ACCOUNT_FAULT, PRICE.anonFault);
    meter.payTimes(ACCOUNT_FAULT, PRICE.clearPage, HUGE_PAGES - 1); // one is in the fault's own price
    return MINOR;
  }

  /** HP-20: one for the machine, from the first time on; it belongs to nobody. */
  function hasZeroPage(f: FaultState): boolean {
    if (huge.zeroHead !== NO_PFN) return true;
    const head = placement.hugeByTask(f.task);
    if (head === NO_PFN) return false;
    for (let i = 0; i < HUGE_PAGES; i++) {
      frames.clear((head + i) as Pfn, PG_HEAD | PG_TAIL);
      frames.set((head + i) as Pfn, PG_RESERVED | PG_UPTODATE);
    }
    huge.zeroHead = head;
    counters.inc(C.thp_zero_page_alloc);
    return true;
  }

  function fillWithZero(page: PageId): Outcome {
    if (tracer !== null) tracer.step('A1', 0, -1);
    blocks.mapZero(page);
    counters.inc(C.fault_huge_zero);
    meter.pay(ACCOUNT_FAULT, PRICE.zeroPageFault);
    return MINOR;
  }

  function write(f: FaultState): Outcome {
    const first = (f.page & -HUGE_PAGES) as PageId;
    const head = tables.word[first] as Pfn;
    const isZero = tables.block[first >> 9] === BLOCK_ZERO;
    if (!isZero && (f.vma.isShared || isExclusiveWhole(head))) return writeInPlace(f, head);
    blocks.splitBlock(f.vma.space, f.page, f.task.cpu);
    mapping.payFlushes(ACCOUNT_FAULT);
    return FALLBACK;
  }

  function writeInPlace(f: FaultState, head: Pfn): Outcome {
    if (tracer !== null) tracer.step('W1', head, -1);
    blocks.setWritable(f.vma.space, f.page, true, f.task.cpu);
    tables.bits[f.page] |= PTE_DIRTY | PTE_YOUNG;
    mapping.payFlushes(ACCOUNT_FAULT);
    counters.inc(C.fault_write_in_place);
    meter.pay(ACCOUNT_FAULT, PRICE.writeInPlace);
    return MINOR;
  }

  /** Marked so, or nobody else has a reference (HP-41). */
  function isExclusiveWhole(head: Pfn): boolean {
    return frames.has(head, PG_EXCLUSIVE) || (frames.count(head) === 1 && !frames.isLocked(head));
  }

  function isExclusivePart(pfn: Pfn, adopts: boolean): boolean {
    if (frames.has(pfn, PG_EXCLUSIVE)) return true;
    const head = frames.headOf(pfn);
    if (!adopts || !huge.rule.reusesLastPart || frames.count(head) > 1 || frames.isLocked(head)) return false;
    frames.set(pfn, PG_EXCLUSIVE);
    return true;
  }

  return { fill, write, isExclusivePart };
}
