import { int32s, uint8s } from '../arrays.js';
import { asPageId, NO_PAGE, type PageId, type Pfn, type SwapSlot } from '../units.js';
import { PTE_DEVICE, PTE_DIRTY, PTE_MIGRATION, PTE_NONE, PTE_PRESENT, PTE_SWAP, PTE_WRITE, PTE_YOUNG } from './pte.js';

const ENTRIES = 512;
/** A 36-bit page number: 9 bits for the entry in its leaf table, 27 for the three levels above. */
const LEAF_BITS = 9;

/** State of a leaf, which is a block of 512 pages: nothing was ever mapped there (K-H1). */
export const BLOCK_EMPTY = 0;
/** It has a page table: its pages are mapped one by one, even if none is now. */
export const BLOCK_SMALL = 1;
/** One entry maps 512 frames that follow each other; the entries below are filled in all the same. */
export const BLOCK_WHOLE = 2;
/** One entry maps the huge zero page; the entries below show the zero page. */
export const BLOCK_ZERO = 3;
/** One migration entry for a huge page that is being moved. */
export const BLOCK_MIGRATION = 4;

/**
 * Page tables of all address spaces: 48-bit addresses, four levels of 512 entries.
 *
 * All leaf tables lie in one pool, and the place of an entry in the pool *is* the `PageId` of that page of that address
 * space: leaf number * 512 + entry. So whoever has been through the upper levels once keeps a small integer, and a TLB
 * miss costs one lookup, like a processor that caches the upper levels. An id names its address space too.
 */
export class PageTables {
  // The pool is replaced by a larger one when it is used up. Nobody keeps one of its arrays: `tables.word[page]` always.
  /** Frame number or swap slot, by PageId. */
  word: Int32Array;
  /** Bits of pte.ts, by PageId. */
  bits: Uint8Array;
  /** Leaf → page number of its first entry / 512 (27 bits). */
  leafStart: Int32Array;
  /** Leaf → id of its address space, 0 if the leaf is free. */
  leafSpace: Int32Array;
  /** Leaf → the vma a fault in it was last in: a hint, to be checked. */
  leafVma: Int32Array;
  /** Leaf → how its block is mapped; kept on machines that have huge pages, and BLOCK_EMPTY on others. */
  block: Uint8Array;
  /** Leaves that the pool has room for. */
  private room: number;
  private leafCount = 1; // leaf 0 stays unused: 0 means "no table" in the level above
  private readonly freeLeaves: number[] = [];
  private readonly upper: Int32Array[] = [new Int32Array(0)]; // level-1..3 tables; 0 means "no table"
  private readonly freeUpper: number[] = [];

  /**
   * @param capacity leaf tables that can exist
   * @param reserve leaf tables that there is room for at once: while they suffice, the compiler takes the arrays for constants
   */
  constructor(
    private readonly capacity: number,
    reserve = capacity,
  ) {
    const room = Math.min(reserve, capacity);
    this.room = room;
    this.word = int32s(room * ENTRIES);
    this.bits = uint8s(room * ENTRIES);
    this.leafStart = int32s(room);
    this.leafSpace = int32s(room);
    this.leafVma = int32s(room);
    this.block = uint8s(room);
  }

  newRoot(): number {
    return this.newUpper();
  }

  /** Walks the levels. @returns the page's id, or `NO_PAGE` if a level has no table there */
  walk(root: number, vpn: number): PageId {
    const high = Math.floor(vpn / ENTRIES);
    const level3 = this.upper[root][high >> 18];
    if (level3 === 0) return NO_PAGE;
    const level2 = this.upper[level3][(high >> 9) & 511];
    if (level2 === 0) return NO_PAGE;
    const leaf = this.upper[level2][high & 511];
    return leaf === 0 ? NO_PAGE : asPageId((leaf << LEAF_BITS) + (vpn - high * ENTRIES));
  }

  /** Walks the levels and makes the tables that are missing. @returns `NO_PAGE` only if the pool is used up */
  ensure(root: number, vpn: number, space: number): PageId {
    const found = this.walk(root, vpn);
    if (found !== NO_PAGE) return found;
    if (this.freeLeaves.length === 0 && this.leafCount === this.room && !this.grow()) return NO_PAGE;
    const high = Math.floor(vpn / ENTRIES);
    const level3 = this.descend(root, high >> 18);
    const level2 = this.descend(level3, (high >> 9) & 511);
    const leaf = this.freeLeaves.pop() ?? this.leafCount++;
    this.upper[level2][high & 511] = leaf;
    this.leafStart[leaf] = high;
    this.leafSpace[leaf] = space;
    this.leafVma[leaf] = 0;
    return asPageId((leaf << LEAF_BITS) + (vpn - high * ENTRIES));
  }

  /** Page number of the virtual address behind an id. */
  vpnOf(page: PageId): number {
    return this.leafStart[page >> LEAF_BITS] * ENTRIES + (page & (ENTRIES - 1));
  }

  spaceOf(page: PageId): number {
    return this.leafSpace[page >> LEAF_BITS];
  }

  /** Gives back the leaf table over `vpn`, whose entries must be empty. No-op where there is none. */
  freeLeaf(root: number, vpn: number): void {
    const high = Math.floor(vpn / ENTRIES);
    const level3 = this.upper[root][high >> 18];
    const level2 = level3 === 0 ? 0 : this.upper[level3][(high >> 9) & 511];
    const leaf = level2 === 0 ? 0 : this.upper[level2][high & 511];
    if (leaf === 0) return;
    this.upper[level2][high & 511] = 0;
    this.leafSpace[leaf] = 0;
    this.block[leaf] = BLOCK_EMPTY;
    this.freeLeaves.push(leaf);
  }

  /** Gives back the upper levels of an address space that has no leaf tables left. */
  freeRoot(root: number): void {
    for (const level3 of this.upper[root]) {
      if (level3 === 0) continue;
      for (const level2 of this.upper[level3]) if (level2 !== 0) this.freeUpper.push(level2);
      this.freeUpper.push(level3);
    }
    this.freeUpper.push(root);
  }

  /** Page ids of leaf tables in use, for checks: calls `visit` with the first id of each leaf and its space. */
  forEachLeaf(visit: (firstPage: PageId, space: number) => void): void {
    for (let leaf = 1; leaf < this.leafCount; leaf++) {
      if (this.leafSpace[leaf] !== 0) visit(asPageId(leaf << LEAF_BITS), this.leafSpace[leaf]);
    }
  }

  /** Calls `visit` for every entry that holds something, leaf by leaf, with the entry's address space. For checks. */
  forEachEntry(visit: (page: PageId, space: number) => void): void {
    const fours = new Int32Array(this.bits.buffer); // empty entries are skipped four at a time
    for (let leaf = 1; leaf < this.leafCount; leaf++) {
      const space = this.leafSpace[leaf];
      if (space === 0) continue;
      const end = (leaf + 1) << (LEAF_BITS - 2);
      for (let at = leaf << (LEAF_BITS - 2); at < end; at++) {
        if (fours[at] === 0) continue;
        for (let page = at << 2; page < (at + 1) << 2; page++) {
          if (this.bits[page] !== PTE_NONE) visit(asPageId(page), space);
        }
      }
    }
  }

  isNone(page: PageId): boolean {
    return this.bits[page] === PTE_NONE;
  }

  isPresent(page: PageId): boolean {
    return (this.bits[page] & PTE_PRESENT) !== 0;
  }

  isSwap(page: PageId): boolean {
    return (this.bits[page] & PTE_SWAP) !== 0;
  }

  /** The page that the entry showed is being moved (FP-3). */
  isMigration(page: PageId): boolean {
    return (this.bits[page] & PTE_MIGRATION) !== 0;
  }

  /** The page is in device memory. */
  isDevice(page: PageId): boolean {
    return (this.bits[page] & PTE_DEVICE) !== 0;
  }

  /** The entry maps this frame: present, or as one of a device. */
  maps(page: PageId, frame: Pfn): boolean {
    return this.word[page] === (frame as number) && (this.bits[page] & (PTE_PRESENT | PTE_DEVICE)) !== 0;
  }

  /** One entry maps the whole block: a huge page, the huge zero page, or one that is being moved. */
  isWhole(page: PageId): boolean {
    return this.block[page >> LEAF_BITS] >= BLOCK_WHOLE;
  }

  set(page: PageId, frame: Pfn, bits: number): void {
    this.word[page] = frame;
    this.bits[page] = bits | PTE_PRESENT;
  }

  setSwap(page: PageId, slot: SwapSlot): void {
    this.word[page] = slot;
    this.bits[page] = PTE_SWAP;
  }

  /** The entry names the frame that is being moved, and remembers what it allowed (DM-21). */
  setMigration(page: PageId, frame: Pfn, bits: number): void {
    this.word[page] = frame;
    this.bits[page] = (bits & (PTE_WRITE | PTE_DIRTY | PTE_YOUNG)) | PTE_MIGRATION;
  }

  /** The entry names a frame of device memory, in its writable or its readable variant. */
  setDevice(page: PageId, frame: Pfn, isWritable: boolean): void {
    this.word[page] = frame;
    this.bits[page] = PTE_DEVICE | (isWritable ? PTE_WRITE : 0);
  }

  clear(page: PageId): void {
    this.word[page] = 0;
    this.bits[page] = PTE_NONE;
  }

  /** Twice the room. @returns false if that is more than there can be */
  private grow(): boolean {
    const room = Math.min(this.room * 2, this.capacity);
    if (room === this.room) return false;
    const larger = <Pool extends Int32Array | Uint8Array>(pool: Pool, empty: Pool): Pool => {
      empty.set(pool);
      return empty;
    };
    this.word = larger(this.word, int32s(room * ENTRIES));
    this.bits = larger(this.bits, uint8s(room * ENTRIES));
    this.leafStart = larger(this.leafStart, int32s(room));
    this.leafSpace = larger(this.leafSpace, int32s(room));
    this.leafVma = larger(this.leafVma, int32s(room));
    this.block = larger(this.block, uint8s(room));
    this.room = room;
    return true;
  }

  private descend(table: number, entry: number): number {
    const found = this.upper[table][entry];
    if (found !== 0) return found;
    return (this.upper[table][entry] = this.newUpper());
  }

  private newUpper(): number {
    const reused = this.freeUpper.pop();
    if (reused !== undefined) {
      this.upper[reused].fill(0);
      return reused;
    }
    return this.upper.push(new Int32Array(ENTRIES)) - 1;
  }
}
