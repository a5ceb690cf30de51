import { float64s } from '../arrays.js';
import { FaultKind } from './cost-model.js';

/**
 * How kinds of fault compare with the anonymous first touch, so that one figure of a machine, `minorFaultNs`, gives all.
 *
 * Source: ns per 4 KiB page on Linux 6.18, one thread pinned, no huge pages, an AMD EPYC virtual machine, 2026
 * (medians): first write touch 1353, read of the zero page 638, write after it 1608, mapping a cached page
 * 1082, copy on write after fork 1919, clearing a page out of cache 168; mbind walking over a page 35, move_pages on a page
 * that is there already 248, move_pages asking about one page 424.
 */
const FIRST_TOUCH = 1353;
const CLEARING = 168;
export const ZEROING_SHARE = CLEARING / FIRST_TOUCH;
export const SCAN_SHARE = 35 / FIRST_TOUCH;
/** Not measured apart: a move that finds nothing to do looks the page up, isolates it and puts it back. */
export const UNMAP_SHARE = 248 / FIRST_TOUCH;
/** Not measured apart: a call that looks up one page. */
export const FILE_CALL_SHARE = 424 / FIRST_TOUCH;
/** A fault that hands out or finds a page without clearing it; not measured: first touch less clearing. */
const UNCLEARED_SHARE = 1 - ZEROING_SHARE;

const SHARES: Readonly<Record<keyof typeof FaultKind, number>> = {
  anon: 1,
  zeroPage: 638 / FIRST_TOUCH,
  zeroPageWrite: 1608 / FIRST_TOUCH,
  fileMinor: 1082 / FIRST_TOUCH,
  cow: 1919 / FIRST_TOUCH,
  swapCache: UNCLEARED_SHARE,
  writeInPlace: 638 / FIRST_TOUCH, // not measured; like mapping the zero page, it changes one entry and allocates nothing
  major: UNCLEARED_SHARE,
};

/** ns per `FaultKind` on a machine whose anonymous first touch takes `minorFaultNs`. */
export function faultCosts(minorFaultNs: number): Float64Array {
  const kinds = Object.entries(SHARES) as [keyof typeof FaultKind, number][];
  const costs = float64s(kinds.length);
  for (const [kind, share] of kinds) costs[FaultKind[kind]] = share * minorFaultNs;
  return costs;
}
