import { C, type Counters } from '../stats/index.js';
import type { CpuId, PageId, Pfn } from '../units.js';
import type { PageTables } from './page-table.js';
import {
  MISS_NONE,
  MISS_READ_ONLY,
  MISS_SWAP,
  PTE_DIRTY,
  PTE_HINT,
  PTE_PRESENT,
  PTE_SWAP,
  PTE_WRITE,
  PTE_YOUNG,
} from './pte.js';
import type { Tlb } from './tlb.js';

export interface MmuParts {
  readonly tlb: Tlb;
  readonly tables: PageTables;
  readonly counters: Counters;
  /** The machine has huge pages. */
  readonly hasHuge: boolean;
}

/** The frame behind a page, or (negative) why there is none: `MISS_NONE`, `MISS_SWAP`, `MISS_READ_ONLY`. */
export type Translate = (cpu: CpuId, page: PageId, isWrite: boolean) => Pfn;

export interface Mmu {
  translate: Translate;
  /**
   * Forgets a page on all CPUs that may hold it, `cpus` being those the address space has run on (one bit per CPU).
   * @returns how many other CPUs have to be interrupted for it: to be given to `countFlush`, once per batch
   */
  forget(cpu: CpuId, page: PageId, cpus: Int32Array): number;
  /** Counts one flush that interrupted so many other CPUs. */
  countFlush(interrupted: number): void;
}

/** The memory management unit: TLB first, then a walk that sets the accessed and dirty bits, then a reason for a fault. */
export function makeMmu({ tlb, tables, counters, hasHuge }: MmuParts): Mmu {
  function walk(cpu: CpuId, page: PageId, isWrite: boolean): Pfn {
    const bits = tables.bits[page];
    if ((bits & (PTE_PRESENT | PTE_HINT)) !== PTE_PRESENT)
      return ((bits & PTE_SWAP) === 0 ? MISS_NONE : MISS_SWAP) as Pfn;
    if (isWrite && (bits & PTE_WRITE) === 0) return MISS_READ_ONLY as Pfn;
    const wanted = bits | PTE_YOUNG | (isWrite ? PTE_DIRTY : 0);
    if (wanted !== bits) tables.bits[page] = wanted;
    const frame = tables.word[page] as Pfn;
    const isWritable = (wanted & PTE_WRITE) !== 0;
    if (hasHuge && tables.isWhole(page)) {
      counters.inc(C.tlb_miss_huge);
      tlb.fillHuge(cpu, page >> 9, isWritable);
      return frame;
    }
    // A dirty page that may not be written (after a fork) must look clean here: a dirty entry lets writes pass unasked.
    tlb.fill(cpu, page, frame, isWritable, isWritable && (wanted & PTE_DIRTY) !== 0);
    return frame;
  }

  /**
   * No entry of the page's own: perhaps one of its whole block. The entries below it are marked all the same, so that each
   * page of a huge page shows whether it was ever written.
   */
  function miss(cpu: CpuId, page: PageId, isWrite: boolean): Pfn {
    if (hasHuge) {
      const at = tlb.findHuge(cpu, page >> 9);
      if (at >= 0) {
        if (isWrite && !tlb.isWritableAt(at)) {
          tlb.invalidateHuge(cpu, page >> 9);
          return walk(cpu, page, true);
        }
        tables.bits[page] |= PTE_YOUNG | (isWrite ? PTE_DIRTY : 0);
        return tables.word[page] as Pfn;
      }
    }
    counters.inc(C.tlb_miss);
    return walk(cpu, page, isWrite);
  }

  /** First write through an entry that was filled by a read: the processor goes to the page table once more. */
  function firstWrite(cpu: CpuId, page: PageId, at: number): Pfn {
    if (!tlb.isWritableAt(at)) {
      tlb.invalidate(cpu, page);
      return walk(cpu, page, true);
    }
    tables.bits[page] |= PTE_DIRTY;
    tlb.markDirtyAt(at);
    return tlb.frameAt(at);
  }

  function translate(cpu: CpuId, page: PageId, isWrite: boolean): Pfn {
    const at = tlb.find(cpu, page);
    if (at < 0) return miss(cpu, page, isWrite);
    if (isWrite && !tlb.isDirtyAt(at)) return firstWrite(cpu, page, at);
    return tlb.frameAt(at);
  }

  function forget(cpu: CpuId, page: PageId, cpus: Int32Array): number {
    let interrupted = 0;
    for (let w = 0; w < cpus.length; w++) {
      for (let left = cpus[w]; left !== 0; left &= left - 1) {
        const other = ((w << 5) + 31 - Math.clz32(left & -left)) as CpuId;
        tlb.invalidate(other, page);
        if (hasHuge) tlb.invalidateHuge(other, page >> 9);
        if (other !== cpu) interrupted++;
      }
    }
    return interrupted;
  }

  function countFlush(interrupted: number): void {
    counters.inc(C.nr_tlb_local_flush_one);
    if (interrupted > 0) {
      counters.inc(C.nr_tlb_remote_flush);
      counters.add(C.nr_tlb_remote_flush_received, interrupted);
    }
  }

  return { translate, forget, countFlush };
}
