import { int32s } from '../arrays.js';
import { bugOn } from '../errors.js';
import { C, type Counters } from '../stats/index.js';
import type { CpuId, NodeId, Pfn } from '../units.js';
import type { DeviceMemory } from './device-memory.js';
import type { Frames } from './frames.js';
import { PG_ACTIVE, PG_HEAD, PG_LRU, PG_MLOCKED, PG_REFERENCED, PG_SWAPBACKED, PG_UNEVICTABLE } from './page-flags.js';
import type { Zones } from './zones.js';

/** The lists of a node (RC-20). Active = inactive + 1; file = anonymous + 2. */
export const LRU_INACTIVE_ANON = 0;
export const LRU_ACTIVE_ANON = 1;
export const LRU_INACTIVE_FILE = 2;
export const LRU_ACTIVE_FILE = 3;
export const LRU_UNEVICTABLE = 4;
export const LRU_LISTS = 5;

/** Rule variant `lru`: where new pages start, how many a CPU holds back, and which lists exist. */
export interface LruRule {
  /** New anonymous pages start on the active list (2.6.16, PL-11) or the inactive one (6.x, RC-20). */
  readonly newAnonIsActive: boolean;
  /** Pages a CPU collects before it adds them (PL-20). */
  readonly batch: number;
  /** Anonymous and file pages on lists of their own (6.x), or mixed (2.6.16, RC-80). */
  readonly split: boolean;
  /** The end of a write that reclaim waited for takes the page off the active list too (6.x, RC-54), or leaves it there. */
  readonly rotatesActive: boolean;
}
export const lru61: LruRule = { newAnonIsActive: false, batch: 15, split: true, rotatesActive: true };
export const lru612: LruRule = { newAnonIsActive: false, batch: 31, split: true, rotatesActive: true };
export const lru2616: LruRule = { newAnonIsActive: true, batch: 14, split: false, rotatesActive: false };

/** Heads that `Frames` must set aside for these lists. */
export const lruHeads = (nodeCount: number): number => nodeCount * LRU_LISTS;

/**
 * The LRU lists of each node and the per-CPU vectors in front of them. A page in a vector carries a reference of the
 * vector and no PG_LRU, so nobody can isolate it until that CPU drains (PL-20).
 */
export class Lru {
  /** Pages per list: node * LRU_LISTS + list. */
  readonly sizes: Int32Array;
  /** The age counter of each node (RC-60): grows by pages evicted and by pages that became active. */
  readonly ages: Int32Array;
  private readonly vectors: Int32Array;
  private readonly vectorSize: Int32Array;
  private readonly batch: number;
  private readonly fileOffset: number;
  /** Pages isolated and not put back yet (INV-3). */
  isolated = 0;

  constructor(
    private readonly frames: Frames,
    private readonly zones: Zones,
    private readonly counters: Counters,
    readonly cpuCount: number,
    readonly rule: LruRule,
    /** Where frames of devices go that nobody references any more; null: there are none. */
    private readonly devices: DeviceMemory | null = null,
  ) {
    this.sizes = int32s(lruHeads(zones.nodeCount));
    this.ages = int32s(zones.nodeCount);
    this.batch = rule.batch;
    this.fileOffset = rule.split ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
    this.vectors = int32s(cpuCount * rule.batch);
    this.vectorSize = int32s(cpuCount);
    for (let head = 1; head <= lruHeads(zones.nodeCount); head++) frames.initList(head as Pfn);
  }

  head(node: NodeId, list: number): Pfn {
    return (1 + node * LRU_LISTS + list) as Pfn;
  }

  size(node: NodeId, list: number): number {
    return this.sizes[node * LRU_LISTS + list];
  }

  /** The list that the page's flags put it on. */
  listOf(pfn: Pfn): number {
    const flags = this.frames.flags(pfn);
    if ((flags & PG_UNEVICTABLE) !== 0) return LRU_UNEVICTABLE;
    const active = (flags & PG_ACTIVE) === 0 ? 0 : 1;
    return ((flags & PG_SWAPBACKED) === 0 ? this.fileOffset : LRU_INACTIVE_ANON) + active;
  }

  /** Hands a new page to this CPU's vector, which takes a reference; a full vector is drained. Kernel: lru_cache_add(). */
  cacheAdd(cpu: CpuId, pfn: Pfn): void {
    this.frames.get(pfn);
    const size = this.vectorSize[cpu];
    this.vectors[cpu * this.batch + size] = pfn;
    this.vectorSize[cpu] = size + 1;
    if (size + 1 === this.batch || this.frames.has(pfn, PG_HEAD)) this.drain(cpu); // 512 pages do not wait
  }

  /** A new anonymous or shmem page: starts where the rule says. */
  cacheAddAnon(cpu: CpuId, pfn: Pfn): void {
    if (this.rule.newAnonIsActive) this.frames.set(pfn, PG_ACTIVE);
    this.cacheAdd(cpu, pfn);
  }

  /** Adds what this CPU has collected to the lists. Kernel: lru_add_drain_cpu(). */
  drain(cpu: CpuId): void {
    const size = this.vectorSize[cpu];
    this.vectorSize[cpu] = 0;
    for (let i = 0; i < size; i++) {
      const pfn = this.vectors[cpu * this.batch + i] as Pfn;
      this.addToHead(pfn);
      this.put(pfn);
    }
  }

  /** Kernel: lru_add_drain_all(). */
  drainAll(): void {
    for (let cpu = 0; cpu < this.cpuCount; cpu++) if (this.vectorSize[cpu] > 0) this.drain(cpu as CpuId);
  }

  addToHead(pfn: Pfn): void {
    const node = this.frames.nodeOf(pfn);
    if (this.frames.has(pfn, PG_MLOCKED)) this.frames.set(pfn, PG_UNEVICTABLE);
    const list = this.listOf(pfn);
    this.frames.set(pfn, PG_LRU);
    this.frames.link(pfn, this.head(node, list));
    this.sizes[node * LRU_LISTS + list] += this.frames.pagesOf(pfn);
  }

  addToTail(pfn: Pfn): void {
    const node = this.frames.nodeOf(pfn);
    const list = this.listOf(pfn);
    this.frames.set(pfn, PG_LRU);
    this.frames.link(pfn, this.frames.previous(this.head(node, list)));
    this.sizes[node * LRU_LISTS + list] += this.frames.pagesOf(pfn);
  }

  remove(pfn: Pfn): void {
    this.sizes[this.frames.nodeOf(pfn) * LRU_LISTS + this.listOf(pfn)] -= this.frames.pagesOf(pfn);
    this.frames.unlink(pfn);
    this.frames.clear(pfn, PG_LRU);
  }

  /** The page that stands on lists for this one. */
  folioOf(pfn: Pfn): Pfn {
    return this.frames.headOf(pfn);
  }

  /** Takes the page off its list with a reference of its own (PL-21). @returns false if it is on none */
  isolate(pfn: Pfn): boolean {
    if (!this.frames.isOnLru(pfn)) return false;
    this.frames.get(pfn);
    this.remove(pfn);
    this.isolated++;
    return true;
  }

  /** Ends an isolation through this CPU's vector; a page that nobody else holds any more is freed (PL-22, PL-23). */
  putback(cpu: CpuId, pfn: Pfn): void {
    this.isolated--;
    if (this.frames.count(pfn) > 1) this.cacheAdd(cpu, pfn);
    this.put(pfn);
  }

  /** Drops a reference; the last one takes the page off its list and frees it. Kernel: put_page(). */
  put(pfn: Pfn): void {
    if (this.frames.drop(pfn) > 0) return;
    if (this.frames.isOnLru(pfn)) this.remove(pfn);
    this.frames.clear(pfn, PG_UNEVICTABLE | PG_MLOCKED);
    if (this.devices !== null && this.frames.isDevice(pfn)) this.devices.give(pfn);
    else if (this.frames.has(pfn, PG_HEAD)) this.zones.giveHuge(pfn);
    else this.zones.give(pfn);
  }

  /** PL-24: unreferenced → referenced; referenced and inactive → active. Kernel: mark_page_accessed(). */
  markAccessed(pfn: Pfn): void {
    const flags = this.frames.flags(pfn);
    if ((flags & PG_REFERENCED) === 0) this.frames.set(pfn, PG_REFERENCED);
    else if ((flags & (PG_ACTIVE | PG_UNEVICTABLE | PG_LRU)) === PG_LRU) {
      this.activate(pfn);
      this.frames.clear(pfn, PG_REFERENCED);
    }
  }

  /** Moves a listed page to the head of the active list. */
  activate(pfn: Pfn): void {
    this.remove(pfn);
    this.frames.set(pfn, PG_ACTIVE);
    this.addToHead(pfn);
    const pages = this.frames.pagesOf(pfn);
    this.ages[this.frames.nodeOf(pfn)] += pages;
    this.counters.add(C.pgactivate, pages);
  }

  /** Moves a listed page to the tail of the inactive list: the next to go (RC-54). */
  rotate(pfn: Pfn): void {
    if (this.frames.isActive(pfn) && !this.rule.rotatesActive) return;
    this.remove(pfn);
    this.frames.clear(pfn, PG_ACTIVE);
    this.addToTail(pfn);
    this.counters.inc(C.pgrotated);
  }

  /** Times the page stands in vectors: references they hold (INV-1). Slow, for checks. */
  vectorHolds(): Map<Pfn, number> {
    const holds = new Map<Pfn, number>();
    for (let cpu = 0; cpu < this.cpuCount; cpu++) {
      for (let i = 0; i < this.vectorSize[cpu]; i++) {
        const pfn = this.vectors[cpu * this.batch + i] as Pfn;
        holds.set(pfn, (holds.get(pfn) ?? 0) + 1);
      }
    }
    return holds;
  }

  /** Calls `visit` for every page in a CPU's vector: each holds a reference (INV-1). */
  forEachHeld(visit: (pfn: Pfn) => void): void {
    for (let cpu = 0; cpu < this.cpuCount; cpu++) {
      for (let i = 0; i < this.vectorSize[cpu]; i++) visit(this.vectors[cpu * this.batch + i] as Pfn);
    }
  }

  /** INV-8: walks every list. A page on two lists, or twice on one, has a wrong link backwards at one of the places. */
  check(): void {
    let listed = 0;
    for (let node = 0; node < this.zones.nodeCount; node++) {
      for (let list = 0; list < LRU_LISTS; list++) {
        const head = this.head(node as NodeId, list);
        let size = 0;
        for (let pfn = this.frames.next(head), before = head; pfn !== head; before = pfn, pfn = this.frames.next(pfn)) {
          bugOn(pfn < this.frames.heads || this.frames.previous(pfn) !== before, 'INV-8: broken link', pfn);
          bugOn(!this.frames.isOnLru(pfn), 'INV-8: on a list without PG_LRU', pfn);
          bugOn(this.listOf(pfn) !== list, 'INV-8: flags and list differ', pfn);
          bugOn((this.frames.nodeOf(pfn) as number) !== node, "INV-8: on another node's list", pfn);
          size += this.frames.pagesOf(pfn);
        }
        bugOn(size !== this.sizes[node * LRU_LISTS + list], 'INV-8: list and its size differ on node', node);
        listed += size;
      }
    }
    let flagged = 0;
    this.zones.forEachUsed((pfn) => {
      if (this.frames.isOnLru(pfn)) flagged += this.frames.pagesOf(pfn);
    });
    bugOn(flagged !== listed, 'INV-8: pages with PG_LRU and pages on lists differ in number', flagged);
  }
}
