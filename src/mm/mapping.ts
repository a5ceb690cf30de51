import { type Meter, PRICE } from '../cost/index.js';
import { bugOn } from '../errors.js';
import {
  PTE_DEVICE,
  PTE_DIRTY,
  PTE_MIGRATION,
  PTE_NONE,
  PTE_PRESENT,
  PTE_WRITE,
  PTE_YOUNG,
  type Mmu,
  type PageTables,
} from '../hardware/index.js';
import type { Counters } from '../stats/index.js';
import { NO_PFN, type CpuId, type PageId, type Pfn, type SwapSlot } from '../units.js';
import type { AddressSpace } from './address-space.js';
import type { AnonVmas } from './anon-vma.js';
import type { Frames } from './frames.js';
import { makeHugeMapping, type HugeMapping } from './huge-mapping.js';
import type { HugePages } from './huge-pages.js';
import type { Lru } from './lru.js';
import { PG_DIRTY, PG_SWAPBACKED } from './page-flags.js';
import type { SwapArea } from './swap-area.js';
import type { Vma } from './vma.js';

export interface MappingParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly mmu: Mmu;
  readonly swap: SwapArea;
  readonly anonVmas: AnonVmas;
  readonly zeroPage: Pfn;
  readonly counters: Counters;
  readonly meter: Meter;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
}

/** Entries and what hangs on them: map counts, rss, the reverse map, dirty bits, TLBs. */
export interface Mapping {
  /** Maps a page of private memory; the caller's reference becomes the entry's (PL-11). */
  mapAnon(vma: Vma, offset: number, page: PageId, pfn: Pfn, bits: number): void;
  /** Maps a page of a file or shmem object; the caller's reference becomes the entry's. */
  mapFile(vma: Vma, page: PageId, pfn: Pfn, bits: number): void;
  /** Maps a page of device memory as private memory; the caller's reference becomes the entry's. */
  mapDevice(vma: Vma, offset: number, page: PageId, pfn: Pfn, isWritable: boolean): void;
  /** Maps the zero page read-only (PL-12): in no rss, never counted. */
  mapZeroPage(page: PageId): void;
  /**
   * Clears a present entry: dirty bit into the page, rss, mapping count, TLBs. @returns the page; its reference, the first page's
   * if it is part of a huge page, is the caller's now
   */
  unmap(space: AddressSpace, page: PageId, cpu: CpuId): Pfn;
  /** Like `unmap`, and leaves the page's swap slot in the entry (DM-20); the slot gets a user. */
  unmapToSwap(space: AddressSpace, page: PageId, cpu: CpuId, slot: SwapSlot): Pfn;
  /** Ends whatever the entry holds: page, zero page, swap slot, migration entry or page of a device (munmap, exit, discard). */
  zap(space: AddressSpace, page: PageId, cpu: CpuId): void;
  /** The entry may no longer be written through (fork). */
  writeProtect(space: AddressSpace, page: PageId, cpu: CpuId): void;
  /** The entry was changed by hand: no TLB may know what it was. */
  flush(space: AddressSpace, page: PageId, cpu: CpuId): void;
  /** The same by somebody who counts the flush of many entries at once, with `countFlush`. @returns CPUs to interrupt */
  flushLater(space: AddressSpace, page: PageId, cpu: CpuId): number;
  countFlush(interrupted: number): void;
  /** From here to `endBatch` flushes are collected, and other CPUs are interrupted once for all of them. */
  beginBatch(): void;
  endBatch(): void;
  /** Whoever caused flushes since the last call pays for the other CPUs that were interrupted. */
  payFlushes(account: number): void;
  /** Nobody pays for them. */
  forgetFlushes(): void;
  /** Blocks that one entry maps; null: the machine has no huge pages. */
  readonly blocks: HugeMapping | null;
}

export function makeMapping(parts: MappingParts): Mapping {
  const { frames, lru, tables, mmu, swap, anonVmas, zeroPage, meter, huge } = parts;
  const blocks = huge === null ? null : makeHugeMapping({ ...parts, huge, flush });
  /** Flushes that interrupted another CPU, and how many CPUs in all. */
  let flushes = 0;
  let interrupts = 0;
  /** Batches begun and not ended: one may contain others. */
  let batches = 0;
  let batched = 0;

  /** One more entry of private memory: reverse map and rss. */
  function attachAnon(vma: Vma, offset: number, pfn: Pfn): void {
    if (frames.addMapping(pfn) === 0) {
      const anon = vma.anonVma ?? anonVmas.prepare(vma);
      frames.setMapping(pfn, -anon.id, vma.anonIndex + offset);
    }
    vma.space.rssAnon++;
  }

  function mapAnon(vma: Vma, offset: number, page: PageId, pfn: Pfn, bits: number): void {
    attachAnon(vma, offset, pfn);
    tables.set(page, pfn, bits);
  }

  function mapDevice(vma: Vma, offset: number, page: PageId, pfn: Pfn, isWritable: boolean): void {
    attachAnon(vma, offset, pfn);
    tables.setDevice(page, pfn, isWritable);
  }

  function mapFile(vma: Vma, page: PageId, pfn: Pfn, bits: number): void {
    frames.addMapping(pfn);
    if (frames.has(pfn, PG_SWAPBACKED)) vma.space.rssShmem++;
    else vma.space.rssFile++;
    tables.set(page, pfn, bits);
  }

  function mapZeroPage(page: PageId): void {
    tables.set(page, zeroPage, PTE_YOUNG);
  }

  function flush(space: AddressSpace, page: PageId, cpu: CpuId): void {
    const interrupted = mmu.forget(cpu, page, space.cpus);
    if (batches > 0) batched = Math.max(batched, interrupted);
    else countFlush(interrupted);
  }

  function countFlush(interrupted: number): void {
    mmu.countFlush(interrupted);
    if (interrupted === 0) return;
    flushes++;
    interrupts += interrupted;
  }

  function beginBatch(): void {
    if (batches++ === 0) batched = 0;
  }

  function endBatch(): void {
    if (--batches === 0) countFlush(batched);
  }

  /** The part that `unmap` and `unmapToSwap` share; the entry is rewritten by the caller. */
  function detach(space: AddressSpace, page: PageId): Pfn {
    const pfn = tables.word[page] as Pfn;
    bugOn(pfn === zeroPage, 'the zero page has no mapping to remove', page);
    if ((tables.bits[page] & PTE_DIRTY) !== 0) frames.set(pfn, PG_DIRTY);
    forgetRss(space, pfn);
    frames.removeMapping(pfn);
    if (blocks !== null && frames.isHuge(pfn)) blocks.partUnmapped(pfn, (tables.bits[page] & PTE_DIRTY) !== 0);
    return pfn;
  }

  function forgetRss(space: AddressSpace, pfn: Pfn): void {
    if (frames.mapping(pfn) < 0) space.rssAnon--;
    else if (frames.has(pfn, PG_SWAPBACKED)) space.rssShmem--;
    else space.rssFile--;
  }

  function unmap(space: AddressSpace, page: PageId, cpu: CpuId): Pfn {
    const pfn = detach(space, page);
    tables.clear(page);
    flush(space, page, cpu);
    return pfn;
  }

  function unmapToSwap(space: AddressSpace, page: PageId, cpu: CpuId, slot: SwapSlot): Pfn {
    const pfn = detach(space, page);
    swap.addUser(slot);
    space.swapEntries++;
    tables.setSwap(page, slot);
    flush(space, page, cpu);
    return pfn;
  }

  /** An entry's slot goes away: the last other user takes the cache page along, unless it is mapped and swap is not half full (PL section 6). */
  function zapSwap(slot: SwapSlot): void {
    const pfn = swap.cached(slot);
    swap.dropUser(slot);
    if (pfn === NO_PFN || frames.isLocked(pfn) || frames.isWriteback(pfn)) return;
    if (swap.users(slot) > 1 || (frames.mapcount(pfn) > 0 && !swap.isHalfFull)) return;
    swap.remove(pfn);
    frames.set(pfn, PG_DIRTY);
    lru.put(pfn);
  }

  function zap(space: AddressSpace, page: PageId, cpu: CpuId): void {
    const bits = tables.bits[page];
    if (bits === PTE_NONE) return;
    if ((bits & PTE_MIGRATION) !== 0) {
      forgetRss(space, tables.word[page] as Pfn); // counted until now; its mapping and reference are gone already
      tables.clear(page);
      return;
    }
    if ((bits & PTE_DEVICE) !== 0) {
      const pfn = detach(space, page);
      tables.clear(page);
      lru.put(pfn);
      return;
    }
    if ((bits & PTE_PRESENT) === 0) {
      const slot = tables.word[page] as SwapSlot;
      tables.clear(page);
      space.swapEntries--;
      zapSwap(slot);
      return;
    }
    if (tables.word[page] === (zeroPage as number)) {
      tables.clear(page);
      flush(space, page, cpu);
      return;
    }
    const isFile = frames.mapping(tables.word[page] as Pfn) > 0;
    const pfn = unmap(space, page, cpu);
    const head = frames.headOf(pfn);
    if (isFile && (bits & PTE_YOUNG) !== 0) lru.markAccessed(head);
    freeSwapCacheOf(head);
    lru.put(head);
  }

  /** The last mapping of a swap-cache page went: nobody else uses the slot, so neither does the cache. */
  function freeSwapCacheOf(pfn: Pfn): void {
    if (!frames.isSwapCache(pfn) || frames.mapcount(pfn) > 0 || frames.isLocked(pfn) || frames.isWriteback(pfn)) return;
    if (swap.users(frames.private_(pfn) as SwapSlot) > 1) return;
    swap.remove(pfn);
    lru.put(pfn);
  }

  function writeProtect(space: AddressSpace, page: PageId, cpu: CpuId): void {
    if ((tables.bits[page] & PTE_WRITE) === 0) return;
    tables.bits[page] &= ~PTE_WRITE;
    flush(space, page, cpu);
  }

  function payFlushes(account: number): void {
    if (flushes === 0) return;
    meter.payTimes(account, PRICE.shootdown, flushes);
    meter.payTimes(account, PRICE.shootdownFurther, interrupts - flushes);
    forgetFlushes();
  }

  function forgetFlushes(): void {
    flushes = interrupts = 0;
  }

  return {
    mapAnon,
    mapFile,
    mapDevice,
    mapZeroPage,
    unmap,
    unmapToSwap,
    zap,
    writeProtect,
    flush,
    flushLater: (space, page, cpu) => mmu.forget(cpu, page, space.cpus),
    countFlush,
    beginBatch,
    endBatch,
    payFlushes,
    forgetFlushes,
    blocks,
  };
}
