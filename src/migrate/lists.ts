import type { Lru } from '../mm/index.js';
import type { CpuId, Pfn } from '../units.js';

/** Takes a page, or the huge page it is part of, off its LRU list onto a private one, with a reference (PL-21). @returns false if it is on none. Kernel: isolate_lru_page(), mm/vmscan.c. */
export function isolateLruPage(lru: Lru, pfn: Pfn, list: Pfn[]): boolean {
  if (!lru.isolate(pfn)) return false;
  list.push(pfn);
  return true;
}

/** Ends the isolation of all pages of a list, in order; pages that nobody else holds are freed (PL-22, PL-23). Kernel: putback_lru_pages(). */
export function putbackLruPages(lru: Lru, list: Pfn[], cpu: CpuId): void {
  for (const pfn of list) lru.putback(cpu, pfn);
  list.length = 0;
}

/** A new page that took an old one's place goes to its list; the allocation's reference ends. Kernel: move_to_lru(). */
export function moveToLru(lru: Lru, pfn: Pfn, cpu: CpuId): void {
  lru.cacheAdd(cpu, pfn);
  lru.put(pfn);
}
