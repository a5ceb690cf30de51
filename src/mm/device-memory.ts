import { bugOn, MmError, ModelBug } from '../errors.js';
import { asNodeId, NO_PFN, type NodeId, type Pfn } from '../units.js';
import type { Frames } from './frames.js';
import { PG_FREE, PG_NOT_WHEN_FREED } from './page-flags.js';
import type { Task } from './task.js';
import type { Vma } from './vma.js';

/** Device memory of a machine: a named pool of page frames. */
export interface DeviceOptions {
  readonly name: string;
  readonly pages: number;
  /** Node the device is beside: copies cost what they cost to there. Default 0. */
  readonly node?: number;
  /** `private`: pages of processes can live there (the default). `generic`: they cannot (MV section 5). */
  readonly kind?: 'private' | 'generic';
  /** Whose migrations may select its pages; default: its name. */
  readonly owner?: string;
}

/** What the owner of device memory must answer. Kernel: struct dev_pagemap_ops. */
export interface DeviceDriver {
  /**
   * A CPU touched a page that is in the device: bring it back. Kernel: migrate_to_ram.
   *
   * @returns 0: the entry was changed, or is being changed, and the access is tried again; -EAGAIN: the page is in
   * somebody's hands just now; anything else: it cannot be brought back, and the fault ends with SIGBUS
   */
  migrateToRam(task: Task, vma: Vma, vpn: number, pfn: Pfn): number;
  /** Nobody references the frame any more. Kernel: page_free. */
  pageFree(pfn: Pfn): void;
}

export interface DevicePool {
  readonly name: string;
  readonly kind: 'private' | 'generic';
  readonly owner: string;
  readonly node: NodeId;
  /** First frame, and the number after the last. */
  readonly first: Pfn;
  readonly end: Pfn;
  /** Set by whoever drives the device; without one a CPU fault on its pages is SIGBUS. */
  driver: DeviceDriver | null;
}

/**
 * The frames of devices: beyond all memory of nodes, in no zone, on no list, never reached by a CPU. Freed frames are
 * handed out last-in first-out, as those of zones. Kernel: ZONE_DEVICE, mm/memremap.c.
 */
export class DeviceMemory {
  readonly pools: readonly DevicePool[];
  private readonly freeFrames: Pfn[][];

  /** @param frames made with the same devices in the same order */
  constructor(
    private readonly frames: Frames,
    devices: readonly DeviceOptions[],
  ) {
    this.pools = devices.map(({ name, kind = 'private', owner = name, node = 0 }, i) => ({
      ...{ name, kind, owner, node: asNodeId(node), driver: null },
      ...{ first: frames.firstOfDevice[i] as Pfn, end: frames.endOfDevice[i] as Pfn },
    }));
    this.freeFrames = this.pools.map(({ first, end }) =>
      Array.from({ length: end - first }, (_, i) => (end - 1 - i) as Pfn),
    );
    for (const { first, end } of this.pools) {
      for (let pfn = first; pfn < end; pfn++) frames.setFlags(pfn, PG_FREE);
    }
  }

  /** @throws MmError if there is no such device */
  named(name: string): DevicePool {
    const pool = this.pools.find((candidate) => candidate.name === name);
    if (pool !== undefined) return pool;
    const known = this.pools.length === 0 ? 'none (option "devices")' : this.pools.map((p) => p.name).join(', ');
    throw new MmError('BAD_OPTION', `no device "${name}" in this machine. There are: ${known}`);
  }

  poolOf(pfn: Pfn): DevicePool {
    const pool = this.pools.find(({ first, end }) => pfn >= first && pfn < end);
    if (pool === undefined) throw new ModelBug(`frame ${String(pfn)} is no device's`);
    return pool;
  }

  free(pool: DevicePool): number {
    return this.freeFrames[this.pools.indexOf(pool)].length;
  }

  /** @returns a frame with one reference, or `NO_PFN` if the device is full */
  take(pool: DevicePool): Pfn {
    const pfn = this.freeFrames[this.pools.indexOf(pool)].pop() ?? NO_PFN;
    if (pfn === NO_PFN) return NO_PFN;
    this.frames.setFlags(pfn, 0);
    this.frames.setCounts(pfn, 1, 0);
    return pfn;
  }

  /** Gives back a frame that nobody references (INV-9), and tells its driver. */
  give(pfn: Pfn): void {
    const { frames } = this;
    bugOn(frames.count(pfn) !== 0 || frames.mapcount(pfn) !== 0, 'INV-9: freed while in use', pfn);
    bugOn(frames.has(pfn, PG_NOT_WHEN_FREED), 'INV-9: freed with a flag set that says it is in use', pfn);
    const pool = this.poolOf(pfn);
    frames.setFlags(pfn, PG_FREE);
    frames.setMapping(pfn, 0, 0);
    frames.setPrivate(pfn, 0);
    this.freeFrames[this.pools.indexOf(pool)].push(pfn);
    pool.driver?.pageFree(pfn);
  }

  /** Visits every frame that is not free. */
  forEachUsed(visit: (pfn: Pfn) => void): void {
    for (const { first, end } of this.pools) {
      for (let pfn = first; pfn < end; pfn++) if (!this.frames.has(pfn, PG_FREE)) visit(pfn);
    }
  }

  /** INV-9, INV-10: recounts the free frames of each pool. */
  check(): void {
    this.pools.forEach((pool, i) => {
      const free = this.freeFrames[i];
      for (const pfn of free) {
        bugOn(this.frames.flags(pfn) !== PG_FREE, 'INV-9: a free frame of a device with flags of a used one', pfn);
        bugOn(this.frames.count(pfn) !== 0 || this.frames.mapping(pfn) !== 0, 'INV-9: a free frame in use', pfn);
        bugOn(pfn < pool.first || pfn >= pool.end, "INV-16: another device's frame", pfn);
      }
      let flagged = 0;
      for (let pfn = pool.first; pfn < pool.end; pfn++) if (this.frames.has(pfn, PG_FREE)) flagged++;
      bugOn(flagged !== free.length || new Set(free).size !== free.length, 'INV-10: free frames of device', i);
    });
  }
}
