import { int32s } from '../arrays.js';
import { SWAP_CLUSTER_MAX } from './scan.js';

/**
 * Rule variant: what reclaim counts as the cost of a type of pages (RC-26). Kernel: lru_note_cost(), mm/swap.c.
 */
export interface ReclaimCostRule {
  /** After a batch of inactive pages. */
  ofScan(written: number, scanned: number, freed: number): number;
  /** A marked page came back. */
  readonly ofRefault: number;
  /** After a batch of active pages, some of which stay (RC-32). */
  ofKeptActive(pages: number): number;
}

/** [6.12] I/O weighs as much as 32 pages that were looked at for nothing. */
export const reclaimCost612: ReclaimCostRule = {
  ofScan: (written, scanned, freed) => SWAP_CLUSTER_MAX * written + scanned - freed,
  ofRefault: SWAP_CLUSTER_MAX,
  ofKeptActive: (pages) => pages,
};
/** [6.1] Only I/O counts. */
export const reclaimCost61: ReclaimCostRule = {
  ofScan: (written) => written,
  ofRefault: 1,
  ofKeptActive: () => 0,
};

/** The costs of each node, by type: what tells a pass whether anonymous or file pages are cheaper to take (RC-22). */
export class ReclaimCosts {
  private readonly cells: Int32Array;

  constructor(nodeCount: number) {
    this.cells = int32s(2 * nodeCount);
  }

  anon(node: number): number {
    return this.cells[2 * node];
  }
  file(node: number): number {
    return this.cells[2 * node + 1];
  }

  /**
   * Adds to a type's cost; both are halved when they exceed a quarter of the node's pages, so that old events fade.
   * @param lruPages pages on the node's four lists
   */
  add(node: number, isFile: boolean, cost: number, lruPages: number): void {
    const cells = this.cells;
    const anon = 2 * node;
    cells[isFile ? anon + 1 : anon] += cost;
    if (cells[anon] + cells[anon + 1] <= Math.floor(lruPages / 4)) return;
    cells[anon] >>= 1;
    cells[anon + 1] >>= 1;
  }
}
