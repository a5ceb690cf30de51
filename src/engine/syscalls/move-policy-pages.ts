import { EDEADLK } from '../../errors.js';
import type { PageTables } from '../../hardware/index.js';
import { putbackLruPages, type IsolateEntry, type Lazy, type MigratePages } from '../../migrate/index.js';
import {
  askAboutVma,
  HUGE_PAGES,
  type AddressSpace,
  type Frames,
  type HugePages,
  type InterleaveIndex,
  type Lru,
  type Mempolicy,
  type Query,
  type TakeHuge,
  type Task,
  type Vma,
} from '../../mm/index.js';
import type { Allocator } from '../../reclaim/index.js';
import { N, type Counters } from '../../stats/index.js';
import { NO_NODE, NO_PFN, type PageId, type Pfn } from '../../units.js';
import type { MoveCalls } from './move-calls.js';

/** Page numbers of a call. */
export interface PageRange {
  readonly start: number;
  readonly pages: number;
}

export interface MovePolicyPagesParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly takeHuge: TakeHuge | null;
  readonly counters: Counters;
  readonly query: Query;
  readonly allocatePage: Allocator['allocatePage'];
  readonly migratePages: MigratePages['migratePages'];
  readonly lazy: Lazy;
  readonly isolateEntry: IsolateEntry['isolateEntry'];
  readonly moveCalls: MoveCalls;
  readonly defaultPolicy: Mempolicy;
  /** Rule variant `moveIndex`: 6.1 leaves the inode out when mbind itself moves shmem pages (K section 7). */
  readonly interleaveIndex: InterleaveIndex;
}

/** What mbind(MOVE) does with the pages it found: isolate, and move each to where the new policy puts it (K-B6). */
export interface MovePolicyPages {
  /** Isolates the page of an entry for the move; one that cannot be isolated is left, silently (DM-3). */
  queue(vma: Vma, offset: number, page: PageId, queued: Pfn[]): void;
  /** The call failed after all: everything goes back. */
  putback(task: Task, queued: Pfn[]): void;
  /** @returns pages that did not move, or -EDEADLK: it never returns */
  move(task: Task, queued: readonly Pfn[], policy: Mempolicy | null, range: PageRange): number;
  /** MPOL_MF_LAZY: the pages are unmapped only. @returns failures */
  unmap(task: Task, queued: readonly Pfn[]): number;
}

/** Where a queued huge page was found: in which space, at which page, and the page number (K-I2) and address of its first page. */
interface HugePlace {
  readonly space: AddressSpace;
  readonly vpn: number;
  readonly headVpn: number;
  readonly headNumber: number;
}

export function makeMovePolicyPages(parts: MovePolicyPagesParts): MovePolicyPages {
  const { frames, lru, counters, query, allocatePage, migratePages, lazy, defaultPolicy, interleaveIndex } = parts;
  const { isolateEntry, moveCalls, huge, takeHuge } = parts;
  /** Interleave index of each queued page. */
  const indexOf = new Map<Pfn, number>();
  const hugeAt = new Map<Pfn, HugePlace>();

  function forget(): void {
    indexOf.clear();
    hugeAt.clear();
  }

  function noteHuge(vma: Vma, offset: number, head: Pfn, part: Pfn): void {
    const headOffset = offset - (part - head);
    hugeAt.set(head, {
      ...{ space: vma.space, vpn: vma.start + offset, headVpn: vma.start + headOffset },
      headNumber: (vma.file === null ? vma.pgoff : vma.filePage) + headOffset,
    });
  }

  /** K-H4 with the area as it is after the call; an area that begins inside the block counts from its own start. */
  function indexInArea({ space, vpn, headVpn }: HugePlace): number {
    const vma = space.find(vpn);
    if (vma === null) return 0;
    const first = Math.max(headVpn, vma.start);
    return Math.floor(vma.pgoff / HUGE_PAGES) + Math.floor((first - vma.start) / HUGE_PAGES);
  }

  /** K-H10 [6.12]: what is added to the index of every page of the call, from the first one, if that is a huge page that begins in the range. */
  function baseOf(first: Pfn | undefined, range: PageRange): number {
    const place = first === undefined ? undefined : hugeAt.get(first);
    if (place === undefined || huge?.rule.movesByArea !== false) return 0;
    const vma = place.space.find(place.headVpn);
    if (vma === null || vma.end <= range.start || vma.start >= range.start + range.pages) return 0;
    return indexInArea({ ...place, vpn: place.headVpn }) - Math.floor(place.headNumber / HUGE_PAGES);
  }

  /** The index of a page that was queued, or of a part of a huge page that was and has been broken up. */
  function indexFor(old: Pfn, base: number): number {
    if (huge === null) return indexOf.get(old) ?? 0;
    const head = ((old as number) & -HUGE_PAGES) as Pfn;
    const place = indexOf.has(old) ? undefined : hugeAt.get(head);
    if (place === undefined) return (indexOf.get(old) ?? 0) + base;
    if (!frames.isHuge(old)) return place.headNumber + (old - head) + base;
    return huge.rule.movesByArea ? indexInArea(place) : Math.floor(place.headNumber / HUGE_PAGES) + base;
  }

  /** DM-15: new pages are asked for at the first address of the range, the next, …, whichever pages they will replace. */
  function inventAddresses({ space }: Task, start: number): (() => number) | null {
    const vma = space.vmas.endingAfter(start);
    if (vma === undefined) return null;
    let offset = Math.max(0, start - vma.start);
    return () => {
      askAboutVma(query, vma, offset++, interleaveIndex);
      return query.index;
    };
  }

  return {
    queue(vma, offset, page, queued) {
      const part = parts.tables.word[page] as Pfn;
      if (!isolateEntry(page, queued)) return;
      if (frames.isHuge(part)) {
        noteHuge(vma, offset, frames.headOf(part), part);
        return;
      }
      askAboutVma(query, vma, offset, interleaveIndex);
      indexOf.set(queued[queued.length - 1], query.index);
    },
    putback(task, queued) {
      putbackLruPages(lru, queued, task.cpu);
      forget();
    },
    move(task, queued, policyGiven, range) {
      const policy = policyGiven ?? task.policy ?? defaultPolicy;
      const invented = moveCalls.inventsAddresses ? inventAddresses(task, range.start) : null;
      const base = baseOf(queued[0], range);
      const newPage = (old: Pfn): Pfn => {
        query.hasAddress = true;
        query.index = invented?.() ?? indexFor(old, base);
        query.cpuNode = policy.homeNode === NO_NODE ? task.node : policy.homeNode;
        query.pageNode = NO_NODE;
        query.isWrite = false;
        query.thread = task.id;
        query.page = -1;
        const start = policy.instance.place(query);
        const pfn =
          takeHuge !== null && frames.isHuge(old)
            ? takeHuge(task, policy, start, true)
            : allocatePage(start, policy.mask, policy.mayLeaveMask, task.cpuset.mems, task.cpu);
        if (pfn !== NO_PFN && policy.countsInterleave && frames.nodeOf(pfn) === start) {
          counters.incNode(N.numa_interleave, start);
        }
        return pfn;
      };
      const { failed, neverReturns } = migratePages(queued, newPage, task.cpu);
      forget();
      return neverReturns === true ? -EDEADLK : failed;
    },
    unmap(task, queued) {
      forget();
      return lazy.unmapPages(task, queued);
    },
  };
}
