import { ENODEV, ENOMEM } from '../../../errors.js';
import { MARK_LOW, PG_PRIVATE, type Task, type Vma } from '../../../mm/index.js';
import { NO_PFN, type NodeId, type PageId, type Pfn, type SwapSlot } from '../../../units.js';
import type { Machine } from '../../machine.js';

/** What a move is to do. */
export interface Wish {
  /** Whose clock and CPU it costs: the process's first thread, or a process of somebody else with every capability. */
  readonly by: 'itself' | 'another';
  /** Nodes that the pages should leave. */
  readonly leaves: (node: NodeId) => boolean;
  /** Nodes that they should go to; none: out of memory. */
  readonly to: readonly NodeId[];
}

/** Why pages are still where they should not be: `2 no room, 1 mapped more than once`, without a count if there is one reason. */
export function whyStaying(machine: Machine, target: Task, wish: Wish, returned: number): string {
  const known = returned >= 0 || -returned === ENOMEM || -returned === ENODEV;
  if (!known) return ''; // the call looked at no page, and the errno is said
  const reasons = new Map<string, number>();
  eachMapped(machine, target, (vma, _, pfn) => {
    if (!wish.leaves(machine.frames.nodeOf(pfn))) return;
    const reason = reasonOf(machine, vma, pfn, wish);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  });
  if (reasons.size === 1) return [...reasons.keys()][0];
  return [...reasons].map(([reason, count]) => `${String(count)} ${reason}`).join(', ');
}

function reasonOf({ frames, swap, zones, rules }: Machine, vma: Vma, pfn: Pfn, { by, to }: Wish): string {
  const { needsFreeSlot, skipsLocked, skipsShmem } = rules.moveCalls;
  const isOut = to.length === 0;
  const inSwap = frames.isSwapCache(pfn);
  const slotsAreOut = swap.free === 0;
  if (!isOut && needsFreeSlot && slotsAreOut) return 'no free swap slot';
  if (vma.isLocked && (isOut || skipsLocked)) return 'in a locked area';
  if (!isOut && skipsShmem && vma.file?.isShmem === true) return 'shared memory';
  if (by === 'itself' && frames.mapcount(pfn) > 1) return 'mapped more than once';
  if (!frames.isOnLru(pfn)) return 'isolated';
  if (frames.isLocked(pfn)) return 'locked';
  const inFile = frames.mapping(pfn) > 0 && !inSwap;
  if (frames.count(pfn) > frames.mapcount(pfn) + (inSwap || inFile ? 1 : 0) + (frames.has(pfn, PG_PRIVATE) ? 1 : 0))
    return 'pinned';
  const needsSlot = isOut || rules.hotRemove.needsSwapSlot;
  if (needsSlot && frames.isAnon(pfn) && !inSwap && slotsAreOut) return 'no free swap slot';
  const isFull = (node: NodeId): boolean => zones.free(node) <= zones.mark(node, MARK_LOW);
  return !isOut && to.every(isFull) ? 'no room' : 'refused';
}

interface MappedPage {
  readonly pfn: Pfn;
  readonly mapping: number;
  readonly index: number;
}

/** Entries that map a page, and which: to be compared with later. */
export function mappedEntries(machine: Machine, target: Task): ReadonlyMap<PageId, MappedPage> {
  const { frames } = machine;
  const entries = new Map<PageId, MappedPage>();
  eachMapped(machine, target, (_, entry, pfn) =>
    entries.set(entry, { pfn, mapping: frames.mapping(pfn), index: frames.index(pfn) }),
  );
  return entries;
}

/** Pages that were mapped then, and are now in a cache at the same frame without an entry: one that was copied is not among them. */
export function unmappedSince({ frames, swap, tables }: Machine, before: ReadonlyMap<PageId, MappedPage>): number {
  const pages = new Set<Pfn>();
  for (const [entry, { pfn, mapping, index }] of before) {
    if (tables.isPresent(entry) || frames.mapcount(pfn) > 0) continue;
    const isThere = tables.isSwap(entry)
      ? swap.cached(tables.word[entry] as SwapSlot) === pfn
      : mapping > 0 && frames.mapping(pfn) === mapping && frames.index(pfn) === index && frames.count(pfn) > 0;
    if (isThere) pages.add(pfn);
  }
  return pages.size;
}

function eachMapped(
  { tables, memory, zeroPage }: Machine,
  { space }: Task,
  visit: (vma: Vma, entry: PageId, pfn: Pfn) => void,
): void {
  for (const vma of space.vmas) {
    memory.forEachEntry(vma, (_, entry) => {
      const pfn = tables.isPresent(entry) ? (tables.word[entry] as Pfn) : NO_PFN;
      if (pfn !== NO_PFN && pfn !== zeroPage) visit(vma, entry, pfn);
    });
  }
}
