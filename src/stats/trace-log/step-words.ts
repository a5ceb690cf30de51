import { COUNTER_NAMES } from '../counters.js';

/** What the `detail` of a step is. */
type Detail = 'none' | 'node' | 'frame' | 'slot' | 'exit' | 'pass' | 'number';

/** Every step that is told, in words, and what its detail is. Names are those of the rules; a D stands for direct migration. */
const STEPS: Readonly<Record<string, readonly [words: string, detail?: Detail]>> = {
  A1: ['read of untouched memory: the zero page is mapped'],
  A4: ['it is mapped for the first time'],
  W1: ['write to a page of its own: made writable'],
  W2: ['a write to a page that others use: this is the copy', 'frame'],
  'F-add': ['it goes into the page cache', 'node'],
  F2: ['found in the page cache'],
  F3: ['read from the disk into the page cache'],
  F6: ['the page of the file is mapped'],
  H5: ['the page of the shmem object is mapped'],
  S1: ['the entry names a page being moved: wait for its lock'],
  S2: ['look the slot up in the swap cache', 'slot'],
  S3: ['not cached: read it from the swap device', 'slot'],
  S4: ['sleep for the page lock', 'slot'],
  S5: ['is it still the page of this slot?', 'slot'],
  HOOK: ['migrate-on-fault looks at it', 'slot'],
  S6: ['lock the entry: is it still the same?', 'slot'],
  S7: ['is it uptodate?', 'slot'],
  S8: ['map it: rss, entry, reverse map', 'slot'],
  S10: ['the entry lets go of the slot', 'slot'],
  S11: ['unlock the page', 'slot'],
  S12: ['still a write, and shared: copy', 'slot'],
  C1: ['stays: somebody maps it (C1)'],
  C2: ['stays: it is being written (C2)'],
  C3: ['stays: its contents are not valid (C3)'],
  C4: ['stays: its mapping has no migrate operation (C4)'],
  C5: ['stays: its policy is not marked for migrate-on-fault (C5)'],
  C6: ['the policy is asked (C6)', 'node'],
  M1: ['isolate it from its list'],
  'M1-exit': ['stays: it is on no list, somebody else has it in hands (M1)', 'exit'],
  M2: ['allocate on the target', 'node'],
  'M2-exit': ['stays: no free page on the target (M2)', 'exit'],
  M3: ['lock the new page'],
  M4: ['prepare the new page', 'frame'],
  'M4-exit': ['stays: the move was refused (M4)', 'exit'],
  M5a: ['is the count as expected, the slot still ours?', 'frame'],
  'M5-exit': ['stays: the cache slot cannot be replaced (M5)', 'exit'],
  M5b: ['the cache slot shows the new page: no way back', 'frame'],
  M5c: ['buffers go along', 'frame'],
  M5d: ['copy contents and flags, retire the old page', 'frame'],
  M6: ['the isolation goes over to the new page', 'frame'],
  M7: ['unlock the old page; it is free'],
  M8: ['the new page goes to its list'],
  M9: ['moved', 'node'],
  L1: ['isolate'],
  L2: ['lock'],
  L3: ['add to swap'],
  L4: ['unmap: the entry keeps the slot, or is cleared'],
  L5: ['unlock'],
  L6: ['put back on its list', 'number'],
  L7: ['flush, drain all vectors'],
  'D-isolate': ['isolated, on the list of pages to move'],
  'D-lock': ['lock the old page'],
  'D-writeback': ['wait for its write, or refuse'],
  'D-allocate': ['allocate the new page'],
  'D-lock-new': ['lock the new page', 'frame'],
  'D-unmap': ['unmap: an entry names it as being moved', 'frame'],
  'D-flush': ['flush TLBs, once for the batch'],
  'D-replace': ['is the count as expected? the cache slot shows the new page', 'frame'],
  'D-copy': ['copy contents and flags', 'frame'],
  'D-restore': ['entries show the page again', 'frame'],
  'D-unlock-new': ['unlock the new page', 'frame'],
  'D-unlock-old': ['unlock the old page', 'frame'],
  'D-putback': ['the new page goes to its list, the old one is free', 'frame'],
  'D-undo': ['did not move: the new page is given back', 'frame'],
  'P-NEXT': ['the next page of the pass', 'pass'],
  P1: ['has everybody else freed it?', 'pass'],
  P2: ['is a new page left?', 'pass'],
  P3: ['lock the old page', 'pass'],
  P4: ['put off, or wait for its write', 'pass'],
  P5: ['anonymous: add to swap', 'pass'],
  P6: ['move, or out to swap?', 'pass'],
  P7: ['take the last new page, lock it', 'pass'],
  P8: ['is it still in a cache?', 'pass'],
  P9: ['has its mapping a migrate operation?', 'pass'],
  P10: ['unmap, for the dirty bits of entries', 'pass'],
  P11: ['dirty: write it out', 'pass'],
  P12: ['let go of its buffers', 'pass'],
  P13: ['buffers stay: later, or out to swap', 'pass'],
  'P-R1': ['is the count as expected?', 'frame'],
  'P-R2': ['unmap it everywhere', 'frame'],
  'P-R3': ['the cache slot shows the new page: no way back', 'frame'],
  'P-C1': ['buffers go along', 'frame'],
  'P-C2': ['copy contents and flags, retire the old page', 'frame'],
  'P-C3': ['swap entries become real ones again', 'frame'],
  'P-C4': ['unlock both', 'frame'],
  'P-W1': ['out to swap: unmap it everywhere', 'pass'],
  'P-W2': ['out to swap: write it', 'pass'],
  'P-W3': ['out to swap: let go of its buffers', 'pass'],
  'P-W4': ['out to swap: out of its cache', 'pass'],
  'RC-write': ['reclaim: write it out'],
  'RC-free': ['reclaim: out of its cache and free'],
};

export const STEP_NAMES: readonly string[] = Object.keys(STEPS);

/** The step in words; its own name if it has none. */
export function wordsOf(step: string): string {
  return STEPS[step]?.[0] ?? step;
}

/** The step's detail names a frame. */
export function namesFrame(step: string): boolean {
  return STEPS[step]?.[1] === 'frame';
}

/** The detail in words, or ''. @param detailNode node of the frame that it names */
export function detailWords(step: string, detail: number, detailNode: number): string {
  if (detail < 0) return step === 'C6' ? 'well placed: stays' : '';
  switch (STEPS[step]?.[1]) {
    case 'node':
      return step === 'C6' ? `wanted on node ${String(detail)}` : `node ${String(detail)}`;
    case 'frame':
      return detail === 0 ? '' : `frame ${String(detail)} on node ${String(detailNode)}`;
    case 'slot':
      return detail === 0 ? '' : `slot ${String(detail)}`;
    case 'exit':
      return COUNTER_NAMES[detail] ?? '';
    case 'pass':
      return `pass ${String(detail)}`;
    case 'number':
      return step === 'L6' ? (['unmapped', 'skipped', 'no swap slot', 'still mapped'][detail] ?? '') : String(detail);
    default:
      return '';
  }
}

/** How a fault ended (FP-2). */
export const OUTCOME_WORDS: readonly string[] = ['minor', 'major', 'retry', 'SIGSEGV', 'SIGBUS', 'out of memory'];
