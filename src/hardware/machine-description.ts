/**
 * A machine as data: what a machine file holds after it was checked and its gaps were filled. Plain, so that it can
 * cross to a worker thread. Bundled ones are in data/machines.json; machine-file.ts reads a user's.
 */
export interface MachineDescription {
  readonly name: string;
  readonly title: string;
  readonly nodes: readonly NodeDescription[];
  /** SLIT, row = from: 10 on the diagonal, 10..254 elsewhere. Need not be symmetric. */
  readonly distance: readonly (readonly number[])[];
  readonly cost: CostDescription;
  /** Sentences, one per value that was not known and was filled in. */
  readonly assumed: readonly string[];
}

export interface NodeDescription {
  /** Logical CPU numbers; empty: a memory-only node. */
  readonly cpus: readonly number[];
  /** 4 KiB pages; 0: a node without memory. */
  readonly pages: number;
  /** ZONE_MOVABLE instead of ZONE_NORMAL. */
  readonly movable?: boolean;
}

export interface CostDescription {
  /** Idle latency of one access that reaches memory, ns, [CPU's node][memory's node]. */
  readonly latencyNs: readonly (readonly number[])[];
  /** Peak bandwidth, GB/s (10^9 bytes), [CPU's node][memory's node]: the diagonal is what one node's memory delivers. */
  readonly bandwidthGbs: readonly (readonly number[])[];
  /** Anonymous first touch, zeroing included, ns. */
  readonly minorFaultNs: number;
  /** One page read from the swap device or disk, ns, and one written. */
  readonly majorFaultNs: number;
  readonly writebackNs: number;
  /** Copying one page between frames, GB/s. */
  readonly pageCopyGbs: number;
  /** A migration call, and control work per page moved, ns. */
  readonly migrateBaseNs: number;
  readonly migratePerPageNs: number;
  /** One inter-processor interrupt for a TLB shootdown, ns. */
  readonly ipiNs: number;
  /** A page-table walk after a TLB miss, ns. */
  readonly walkNs: number;
}
