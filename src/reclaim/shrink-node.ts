import { PRICE } from '../cost/index.js';
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  MARK_HIGH,
  PG_ACTIVE,
  PG_WORKINGSET,
} from '../mm/index.js';
import { C } from '../stats/index.js';
import type { NodeId, Pfn } from '../units.js';
import type { ReclaimCostRule, ReclaimCosts } from './cost.js';
import type { NodeScannerParts } from './parts.js';
import {
  cutToSamePercentage,
  inactiveIsLow,
  isCacheTrim,
  isFileTiny,
  roundOf,
  scanAmount,
  scanBalance,
  scanFractions,
  type Amounts,
  type NodeView,
} from './scan-amounts.js';
import { DEF_PRIORITY, SWAP_CLUSTER_MAX, type NodeScanner, type Scan } from './scan.js';
import { lruPages, type Workingset } from './workingset.js';

export interface ShrinkNodeParts extends NodeScannerParts {
  readonly costs: ReclaimCosts;
  readonly workingset: Workingset;
}

/** [6.x] Four lists per node. Kernel: shrink_node(), shrink_lruvec(), shrink_active_list(), mm/vmscan.c. */
export function makeShrinkNode(parts: ShrinkNodeParts, cost: ReclaimCostRule): NodeScanner {
  const { frames, zones, lru, swap, counters, meter, batch, reference, costs, workingset, shrinkInactive } = parts;
  const { swappiness } = parts;
  const view: NodeView = { inactiveAnon: 0, activeAnon: 0, inactiveFile: 0, activeFile: 0, free: 0, high: 0 };
  const left: Amounts = [0, 0, 0, 0];
  const planned: Amounts = [0, 0, 0, 0];
  let deactivatesAnon = false;
  let deactivatesFile = false;
  let cacheTrim = false;

  function lookAt(node: NodeId): void {
    view.inactiveAnon = lru.size(node, LRU_INACTIVE_ANON);
    view.activeAnon = lru.size(node, LRU_ACTIVE_ANON);
    view.inactiveFile = lru.size(node, LRU_INACTIVE_FILE);
    view.activeFile = lru.size(node, LRU_ACTIVE_FILE);
    view.free = zones.free(node);
    view.high = zones.mark(node, MARK_HIGH);
  }

  /** RC-22..RC-24: what this pass may deactivate, and how much it scans of each list. */
  function plan(node: NodeId, scan: Scan): void {
    lookAt(node);
    deactivatesAnon =
      scan.forceDeactivate || workingset.hasMoved(node, false) || inactiveIsLow(view.inactiveAnon, view.activeAnon);
    deactivatesFile =
      scan.forceDeactivate || workingset.hasMoved(node, true) || inactiveIsLow(view.inactiveFile, view.activeFile);
    const { priority } = scan;
    cacheTrim = !scan.noCacheTrim && isCacheTrim(view, priority, deactivatesFile);
    const fileTiny = isFileTiny(view, priority, deactivatesAnon);
    const balance = scanBalance(swap.free > 0, priority, swappiness, fileTiny, cacheTrim);
    const { anon, file } = scanFractions(swappiness, costs.anon(node), costs.file(node));
    for (let list = LRU_INACTIVE_ANON; list <= LRU_ACTIVE_FILE; list++) {
      const isFile = list >= LRU_INACTIVE_FILE;
      const share = isFile ? file : anon;
      left[list] = planned[list] = scanAmount(lru.size(node, list), priority, isFile, balance, share, anon + file);
    }
  }

  function scanInactive(node: NodeId, list: number, count: number, scan: Scan): void {
    const freedBefore = scan.reclaimed;
    scan.written = 0;
    const looked = shrinkInactive(node, list, count, scan);
    if (looked === 0) return;
    const amount = cost.ofScan(scan.written, looked, scan.reclaimed - freedBefore);
    costs.add(node, list === LRU_INACTIVE_FILE, amount, lruPages(lru, node));
  }

  /** RC-32: code that was used stays; all others go to the inactive list, marked as part of the working set. */
  function scanActive(node: NodeId, list: number, count: number, scan: Scan): void {
    lru.drain(scan.cpu);
    const taken = batch.take(node, list, count);
    if (taken === 0) return;
    meter.payTimes(scan.account, PRICE.scanPage, taken);
    counters.add(C.pgrefill, taken);
    let kept = 0;
    for (let i = 0; i < taken; i++) {
      const pfn = batch.pages[i] as Pfn;
      if (reference.isUsedCode(pfn)) kept++;
      else {
        frames.clear(pfn, PG_ACTIVE);
        frames.set(pfn, PG_WORKINGSET);
      }
    }
    for (let i = 0; i < taken; i++) batch.giveBack(batch.pages[i] as Pfn);
    counters.add(C.pgdeactivate, taken - kept);
    if (kept > 0) costs.add(node, list === LRU_ACTIVE_FILE, cost.ofKeptActive(kept), lruPages(lru, node));
  }

  function scanList(node: NodeId, list: number, count: number, scan: Scan): void {
    if (list === LRU_INACTIVE_ANON || list === LRU_INACTIVE_FILE) scanInactive(node, list, count, scan);
    else if (list === LRU_ACTIVE_ANON ? deactivatesAnon : deactivatesFile) scanActive(node, list, count, scan);
    else scan.skippedDeactivate = true;
  }

  /** RC-25. A page whose write was started counts towards the target like one freed: it goes when the write ends. */
  function scanLists(node: NodeId, scan: Scan): void {
    const goal = scan.reclaimed + scan.started + scan.target;
    const scansAll = !scan.isBackground && scan.priority === DEF_PRIORITY;
    while (left[LRU_INACTIVE_ANON] > 0 || left[LRU_ACTIVE_FILE] > 0 || left[LRU_INACTIVE_FILE] > 0) {
      for (let list = LRU_INACTIVE_ANON; list <= LRU_ACTIVE_FILE; list++) {
        if (left[list] === 0) continue;
        const count = roundOf(left[list]);
        left[list] -= count;
        scanList(node, list, count, scan);
      }
      if (scan.reclaimed + scan.started < goal || scansAll) continue;
      if (!cutToSamePercentage(left, planned)) break;
    }
  }

  function ageAnon(node: NodeId, scan: Scan): void {
    if (swap.slots === 0) return;
    if (!inactiveIsLow(lru.size(node, LRU_INACTIVE_ANON), lru.size(node, LRU_ACTIVE_ANON))) return;
    scanActive(node, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX, scan);
  }

  function shrink(node: NodeId, scan: Scan): void {
    const freedBefore = scan.reclaimed;
    plan(node, scan);
    scanLists(node, scan);
    ageAnon(node, scan);
    if (scan.reclaimed === freedBefore && cacheTrim) scan.cacheTrimFailed = true;
  }

  return { ageAnon, shrink, finish: (node) => workingset.snapshot(node) };
}
