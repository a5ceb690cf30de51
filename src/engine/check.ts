import { int32s, uint8s } from '../arrays.js';
import { bugOn } from '../errors.js';
import {
  type Mempolicy,
  PG_DIRTY,
  PG_FREE,
  PG_LOCKED,
  PG_LRU,
  PG_PRIVATE,
  PG_RESERVED,
  PG_SWAPCACHE,
  PG_TAIL,
  PG_WRITEBACK,
  PG_WRITTEN,
} from '../mm/index.js';
import type { Pfn, SwapSlot } from '../units.js';
import { type EntryCounts, makeEntryCheck } from './check-entries.js';
import { makeHugeCheck } from './check-huge.js';
import type { Machine } from './machine.js';

/** References that the caller of the check holds itself: pins taken for a test. */
export type Pins = ReadonlyMap<Pfn, number>;

/**
 * Recounts a machine at rest from scratch, changing nothing: INV-1..INV-12, INV-14, INV-17, and of INV-13 that TLBs and
 * clean pages show what they stand for (page-lifecycle section 11). Writes may be in flight (INV-3). For tests and
 * explorers; those also hold what needs a shadow copy of the contents (INV-13) or a log (INV-15, INV-16, INV-18).
 *
 * @throws ModelBug naming the invariant and the page
 */
export function checkMachine(machine: Machine, pins?: Pins): void {
  makeCheck(machine)(pins);
}

/** The same for one machine again and again: what it counts with is made once. Of no use any more after it has thrown. */
export function makeCheck(machine: Machine): (pins?: Pins) => void {
  const { zones, lru, devices, spaces, files, pageCache, swap, block, frames, contents } = machine;
  const counts: EntryCounts = {
    mapped: int32s(frames.capacity),
    isWritten: uint8s(frames.capacity),
    slotUsers: int32s(swap.capacity + 1),
  };
  const { mapped, isWritten, slotUsers } = counts;
  const held = uint8s(frames.capacity);
  const inFlight = uint8s(frames.capacity);
  const usersOf = { get: (slot: SwapSlot) => slotUsers[slot] };
  const checkEntries = makeEntryCheck(machine, counts);
  const { huge } = machine;
  const checkHuge = huge === null ? null : makeHugeCheck(machine, huge);
  const policyRefs = new Map<Mempolicy, number>();
  let pinned: Pins | undefined;

  return (pins) => {
    pinned = pins;
    zones.check();
    devices.check();
    lru.check();
    spaces.check();
    pageCache.check();
    bugOn(lru.isolated !== 0, 'INV-3: pages are isolated', lru.isolated);
    slotUsers.fill(0, 0, swap.end);
    for (const file of files.all()) file.slots.forEach(countSlot);
    checkEntries();
    checkHuge?.();
    swap.check(usersOf);
    lru.forEachHeld(countHeld);
    block.forEachInFlight(countInFlight);
    zones.forEachUsed(checkFrame);
    devices.forEachUsed(checkDeviceFrame);
    checkPolicies();
  };

  function countSlot(_index: number, value: number): void {
    if (value >= 0) return;
    bugOn(swap.users(-value as SwapSlot) === 0, 'INV-14: a shmem object names a free slot', -value);
    slotUsers[-value]++;
  }

  function countHeld(pfn: Pfn): void {
    bugOn(frames.has(pfn, PG_FREE), 'INV-9: a free frame in a vector', pfn);
    bugOn(frames.isOnLru(pfn), 'INV-8: in a vector with PG_LRU', pfn);
    held[pfn]++;
  }

  function countInFlight(pfn: Pfn): void {
    bugOn(inFlight[pfn] !== 0, 'INV-3: two writes of one page in flight', pfn);
    bugOn(!frames.isWriteback(pfn), 'INV-3: a write in flight without PG_WRITEBACK', pfn);
    inFlight[pfn] = 1;
  }

  /** Compares a used frame with what was counted, and takes its counts back for the next time. */
  function checkFrame(pfn: Pfn): void {
    const flags = frames.flags(pfn);
    if ((flags & PG_RESERVED) !== 0) return;
    bugOn((flags & PG_LOCKED) !== 0, 'INV-3: page is locked', pfn);
    bugOn((flags & PG_WRITEBACK) !== 0 && inFlight[pfn] === 0, 'INV-3: writeback without a write in flight', pfn);
    bugOn(mapped[pfn] !== frames.mapcount(pfn), 'INV-2: mapcount and entries differ', pfn);
    if (frames.isHuge(pfn) && contents !== null && frames.isAnon(pfn)) checkUnwritten(pfn);
    if ((flags & PG_TAIL) !== 0) {
      bugOn(frames.count(pfn) !== 0, 'INV-1: references on a later page of a huge page', pfn);
      mapped[pfn] = isWritten[pfn] = 0;
      return;
    }
    const mapping = frames.mapping(pfn);
    const inPageCache = mapping > 0 && files.get(mapping).slots.get(frames.index(pfn)) === (pfn as number);
    const inSwapCache = (flags & PG_SWAPCACHE) !== 0;
    bugOn(inPageCache && inSwapCache, 'INV-4: in two caches', pfn);
    bugOn(
      inSwapCache && swap.cached(frames.private_(pfn) as SwapSlot) !== pfn,
      'INV-4: not in the swap cache at its slot',
      pfn,
    );
    bugOn(mapping > 0 && !inPageCache, 'INV-5: not in the cache of its file', pfn);
    const isPinned = pinned?.has(pfn) === true;
    const pinCount = isPinned ? (pinned?.get(pfn) ?? 0) : 0;
    const caches =
      frames.pagesOf(pfn) * ((inPageCache ? 1 : 0) + (inSwapCache ? 1 : 0)) + ((flags & PG_PRIVATE) !== 0 ? 1 : 0);
    const mappings = huge !== null && frames.isHuge(pfn) ? huge.mappings(pfn) : mapped[pfn];
    const holders = mappings + caches + held[pfn] + pinCount;
    if (holders !== frames.count(pfn)) {
      bugOn(true, `INV-1: count is ${String(frames.count(pfn))}, holders are ${String(holders)}`, pfn);
    }
    bugOn(holders === 0, 'INV-10: a leaked frame', pfn);
    bugOn(
      !isPinned && (flags & PG_LRU) === 0 && held[pfn] === 0,
      'INV-8: in use, yet on no list and in no vector',
      pfn,
    );
    if (contents !== null && (flags & PG_DIRTY) === 0 && isWritten[pfn] === 0) checkClean(pfn, mapping, inSwapCache);
    mapped[pfn] = isWritten[pfn] = held[pfn] = inFlight[pfn] = 0;
  }

  /** Used frames of a device are private memory of processes: in no cache, on no list, known to entries alone. */
  function checkDeviceFrame(pfn: Pfn): void {
    const flags = frames.flags(pfn);
    bugOn((flags & PG_LOCKED) !== 0, 'INV-3: page is locked', pfn);
    bugOn(
      (flags & (PG_LRU | PG_SWAPCACHE | PG_WRITEBACK)) !== 0,
      'INV-4: a page of a device on a list or in a cache',
      pfn,
    );
    bugOn(held[pfn] !== 0, 'INV-8: a page of a device in a vector', pfn);
    bugOn(mapped[pfn] !== frames.mapcount(pfn), 'INV-2: mapcount and entries differ', pfn);
    bugOn(mapped[pfn] > 0 && !frames.isAnon(pfn), 'INV-6: a page of a device without an anon_vma', pfn);
    const holders = mapped[pfn] + (pinned?.get(pfn) ?? 0);
    if (holders !== frames.count(pfn)) {
      bugOn(true, `INV-1: count is ${String(frames.count(pfn))}, holders are ${String(holders)}`, pfn);
    }
    bugOn(holders === 0, 'INV-10: a leaked frame of a device', pfn);
    mapped[pfn] = isWritten[pfn] = 0;
  }

  /** K-H9: what no entry and no flag says was written holds only zeros. */
  function checkUnwritten(pfn: Pfn): void {
    if (isWritten[pfn] !== 0 || frames.has(pfn, PG_DIRTY | PG_WRITTEN)) return;
    bugOn(contents?.get(pfn) !== 0, 'K-H9: a page of a huge page was written and nobody knows', pfn);
  }

  /** PL-61: neither the page nor an entry is dirty, so what would be read again must be the same. */
  function checkClean(pfn: Pfn, mapping: number, inSwapCache: boolean): void {
    let stored: number;
    if (inSwapCache) stored = swap.device?.get(frames.private_(pfn) as Pfn) ?? 0;
    else if (mapping > 0) stored = files.get(mapping).isShmem ? 0 : files.get(mapping).disk.get(frames.index(pfn));
    else return;
    bugOn(contents?.get(pfn) !== stored, 'INV-13: a clean page differs from its backing store', pfn);
  }

  function hold(policy: Mempolicy | null): void {
    if (policy !== null) policyRefs.set(policy, (policyRefs.get(policy) ?? 0) + 1);
  }

  /** INV-17: every reference to a policy is a task's, an area's or a shared object's. */
  function checkPolicies(): void {
    policyRefs.clear();
    for (const task of machine.process.tasks()) hold(task.policy);
    for (const space of spaces.all()) for (const vma of space.vmas) hold(vma.policy);
    for (const file of files.all()) file.forEachPolicy(hold);
    for (const [policy, holders] of policyRefs) {
      if (policy.refs === holders) continue;
      bugOn(true, `INV-17: a policy with ${String(policy.refs)} references and ${String(holders)} holders`);
    }
  }
}
