import { EAGAIN, EPERM } from '../errors.js';
import type { Files, Frames, SwapArea } from '../mm/index.js';
import type { CpuId, Pfn, SwapSlot } from '../units.js';
import type { CopyPage } from './copy-page.js';
import { hasPageMapping, type PageMappingRule } from './operation.js';
import { UNMAP_FAIL, UNMAP_SUCCESS, type TryToUnmap } from './unmap.js';

export interface RemoveReferencesParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly swap: SwapArea;
  readonly copyPage: CopyPage;
  readonly tryToUnmap: TryToUnmap;
  readonly pageMapping: PageMappingRule;
}

/**
 * Taking the old page out of everybody's sight and putting the new one into its cache slot (section 5, right column).
 * `refs`: references that are not entries' once nobody maps the page: cache and isolation 2, with buffers 3 (PL-10).
 * The moves of whole lists take the three in this order (R1..R3 of passes.ts). Results are 0 or -errno.
 * Kernel: migrate_page_remove_references(), mm/vmscan.c, 2.6.16, split as in migrate-on-fault V0.1 (DM-19).
 */
export interface RemoveReferences {
  /** The cheap filter outside the lock: still in a cache, and nobody unknown holds the page. */
  check(old: Pfn, refs: number): number;
  /** Unmaps everywhere: -EPERM for a locked area, -EAGAIN if something still maps the page. */
  unmap(old: Pfn, cpu: CpuId): number;
  /** Under the tree lock: mapping, count and slot again, then the slot shows the new page. The point of no return. */
  replace(old: Pfn, fresh: Pfn, refs: number): number;
  /** The page in the old one's slot. */
  shownInSlot(old: Pfn): Pfn;
}

export function makeRemoveReferences(parts: RemoveReferencesParts): RemoveReferences {
  const { frames, files, swap, copyPage, tryToUnmap, pageMapping } = parts;

  function check(old: Pfn, refs: number): number {
    if (!pageMapping.isInCache(frames, old)) return -EAGAIN;
    return frames.mapcount(old) + refs === frames.count(old) ? 0 : -EAGAIN;
  }

  function unmap(old: Pfn, cpu: CpuId): number {
    const result = tryToUnmap(old, cpu);
    if (result === UNMAP_SUCCESS) return 0;
    return result === UNMAP_FAIL ? -EPERM : -EAGAIN;
  }

  function shownInSlot(old: Pfn): Pfn {
    if (frames.isSwapCache(old)) return swap.cached(frames.private_(old) as SwapSlot);
    return files.get(frames.mapping(old)).slots.get(frames.index(old)) as Pfn;
  }

  function replace(old: Pfn, fresh: Pfn, refs: number): number {
    if (!hasPageMapping(frames, old) || frames.count(old) !== refs || shownInSlot(old) !== old) return -EAGAIN;
    frames.setMapping(fresh, frames.mapping(old), frames.index(old));
    copyPage.replaceSlot(old, fresh);
    return 0;
  }

  return { check, unmap, replace, shownInSlot };
}
