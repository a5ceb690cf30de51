import { HUGE_PAGES } from '../../mm/index.js';
import type { Switches } from '../../run/run-spec.js';
import { vpnOf, type Sidecar } from '../../trace/index.js';
import type { Machine } from '../machine.js';
import { isFileRegion } from './trace-regions.js';

/** The private memory of a trace, as huge pages see it. */
interface HugeRoom {
  readonly pages: number;
  /** Whole blocks of 512 aligned pages that lie inside one region: only there can a fault take a huge page (K-H1). */
  readonly blocks: number;
}

/** What was taken for granted about huge pages, and what another choice would mean for this trace. */
export function hugePageAssumption(thp: Switches['thp'], machine: Machine, sidecar: Sidecar): string {
  if (thp === 'never') return `Pages are 4 KiB; no huge pages (thp=never). ${roomText(sidecar)}`;
  if (thp === 'madvise') {
    return 'Huge pages only where madvise asked for them (thp=madvise): a trace does not say where, so there were none.';
  }
  const taken = machine.counters.get('thp_fault_alloc');
  const failed = machine.counters.get('thp_fault_fallback');
  const without = failed === 0 ? '' : `, ${String(failed)} found none and took small ones`;
  return (
    `Huge pages of 2 MiB in all areas that hold a whole block (thp=always, defrag=madvise): ${String(taken)} ` +
    `faults took one${without}. No khugepaged; an area is as long as its region, and memory is not fragmented. ` +
    'A huge page takes one TLB entry, whose walk has three of four levels; each of its pages is zeroed by the fault.'
  );
}

function roomText(sidecar: Sidecar): string {
  const { pages, blocks } = roomOf(sidecar);
  if (blocks === 0)
    return 'With thp=always only more memory would be kept free: no region holds a whole block of 2 MiB.';
  const share = ((100 * blocks * HUGE_PAGES) / pages).toFixed(1);
  return (
    `${String(blocks)} whole ${blocks === 1 ? 'block' : 'blocks'} of 2 MiB with ${share} % of the private pages ` +
    'could be huge pages: try the run with +thp=always.'
  );
}

function roomOf(sidecar: Sidecar): HugeRoom {
  let [pages, blocks] = [0, 0];
  for (const region of sidecar.regions) {
    if (isFileRegion(region)) continue;
    const start = vpnOf(region.vaddr);
    pages += region.pages;
    blocks += Math.max(0, Math.floor((start + region.pages) / HUGE_PAGES) - Math.ceil(start / HUGE_PAGES));
  }
  return { pages, blocks };
}
