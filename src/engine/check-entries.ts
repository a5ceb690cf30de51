import { bugOn } from '../errors.js';
import { PTE_DIRTY, PTE_PRESENT, PTE_WRITE } from '../hardware/index.js';
import { type AddressSpace, PG_FREE, PG_SWAPBACKED, PG_SWAPCACHE, type Vma } from '../mm/index.js';
import type { CpuId, PageId, Pfn, SwapSlot } from '../units.js';
import type { Machine } from './machine.js';

/** What the entries of all address spaces add up to, by frame and by swap slot. */
export interface EntryCounts {
  /** Present entries. */
  readonly mapped: Int32Array;
  /** 1 if an entry is dirty. */
  readonly isWritten: Uint8Array;
  /** Users of each swap slot: entries, and what the caller has counted before. */
  readonly slotUsers: Int32Array;
}

/** Kinds of entries, as rss counts them. */
const ANON = 0;
const FILE = 1;
const SHMEM = 2;
const SWAP = 3;
const KINDS = 4;

/**
 * The part of the check that goes through page tables and TLBs: INV-2, INV-5, INV-6, INV-11, INV-12, INV-14. Adds to
 * `counts`; whoever reads them sets them back to 0.
 */
export function makeEntryCheck(machine: Machine, counts: EntryCounts): () => void {
  const { tables, tlb, topology, frames, spaces, swap, zeroPage } = machine;
  const { mapped, isWritten, slotUsers } = counts;
  /** Entries by address space and kind. */
  let entries = new Int32Array(64 * KINDS);
  let space: AddressSpace | null = null;
  let vma: Vma | null = null;
  let leaf = 0;

  return () => {
    space = vma = null;
    leaf = 0;
    tables.forEachEntry(checkEntry);
    for (const each of spaces.all()) checkRss(each);
    for (let cpu = 0; cpu < topology.cpuCount; cpu++)
      tlb.forEach(cpu as CpuId, (page, at) => checkTranslation(cpu, page, at));
  };

  function checkEntry(page: PageId, spaceId: number): void {
    if (space === null || space.id !== spaceId) enter(spaceId);
    if (space === null) return;
    const vpn = tables.vpnOf(page);
    if (page >> 9 !== leaf) {
      leaf = page >> 9;
      bugOn(tables.walk(space.root, vpn) !== page, 'INV-2: a leaf table that no walk finds', page);
    }
    if (vma === null || vpn < vma.start || vpn >= vma.end) vma = space.find(vpn);
    if (vma === null) bugOn(true, 'INV-2: an entry outside any area', page);
    else if (tables.isDevice(page)) count(checkDeviceEntry(vma, page, vpn - vma.start));
    else if ((tables.bits[page] & PTE_PRESENT) === 0) count(checkSwapEntry(page));
    else if (tables.word[page] !== (zeroPage as number)) count(checkPresent(vma, page, vpn - vma.start));
    else bugOn((tables.bits[page] & PTE_WRITE) !== 0, 'INV-12: the zero page is writable', page);
  }

  function enter(spaceId: number): void {
    space = spaces.get(spaceId);
    vma = null;
    if (entries.length > spaceId * KINDS + SWAP) return;
    const more = new Int32Array(2 * spaceId * KINDS + KINDS);
    more.set(entries);
    entries = more;
  }

  function count(kind: number): void {
    if (space !== null) entries[space.id * KINDS + kind]++;
  }

  function checkSwapEntry(page: PageId): number {
    const slot = tables.word[page] as SwapSlot;
    bugOn(tables.isMigration(page), 'INV-14: a migration entry at rest', page);
    bugOn(slot <= 0 || slot >= swap.end || swap.users(slot) === 0, 'INV-14: an entry names a free slot', page);
    slotUsers[slot]++;
    return SWAP;
  }

  /** An entry of private memory whose page is in a device; counted like one that is present. */
  function checkDeviceEntry(area: Vma, page: PageId, offset: number): number {
    const pfn = tables.word[page] as Pfn;
    bugOn(!frames.isDevice(pfn), 'INV-2: the entry of a device shows a frame of a node', page);
    const kind = checkPresent(area, page, offset);
    bugOn(kind !== ANON, 'INV-6: a page of a file in a device', pfn);
    return kind;
  }

  function checkPresent(area: Vma, page: PageId, offset: number): number {
    const pfn = tables.word[page] as Pfn;
    const bits = tables.bits[page];
    bugOn(frames.has(pfn, PG_FREE), 'INV-9: an entry maps a free frame', pfn);
    mapped[pfn]++;
    if ((bits & PTE_DIRTY) !== 0) isWritten[pfn] = 1;
    if ((bits & PTE_WRITE) !== 0) checkWritable(area, pfn);
    const mapping = frames.mapping(pfn);
    if (mapping < 0) {
      bugOn(area.anonVma?.id !== -mapping, "INV-6: mapped outside its anon_vma's areas", pfn);
      bugOn(frames.index(pfn) !== area.anonIndex + offset, 'INV-6: index and address differ', pfn);
      return ANON;
    }
    bugOn(
      mapping !== area.file?.id || frames.index(pfn) !== area.filePage + offset,
      'INV-5: not the page of the file that belongs there',
      pfn,
    );
    return frames.has(pfn, PG_SWAPBACKED) ? SHMEM : FILE;
  }

  function checkWritable(area: Vma, pfn: Pfn): void {
    bugOn(!area.isWritable, 'INV-12: writable in an area that is not', pfn);
    if (area.isShared) return;
    bugOn(!frames.isAnon(pfn), 'INV-12: a page of a file, writable in a private area', pfn);
    const slotUsers = frames.has(pfn, PG_SWAPCACHE) ? swap.users(frames.private_(pfn) as SwapSlot) - 1 : 0;
    bugOn(frames.mapcount(pfn) + slotUsers > 1, 'INV-12: a shared page, writable in a private area', pfn);
  }

  function checkRss(each: AddressSpace): void {
    const at = each.id * KINDS;
    if (entries.length <= at + SWAP) enter(each.id);
    bugOn(entries[at + ANON] !== each.rssAnon, 'INV-11: rssAnon', each.id);
    bugOn(entries[at + FILE] !== each.rssFile, 'INV-11: rssFile', each.id);
    bugOn(entries[at + SHMEM] !== each.rssShmem, 'INV-11: rssShmem', each.id);
    bugOn(entries[at + SWAP] !== each.swapEntries, 'INV-11: swap entries', each.id);
    entries.fill(0, at, at + KINDS);
  }

  /** A TLB shows what the page table says, and no more. */
  function checkTranslation(cpu: number, page: PageId, at: number): void {
    const bits = tables.bits[page];
    const isShown = (bits & PTE_PRESENT) !== 0 && tables.word[page] === (tlb.frameAt(at) as number);
    bugOn(!isShown, 'INV-13: a TLB shows another frame than the page table', page);
    bugOn(
      tlb.isWritableAt(at) && (bits & PTE_WRITE) === 0,
      'INV-12: a TLB lets write what the page table does not',
      page,
    );
    bugOn(
      tlb.isDirtyAt(at) && (bits & PTE_DIRTY) === 0,
      'INV-13: a TLB does not set the dirty bit that is missing',
      page,
    );
    const owner = spaces.get(tables.spaceOf(page));
    bugOn((owner.cpus[cpu >> 5] & (1 << (cpu & 31))) === 0, 'INV-13: a TLB knows a space that never ran there', page);
  }
}
