import type { Machine } from '../../../src/engine/index.js';
import { makeSwapOut, makeTryToUnmap, PAGE_CLEAN } from '../../../src/migrate/index.js';
import { makePageOut } from '../../../src/reclaim/page-out.js';
import { Scan } from '../../../src/reclaim/scan.js';
import { makeNoWorkingset } from '../../../src/reclaim/workingset.js';
import type { CpuId, Pfn } from '../../../src/units.js';

/** How far a page got on its way out. */
export type Evicted = 'not' | 'unmapped' | 'writing' | 'freed';

/**
 * Takes one page as far out of memory as it goes, with the functions that reclaim uses and without asking whether it was
 * used: a swap slot, every entry, the write, its cache.
 */
export function makeEvict(machine: Machine): (pfn: Pfn, cpu: CpuId) => Evicted {
  const { frames, lru, swap } = machine;
  const swapOut = makeSwapOut(machine);
  const tryToUnmap = makeTryToUnmap(machine);
  const pageOut = makePageOut({ ...machine, swapOut, buffersBusy: null }, makeNoWorkingset(), true);
  const scan = new Scan(false);

  function goesOut(pfn: Pfn, cpu: CpuId): Evicted {
    if (frames.isWriteback(pfn)) return 'not';
    if (frames.isAnon(pfn) && !frames.isSwapCache(pfn) && (swap.free === 0 || !swapOut.addToSwap(pfn))) return 'not';
    if (frames.mapcount(pfn) > 0) tryToUnmap(pfn, cpu);
    if (frames.mapcount(pfn) > 0) return 'not';
    if (frames.isDirty(pfn)) {
      const written = pageOut.write(pfn, scan);
      if (frames.isWriteback(pfn)) return 'writing';
      if (written !== PAGE_CLEAN) return 'unmapped';
    }
    pageOut.releaseBuffers(pfn);
    return pageOut.free(pfn) ? 'freed' : 'unmapped';
  }

  return (pfn, cpu) => {
    if (frames.isLocked(pfn) || !lru.isolate(pfn)) return 'not';
    frames.tryLock(pfn);
    scan.begin(cpu, 1);
    const result = goesOut(pfn, cpu);
    if (result === 'freed') return result;
    frames.unlock(pfn);
    lru.putback(cpu, pfn);
    return result;
  };
}
