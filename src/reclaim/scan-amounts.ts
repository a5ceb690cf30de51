import { SWAP_CLUSTER_MAX } from './scan.js';

/** How much of which list one pass looks at (RC-21..RC-25), as functions of numbers. Kernel: get_scan_count(), mm/vmscan.c. */

const GIB_PAGES_SHIFT = 18;
/** Swappiness at which anonymous pages alone are scanned. */
const MAX_SWAPPINESS = 200;

/** Which lists a pass scans (RC-22). */
export const SCAN_ALL = 0;
export const SCAN_FRACTIONS = 1;
export const SCAN_ANON = 2;
export const SCAN_FILE = 3;

/** RC-21: how many times larger than the inactive list the active one may be. */
export function inactiveRatio(inactive: number, active: number): number {
  const gib = Math.floor((inactive + active) / 2 ** GIB_PAGES_SHIFT);
  return gib === 0 ? 1 : Math.floor(Math.sqrt(10 * gib));
}

/** RC-21: the inactive list is low, so active pages are to be moved on. Kernel: inactive_is_low(). */
export function inactiveIsLow(inactive: number, active: number): boolean {
  return inactive * inactiveRatio(inactive, active) < active;
}

/** Sizes and marks of one node, as a pass finds them. */
export interface NodeView {
  inactiveAnon: number;
  activeAnon: number;
  inactiveFile: number;
  activeFile: number;
  free: number;
  /** Sum of the high marks of the node's zones. */
  high: number;
}

/** RC-23: hardly any file page is left, so that scanning those would find nothing. */
export function isFileTiny(node: NodeView, priority: number, deactivatesAnon: boolean): boolean {
  const file = node.inactiveFile + node.activeFile;
  return file + node.free <= node.high && !deactivatesAnon && node.inactiveAnon >> priority > 0;
}

/** RC-23: enough file pages are waiting, used once, that nothing else has to go. */
export function isCacheTrim(node: NodeView, priority: number, deactivatesFile: boolean): boolean {
  return node.inactiveFile >> priority > 0 && !deactivatesFile;
}

/** RC-22, which lists. `canSwap`: a slot is free, or pages can be demoted. */
export function scanBalance(
  canSwap: boolean,
  priority: number,
  swappiness: number,
  fileTiny: boolean,
  cacheTrim: boolean,
): number {
  if (!canSwap) return SCAN_FILE;
  if (priority === 0 && swappiness > 0) return SCAN_ALL;
  if (fileTiny) return SCAN_ANON;
  return cacheTrim ? SCAN_FILE : SCAN_FRACTIONS;
}

/** RC-22: the shares of anonymous and file lists; what cost less lately is scanned more. */
export function scanFractions(swappiness: number, anonCost: number, fileCost: number): { anon: number; file: number } {
  const total = anonCost + fileCost;
  const whole = 3 * total + 1;
  return {
    anon: Math.floor((swappiness * whole) / (total + anonCost + 1)),
    file: Math.floor(((MAX_SWAPPINESS - swappiness) * whole) / (total + fileCost + 1)),
  };
}

/** RC-22: pages of one list to scan. `share` of `whole` is the list's type's fraction. */
export function scanAmount(
  size: number,
  priority: number,
  isFile: boolean,
  balance: number,
  share: number,
  whole: number,
): number {
  const pages = size >> priority;
  if (balance === SCAN_ALL) return pages;
  if (balance === SCAN_FRACTIONS) return Math.floor((pages * share) / whole);
  return (balance === SCAN_FILE) === isFile ? pages : 0;
}

/** Lists in the order of a round: inactive anonymous, active anonymous, inactive file, active file. */
export type Amounts = [number, number, number, number];

/** RC-25: what the next round takes of a list. */
export function roundOf(left: number): number {
  return Math.min(left, SWAP_CLUSTER_MAX);
}

/**
 * RC-25: the target is reached. The type with less left stops, and the other goes on only until it is finished to the
 * same percentage. Changes `left`.
 * @returns false if one of the types is through, which ends the pass
 */
export function cutToSamePercentage(left: Amounts, planned: Amounts): boolean {
  const anon = left[0] + left[1];
  const file = left[2] + left[3];
  if (anon === 0 || file === 0) return false;
  const stopped = file > anon ? 0 : 2;
  const percentage = Math.floor((100 * Math.min(anon, file)) / (planned[stopped] + planned[stopped + 1] + 1));
  left[stopped] = left[stopped + 1] = 0;
  const other = 2 - stopped;
  for (const list of [other, other + 1]) {
    const scanned = planned[list] - left[list];
    left[list] = Math.max(0, Math.floor((planned[list] * (100 - percentage)) / 100) - scanned);
  }
  return true;
}
