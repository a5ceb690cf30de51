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
  /** Sentences, one per value that was not measured on this machine: filled in, estimated, or remembered. */
  readonly assumed: readonly string[];
  /** Every value and where it comes from, for `mof machine show`; absent on machines made in code. */
  readonly origins?: readonly ValueOrigin[];
}

/** How well a value is known. `given`: a user's file holds it and says no more. */
export type OriginMark = 'given' | 'read' | 'derived' | 'recalled' | 'estimated' | 'assumed';

export interface ValueOrigin {
  /** Name of the value in the machine file: `latencyNs`, `faults.minorNs`. */
  readonly field: string;
  /** The value as text, with its unit. */
  readonly value: string;
  readonly mark: OriginMark;
  /** Publication, arithmetic or rule behind it; `[id]` refers to the sources of the catalogue. Empty if `given`. */
  readonly source: string;
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
  /** A whole major fault, ns: one page read from the swap device or disk, and the fault around it. */
  readonly majorFaultNs: number;
  /** One page written to the swap device or disk, ns. */
  readonly writebackNs: number;
  /** Reads and writes that the device serves at the same time; the others wait. */
  readonly deviceAtOnce: number;
  /** A page that lies behind the one that the device serves just now, and waits for it: no seek, ns. */
  readonly deviceNextNs: number;
  /** Copying one page between frames, GB/s. */
  readonly pageCopyGbs: number;
  /** How many times as fast eight threads copy; absent where nobody measured it. Only `mof cost explain` asks. */
  readonly copySpeedup?: number;
  /** A migration call, and control work per page and per huge page moved, taking their entries down included, ns. */
  readonly migrateBaseNs: number;
  readonly migratePerPageNs: number;
  readonly migratePerFolioNs: number;
  /** Inter-processor interrupts of one TLB shootdown: the first CPU told, and each further one, ns. */
  readonly ipiNs: number;
  readonly ipiFurtherNs: number;
  /** A page-table walk after a TLB miss, ns. */
  readonly walkNs: number;
}
