import type { Meter } from '../cost/index.js';
import { type Block, MARK_HIGH, MARK_PROMO, type Zones } from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import type { CpuId, NodeId } from '../units.js';
import { DEF_PRIORITY, Scan, SWAP_CLUSTER_MAX, type NodeScanner } from './scan.js';

/** Runs in a row that freed nothing, after which a node's reclaimer is not woken any more (RC-15). */
export const MAX_RECLAIM_RETRIES = 16;

export interface KswapdParts {
  readonly zones: Zones;
  readonly block: Block;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly scanner: NodeScanner;
}

export interface KswapdOptions {
  /** 6.12: RC-16. */
  readonly retriesWithoutCacheTrim: boolean;
  /** Memory tiering: the run goes on to the promo mark (TI-17). */
  readonly tiering: boolean;
}

/** The background reclaimers, one per node. Kernel: kswapd(), mm/vmscan.c. */
export interface Kswapd {
  /** RC-15: notes that the node's reclaimer is to run, unless the node is balanced or its reclaimer has given up. */
  wake(node: NodeId): void;
  /**
   * Runs what was woken, on this CPU's behalf. It runs on a clock of its own: the task whose allocation woke it pays
   * nothing and loses no time (RC-18).
   */
  runWoken(cpu: CpuId): void;
  /** The node has no memory any more: its reclaimer ends, until `start` (HR-20, HR-24). Kernel: kswapd_stop(), kswapd_run(). */
  stop(node: NodeId): void;
  start(node: NodeId): void;
  /** Somebody freed pages on the node: its reclaimer may be woken again. */
  revive(node: NodeId): void;
}

/**
 * RC-15, RC-16. A page whose write is in flight counts as good as free when a run asks whether to go on: its frame comes
 * when the write ends. Without that a run, which takes no time here, would write out whole nodes for want of a free page.
 */
export function makeKswapd(parts: KswapdParts, { retriesWithoutCacheTrim, tiering }: KswapdOptions): Kswapd {
  const { zones, block, counters, meter, scanner } = parts;
  const endMark = tiering ? MARK_PROMO : MARK_HIGH;
  const failures = new Int32Array(zones.nodeCount);
  const woken = new Uint8Array(zones.nodeCount);
  const stopped = new Uint8Array(zones.nodeCount);
  const scan = new Scan(true);
  let wokenCount = 0;

  function wake(node: NodeId): void {
    if (
      woken[node] !== 0 ||
      stopped[node] !== 0 ||
      failures[node] >= MAX_RECLAIM_RETRIES ||
      zones.isAbove(node, endMark)
    )
      return;
    woken[node] = 1;
    wokenCount++;
  }

  function willBeBalanced(node: NodeId): boolean {
    return zones.free(node) + block.inFlightOn(node) > zones.mark(node, endMark);
  }

  /** RC-16: passes at falling priority. @returns whether the node is, or will be, balanced */
  function balance(node: NodeId): boolean {
    scan.priority = DEF_PRIORITY;
    while (scan.priority >= 1) {
      if (willBeBalanced(node)) return true;
      scanner.ageAnon(node, scan);
      const freedBefore = scan.reclaimed;
      scan.scanned = 0;
      scanner.shrink(node, scan);
      if (scan.scanned < scan.target || scan.reclaimed === freedBefore) scan.priority--;
    }
    return false;
  }

  function run(node: NodeId, cpu: CpuId): void {
    block.completeDue();
    if (willBeBalanced(node)) return;
    counters.inc(C.pageoutrun);
    scan.begin(cpu, Math.max(zones.mark(node, MARK_HIGH), SWAP_CLUSTER_MAX));
    let isBalanced = balance(node);
    if (!isBalanced && retriesWithoutCacheTrim && scan.reclaimed === 0 && scan.cacheTrimFailed) {
      scan.noCacheTrim = true;
      isBalanced = balance(node);
    }
    if (scan.reclaimed > 0) failures[node] = 0;
    else if (!isBalanced) failures[node]++;
    scanner.finish(node, scan);
  }

  function runWoken(cpu: CpuId): void {
    if (wokenCount === 0) return;
    const taskNs = meter.nowNs;
    for (let node = 0; node < woken.length; node++) {
      if (woken[node] === 0) continue;
      woken[node] = 0;
      run(node as NodeId, cpu);
      meter.nowNs = taskNs;
    }
    wokenCount = 0;
  }

  return {
    wake,
    runWoken,
    stop(node) {
      if (woken[node] !== 0) wokenCount--;
      woken[node] = 0;
      stopped[node] = 1;
    },
    start(node) {
      stopped[node] = 0;
      failures[node] = 0;
    },
    revive(node) {
      failures[node] = 0;
    },
  };
}
