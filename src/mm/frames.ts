import { recordWords, uint16s } from '../arrays.js';
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

/**
 * One page frame: eight 32-bit words, half a cache line.
 *
 * Each word has a view of the records that begins at it, so that the record's place is the index in all of them. Of 1 TiB the
 * last records lie beyond 2^31 words: a place is unsigned. (Adding the word's number to that would leave the 32-bit integers.)
 */
const WORDS = 8;
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
  private readonly flagWords: Int32Array;
  private readonly countWords: Int32Array; // references in the low half, mappings in the high half
  private readonly mappings: Int32Array;
  private readonly indexes: Int32Array;
  private readonly privates: Int32Array;
  private readonly nexts: Int32Array;
  private readonly previouses: Int32Array;
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
  /** What a balancer stored with each page, plus 1; null: there is no balancer. Kernel: last_cpupid */
  stored: Int32Array | null = null;

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
    this.nodeOfBlock = uint16s(next >> this.blockShift);
    const fill = (node: number, first: number, end: number): void => {
      this.nodeOfBlock.fill(node, first >> this.blockShift, (end + block - 1) >> this.blockShift);
    };
    nodes.forEach((_, node) => {
      fill(node, this.firstOfNode[node], this.endOfNode[node]);
    });
    devices.forEach(({ node }, device) => {
      fill(node, this.firstOfDevice[device], this.endOfDevice[device]);
    });
    const records = recordWords(next * WORDS);
    const from = (word: number): Int32Array =>
      new Int32Array(records.buffer, records.byteOffset + word * 4, records.length - word);
    this.flagWords = records;
    this.countWords = from(1);
    this.mappings = from(2);
    this.indexes = from(3);
    this.privates = from(4);
    this.nexts = from(5);
    this.previouses = from(6);
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
    return this.flagWords[(pfn << 3) >>> 0];
  }
  setFlags(pfn: Pfn, flags: number): void {
    this.flagWords[(pfn << 3) >>> 0] = flags;
  }
  has(pfn: Pfn, flag: number): boolean {
    return (this.flagWords[(pfn << 3) >>> 0] & flag) !== 0;
  }
  set(pfn: Pfn, flag: number): void {
    this.flagWords[(pfn << 3) >>> 0] |= flag;
  }
  clear(pfn: Pfn, flag: number): void {
    this.flagWords[(pfn << 3) >>> 0] &= ~flag;
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
    return (this.flagWords[(pfn << 3) >>> 0] & PG_HUGE) !== 0;
  }
  /** The page that has references, lists and lock: the first one of a huge page, else the page itself. Kernel: page_folio() */
  headOf(pfn: Pfn): Pfn {
    return (this.flagWords[(pfn << 3) >>> 0] & PG_TAIL) === 0 ? pfn : ((pfn & -HUGE_PAGES) as Pfn);
  }
  /** Pages that references to this one hold. Kernel: folio_nr_pages() */
  pagesOf(pfn: Pfn): number {
    return (this.flagWords[(pfn << 3) >>> 0] & PG_HEAD) === 0 ? 1 : HUGE_PAGES;
  }

  /** @returns false if somebody holds the lock */
  tryLock(pfn: Pfn): boolean {
    const at = (pfn << 3) >>> 0;
    const flags = this.flagWords[at];
    if ((flags & PG_LOCKED) !== 0) return false;
    this.flagWords[at] = flags | PG_LOCKED;
    return true;
  }
  unlock(pfn: Pfn): void {
    this.clear(pfn, PG_LOCKED);
  }

  count(pfn: Pfn): number {
    return this.countWords[(pfn << 3) >>> 0] & COUNT_MASK;
  }
  mapcount(pfn: Pfn): number {
    return this.countWords[(pfn << 3) >>> 0] >>> 16;
  }
  setCounts(pfn: Pfn, count: number, mapcount: number): void {
    this.countWords[(pfn << 3) >>> 0] = (mapcount << 16) | count;
  }
  /** Takes a reference. Kernel: get_page(). */
  get(pfn: Pfn): void {
    this.countWords[(pfn << 3) >>> 0]++;
  }
  /** Drops a reference. @returns the references left; at 0 the caller frees the page */
  drop(pfn: Pfn): number {
    return --this.countWords[(pfn << 3) >>> 0] & COUNT_MASK;
  }
  /** One more entry maps the page. The reference is the caller's (PL-11). @returns the mappings before */
  addMapping(pfn: Pfn): number {
    const at = (pfn << 3) >>> 0;
    const before = this.countWords[at] >>> 16;
    this.countWords[at] += ONE_MAPPING;
    return before;
  }
  /** One entry less maps the page; its reference is still to be dropped. */
  removeMapping(pfn: Pfn): void {
    this.countWords[(pfn << 3) >>> 0] -= ONE_MAPPING;
  }

  mapping(pfn: Pfn): number {
    return this.mappings[(pfn << 3) >>> 0];
  }
  index(pfn: Pfn): number {
    return this.indexes[(pfn << 3) >>> 0];
  }
  setMapping(pfn: Pfn, mapping: number, index: number): void {
    this.mappings[(pfn << 3) >>> 0] = mapping;
    this.indexes[(pfn << 3) >>> 0] = index;
  }
  /** Anonymous: the mapping is an anon_vma. A page fresh from swap has none yet (PL-3). */
  isAnon(pfn: Pfn): boolean {
    return this.mappings[(pfn << 3) >>> 0] < 0;
  }

  private_(pfn: Pfn): number {
    return this.privates[(pfn << 3) >>> 0];
  }
  setPrivate(pfn: Pfn, value: number): void {
    this.privates[(pfn << 3) >>> 0] = value;
  }

  next(pfn: Pfn): Pfn {
    return this.nexts[(pfn << 3) >>> 0] as Pfn;
  }
  previous(pfn: Pfn): Pfn {
    return this.previouses[(pfn << 3) >>> 0] as Pfn;
  }
  setNext(pfn: Pfn, next: Pfn): void {
    this.nexts[(pfn << 3) >>> 0] = next;
  }
  /** Makes `head` an empty list. */
  initList(head: Pfn): void {
    this.nexts[(head << 3) >>> 0] = head;
    this.previouses[(head << 3) >>> 0] = head;
  }
  /** Puts the page behind `before`, which is a head (the page becomes first) or another page of the list. */
  link(pfn: Pfn, before: Pfn): void {
    const after = this.next(before);
    this.nexts[(pfn << 3) >>> 0] = after;
    this.previouses[(pfn << 3) >>> 0] = before;
    this.previouses[(after << 3) >>> 0] = pfn;
    this.nexts[(before << 3) >>> 0] = pfn;
  }
  unlink(pfn: Pfn): void {
    const after = this.next(pfn);
    const before = this.previous(pfn);
    this.nexts[(before << 3) >>> 0] = after;
    this.previouses[(after << 3) >>> 0] = before;
    this.nexts[(pfn << 3) >>> 0] = 0;
    this.previouses[(pfn << 3) >>> 0] = 0;
  }
}
