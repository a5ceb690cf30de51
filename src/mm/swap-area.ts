import { bugOn } from '../errors.js';
import { NO_PFN, NO_SLOT, type Pfn, type SwapSlot } from '../units.js';
import { Contents } from './contents.js';
import type { Frames } from './frames.js';
import { PG_SWAPCACHE } from './page-flags.js';

/**
 * The swap device's slots, their use counts, and the swap cache over them (page-lifecycle section 6).
 *
 * `map[slot]` counts users: 1 for the swap cache, 1 per swap entry in a page table, 1 per shmem slot (INV-7).
 * Slot 0 is the header of a real swap area and never used.
 */
export class SwapArea {
  private readonly map: Uint16Array;
  private readonly cache: Int32Array;
  private readonly freeStack: Int32Array;
  /** 1: a mover, not a shortage, took the page out; its way back is part of what the move costs. */
  private readonly byMover: Uint8Array;
  private freeOnStack = 0;
  private nextFresh = 1;
  /** Age when evicted + 1, and node * 2 + mark (RC-60), by slot. */
  readonly shadowAge: Int32Array;
  readonly shadowNode: Int32Array;
  /** What was written to the device; only with `Contents`. */
  readonly device: Contents | null;
  /** Slots in use at most: 0 while swap is off. */
  slots: number;
  /** What `slots` can become. */
  readonly capacity: number;
  private used = 0;

  /** @param slots pages that can be swapped out; 0: no swap */
  constructor(
    private readonly frames: Frames,
    slots: number,
    keepContents: boolean,
  ) {
    this.slots = this.capacity = slots;
    const words = (n: number) => new Int32Array(new ArrayBuffer(Math.max(64, n * 4)));
    this.map = new Uint16Array(new ArrayBuffer(Math.max(64, (slots + 1) * 2)));
    this.cache = words(slots + 1);
    this.freeStack = words(slots + 1);
    this.byMover = new Uint8Array(new ArrayBuffer(Math.max(64, slots + 1)));
    this.shadowAge = words(slots + 1);
    this.shadowNode = words(slots + 1);
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
    return this.map[slot];
  }

  cached(slot: SwapSlot): Pfn {
    return this.cache[slot] as Pfn;
  }

  /** A free slot with one user, or `NO_SLOT`. */
  allocate(): SwapSlot {
    if (this.used >= this.slots) return NO_SLOT;
    const slot = this.freeOnStack > 0 ? this.freeStack[--this.freeOnStack] : this.nextFresh++;
    this.map[slot] = 1;
    this.shadowAge[slot] = 0;
    this.byMover[slot] = 0;
    this.used++;
    return slot as SwapSlot;
  }

  markMoved(slot: SwapSlot): void {
    this.byMover[slot] = 1;
  }

  isMoved(slot: SwapSlot): boolean {
    return this.byMover[slot] !== 0;
  }

  addUser(slot: SwapSlot): void {
    bugOn(this.map[slot] === 0, 'INV-14: a user of a free slot', slot);
    this.map[slot]++;
  }

  dropUser(slot: SwapSlot): void {
    bugOn(this.map[slot] === 0, 'INV-7: a free slot freed again', slot);
    if (--this.map[slot] > 0) return;
    bugOn(this.cache[slot] !== 0, 'INV-7: a slot freed under its swap-cache page', slot);
    this.freeStack[this.freeOnStack++] = slot;
    this.used--;
  }

  /** Puts a page into the swap cache at a slot it already owns a user of; the cache takes a reference. */
  insert(slot: SwapSlot, pfn: Pfn): void {
    bugOn(this.cache[slot] !== 0, 'INV-4: slot already cached', slot);
    this.cache[slot] = pfn;
    this.frames.get(pfn);
    this.frames.set(pfn, PG_SWAPCACHE);
    this.frames.setPrivate(pfn, slot);
  }

  /** The cache now shows `to` where it showed `from`; flags and references are the caller's (M5b). */
  replace(slot: SwapSlot, to: Pfn): void {
    this.cache[slot] = to;
  }

  /** Takes the page out of the swap cache and drops the cache's user; its reference is still to be dropped. */
  remove(pfn: Pfn): void {
    const slot = this.frames.private_(pfn) as SwapSlot;
    this.cache[slot] = NO_PFN;
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
      const pfn = this.cache[slot] as Pfn;
      const users = (expected.get(slot) ?? 0) + (pfn === NO_PFN ? 0 : 1);
      bugOn(users !== this.map[slot], 'INV-7: users and count of a slot differ', slot);
      if (users > 0) used++;
      if (pfn === NO_PFN) continue;
      bugOn(!this.frames.isSwapCache(pfn), 'INV-4: in the swap cache without PG_SWAPCACHE', pfn);
      bugOn(this.frames.private_(pfn) !== (slot as number), 'INV-4: swap-cache page with another slot', pfn);
    }
    bugOn(used !== this.used || used + this.free !== this.slots, 'INV-7: free and used slots do not add up', used);
  }
}
