import type { NodeId } from '../units.js';

/**
 * What things take, in ns of virtual time. The engine adds these up on the clock of the CPU concerned.
 *
 * An embedding program can bind its own; the default is `LoadedLatency`. Every method is called in the hot loop and
 * makes no object. Same calls in the same order, same answers.
 */
export interface CostModel {
  /** `hits` accesses served by caches and `misses` by memory of `memNode`, made by a CPU of `cpuNode`, under the load of now. */
  accessNs(cpuNode: NodeId, memNode: NodeId, hits: number, misses: number): number;
  /**
   * Accounts the bytes of `misses` to the memory and the link they used; they are felt from the next epoch on. Page
   * copies may be charged as 64 misses on each side.
   */
  charge(cpuNode: NodeId, memNode: NodeId, misses: number): void;
  /**
   * Virtual time has come to `nowNs`; closes the epoch when it is over. Give the clock of the *furthest behind* of the
   * running threads: when one thread's quantum runs ahead of the others, what they do in the same time is still to come.
   * A time in the past changes nothing.
   */
  advance(nowNs: number): void;

  /** A page-table walk after a TLB miss. */
  readonly walkNs: number;
  /** What the CPU does for a fault, without waiting for a device and without moving a page. */
  faultNs(kind: FaultKind): number;
  /** Clearing one page; contained in the fault kinds that hand out a cleared page. */
  readonly zeroingNs: number;
  /** Copying one page between frames of these nodes. Contained in `FaultKind.cow`. */
  copyNs(fromNode: NodeId, toNode: NodeId): number;
  /** A call that moves pages (move_pages, migrate_pages, mbind), whatever it moves. A migration on a fault has none. */
  readonly migrateCallNs: number;
  /** Moving one page, its copy not included; taking its entry down and putting it back is. */
  readonly migratePageNs: number;
  /** The same of a huge page, which has one entry. */
  readonly migrateHugeNs: number;
  /** Looking at one page table entry while a call or a scanner walks a range. */
  readonly scanPageNs: number;
  /** Taking down one mapping of a page, so that its next use faults. */
  readonly unmapPageNs: number;
  /** A read or write call that finds one page of the page cache, the copying of its bytes not included. */
  readonly fileCallNs: number;
  /** Telling `cpuCount` other CPUs to flush their TLBs. */
  shootdownNs(cpuCount: number): number;
  /** The device's part of a major fault: one page read from swap or disk. */
  readonly swapReadNs: number;
  /** One page written to swap or disk. */
  readonly writebackNs: number;
  /** Reads and writes that the device serves at the same time; the others wait for it. */
  readonly deviceAtOnce: number;
  /** Its part for a page that waits behind its neighbour on the device: nothing to seek. */
  readonly deviceNextNs: number;

  /** Sentences for the report: what these numbers take for granted. */
  readonly assumptions: readonly string[];
}

/** The kinds of fault that cost differently. */
export const FaultKind = {
  /** First write to anonymous or shared memory: a cleared page. */
  anon: 0,
  /** First read of anonymous memory: the zero page is mapped. */
  zeroPage: 1,
  /** First write where the zero page is mapped. */
  zeroPageWrite: 2,
  /** A page of the page cache is mapped. */
  fileMinor: 3,
  /** Write to a page shared since fork: allocated and copied. */
  cow: 4,
  /** A page of the swap cache is mapped: a minor fault without clearing. */
  swapCache: 5,
  /** Write to a page that is write-protected and may simply be made writable: nothing is allocated. */
  writeInPlace: 6,
  /** The CPU's part of a fault that reads from swap or disk; `swapReadNs` comes on top. */
  major: 7,
} as const;
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];
