import { float64s, int32s } from '../arrays.js';
import { ACCOUNT_FAULT, type DeviceQueue, type Meter, PRICE } from '../cost/index.js';
import type { NodeId, Pfn } from '../units.js';
import type { Frames } from './frames.js';
import type { Lru } from './lru.js';
import { PG_DIRTY, PG_LOCKED, PG_LRU, PG_RECLAIM, PG_UNEVICTABLE, PG_WRITEBACK } from './page-flags.js';

/**
 * Writes in flight: the swap device and the disk. A write carries the time it ends; nothing happens by itself, whoever
 * cares calls `completeDue` with its clock on the meter. Writes end in the order they were started.
 */
export class Block {
  private pages = int32s(1024);
  private ends = float64s(1024);
  private first = 0;
  private count = 0;
  /** Writes in flight by the node of their page. */
  private readonly countOn: Int32Array;

  /**
   * @param device what the writes wait for
   * @param writesAtOnce a RAM disk: a write has ended when it was started (K section 4, swapon)
   */
  constructor(
    private readonly frames: Frames,
    private readonly lru: Lru,
    private readonly meter: Meter,
    private readonly device: DeviceQueue,
    readonly writesAtOnce: boolean,
  ) {
    this.countOn = int32s(frames.firstOfNode.length);
  }

  get inFlight(): number {
    return this.count;
  }

  /** Writes in flight whose page is on this node. */
  inFlightOn(node: NodeId): number {
    return this.countOn[node];
  }

  /**
   * Starts writing the page out.
   *
   * @param position where it goes on the device
   * @returns whether it has already ended
   */
  startWrite(pfn: Pfn, position: number): boolean {
    if (this.writesAtOnce) return true;
    this.frames.set(pfn, PG_WRITEBACK);
    if (this.count === this.pages.length) this.grow();
    const at = (this.first + this.count) & (this.pages.length - 1);
    const previous = this.count === 0 ? 0 : this.ends[(at - 1) & (this.pages.length - 1)];
    this.pages[at] = pfn;
    const server = this.device.request(PRICE.deviceWrite, position);
    this.ends[at] = Math.max(previous, this.device.freeAt[server]);
    this.count++;
    this.countOn[this.frames.nodeOf(pfn)]++;
    return false;
  }

  /** Ends every write whose time has come on the running clock. */
  completeDue(): void {
    while (this.count > 0 && this.ends[this.first] <= this.meter.nowNs) this.completeFirst();
  }

  /** Waits for the oldest write. @returns false if none is in flight */
  waitForFirst(): boolean {
    if (this.count === 0) return false;
    this.meter.waitUntil(ACCOUNT_FAULT, this.ends, this.first);
    this.completeFirst();
    return true;
  }

  /** Waits until this page's write has ended (and with it all started before). */
  waitForPage(pfn: Pfn): void {
    while (this.frames.isWriteback(pfn) && this.waitForFirst());
  }

  completeAll(): void {
    while (this.waitForFirst());
  }

  private completeFirst(): void {
    const pfn = this.pages[this.first] as Pfn;
    this.first = (this.first + 1) & (this.pages.length - 1);
    this.count--;
    this.countOn[this.frames.nodeOf(pfn)]--;
    this.end(pfn);
  }

  /** RC-54: a write has ended; if reclaim wanted the page gone, it goes next. Also for writes that end at once. */
  end(pfn: Pfn): void {
    const flags = this.frames.flags(pfn);
    this.frames.clear(pfn, PG_WRITEBACK | PG_RECLAIM);
    const stands = flags & (PG_LRU | PG_UNEVICTABLE | PG_LOCKED | PG_DIRTY);
    if ((flags & PG_RECLAIM) !== 0 && stands === PG_LRU) this.lru.rotate(pfn);
  }

  /** Calls `visit` for every page whose write is in flight. */
  forEachInFlight(visit: (pfn: Pfn) => void): void {
    for (let i = 0; i < this.count; i++) visit(this.pages[(this.first + i) & (this.pages.length - 1)] as Pfn);
  }

  private grow(): void {
    const old = this.pages.length;
    const pages = new Int32Array(old * 2);
    const ends = new Float64Array(old * 2);
    for (let i = 0; i < this.count; i++) {
      pages[i] = this.pages[(this.first + i) & (old - 1)];
      ends[i] = this.ends[(this.first + i) & (old - 1)];
    }
    this.pages = pages;
    this.ends = ends;
    this.first = 0;
  }
}
