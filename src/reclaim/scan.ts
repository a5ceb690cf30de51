import { ACCOUNT_BACKGROUND, ACCOUNT_FAULT } from '../cost/index.js';
import { C } from '../stats/index.js';
import type { CpuId, NodeId } from '../units.js';

/** Pages taken off a list at a time, and what a direct reclaim wants to free. Kernel: SWAP_CLUSTER_MAX. */
export const SWAP_CLUSTER_MAX = 32;
/** Priority a reclaim starts with: it looks at size >> priority pages of each list. */
export const DEF_PRIORITY = 12;

/**
 * One reclaim under way: who does it, how hard it tries, what it may do, how far it got. One is made per kind of
 * reclaimer and begun anew for each run. Kernel: struct scan_control, mm/vmscan.c.
 */
export class Scan {
  cpu = 0 as CpuId;
  priority = DEF_PRIORITY;
  /** Pages that one pass over one node should free. */
  target = SWAP_CLUSTER_MAX;
  /** node_reclaim may forbid both (RC-65). */
  mayUnmap = true;
  mayWrite = true;
  /** madvise(PAGEOUT) takes pages whether they were used or not. */
  ignoresReferences = false;
  /** Freed since `begin`. */
  reclaimed = 0;
  /** Inactive pages whose lock was taken, since whoever reads it set it to 0. */
  scanned = 0;
  /** Written by reclaim itself, since whoever reads it set it to 0 (RC-26). */
  written = 0;
  /** Writes started and not ended, since `begin`: those pages go when their write ends. */
  started = 0;
  forceDeactivate = false;
  /** A type was not deactivated although its list was to be scanned (RC-17). */
  skippedDeactivate = false;
  /** RC-16: the pass is made once more without preferring inactive file pages. */
  noCacheTrim = false;
  cacheTrimFailed = false;

  constructor(readonly isBackground: boolean) {}

  begin(cpu: CpuId, target: number): void {
    this.cpu = cpu;
    this.priority = DEF_PRIORITY;
    this.target = target;
    this.mayUnmap = true;
    this.mayWrite = true;
    this.reclaimed = 0;
    this.scanned = 0;
    this.written = 0;
    this.started = 0;
    this.forceDeactivate = false;
    this.skippedDeactivate = false;
    this.noCacheTrim = false;
    this.cacheTrimFailed = false;
  }

  /** Who pays: the task that reclaims, or the background reclaimer on its own clock (RC-18). */
  get account(): number {
    return this.isBackground ? ACCOUNT_BACKGROUND : ACCOUNT_FAULT;
  }
  get scanCounter(): number {
    return this.isBackground ? C.pgscan_kswapd : C.pgscan_direct;
  }
  get stealCounter(): number {
    return this.isBackground ? C.pgsteal_kswapd : C.pgsteal_direct;
  }
}

/** How the lists of one node are aged and shrunk: a part of the rule variant `reclaim`. */
export interface NodeScanner {
  /** RC-16: moves on a few active anonymous pages before the pass, if their inactive list is low. */
  ageAnon(node: NodeId, scan: Scan): void;
  /** One pass over one node at `scan.priority`. */
  shrink(node: NodeId, scan: Scan): void;
  /** A reclaim that looked at the node has ended. */
  finish(node: NodeId, scan: Scan): void;
}
