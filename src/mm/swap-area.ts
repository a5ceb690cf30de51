import { int32s } from '../arrays.js';
import { bugOn } from '../errors.js';
import { NO_PFN, NO_SLOT, type Pfn, type SwapSlot } from '../units.js';
import { Contents } from './contents.js';
import { HUGE_PAGES, type Frames } from './frames.js';
import { PG_SWAPCACHE } from './page-flags.js';

/** One slot: four 32-bit words. */
const WORDS_SHIFT = 2;
const USERS = 0; // in the low half; above it MOVED
const CACHE = 1;
const AGE = 2;
const NODE = 3; // of a free slot: the next free one
const USERS_MASK = (1 << 16) - 1;
/** A mover, not a shortage, took the page out; its way back is part of what the move costs. */
const MOVED = 1 << 16;

/**
 * The swap device's slots, their use counts, and the swap cache over them (page-lifecycle section 6), as records in one typed
 * array that is made when the first page goes out: a machine that swaps nothing pays nothing.
 *
 * - users: 1 for the swap cache, 1 per swap entry in a page table, 1 per shmem slot (INV-7)
 * - cache: the frame in the swap cache, or 0
 * - age and node: age when evicted + 1, and node * 2 + mark (RC-60)
 *
 * Slot 0 is the header of a real swap area and never used.
 */
export class SwapArea {
  private words = int32s(0);
  /** The slot freed last, 0: none. */
  private freeHead = 0;
  private nextFresh = 1;
  /** What was written to the device; only with `Contents`. */
  readonly device: Contents | null;
  /** Slots in use at most: 0 while swap is off. */
  slots: number;
  /** What `slots` can become. */
  readonly capacity: number;
  private used = 0;
  /** Slots in use when no run was found among those given back. */
  private usedInVain = Infinity;

  /** @param slots pages that can be swapped out; 0: no swap */
  constructor(
    private readonly frames: Frames,
    slots: number,
    keepContents: boolean,
  ) {
    this.slots = this.capacity = slots;
    this.device = keepContents ? new Contents(slots + 1) : null;
  }

  /** swapon and swapoff: how many slots there are now, at most as many as it was made for. */
  setLimit(slots: number): void {
    this.slots = Math.min(slots, this.capacity);
  }

  /** Somebody still has a slot. */
  get isUsed(): boolean {
    return this.used > 0;
  }

  get free(): number {
    return this.slots - this.used;
  }

  /** PL-40: fewer than half of the slots are free. */
  get isHalfFull(): boolean {
    return this.free * 2 < this.slots;
  }

  users(slot: SwapSlot): number {
    return this.words[slot << WORDS_SHIFT] & USERS_MASK;
  }

  cached(slot: SwapSlot): Pfn {
    return this.words[(slot << WORDS_SHIFT) | CACHE] as Pfn;
  }

  /** Room for the slots, once the first is wanted. */
  private makeWords(): void {
    if (this.words.length === 0) this.words = int32s((this.capacity + 1) << WORDS_SHIFT);
  }

  /** A free slot with one user, or `NO_SLOT`. */
  allocate(): SwapSlot {
    if (this.used >= this.slots) return NO_SLOT;
    this.makeWords();
    const words = this.words;
    let slot = this.freeHead;
    if (slot !== 0) this.freeHead = words[(slot << WORDS_SHIFT) | NODE];
    else slot = this.nextFresh++;
    words[(slot << WORDS_SHIFT) | USERS] = 1;
    words[(slot << WORDS_SHIFT) | AGE] = 0;
    this.used++;
    return slot as SwapSlot;
  }

  /**
   * 512 free slots that follow each other from a multiple of 512, each with one user, for a huge page (HP-55).
   * @returns the first, or `NO_SLOT`
   */
  allocateRun(): SwapSlot {
    if (this.used + HUGE_PAGES > this.slots) return NO_SLOT;
    this.makeWords();
    let first = (this.nextFresh + HUGE_PAGES - 1) & -HUGE_PAGES;
    if (first + HUGE_PAGES - 1 <= this.slots) {
      for (let slot = first - 1; slot >= this.nextFresh; slot--) this.giveBack(slot);
      this.nextFresh = first + HUGE_PAGES;
    } else first = this.gatherRun();
    if (first === 0) return NO_SLOT;
    for (let slot = first; slot < first + HUGE_PAGES; slot++) {
      this.words[(slot << WORDS_SHIFT) | USERS] = 1;
      this.words[(slot << WORDS_SHIFT) | AGE] = 0;
    }
    this.used += HUGE_PAGES;
    return first as SwapSlot;
  }

  /** Looks for a run among the slots given back, unless too few came since it was looked for in vain; takes it off their list. */
  private gatherRun(): number {
    if (this.used > this.usedInVain - HUGE_PAGES) return 0;
    const words = this.words;
    const inRun = new Uint16Array((this.nextFresh >> 9) + 1);
    let run = 0;
    for (let slot = this.freeHead; slot !== 0 && run === 0; slot = words[(slot << WORDS_SHIFT) | NODE]) {
      if (++inRun[slot >> 9] === HUGE_PAGES) run = slot >> 9;
    }
    if (run === 0) {
      this.usedInVain = this.used;
      return 0;
    }
    let before = 0;
    for (let slot = this.freeHead; slot !== 0;) {
      const next = words[(slot << WORDS_SHIFT) | NODE];
      if (slot >> 9 !== run) before = slot;
      else if (before === 0) this.freeHead = next;
      else words[(before << WORDS_SHIFT) | NODE] = next;
      slot = next;
    }
    return run << 9;
  }

  private giveBack(slot: number): void {
    this.words[(slot << WORDS_SHIFT) | NODE] = this.freeHead;
    this.freeHead = slot;
  }

  markMoved(slot: SwapSlot): void {
    this.words[(slot << WORDS_SHIFT) | USERS] |= MOVED;
  }

  isMoved(slot: SwapSlot): boolean {
    return (this.words[(slot << WORDS_SHIFT) | USERS] & MOVED) !== 0;
  }

  /** The page of the slot is evicted: when, by the counter of its node, and `node * 2 + mark` (RC-60). */
  setShadow(slot: SwapSlot, age: number, nodeAndMark: number): void {
    this.words[(slot << WORDS_SHIFT) | AGE] = age + 1;
    this.words[(slot << WORDS_SHIFT) | NODE] = nodeAndMark;
  }

  /** Age + 1 of the page that was evicted to the slot; 0: none was, or it has been looked up. */
  shadowAge(slot: SwapSlot): number {
    return this.words[(slot << WORDS_SHIFT) | AGE];
  }

  shadowNode(slot: SwapSlot): number {
    return this.words[(slot << WORDS_SHIFT) | NODE];
  }

  clearShadow(slot: SwapSlot): void {
    this.words[(slot << WORDS_SHIFT) | AGE] = 0;
  }

  addUser(slot: SwapSlot): void {
    bugOn(this.users(slot) === 0, 'INV-14: a user of a free slot', slot);
    this.words[(slot << WORDS_SHIFT) | USERS]++;
  }

  dropUser(slot: SwapSlot): void {
    const words = this.words;
    const at = slot << WORDS_SHIFT;
    bugOn((words[at] & USERS_MASK) === 0, 'INV-7: a free slot freed again', slot);
    if ((--words[at] & USERS_MASK) > 0) return;
    bugOn(words[at | CACHE] !== 0, 'INV-7: a slot freed under its swap-cache page', slot);
    this.giveBack(slot);
    this.used--;
  }

  /** Puts a page into the swap cache at a slot it already owns a user of; the cache takes a reference. */
  insert(slot: SwapSlot, pfn: Pfn): void {
    const at = (slot << WORDS_SHIFT) | CACHE;
    bugOn(this.words[at] !== 0, 'INV-4: slot already cached', slot);
    this.words[at] = pfn;
    this.frames.get(pfn);
    this.frames.set(pfn, PG_SWAPCACHE);
    this.frames.setPrivate(pfn, slot);
  }

  /** The cache now shows `to` where it showed `from`; flags and references are the caller's (M5b). */
  replace(slot: SwapSlot, to: Pfn): void {
    this.words[(slot << WORDS_SHIFT) | CACHE] = to;
  }

  /** Takes the page out of the swap cache and drops the cache's user; its reference is still to be dropped. */
  remove(pfn: Pfn): void {
    const slot = this.frames.private_(pfn) as SwapSlot;
    this.words[(slot << WORDS_SHIFT) | CACHE] = NO_PFN;
    this.frames.clear(pfn, PG_SWAPCACHE);
    this.frames.setPrivate(pfn, 0);
    this.dropUser(slot);
  }

  /** Slots that were ever in use, for read-ahead and checks: 1 ≤ slot < end. */
  get end(): number {
    return this.nextFresh;
  }

  /** INV-4, INV-7: `expected` counts the users of each slot that are not the cache. */
  check(expected: { get(slot: SwapSlot): number | undefined }): void {
    let used = 0;
    for (let slot = 1 as SwapSlot; slot < this.nextFresh; slot++) {
      const pfn = this.cached(slot);
      const users = (expected.get(slot) ?? 0) + (pfn === NO_PFN ? 0 : 1);
      bugOn(users !== this.users(slot), 'INV-7: users and count of a slot differ', slot);
      if (users > 0) used++;
      if (pfn === NO_PFN) continue;
      bugOn(!this.frames.isSwapCache(pfn), 'INV-4: in the swap cache without PG_SWAPCACHE', pfn);
      bugOn(this.frames.private_(pfn) !== (slot as number), 'INV-4: swap-cache page with another slot', pfn);
    }
    bugOn(used !== this.used || used + this.free !== this.slots, 'INV-7: free and used slots do not add up', used);
  }
}
