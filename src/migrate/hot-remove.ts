import { EBUSY, EDEADLK, EINTR } from '../errors.js';
import {
  MARK_LOW,
  PG_FREE,
  PG_PRIVATE,
  PG_RESERVED,
  type Block,
  type Files,
  type Frames,
  type HugePages,
  type Lru,
  type MemoryBlock,
  type NodeMask,
  type SwapArea,
  type Zones,
} from '../mm/index.js';
import type { Tracer } from '../stats/index.js';
import { NO_PFN, type CpuId, type NodeId, type Pfn } from '../units.js';
import type { MigratePages } from './migrate-pages.js';
import type { HotRemoveRule } from './rules.js';

/** Who asks for a block to be taken away: its CPU works, its cpuset limits where pages go (HR-13). */
export interface RemoveAsker {
  /** Its task's id; -1: nobody of the model. */
  readonly task: number;
  readonly cpu: CpuId;
  readonly node: NodeId;
  readonly mems: NodeMask;
}

/**
 * Why a page could not leave (HR-11): somebody else holds a reference; no frame to be had elsewhere; its file cannot take
 * it dirty; its mapping refuses every move; taken off its list by somebody else; locked by somebody else; no swap slot for a
 * mover that needs one; the mover never came back with it (V1, R-05); it lies in the last memory of the machine; or the mover
 * gave up on it for a reason of its own.
 */
export type LeftoverReason =
  | 'pinned'
  | 'no room'
  | 'not writable'
  | 'not movable'
  | 'isolated'
  | 'locked'
  | 'no swap slot'
  | 'hung'
  | 'last memory'
  | 'refused';
export interface Leftover {
  readonly pfn: Pfn;
  readonly reason: LeftoverReason;
}

/** Taking one block away, on its way through the steps. */
export class Removal {
  /** A signal for the asker: ends the removal at the next HR-5. */
  hasSignal = false;
  /** 0, or what the asker gets: -EBUSY, -EINTR, -EDEADLK for a mover that never returns, or what a notifier answered. */
  error = 0;
  /** Frames of the block that became free meanwhile. */
  moved = 0;
  leftovers: readonly Leftover[] = [];
  /** Next step for the table driver. */
  next = HR2;
  /** First page found by HR-6. */
  at = 0;
  /** HR-11 has waited for writes since the last round. */
  hasWaited = false;
  /** Pages of the last round for which there was no frame. */
  readonly withoutRoom = new Set<Pfn>();

  constructor(
    readonly block: MemoryBlock,
    readonly asker: RemoveAsker,
  ) {
    this.at = block.from;
  }
}

export interface HotRemoveParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly zones: Zones;
  readonly lru: Lru;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly block: Block;
  readonly swap: SwapArea;
  /** The mover of the profile. */
  readonly migratePages: MigratePages['migratePages'];
  /** A page from a fallback row, within two masks; may reclaim. */
  readonly allocatePage: (start: NodeId, mask: NodeMask, mayLeave: false, allowed: NodeMask, cpu: CpuId) => Pfn;
  readonly rule: HotRemoveRule;
  /** HR-4: whoever wants to know beforehand. @returns 0, or -errno to refuse */
  readonly notify: (block: MemoryBlock) => number;
  readonly tracer: Tracer | null;
}

/** Steps of taking a block away, as `Removal.next`. Another actor may come in between any two. */
export const HR2 = 2;
const HR3 = 3;
const HR4 = 4;
export const HR5 = 5;
export const HR6 = 6;
export const HR7 = 7;
export const HR9 = 9;
export const HR11 = 11;
const UNDO = 12;
const DONE = 0;
const WAIT = -1;

export interface HotRemove {
  /** Straight through; a write in flight is waited for. Kernel: offline_pages(), mm/memory_hotplug.c. */
  offline(block: MemoryBlock, asker: RemoveAsker): Removal;
  /** One step of the same, for drivers that switch between actors. @returns the next step, `WAIT` (-1) or 0 */
  step(removal: Removal, step: number): number;
}

/**
 * Takes a block of memory away: everything in it moves elsewhere, or the block stays and the leftovers are named. A failure
 * undoes the isolation, not the moves. HR-8 (hugetlb pools) has nothing to do here; kernel pages lie elsewhere (HR-14).
 */
export function makeHotRemove(parts: HotRemoveParts): HotRemove {
  const { frames, files, zones, lru, block: io, swap, migratePages, allocatePage, rule, notify, tracer, huge } = parts;

  /** No CPU holds pages back: vectors are drained here and before each search (PL-20 does not hold meanwhile). */
  function hr2Drain(): number {
    lru.drainAll();
    return HR3;
  }

  function hr3Isolate({ block }: Removal): number {
    zones.isolate(block.node, block.from, block.until);
    return HR4;
  }

  function hr4Notify(r: Removal): number {
    r.error = notify(r.block);
    return r.error === 0 ? HR5 : UNDO;
  }

  function hr5Signal(r: Removal): number {
    if (!r.hasSignal) return HR6;
    r.error = -EINTR;
    return UNDO;
  }

  /** The first page on a list from where the last search ended. Kernel: scan_movable_pages(). */
  function hr6Search(r: Removal): number {
    lru.drainAll();
    const end = zones.isolatedUsedUntil;
    for (let pfn = r.at; pfn < end; pfn++) {
      if (!frames.isOnLru(pfn as Pfn)) continue;
      r.at = pfn;
      return HR7;
    }
    r.at = r.block.from;
    return HR9;
  }

  /** HR-10: all pages from there on are isolated into one list and moved. Kernel: do_migrate_range(). */
  function hr7Migrate(r: Removal): number {
    const list: Pfn[] = [];
    const end = zones.isolatedUsedUntil;
    for (let pfn = r.at; pfn < end && list.length < rule.listPages; pfn++) {
      if (lru.isolate(pfn as Pfn)) list.push(pfn as Pfn);
    }
    r.withoutRoom.clear();
    const mask = targets(r);
    const freedBefore = zones.freedIsolated;
    const start = rule.startsAtAsker ? r.asker.node : r.block.node;
    const { noMemory, neverReturns } = migratePages(
      list,
      (old) => {
        const pfn = frames.isHuge(old)
          ? zones.takeHugeFromRow(start, mask, r.asker.mems, MARK_LOW, r.asker.node)
          : allocatePage(start, mask, false, r.asker.mems, r.asker.cpu);
        if (pfn === NO_PFN) r.withoutRoom.add(old);
        return pfn;
      },
      r.asker.cpu,
    );
    lru.drainAll();
    if (neverReturns === true) {
      r.error = -EDEADLK;
      return UNDO;
    }
    if (noMemory) for (const pfn of list) r.withoutRoom.add(pfn); // the rest of the list was not tried
    const freed = zones.freedIsolated - freedBefore;
    r.moved += freed;
    return freed > 0 ? HR5 : HR11;
  }

  /** HR-12: all nodes with memory but the page's own, even if that has room; itself only if it is the last. */
  function targets({ block: { node } }: Removal): NodeMask {
    const mask = Uint8Array.from({ length: zones.nodeCount }, (_, n) => (zones.managed[n] > 0 ? 1 : 0));
    const hasOther = mask.some((has, n) => has !== 0 && n !== node);
    if (rule.excludesNode && hasOther) mask[node] = 0;
    return mask;
  }

  /** All free: the frames leave. */
  function hr9Leave({ block }: Removal): number {
    if (!zones.isIsolatedFree()) return HR11;
    zones.takeAway(block.node);
    return DONE;
  }

  /** HR-11: the round moved nothing. With writes in flight it is worth another, else what is left cannot leave. */
  function hr11Stop(r: Removal): number {
    if (io.inFlightOn(r.block.node) > 0) {
      r.hasWaited = true;
      return WAIT;
    }
    if (r.hasWaited) {
      r.hasWaited = false;
      return HR5;
    }
    r.error = -EBUSY;
    return UNDO;
  }

  function undo(r: Removal): number {
    if (r.error === -EBUSY || r.error === -EDEADLK) r.leftovers = leftoversOf(r);
    zones.undoIsolation(r.block.node);
    return DONE;
  }

  function leftoversOf(r: Removal): Leftover[] {
    const leftovers: Leftover[] = [];
    const end = zones.isolatedUsedUntil;
    for (let at = r.block.from; at < end; at++) {
      const pfn = at as Pfn;
      if (!frames.has(pfn, PG_FREE | PG_RESERVED)) leftovers.push({ pfn, reason: reasonOf(r, frames.headOf(pfn)) });
    }
    return leftovers;
  }

  function reasonOf(r: Removal, pfn: Pfn): LeftoverReason {
    if (!frames.isOnLru(pfn)) return r.error === -EDEADLK ? 'hung' : 'isolated';
    if (frames.isLocked(pfn)) return 'locked';
    const inSwap = frames.isSwapCache(pfn);
    const inFile = frames.mapping(pfn) > 0 && !inSwap;
    const mappings = huge !== null && frames.isHuge(pfn) ? huge.mappings(pfn) : frames.mapcount(pfn);
    const held = mappings + (inSwap || inFile ? frames.pagesOf(pfn) : 0) + (frames.has(pfn, PG_PRIVATE) ? 1 : 0);
    if (frames.count(pfn) > held) return 'pinned';
    const operation = inFile ? files.get(frames.mapping(pfn)).migrate : 'simple';
    if (operation === 'fail') return 'not movable';
    if (operation === 'none' && frames.isDirty(pfn)) return 'not writable';
    if (rule.needsSwapSlot && frames.isAnon(pfn) && !inSwap && swap.free === 0) return 'no swap slot';
    return r.withoutRoom.has(pfn) ? 'no room' : 'refused';
  }

  function step(r: Removal, at: number): number {
    if (tracer !== null) tracer.step(STEP_NAMES[at], r.at, r.block.node);
    switch (at) {
      case HR2:
        return hr2Drain();
      case HR3:
        return hr3Isolate(r);
      case HR4:
        return hr4Notify(r);
      case HR5:
        return hr5Signal(r);
      case HR6:
        return hr6Search(r);
      case HR7:
        return hr7Migrate(r);
      case HR9:
        return hr9Leave(r);
      case HR11:
        return hr11Stop(r);
      default:
        return undo(r);
    }
  }

  function offline(block: MemoryBlock, asker: RemoveAsker): Removal {
    const removal = new Removal(block, asker);
    if (tracer !== null) {
      tracer.who(asker.task, asker.cpu, -1);
      tracer.enter('offline', block.node);
    }
    let at = HR2;
    while (at !== DONE) {
      const next = step(removal, at);
      if (next === WAIT) io.waitForFirst();
      else at = next;
    }
    if (tracer !== null) tracer.leave('offline', removal.error);
    return removal;
  }

  return { offline, step };
}

const STEP_NAMES = ['', '', 'HR-2', 'HR-3', 'HR-4', 'HR-5', 'HR-6', 'HR-7', '', 'HR-9', '', 'HR-11', 'HR-9 undo'];
