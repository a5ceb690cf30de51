import { ENOMEM } from '../../errors.js';
import { PTE_WRITE, PTE_YOUNG, type PageTables } from '../../hardware/index.js';
import {
  PG_DIRTY,
  type Block,
  type Cpuset,
  type FileObject,
  type Files,
  type Frames,
  type Lru,
  type Spaces,
  type SwapArea,
  Task,
  type Vma,
} from '../../mm/index.js';
import type { SwapFault } from '../../fault/index.js';
import { asCpuId, asNodeId, NO_PFN, type PageId, type Pfn, type SwapSlot } from '../../units.js';
import type { MemorySyscalls } from './memory.js';

export interface SwapCallParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly files: Files;
  readonly swap: SwapArea;
  readonly block: Block;
  readonly memory: MemorySyscalls;
  readonly bringInEntry: SwapFault['bringIn'];
  readonly rootCpuset: Cpuset;
  /** The page of a shmem object, read from swap if it must be; with a reference. */
  readonly bringIn: (task: Task, file: FileObject, index: number) => Pfn;
}

export interface SwapCalls {
  /** Kernel: swapon(2): `slots` pages can be swapped out from now on. */
  swapon(slots: number): number;
  /**
   * Kernel: swapoff(2), by a process on CPU 0 with the default policy: it brings everything back in (K-S5).
   * @returns 0, or -ENOMEM if memory is too small for all of it; then swap stays on
   */
  swapoff(): number;
}

export function makeSwapCalls(parts: SwapCallParts): SwapCalls {
  const { frames, lru, tables, spaces, files, swap, memory, bringInEntry, block, rootCpuset, bringIn } = parts;

  function swapoff(): number {
    const caller = new Task(-1, spaces.all()[0] ?? spaces.create(), asCpuId(0), asNodeId(0), rootCpuset);
    for (const space of spaces.all()) {
      for (const vma of [...space.vmas]) {
        memory.forEachEntry(vma, (offset, page: PageId) => {
          if (tables.isSwap(page)) unuse(caller, vma, offset, page);
        });
      }
    }
    readObjects(caller);
    dropCache();
    if (swap.isUsed) return -ENOMEM;
    swap.setLimit(0);
    return 0;
  }

  /** No fault: nobody is counted one, and the entry is read-only until its owner writes. Kernel: unuse_pte() */
  function unuse(caller: Task, vma: Vma, offset: number, page: PageId): void {
    if (bringInEntry(caller, vma, offset, page)) tables.bits[page] &= ~(PTE_WRITE | PTE_YOUNG);
  }

  /** Slots of shmem objects come back into their page cache. */
  function readObjects(caller: Task): void {
    for (const file of files.all()) {
      file.slots.forEach((index, value) => {
        const pfn = value < 0 ? bringIn(caller, file, index) : NO_PFN;
        if (pfn !== NO_PFN) lru.put(pfn);
      });
    }
  }

  /** No page stays in the swap cache whose slot nobody else needs. */
  function dropCache(): void {
    for (let slot = 1 as SwapSlot; slot < swap.end; slot++) {
      const pfn: Pfn = swap.cached(slot);
      if (pfn === NO_PFN || swap.users(slot) > 1) continue;
      block.waitForPage(pfn);
      frames.tryLock(pfn);
      swap.remove(pfn);
      frames.set(pfn, PG_DIRTY);
      frames.unlock(pfn);
      lru.put(pfn);
    }
  }

  return {
    swapon(slots) {
      swap.setLimit(slots);
      return 0;
    },
    swapoff,
  };
}
