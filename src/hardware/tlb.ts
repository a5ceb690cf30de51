import { recordWords, uint8s } from '../arrays.js';
import type { CpuId, PageId, Pfn } from '../units.js';

const WAYS = 4;
const SET_WORDS = 2 * WAYS;
/** The word beside a tag: frame number (29 bits) and what the processor may do without asking the page table. */
const FRAME_MASK = (1 << 29) - 1;
const WRITABLE = 1 << 29;
const DIRTY_SHIFT = 30;
const DIRTY = 1 << DIRTY_SHIFT;
/** Tag of the block under leaf table 0; tags above the other are blocks', and page ids stay below: 2^21 leaves are 4 TiB. */
const FIRST_BLOCK = 2 ** 31 - 1;
const LAST_BLOCK = FIRST_BLOCK - 2 ** 21;

/**
 * The TLB of each CPU: 4 ways, round-robin replacement. A tag is a PageId + 1, and an id belongs to one address space,
 * so the tag carries the address-space id and nothing is flushed when a CPU changes address spaces.
 *
 *   set: [tag tag tag tag | word word word word], 32 bytes
 *
 * An entry of a whole block of 512 pages lies in the same sets, by the number of its leaf table, and its word has no frame
 * (HP-75); its tag counts downwards from 2^31 - 1. Tags are never negative: `find` relies on it.
 */
export class Tlb {
  private readonly entries: Int32Array;
  /** `entries` from the second, third and fourth way on, equally long: one index, checked once, reaches all ways. */
  private readonly way1: Int32Array;
  private readonly way2: Int32Array;
  private readonly way3: Int32Array;
  private readonly nextWay: Uint8Array;
  private readonly setMask: number;
  private readonly setBits: number;

  /** @param setBits log2 of the number of sets per CPU; 8 → 1,024 entries, a second-level TLB of today */
  constructor(cpuCount: number, setBits = 8) {
    this.setBits = setBits;
    this.setMask = (1 << setBits) - 1;
    const words = (cpuCount << setBits) * SET_WORDS;
    const all = recordWords(words + WAYS);
    const from = (way: number) => new Int32Array(all.buffer, all.byteOffset + way * all.BYTES_PER_ELEMENT, words);
    [this.entries, this.way1, this.way2, this.way3] = [from(0), from(1), from(2), from(3)];
    this.nextWay = uint8s(cpuCount << setBits);
  }

  /**
   * Index of the word of `page` in the TLB of `cpu`, or -1. All ways are compared at once, as a processor does: which one
   * has the page is anybody's guess, and a branch for each would be guessed wrong half of the time.
   */
  find(cpu: CpuId, page: PageId): number {
    const at = ((cpu << this.setBits) | (page & this.setMask)) << 3;
    const tag = page + 1;
    // 1 where the tags are equal: only 0 - 1 has its sign bit set.
    const way0 = ((this.entries[at] ^ tag) - 1) >>> 31;
    const way1 = ((this.way1[at] ^ tag) - 1) >>> 31;
    const way2 = ((this.way2[at] ^ tag) - 1) >>> 31;
    const way3 = ((this.way3[at] ^ tag) - 1) >>> 31;
    return (way0 | way1 | way2 | way3) === 0 ? -1 : (at + WAYS + (way1 | (way2 << 1) | (way3 * 3))) | 0;
  }

  /** The word itself, for a loop that asks several things of it: `frameIn`, `mustWalk`. */
  wordAt(at: number): number {
    return this.entries[at];
  }

  frameAt(at: number): Pfn {
    return this.frameIn(this.entries[at]);
  }

  frameIn(word: number): Pfn {
    return (word & FRAME_MASK) as Pfn;
  }

  isWritableAt(at: number): boolean {
    return (this.entries[at] & WRITABLE) !== 0;
  }

  isDirtyAt(at: number): boolean {
    return (this.entries[at] & DIRTY) !== 0;
  }

  /**
   * A write that the page table has to hear of: the entry is not marked dirty. Computed without a branch, like `find`.
   *
   * @param write 1 for a write, else 0
   */
  mustWalk(word: number, write: number): boolean {
    return (write & ~(word >> DIRTY_SHIFT)) !== 0;
  }

  markDirtyAt(at: number): void {
    this.entries[at] |= DIRTY;
  }

  fill(cpu: CpuId, page: PageId, frame: Pfn, writable: boolean, dirty: boolean): void {
    this.insert(cpu, page, (page + 1) | 0, frame | (writable ? WRITABLE : 0) | (dirty ? DIRTY : 0));
  }

  /** Index of the word of a whole block, by its leaf table, or -1. */
  findHuge(cpu: CpuId, leaf: number): number {
    const at = ((cpu << this.setBits) | (leaf & this.setMask)) << 3;
    for (let way = at; way < at + WAYS; way++) if (this.entries[way] === FIRST_BLOCK - leaf) return way + WAYS;
    return -1;
  }

  fillHuge(cpu: CpuId, leaf: number, writable: boolean): void {
    this.insert(cpu, leaf, FIRST_BLOCK - leaf, writable ? WRITABLE : 0);
  }

  invalidateHuge(cpu: CpuId, leaf: number): void {
    const at = this.findHuge(cpu, leaf);
    if (at >= 0) this.entries[at - WAYS] = 0;
  }

  /** Calls `visit` for every whole block that the TLB of `cpu` knows, with the index of its word. For checks. */
  forEachHuge(cpu: CpuId, visit: (leaf: number, at: number) => void): void {
    const end = ((cpu + 1) << this.setBits) << 3;
    for (let set = (cpu << this.setBits) << 3; set < end; set += SET_WORDS) {
      for (let way = set; way < set + WAYS; way++) {
        if (this.entries[way] > LAST_BLOCK) visit(FIRST_BLOCK - this.entries[way], way + WAYS);
      }
    }
  }

  /** Calls `visit` for every page that the TLB of `cpu` knows, with the index of its word. For checks. */
  forEach(cpu: CpuId, visit: (page: PageId, at: number) => void): void {
    const end = ((cpu + 1) << this.setBits) << 3;
    for (let set = (cpu << this.setBits) << 3; set < end; set += SET_WORDS) {
      for (let way = set; way < set + WAYS; way++) {
        if (this.entries[way] > 0 && this.entries[way] <= LAST_BLOCK)
          visit((this.entries[way] - 1) as PageId, way + WAYS);
      }
    }
  }

  /** Forgets one page on one CPU. @returns whether it was there */
  invalidate(cpu: CpuId, page: PageId): boolean {
    const at = this.find(cpu, page);
    if (at < 0) return false;
    this.entries[at - WAYS] = 0;
    return true;
  }

  /** Into the set of `number`, over the entry that has been there longest. */
  private insert(cpu: CpuId, number: number, tag: number, word: number): void {
    const set = (cpu << this.setBits) | (number & this.setMask);
    const way = this.nextWay[set] & (WAYS - 1);
    this.nextWay[set] = way + 1;
    const at = (set << 3) + way;
    this.entries[at] = tag;
    this.entries[at + WAYS] = word;
  }
}
