import { recordWords } from '../arrays.js';
import type { NodeId, Pfn } from '../units.js';
import {
  PG_ACTIVE,
  PG_DIRTY,
  PG_HEAD,
  PG_HUGE,
  PG_LOCKED,
  PG_LRU,
  PG_SWAPCACHE,
  PG_TAIL,
  PG_UPTODATE,
  PG_WRITEBACK,
} from './page-flags.js';

/** Pages of a huge page, and of a block. */
export const HUGE_PAGES = 512;

/** One page frame: eight 32-bit words, one cache line half. Order and last CPU have the upper bits of the flags word. */
/** Of 1 TiB the last frames' records lie beyond 2^31 words: a place is unsigned, and a word of it is added, not or-ed. */
const WORDS_SHIFT = 3;
const FLAGS = 0;
const COUNTS = 1; // references in the low half, mappings in the high half
const MAPPING = 2;
const INDEX = 3;
const PRIVATE = 4;
const NEXT = 5;
const PREVIOUS = 6;
const ONE_MAPPING = 1 << 16;
const COUNT_MASK = ONE_MAPPING - 1;

/**
 * `struct page` of every frame of the machine, as records in one typed array; an untouched part costs no memory.
 *
 * - mapping: 0 none; > 0 id of a file (page cache); < 0 minus the id of an anon_vma (anonymous, PL-1, PL-3)
 * - index: page of the file, or place within the anon_vma
 * - private: swap slot while PG_SWAPCACHE
 * - next, previous: the list the page is on, circular, through a head that is a frame number too
 *
 * Frame numbers are given to nodes in blocks of 2^blockShift, so the node of a frame is one lookup.
 */
export class Frames {
  private readonly words: Int32Array;
  private readonly nodeOfBlock: Uint16Array;
  private readonly blockShift: number;
  /** First frame of each node, and the number after its last. */
  readonly firstOfNode: Int32Array;
  readonly endOfNode: Int32Array;
  /** First frame of each run of device memory, and the number after its last: beyond all frames of nodes. */
  readonly firstOfDevice: Int32Array;
  readonly endOfDevice: Int32Array;
  /** Frames from this one on are device memory. */
  private readonly firstDevice: number;
  /** Numbers below this one are list heads, never pages. */
  readonly heads: number;
  readonly capacity: number;

  /**
   * @param pagesOfNode frames per node
   * @param heads how many frame numbers to set aside for list heads, besides 0
   * @param devices runs of device memory, each beside a node
   */
  constructor(
    pagesOfNode: ArrayLike<number>,
    heads: number,
    devices: readonly { readonly pages: number; readonly node: NodeId }[] = [],
  ) {
    const nodes = Array.from(pagesOfNode);
    this.heads = heads + 1;
    this.blockShift = Math.min(20, Math.max(3, Math.ceil(Math.log2(Math.max(...nodes))) - 6));
    const block = 2 ** this.blockShift;
    let next = Math.ceil(this.heads / block) * block;
    this.firstOfNode = new Int32Array(nodes.length);
    this.endOfNode = new Int32Array(nodes.length);
    nodes.forEach((pages, node) => {
      this.firstOfNode[node] = next;
      this.endOfNode[node] = next + pages;
      next += Math.ceil(pages / block) * block;
    });
    this.firstDevice = next;
    this.firstOfDevice = new Int32Array(devices.length);
    this.endOfDevice = new Int32Array(devices.length);
    devices.forEach(({ pages }, device) => {
      this.firstOfDevice[device] = next;
      this.endOfDevice[device] = next + pages;
      next += Math.ceil(pages / block) * block;
    });
    this.capacity = next;
    this.nodeOfBlock = new Uint16Array(new ArrayBuffer(2 * Math.max(64, next >> this.blockShift)));
    const fill = (node: number, first: number, end: number): void => {
      this.nodeOfBlock.fill(node, first >> this.blockShift, (end + block - 1) >> this.blockShift);
    };
    nodes.forEach((_, node) => {
      fill(node, this.firstOfNode[node], this.endOfNode[node]);
    });
    devices.forEach(({ node }, device) => {
      fill(node, this.firstOfDevice[device], this.endOfDevice[device]);
    });
    this.words = recordWords(next * 8);
  }

  /** Device memory: no CPU can reach it, no zone has it, no list holds it. */
  isDevice(pfn: Pfn): boolean {
    return pfn >= this.firstDevice;
  }

  /** Of device memory: the node it is beside. */
  nodeOf(pfn: Pfn): NodeId {
    return this.nodeOfBlock[pfn >> this.blockShift] as NodeId;
  }

  flags(pfn: Pfn): number {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS];
  }
  setFlags(pfn: Pfn, flags: number): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS] = flags;
  }
  has(pfn: Pfn, flag: number): boolean {
    return (this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS] & flag) !== 0;
  }
  set(pfn: Pfn, flag: number): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS] |= flag;
  }
  clear(pfn: Pfn, flag: number): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS] &= ~flag;
  }

  isLocked(pfn: Pfn): boolean {
    return this.has(pfn, PG_LOCKED);
  }
  isUptodate(pfn: Pfn): boolean {
    return this.has(pfn, PG_UPTODATE);
  }
  isDirty(pfn: Pfn): boolean {
    return this.has(pfn, PG_DIRTY);
  }
  isWriteback(pfn: Pfn): boolean {
    return this.has(pfn, PG_WRITEBACK);
  }
  isSwapCache(pfn: Pfn): boolean {
    return this.has(pfn, PG_SWAPCACHE);
  }
  isOnLru(pfn: Pfn): boolean {
    return this.has(pfn, PG_LRU);
  }
  isActive(pfn: Pfn): boolean {
    return this.has(pfn, PG_ACTIVE);
  }

  /** Part of a huge page. Kernel: PageCompound() */
  isHuge(pfn: Pfn): boolean {
    return (this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS] & PG_HUGE) !== 0;
  }
  /** The page that has references, lists and lock: the first one of a huge page, else the page itself. Kernel: page_folio() */
  headOf(pfn: Pfn): Pfn {
    return (this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS] & PG_TAIL) === 0 ? pfn : ((pfn & -HUGE_PAGES) as Pfn);
  }
  /** Pages that references to this one hold. Kernel: folio_nr_pages() */
  pagesOf(pfn: Pfn): number {
    return (this.words[((pfn << WORDS_SHIFT) >>> 0) + FLAGS] & PG_HEAD) === 0 ? 1 : HUGE_PAGES;
  }

  /** @returns false if somebody holds the lock */
  tryLock(pfn: Pfn): boolean {
    const at = ((pfn << WORDS_SHIFT) >>> 0) + FLAGS;
    const flags = this.words[at];
    if ((flags & PG_LOCKED) !== 0) return false;
    this.words[at] = flags | PG_LOCKED;
    return true;
  }
  unlock(pfn: Pfn): void {
    this.clear(pfn, PG_LOCKED);
  }

  count(pfn: Pfn): number {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + COUNTS] & COUNT_MASK;
  }
  mapcount(pfn: Pfn): number {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + COUNTS] >>> 16;
  }
  setCounts(pfn: Pfn, count: number, mapcount: number): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + COUNTS] = (mapcount << 16) | count;
  }
  /** Takes a reference. Kernel: get_page(). */
  get(pfn: Pfn): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + COUNTS]++;
  }
  /** Drops a reference. @returns the references left; at 0 the caller frees the page */
  drop(pfn: Pfn): number {
    return --this.words[((pfn << WORDS_SHIFT) >>> 0) + COUNTS] & COUNT_MASK;
  }
  /** One more entry maps the page. The reference is the caller's (PL-11). @returns the mappings before */
  addMapping(pfn: Pfn): number {
    const at = ((pfn << WORDS_SHIFT) >>> 0) + COUNTS;
    const before = this.words[at] >>> 16;
    this.words[at] += ONE_MAPPING;
    return before;
  }
  /** One entry less maps the page; its reference is still to be dropped. */
  removeMapping(pfn: Pfn): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + COUNTS] -= ONE_MAPPING;
  }

  mapping(pfn: Pfn): number {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + MAPPING];
  }
  index(pfn: Pfn): number {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + INDEX];
  }
  setMapping(pfn: Pfn, mapping: number, index: number): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + MAPPING] = mapping;
    this.words[((pfn << WORDS_SHIFT) >>> 0) + INDEX] = index;
  }
  /** Anonymous: the mapping is an anon_vma. A page fresh from swap has none yet (PL-3). */
  isAnon(pfn: Pfn): boolean {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + MAPPING] < 0;
  }

  private_(pfn: Pfn): number {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + PRIVATE];
  }
  setPrivate(pfn: Pfn, value: number): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + PRIVATE] = value;
  }

  next(pfn: Pfn): Pfn {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + NEXT] as Pfn;
  }
  previous(pfn: Pfn): Pfn {
    return this.words[((pfn << WORDS_SHIFT) >>> 0) + PREVIOUS] as Pfn;
  }
  setNext(pfn: Pfn, next: Pfn): void {
    this.words[((pfn << WORDS_SHIFT) >>> 0) + NEXT] = next;
  }
  /** Makes `head` an empty list. */
  initList(head: Pfn): void {
    this.words[((head << WORDS_SHIFT) >>> 0) + NEXT] = head;
    this.words[((head << WORDS_SHIFT) >>> 0) + PREVIOUS] = head;
  }
  /** Puts the page behind `before`, which is a head (the page becomes first) or another page of the list. */
  link(pfn: Pfn, before: Pfn): void {
    const words = this.words;
    const after = words[((before << WORDS_SHIFT) >>> 0) + NEXT];
    words[((pfn << WORDS_SHIFT) >>> 0) + NEXT] = after;
    words[((pfn << WORDS_SHIFT) >>> 0) + PREVIOUS] = before;
    words[((after << WORDS_SHIFT) >>> 0) + PREVIOUS] = pfn;
    words[((before << WORDS_SHIFT) >>> 0) + NEXT] = pfn;
  }
  unlink(pfn: Pfn): void {
    const words = this.words;
    const after = words[((pfn << WORDS_SHIFT) >>> 0) + NEXT];
    const before = words[((pfn << WORDS_SHIFT) >>> 0) + PREVIOUS];
    words[((before << WORDS_SHIFT) >>> 0) + NEXT] = after;
    words[((after << WORDS_SHIFT) >>> 0) + PREVIOUS] = before;
    words[((pfn << WORDS_SHIFT) >>> 0) + NEXT] = 0;
    words[((pfn << WORDS_SHIFT) >>> 0) + PREVIOUS] = 0;
  }
}
