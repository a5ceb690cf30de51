import type { PageTables } from '../hardware/index.js';
import type { MigratePages } from '../migrate/index.js';
import {
  HUGE_PAGES,
  MARK_HIGH,
  MARK_LOW,
  VM_EXEC,
  type Frames,
  type Lru,
  type Task,
  type Vma,
  type Zones,
} from '../mm/index.js';
import type { BalancedWorld } from '../policy/index.js';
import { C, type Counters } from '../stats/index.js';
import { NO_PFN, type NodeId, type PageId, type Pfn } from '../units.js';

export interface MoveToNodeParts {
  readonly frames: Frames;
  readonly zones: Zones;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly counters: Counters;
  readonly migratePages: MigratePages['migratePages'];
  readonly world: Pick<BalancedWorld, 'isTopTier'>;
  /** Wakes a node's background reclaimer. */
  readonly wakeReclaim: (node: NodeId) => void;
  readonly isTiering: () => boolean;
}

export interface MoveToNode {
  /** NB-41: under the lock of the page table, may it be tried? It is isolated then. Kernel: migrate_misplaced_folio_prepare() */
  prepare(vma: Vma, page: PageId, to: NodeId): boolean;
  /** NB-42: the isolated page moves there or goes back to its list. @returns pages moved. Kernel: migrate_misplaced_folio() */
  migrate(task: Task, page: PageId, to: NodeId): number;
}

export function makeMoveToNode(parts: MoveToNodeParts): MoveToNode {
  const { frames, zones, lru, tables, counters, world } = parts;

  function prepare(vma: Vma, page: PageId, to: NodeId): boolean {
    const pfn = tables.word[page] as Pfn;
    const head = frames.headOf(pfn);
    const isFile = vma.file?.isShmem !== true && frames.mapping(head) > 0;
    if (isFile && (vma.flags & VM_EXEC) !== 0 && frames.mapcount(pfn) > 1) return false;
    if (isFile && frames.isDirty(head)) return false;
    if (zones.free(to) <= zones.mark(to, MARK_HIGH) + frames.pagesOf(head)) {
      if (parts.isTiering()) parts.wakeReclaim(to);
      return false;
    }
    return !frames.isLocked(head) && lru.isolate(head);
  }

  /** The page for it, before anything is unmapped: a huge page is not broken up for want of another. */
  function take(task: Task, head: Pfn, to: NodeId): Pfn {
    if (task.cpuset.mems[to] === 0) return NO_PFN;
    return frames.pagesOf(head) === HUGE_PAGES
      ? zones.takeHugeFromNode(to, MARK_LOW, task.node)
      : zones.takeFromNode(to, MARK_LOW, task.node);
  }

  function migrate(task: Task, page: PageId, to: NodeId): number {
    const head = frames.headOf(tables.word[page] as Pfn);
    const pages = frames.pagesOf(head);
    const from = frames.nodeOf(head);
    // Asynchronous: what is being written is not waited for.
    const fresh = frames.isWriteback(head) ? NO_PFN : take(task, head, to);
    if (fresh === NO_PFN) {
      counters.add(C.pgmigrate_fail, pages);
      lru.putback(task.cpu, head);
      return 0;
    }
    parts.migratePages([head], () => fresh, task.cpu);
    if (frames.nodeOf(tables.word[page] as Pfn) !== to || !tables.isPresent(page)) return 0;
    counters.add(C.numa_pages_migrated, pages);
    const isPromotion = parts.isTiering() && !world.isTopTier(from) && world.isTopTier(to);
    if (isPromotion) counters.add(C.pgpromote_success, pages);
    const now = frames.headOf(tables.word[page] as Pfn);
    if (parts.isTiering() && frames.stored !== null && world.isTopTier(from) !== world.isTopTier(to))
      frames.stored[now] = 0;
    return pages;
  }

  return { prepare, migrate };
}
