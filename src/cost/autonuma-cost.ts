/** Words of 8 bytes that the scripts of mmtests charge per event: a struct page of 56 bytes per entry updated, … */
const WORDS_PER_PTE_UPDATE = 7;
/** … a hinting fault, … */
const WORDS_PER_HINT_FAULT = 5000;
/** … and a page isolated and moved. The copy of the page is meant to be added and, by a stray semicolon, is not. */
const WORDS_PER_PAGE_MIGRATED = 7 + 12;

/** "Ops AutoNUMA cost" of M. Gorman's reports (2012 on), in millions of word accesses, from counters of /proc/vmstat. */
export function autonumaCost(pteUpdates: number, hintFaults: number, pagesMigrated: number): number {
  const words =
    WORDS_PER_PTE_UPDATE * pteUpdates + WORDS_PER_HINT_FAULT * hintFaults + WORDS_PER_PAGE_MIGRATED * pagesMigrated;
  return words / 1e6;
}
