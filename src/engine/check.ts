import { bugOn } from '../errors.js';
import { PTE_WRITE } from '../hardware/index.js';
import {
  PG_ACTIVE,
  PG_LOCKED,
  PG_PRIVATE,
  PG_RESERVED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  type AddressSpace,
  type Mempolicy,
} from '../mm/index.js';
import type { PageId, Pfn, SwapSlot } from '../units.js';
import type { Machine } from './machine.js';

/** References that the caller of `checkMachine` holds itself: pins taken for a test. */
export type Pins = ReadonlyMap<Pfn, number>;

interface EntryCounts {
  /** Present entries by frame. */
  readonly mapped: Map<Pfn, number>;
  /** Users of each swap slot: entries and shmem slots. */
  readonly slotUsers: Map<SwapSlot, number>;
}

/**
 * Recounts a machine at rest from scratch: INV-1..INV-11, INV-14, INV-17 (page-lifecycle section 11). Slow: for tests
 * and explorers. INV-12 and INV-13 need a shadow copy of the contents, INV-15, INV-16 and INV-18 a log; their tests hold those.
 *
 * @throws ModelBug naming the invariant and the page
 */
export function checkMachine(machine: Machine, pins: Pins = new Map()): void {
  const { zones, lru, spaces, pageCache, swap, block } = machine;
  zones.check();
  lru.check();
  spaces.check();
  pageCache.check();
  bugOn(lru.isolated !== 0, 'INV-3: pages are isolated', lru.isolated);
  const counts = countEntries(machine);
  swap.check(counts.slotUsers);
  const holds = lru.vectorHolds();
  zones.forEachUsed((pfn) => {
    checkFrame(machine, pfn, counts, (holds.get(pfn) ?? 0) + (pins.get(pfn) ?? 0), block.inFlight > 0);
  });
  checkPolicies(machine);
}

function countEntries(machine: Machine): EntryCounts {
  const counts: EntryCounts = { mapped: new Map(), slotUsers: new Map() };
  for (const space of machine.spaces.all()) countSpace(machine, space, counts);
  for (const file of machine.files.all()) {
    file.slots.forEach((_, value) => {
      if (value < 0) add(counts.slotUsers, -value as SwapSlot);
    });
  }
  return counts;
}

/** INV-2, INV-6, INV-11, INV-14 of one address space. */
function countSpace(machine: Machine, space: AddressSpace, counts: EntryCounts): void {
  const { tables, frames, memory, zeroPage, anonVmas, swap } = machine;
  let [anon, file, shmem, swapped, entries] = [0, 0, 0, 0, 0];
  for (const vma of space.vmas) {
    memory.forEachEntry(vma, (offset, page) => {
      entries++;
      if (tables.isSwap(page)) {
        swapped++;
        const slot = tables.word[page] as SwapSlot;
        bugOn(swap.users(slot) === 0, 'INV-14: an entry names a free slot', page);
        add(counts.slotUsers, slot);
        return;
      }
      const pfn = tables.word[page] as Pfn;
      checkTlb(machine, space, page, pfn);
      if (pfn === zeroPage) {
        bugOn((tables.bits[page] & PTE_WRITE) !== 0, 'INV-12: the zero page is writable', page);
        return;
      }
      add(counts.mapped, pfn);
      const mapping = frames.mapping(pfn);
      if (mapping < 0) {
        anon++;
        bugOn(!anonVmas.get(-mapping)?.vmas.has(vma), "INV-6: mapped outside its anon_vma's areas", pfn);
        bugOn(frames.index(pfn) !== vma.anonIndex + offset, 'INV-6: index and address differ', pfn);
      } else {
        if (frames.has(pfn, PG_SWAPBACKED)) shmem++;
        else file++;
        bugOn(
          mapping !== vma.file?.id || frames.index(pfn) !== vma.filePage + offset,
          'INV-5: wrong page of its file',
          pfn,
        );
      }
    });
  }
  bugOn(anon !== space.rssAnon, 'INV-11: rssAnon', space.id);
  bugOn(file !== space.rssFile, 'INV-11: rssFile', space.id);
  bugOn(shmem !== space.rssShmem, 'INV-11: rssShmem', space.id);
  bugOn(swapped !== space.swapEntries, 'INV-11: swap entries', space.id);
  let inTables = 0;
  tables.forEachLeaf((first, owner) => {
    if (owner !== space.id) return;
    for (let page = first as number; page < first + 512; page++) if (!tables.isNone(page as PageId)) inTables++;
  });
  bugOn(inTables !== entries, 'entries outside any area', space.id);
}

/** A TLB shows what the page table says. */
function checkTlb(machine: Machine, space: AddressSpace, page: PageId, pfn: Pfn): void {
  const { tlb, tables, topology } = machine;
  for (let cpu = 0; cpu < topology.cpuCount; cpu++) {
    const at = tlb.find(cpu as never, page);
    if (at < 0) continue;
    bugOn(tlb.frameAt(at) !== pfn, 'a TLB shows another frame than the page table', page);
    bugOn(
      tlb.isWritableAt(at) && (tables.bits[page] & PTE_WRITE) === 0,
      'a TLB lets write what the page table does not',
      page,
    );
    bugOn((space.cpus[cpu >> 5] & (1 << (cpu & 31))) === 0, 'a TLB knows an address space that never ran there', page);
  }
}

function checkFrame(machine: Machine, pfn: Pfn, counts: EntryCounts, holds: number, ioInFlight: boolean): void {
  const { frames, files } = machine;
  const flags = frames.flags(pfn);
  if ((flags & PG_RESERVED) !== 0) return;
  bugOn((flags & PG_LOCKED) !== 0, 'INV-3: page is locked', pfn);
  bugOn((flags & PG_WRITEBACK) !== 0 && !ioInFlight, 'INV-3: writeback without a write in flight', pfn);
  const mapped = counts.mapped.get(pfn) ?? 0;
  bugOn(mapped !== frames.mapcount(pfn), 'INV-2: mapcount and entries differ', pfn);
  const mapping = frames.mapping(pfn);
  const inPageCache = mapping > 0 && files.get(mapping).slots.get(frames.index(pfn)) === (pfn as number);
  const inSwapCache = (flags & PG_SWAPCACHE) !== 0;
  bugOn(inPageCache && inSwapCache, 'INV-4: in two caches', pfn);
  bugOn(
    inSwapCache && machine.swap.cached(frames.private_(pfn) as SwapSlot) !== pfn,
    'INV-4: not in the swap cache at its slot',
    pfn,
  );
  bugOn(mapping > 0 && !inPageCache, 'INV-5: not in the cache of its file', pfn);
  const cached = (inPageCache ? 1 : 0) + (inSwapCache ? 1 : 0);
  const buffers = (flags & PG_PRIVATE) !== 0 ? 1 : 0;
  const expected = mapped + cached + buffers + holds;
  bugOn(
    expected !== frames.count(pfn),
    `INV-1: count is ${String(frames.count(pfn))}, holders are ${String(expected)}`,
    pfn,
  );
  bugOn(expected === 0, 'INV-10: a leaked frame', pfn);
  bugOn(
    (flags & PG_ACTIVE) !== 0 && mapping === 0 && !inSwapCache && holds === 0,
    'INV-9: an active page of nobody',
    pfn,
  );
}

/** INV-17: references to policies and their holders. */
function checkPolicies(machine: Machine): void {
  const holders = new Map<Mempolicy, number>();
  const hold = (policy: Mempolicy | null) => {
    if (policy !== null) add(holders, policy);
  };
  for (const task of machine.process.tasks()) hold(task.policy);
  for (const space of machine.spaces.all()) for (const vma of space.vmas) hold(vma.policy);
  const known = [...holders.keys()];
  for (const policy of known) {
    const shared = machine.files.all().reduce((n, file) => n + file.policyHolds(policy), 0);
    bugOn(
      (holders.get(policy) ?? 0) + shared > policy.refs,
      'INV-17: more holders of a policy than references',
      policy.refs,
    );
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
