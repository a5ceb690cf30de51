import { bugOn } from '../errors.js';
import {
  BLOCK_EMPTY,
  BLOCK_SMALL,
  BLOCK_WHOLE,
  BLOCK_ZERO,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  type PageTables,
} from '../hardware/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PAGE, type CpuId, type PageId, type Pfn } from '../units.js';
import type { AddressSpace } from './address-space.js';
import type { AnonVmas } from './anon-vma.js';
import { HUGE_PAGES, type Frames } from './frames.js';
import type { HugePages } from './huge-pages.js';
import type { Lru } from './lru.js';
import { PG_DIRTY, PG_EXCLUSIVE, PG_WRITTEN } from './page-flags.js';
import type { Vma } from './vma.js';

export interface HugeMappingParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly anonVmas: AnonVmas;
  readonly huge: HugePages;
  readonly counters: Counters;
  readonly zeroPage: Pfn;
  readonly flush: (space: AddressSpace, page: PageId, cpu: CpuId) => void;
}

/** Blocks that one entry maps. Where a block is named, it is by the id of any of its pages. */
export interface HugeMapping {
  /** Maps a huge page of private memory as a whole; the caller's reference becomes the entry's. `offset` is that of the block's first page. */
  mapWhole(vma: Vma, offset: number, block: PageId, head: Pfn, bits: number): void;
  /** Maps a huge page of a shmem object as a whole; the caller's reference becomes the entry's. */
  mapWholeFile(vma: Vma, block: PageId, head: Pfn, bits: number): void;
  /** Maps the huge zero page. */
  mapZero(block: PageId): void;
  /**
   * H7, HP-30: the block goes to small pieces, which show the same pages; one that shows a huge page of an object is empty
   * afterwards (K-H18). No-op unless it is whole.
   */
  splitBlock(space: AddressSpace, block: PageId, cpu: CpuId): void;
  /** The same for the block in which a page number lies, if a border comes to lie there (K-H7). */
  splitAt(space: AddressSpace, vpn: number): void;
  /** Ends a whole mapping: the block is empty (K-H2). */
  zapBlock(space: AddressSpace, block: PageId, cpu: CpuId): void;
  /** fork (K-H8): a block of the child shows the same; neither may write without asking. `offset` and `copy`: the first page in the child's area. */
  copyBlock(space: AddressSpace, block: PageId, to: Vma, offset: number, copy: PageId, cpu: CpuId): void;
  /** mremap by whole blocks: the same one entry at another place. `block` is empty afterwards. */
  moveBlock(space: AddressSpace, block: PageId, target: PageId, cpu: CpuId): void;
  /** Every page may be written through, or none any more. */
  setWritable(space: AddressSpace, block: PageId, isWritable: boolean, cpu: CpuId): void;
  /** A small entry that showed a part of a huge page is gone; its reference is still to be dropped. */
  partUnmapped(pfn: Pfn, wasDirty: boolean): void;
}

export function makeHugeMapping(parts: HugeMappingParts): HugeMapping {
  const { frames, tables, lru, anonVmas, huge, counters, zeroPage, flush } = parts;
  const firstOf = (block: PageId): PageId => (block & -HUGE_PAGES) as PageId;
  const stateOf = (block: PageId): number => tables.block[block >> 9];

  function mapWhole(vma: Vma, offset: number, block: PageId, head: Pfn, bits: number): void {
    const first = firstOf(block);
    const anon = vma.anonVma ?? anonVmas.prepare(vma);
    for (let i = 0; i < HUGE_PAGES; i++) {
      const pfn = (head + i) as Pfn;
      if (frames.addMapping(pfn) === 0) frames.setMapping(pfn, -anon.id, vma.anonIndex + offset + i);
      tables.set((first + i) as PageId, pfn, bits);
    }
    tables.block[first >> 9] = BLOCK_WHOLE;
    huge.addWhole(head, 1);
    vma.space.rssAnon += HUGE_PAGES;
  }

  function mapWholeFile(vma: Vma, block: PageId, head: Pfn, bits: number): void {
    const first = firstOf(block);
    for (let i = 0; i < HUGE_PAGES; i++) {
      frames.addMapping((head + i) as Pfn);
      tables.set((first + i) as PageId, (head + i) as Pfn, bits);
    }
    tables.block[first >> 9] = BLOCK_WHOLE;
    huge.addWhole(head, 1);
    vma.space.rssShmem += HUGE_PAGES;
    counters.inc(C.thp_file_mapped);
  }

  function mapZero(block: PageId): void {
    const first = firstOf(block);
    for (let i = 0; i < HUGE_PAGES; i++) tables.set((first + i) as PageId, zeroPage, PTE_YOUNG);
    tables.block[first >> 9] = BLOCK_ZERO;
  }

  function splitBlock(space: AddressSpace, block: PageId, cpu: CpuId): void {
    if (!tables.isWhole(block)) return;
    const first = firstOf(block);
    if (stateOf(block) === BLOCK_WHOLE && frames.mapping(tables.word[first] as Pfn) > 0) {
      zapBlock(space, block, cpu);
      counters.inc(C.thp_split_pmd);
      return;
    }
    if (stateOf(block) === BLOCK_WHOLE) splitEntries(first);
    tables.block[first >> 9] = BLOCK_SMALL;
    flush(space, first, cpu);
    counters.inc(C.thp_split_pmd);
  }

  /** Each page gets a reference for its own entry. What was written is noted in the page where entries lose their dirty bits (K-H19). */
  function splitEntries(first: PageId): void {
    const head = tables.word[first] as Pfn;
    for (let i = 0; i < HUGE_PAGES; i++) {
      const page = (first + i) as PageId;
      if (i > 0) frames.get(head);
      if ((tables.bits[page] & PTE_DIRTY) !== 0) frames.set((head + i) as Pfn, PG_DIRTY | PG_WRITTEN);
      tables.bits[page] = (tables.bits[page] | PTE_YOUNG) & (huge.rule.writableAtOnce ? -1 : ~PTE_DIRTY);
    }
    huge.addWhole(head, -1);
  }

  /** Who cuts areas is one of the CPUs that the space runs on: which one does not matter to the count of the others. */
  function splitAt(space: AddressSpace, vpn: number): void {
    if (vpn % HUGE_PAGES === 0) return;
    const page = tables.walk(space.root, vpn);
    if (page !== NO_PAGE) splitBlock(space, page, space.firstCpu);
  }

  function zapBlock(space: AddressSpace, block: PageId, cpu: CpuId): void {
    const first = firstOf(block);
    const state = stateOf(block);
    bugOn(state !== BLOCK_WHOLE && state !== BLOCK_ZERO, 'a block ends that is not whole', first);
    const head = tables.word[first] as Pfn;
    for (let i = 0; i < HUGE_PAGES; i++) {
      const page = (first + i) as PageId;
      if (state === BLOCK_WHOLE) {
        if ((tables.bits[page] & PTE_DIRTY) !== 0) frames.set((head + i) as Pfn, PG_DIRTY | PG_WRITTEN);
        frames.removeMapping((head + i) as Pfn);
      }
      tables.clear(page);
    }
    tables.block[first >> 9] = BLOCK_EMPTY;
    flush(space, first, cpu);
    if (state === BLOCK_ZERO) return;
    huge.addWhole(head, -1);
    if (frames.mapping(head) < 0) space.rssAnon -= HUGE_PAGES;
    else space.rssShmem -= HUGE_PAGES;
    deferIfPartial(head);
    lru.put(head);
  }

  /** HP-32. */
  function deferIfPartial(head: Pfn): void {
    if (frames.mapping(head) >= 0 || frames.isSwapCache(head) || !huge.hasUnmappedParts(head)) return;
    if (huge.defer(head)) counters.inc(C.thp_deferred_split_page);
  }

  function copyBlock(space: AddressSpace, block: PageId, to: Vma, offset: number, copy: PageId, cpu: CpuId): void {
    if (stateOf(block) === BLOCK_ZERO) {
      mapZero(copy);
      return;
    }
    const first = firstOf(block);
    const head = tables.word[first] as Pfn;
    setWritable(space, block, false, cpu);
    for (let i = 0; i < HUGE_PAGES; i++) frames.clear((head + i) as Pfn, PG_EXCLUSIVE);
    frames.get(head);
    mapWhole(to, offset, copy, head, PTE_YOUNG);
    for (let i = 0; i < HUGE_PAGES; i++) tables.bits[firstOf(copy) + i] |= tables.bits[first + i] & PTE_DIRTY; // private pages stay dirty in both
  }

  function moveBlock(space: AddressSpace, block: PageId, target: PageId, cpu: CpuId): void {
    const [from, to] = [firstOf(block), firstOf(target)];
    tables.word.copyWithin(to, from, from + HUGE_PAGES);
    tables.bits.copyWithin(to, from, from + HUGE_PAGES);
    tables.block[to >> 9] = tables.block[from >> 9];
    tables.block[from >> 9] = BLOCK_EMPTY;
    for (let i = 0; i < HUGE_PAGES; i++) tables.clear((from + i) as PageId);
    flush(space, from, cpu);
  }

  function setWritable(space: AddressSpace, block: PageId, isWritable: boolean, cpu: CpuId): void {
    const first = firstOf(block);
    const head = tables.word[first] as Pfn;
    for (let i = 0; i < HUGE_PAGES; i++) {
      const page = (first + i) as PageId;
      tables.bits[page] = isWritable ? tables.bits[page] | PTE_WRITE : tables.bits[page] & ~PTE_WRITE;
      if (isWritable && frames.isAnon(head)) frames.set((head + i) as Pfn, PG_EXCLUSIVE);
    }
    flush(space, first, cpu);
  }

  function partUnmapped(pfn: Pfn, wasDirty: boolean): void {
    if (wasDirty) frames.set(pfn, PG_WRITTEN);
    if (frames.mapcount(pfn) === 0) deferIfPartial(frames.headOf(pfn));
  }

  return {
    mapWhole,
    mapWholeFile,
    mapZero,
    splitBlock,
    splitAt,
    zapBlock,
    copyBlock,
    moveBlock,
    setWritable,
    partUnmapped,
  };
}
