import type { Block, NodeMask } from '../mm/index.js';
import { C, type Counters } from '../stats/index.js';
import type { CpuId, NodeId } from '../units.js';
import type { Kswapd } from './kswapd.js';
import type { Listed } from './listed.js';
import { DEF_PRIORITY, Scan, SWAP_CLUSTER_MAX, type NodeScanner } from './scan.js';

export interface DirectParts {
  readonly block: Block;
  readonly counters: Counters;
  readonly scanner: NodeScanner;
  readonly kswapd: Kswapd;
  readonly listed: Listed;
}

/**
 * A task frees pages for itself on the nodes it may allocate on, and pays for it. Kernel: try_to_free_pages().
 * @returns whether there was progress: something was freed, or a write ended that reclaim waited for
 */
export type DirectReclaim = (start: NodeId, mask: NodeMask | null, allowed: NodeMask | null, cpu: CpuId) => boolean;

/** RC-17, RC-18. As in scanLists(), a page whose write was started counts when it asks whether to try harder. */
export function makeDirectReclaim({ block, counters, scanner, kswapd, listed }: DirectParts): DirectReclaim {
  const scan = new Scan(false);
  const { nodes } = listed;

  function shrinkOnce(count: number): void {
    for (let i = 0; i < count; i++) {
      const node = nodes[i] as NodeId;
      const freedBefore = scan.reclaimed;
      scanner.shrink(node, scan);
      if (scan.reclaimed > freedBefore) kswapd.revive(node);
    }
  }

  function attempt(count: number): void {
    counters.inc(C.allocstall_normal);
    for (scan.priority = DEF_PRIORITY; scan.priority >= 0; scan.priority--) {
      shrinkOnce(count);
      if (scan.reclaimed + scan.started >= SWAP_CLUSTER_MAX) break;
    }
    for (let i = 0; i < count; i++) scanner.finish(nodes[i] as NodeId, scan);
  }

  function inFlight(count: number): number {
    let writes = 0;
    for (let i = 0; i < count; i++) writes += block.inFlightOn(nodes[i] as NodeId);
    return writes;
  }

  /** RC-18: until the first write on a listed node has ended; those started before it end too. */
  function waitForWrite(count: number): boolean {
    const before = inFlight(count);
    if (before === 0) return false;
    while (inFlight(count) >= before) block.waitForFirst();
    return true;
  }

  return (start, mask, allowed, cpu) => {
    const count = listed.list(start, mask, allowed);
    block.completeDue();
    scan.begin(cpu, SWAP_CLUSTER_MAX);
    attempt(count);
    if (scan.reclaimed + scan.started === 0 && scan.skippedDeactivate) {
      scan.forceDeactivate = true;
      attempt(count);
    }
    return scan.reclaimed > 0 || waitForWrite(count) || scan.started > 0;
  };
}
