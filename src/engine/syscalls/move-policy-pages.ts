import type { Lazy, MigratePages } from '../../migrate/index.js';
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
import { NO_NODE, NO_PFN, type Pfn } from '../../units.js';

export interface MovePolicyPagesParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly counters: Counters;
  readonly query: Query;
  readonly allocatePage: Allocator['allocatePage'];
  readonly migratePages: MigratePages['migratePages'];
  readonly lazy: Lazy;
  readonly defaultPolicy: Mempolicy;
  /** Rule variant `moveIndex`: 6.1 leaves the inode out when mbind itself moves shmem pages (K section 7). */
  readonly interleaveIndex: InterleaveIndex;
}

/** What mbind(MOVE) does with the pages it found: isolate, and move each to where the new policy puts it (K-B6). */
export interface MovePolicyPages {
  /** Isolates a page for the move; one that cannot be isolated is left, silently (DM-3). */
  queue(vma: Vma, offset: number, pfn: Pfn, queued: Pfn[]): void;
  /** The call failed after all: everything goes back. */
  putback(task: Task, queued: readonly Pfn[]): void;
  /** @returns pages that did not move */
  move(task: Task, queued: readonly Pfn[], policy: Mempolicy | null): number;
  /** MPOL_MF_LAZY: the pages are unmapped only. @returns failures */
  unmap(task: Task, queued: readonly Pfn[]): number;
}

export function makeMovePolicyPages(parts: MovePolicyPagesParts): MovePolicyPages {
  const { frames, lru, counters, query, allocatePage, migratePages, lazy, defaultPolicy, interleaveIndex } = parts;
  /** Interleave index of each queued page. */
  const indexOf = new Map<Pfn, number>();

  return {
    queue(vma, offset, pfn, queued) {
      if (!lru.isolate(pfn)) return;
      askAboutVma(query, vma, offset, interleaveIndex);
      indexOf.set(pfn, query.index);
      queued.push(pfn);
    },
    putback(task, queued) {
      for (const pfn of queued) lru.putback(task.cpu, pfn);
      indexOf.clear();
    },
    move(task, queued, policyGiven) {
      const policy = policyGiven ?? task.policy ?? defaultPolicy;
      const newPage = (old: Pfn): Pfn => {
        query.hasAddress = true;
        query.index = indexOf.get(old) ?? 0;
        query.cpuNode = policy.homeNode === NO_NODE ? task.node : policy.homeNode;
        query.pageNode = NO_NODE;
        query.isWrite = false;
        query.thread = task.id;
        query.page = -1;
        const start = policy.instance.place(query);
        const pfn = allocatePage(start, policy.mask, policy.mayLeaveMask, task.cpuset.mems, task.cpu);
        if (pfn !== NO_PFN && policy.isInterleave && frames.nodeOf(pfn) === start) {
          counters.incNode(N.numa_interleave, start);
        }
        return pfn;
      };
      const { failed } = migratePages(queued, newPage, task.cpu);
      indexOf.clear();
      return failed;
    },
    unmap(task, queued) {
      indexOf.clear();
      return lazy.unmapPages(task, queued);
    },
  };
}
