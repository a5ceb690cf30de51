import type { Task, Vma } from '../../mm/index.js';
import { NO_PFN, type CpuId, type Pfn } from '../../units.js';

/**
 * One page of a request: a 64-bit word of `src` or `dst` (MV section 1).
 *
 *   63          6  5 4  3     2      1       0
 *   frame number        WRITE LOCKED MIGRATE VALID
 *
 * MIGRATE without VALID is a hole: there is no page yet, and the destination is to be inserted.
 */
export const MIGRATE_PFN_VALID = 1n << 0n;
export const MIGRATE_PFN_MIGRATE = 1n << 1n;
/** [5.15] The page was locked during collect. */
export const MIGRATE_PFN_LOCKED = 1n << 2n;
export const MIGRATE_PFN_WRITE = 1n << 3n;
const MIGRATE_PFN_SHIFT = 6n;

/** The word for a frame. Kernel: migrate_pfn(). */
export const migratePfn = (pfn: Pfn): bigint => (BigInt(pfn) << MIGRATE_PFN_SHIFT) | MIGRATE_PFN_VALID;
/** The frame of a word, or `NO_PFN`. Kernel: migrate_pfn_to_page(). */
export const frameOfWord = (word: bigint): Pfn =>
  (word & MIGRATE_PFN_VALID) === 0n ? NO_PFN : (Number(word >> MIGRATE_PFN_SHIFT) as Pfn);
export const isMigrating = (word: bigint): boolean => (word & MIGRATE_PFN_MIGRATE) !== 0n;
export const isHole = (word: bigint): boolean =>
  (word & (MIGRATE_PFN_MIGRATE | MIGRATE_PFN_VALID)) === MIGRATE_PFN_MIGRATE;

/** Which pages a request selects. The model has no coherent device memory: its bit (4) is accepted and selects nothing. */
export const MIGRATE_VMA_SELECT_SYSTEM = 1;
export const MIGRATE_VMA_SELECT_DEVICE_PRIVATE = 2;

/** Kernel: struct migrate_vma, include/linux/migrate.h. */
export interface MigrateVmaRequest {
  /** Who asks: its CPU does the work and pays. */
  readonly task: Task;
  /** null: none was found, and setup says EINVAL. */
  readonly vma: Vma | null;
  /** Page numbers: [start, end). */
  readonly start: number;
  readonly end: number;
  /** One word per page, filled by setup; null: forgotten, EINVAL. */
  readonly src: BigUint64Array | null;
  /** One word per page, for the driver to fill between setup and pages. */
  readonly dst: BigUint64Array | null;
  readonly select: number;
  /** Owner of the device memory that may be selected. */
  readonly owner?: string | null;
  /** [6.x] The page whose CPU fault is being served, which holds one reference more. */
  readonly faultPage?: Pfn;
}

/**
 * A request on its way through setup, pages and finalize. The straight driver takes all steps of one call; a table driver
 * has one per actor, and may let others act between any two.
 */
export class MigrateVma {
  readonly cpu: CpuId;
  readonly vma: Vma | null;
  readonly start: number;
  readonly src: BigUint64Array;
  readonly dst: BigUint64Array;
  readonly select: number;
  readonly owner: string | null;
  readonly faultPage: Pfn;
  /** Words in use, and entries that are (still) to migrate. */
  npages = 0;
  cpages = 0;
  /** What setup returns: 0 or -EINVAL. */
  result = 0;

  /** Next step, or DONE at the end of each of the three calls. */
  next = 0;
  /** The entry in hand, and its page. */
  at = 0;
  pfn = NO_PFN;
  /** Collect holds the page-table lock of the address space: others who change entries wait. */
  holdsTables = false;
  /** Present entries that collect replaced in this page table, and how many CPUs their flush interrupts. */
  replaced = 0;
  interrupted = 0;
  /** All CPUs' vectors were drained once already. */
  hasDrained = false;
  /** [5.15] The page in hand was locked by prepare, so collect has put no migration entry there. */
  lockedLate = false;
  /** Pages that are to be put back, and entries left unmapped, holes included. */
  restore = 0;
  unmapped = 0;

  constructor(readonly request: MigrateVmaRequest) {
    this.cpu = request.task.cpu;
    this.vma = request.vma;
    this.start = request.start;
    this.src = request.src ?? new BigUint64Array(0);
    this.dst = request.dst ?? new BigUint64Array(0);
    this.select = request.select;
    this.owner = request.owner ?? null;
    this.faultPage = request.faultPage ?? NO_PFN;
  }

  /** Of the word in hand. */
  get word(): bigint {
    return this.src[this.at];
  }
  set word(word: bigint) {
    this.src[this.at] = word;
  }
  /** Page number of the entry in hand. */
  get vpn(): number {
    return this.start + this.at;
  }
}

/** The call is at its end. */
export const MIGRATE_VMA_DONE = 0;
/** Somebody else changes entries of that address space: nothing was done, take the same step again later. */
export const MIGRATE_VMA_WAIT = -1;

/** First steps of the calls; each file has the steps from its number on. Another actor may come in between any two. */
export const SETUP = 1;
export const TAKE_RANGE = 8;
export const SETTLE = 10;
export const PAGES = 30;
export const FINALIZE = 40;
