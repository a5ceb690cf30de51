import type { PageTables } from '../../hardware/index.js';
import type { Mover } from '../../migrate/index.js';
import type { Block, Frames, Lru, Task } from '../../mm/index.js';
import type { Reclaim } from '../../reclaim/index.js';
import type { Pfn } from '../../units.js';
import type { MemorySyscalls } from './memory.js';

export interface SwapOutProcessParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly block: Block;
  readonly memory: MemorySyscalls;
  readonly pageOut: Reclaim['pageOut'];
  /** The swap form of the profile's mover; null: reclaim takes the pages out. */
  readonly evict: Mover['evict'];
  readonly zeroPage: Pfn;
}

export interface SwapOutProcess {
  /**
   * Everything that a process maps leaves memory: private pages to swap, pages of files to their files, whoever maps them.
   * The caller waits for the writes. Works on a machine of one node too (direct-and-swap-migration section 1).
   * @returns pages that stayed: locked, busy, or without a swap slot
   */
  swapOutProcess(task: Task, target: Task): number;
}

export function makeSwapOutProcess(parts: SwapOutProcessParts): SwapOutProcess {
  const { frames, lru, tables, block, memory, pageOut, evict, zeroPage } = parts;

  function mappedPages(target: Task): Pfn[] {
    const pages = new Set<Pfn>();
    for (const vma of target.space.vmas) {
      if (vma.isLocked) continue;
      memory.forEachEntry(vma, (_, page) => {
        if (tables.isPresent(page)) pages.add(tables.word[page] as Pfn);
      });
    }
    pages.delete(zeroPage);
    return [...pages];
  }

  /** @returns those that are still in memory: a write is in flight, or they cannot leave */
  function round(task: Task, pages: readonly Pfn[]): Pfn[] {
    lru.drainAll();
    const staying = pages.filter((pfn) => {
      if (!lru.isolate(pfn)) return true;
      if (pageOut(pfn, task.cpu)) return false;
      lru.putback(task.cpu, pfn);
      return true;
    });
    lru.drainAll();
    return staying;
  }

  /** [2005, 2006] Pass after pass of swap_page(), each waiting for the writes of the one before. A locked page would be waited for for ever. */
  function inPasses(task: Task, pages: readonly Pfn[], by: NonNullable<Mover['evict']>): number {
    lru.drainAll();
    const taken = pages.filter((pfn) => !frames.isLocked(pfn) && lru.isolate(pfn));
    const { failed } = by(taken, task.cpu);
    lru.drainAll();
    return pages.length - taken.length + failed;
  }

  return {
    swapOutProcess(task, target) {
      if (evict !== null) return inPasses(task, mappedPages(target), evict);
      const written = round(task, mappedPages(target));
      block.completeAll();
      return round(task, written).length; // nobody ran meanwhile: the frames are still the same pages
    },
  };
}
