import { EDEADLK } from '../../errors.js';
import { putbackLruPages, type IsolateEntry, type Lazy, type MigratePages } from '../../migrate/index.js';
import {
  askAboutVma,
  type Frames,
  type InterleaveIndex,
  type Lru,
  type Mempolicy,
  type Query,
  type Task,
  type Vma,
} from '../../mm/index.js';
import type { Allocator } from '../../reclaim/index.js';
import { N, type Counters } from '../../stats/index.js';
import { NO_NODE, NO_PFN, type PageId, type Pfn } from '../../units.js';
import type { MoveCalls } from './move-calls.js';

export interface MovePolicyPagesParts {
  readonly frames: Frames;
  readonly lru: Lru;
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
  /** @param start first page of the range. @returns pages that did not move, or -EDEADLK: it never returns */
  move(task: Task, queued: readonly Pfn[], policy: Mempolicy | null, start: number): number;
  /** MPOL_MF_LAZY: the pages are unmapped only. @returns failures */
  unmap(task: Task, queued: readonly Pfn[]): number;
}

export function makeMovePolicyPages(parts: MovePolicyPagesParts): MovePolicyPages {
  const { frames, lru, counters, query, allocatePage, migratePages, lazy, defaultPolicy, interleaveIndex } = parts;
  const { isolateEntry, moveCalls } = parts;
  /** Interleave index of each queued page. */
  const indexOf = new Map<Pfn, number>();

  /** DM-15: new pages are asked for at the first address of the range, the next, …, whichever pages they will replace. */
  function inventAddresses({ space }: Task, start: number): (() => number) | null {
    const vma = space.vmas[space.indexAt(start)] as Vma | undefined;
    if (vma === undefined) return null;
    let offset = Math.max(0, start - vma.start);
    return () => {
      askAboutVma(query, vma, offset++, interleaveIndex);
      return query.index;
    };
  }

  return {
    queue(vma, offset, page, queued) {
      if (!isolateEntry(page, queued)) return;
      askAboutVma(query, vma, offset, interleaveIndex);
      indexOf.set(queued[queued.length - 1], query.index);
    },
    putback(task, queued) {
      putbackLruPages(lru, queued, task.cpu);
      indexOf.clear();
    },
    move(task, queued, policyGiven, start) {
      const policy = policyGiven ?? task.policy ?? defaultPolicy;
      const invented = moveCalls.inventsAddresses ? inventAddresses(task, start) : null;
      const newPage = (old: Pfn): Pfn => {
        query.hasAddress = true;
        query.index = invented?.() ?? indexOf.get(old) ?? 0;
        query.cpuNode = policy.homeNode === NO_NODE ? task.node : policy.homeNode;
        query.pageNode = NO_NODE;
        query.isWrite = false;
        query.thread = task.id;
        query.page = -1;
        const start = policy.instance.place(query);
        const pfn = allocatePage(start, policy.mask, policy.mayLeaveMask, task.cpuset.mems, task.cpu);
        if (pfn !== NO_PFN && policy.countsInterleave && frames.nodeOf(pfn) === start) {
          counters.incNode(N.numa_interleave, start);
        }
        return pfn;
      };
      const { failed, neverReturns } = migratePages(queued, newPage, task.cpu);
      indexOf.clear();
      return neverReturns === true ? -EDEADLK : failed;
    },
    unmap(task, queued) {
      indexOf.clear();
      return lazy.unmapPages(task, queued);
    },
  };
}
