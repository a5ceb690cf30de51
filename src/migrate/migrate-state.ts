import type { Place } from '../mm/index.js';
import { NO_PFN, type CpuId, type Pfn } from '../units.js';

/** Where the copy of a page goes: a new frame with one reference, or `NO_PFN`. */
export type NewPage = (old: Pfn) => Pfn;

/** A page whose entries name it as being moved, and where it goes. Both are locked. */
interface Unmapped {
  readonly old: Pfn;
  readonly fresh: Pfn;
}

/** One call of migratePages() on its way. The straight driver makes one per call, a table driver one per actor. */
export class MigrateState {
  /** Pages that did not move. */
  failed = 0;
  /** There was no frame: the call ends once what is unmapped has moved. */
  noMemory = false;
  /** Next step for a table driver. */
  next = 0;

  /** The page in hand and its new frame. */
  old = NO_PFN;
  fresh = NO_PFN;
  /** Pages of the call that no batch has had yet begin here. */
  rest = 0;
  /** A leftover that is taken singly, with sleeping locks; else a batch, which only tries. */
  isSingle = false;
  /** Passes over `queue`, then over `unmapped`, that are behind us. */
  pass = 0;
  /** Pages to be unmapped in this pass, and those that the next one tries again. */
  queue: Pfn[] = [];
  again: Pfn[] = [];
  unmapped: Unmapped[] = [];
  unmappedAgain: Unmapped[] = [];
  /** Pages of a huge page that was broken up, which are moved when the batch is over; and whether it is their turn (HP-61). */
  parts: Pfn[] = [];
  isParts = false;
  /** `failed` before that turn. */
  failedBefore = 0;
  /** What the batch could not move. */
  leftovers: Pfn[] = [];
  /** The walk over the places of the page in hand, between two of its steps. */
  places: Iterator<Place, void> | null = null;
  /** CPUs that the flush has to interrupt. */
  interrupted = 0;
  /** The page in hand has moved: its entries are to show the new frame, else the old one again. */
  hasMoved = false;
  /** The page in hand goes back because it is to be written first (fallback of a mapping without an operation). */
  writesOut = false;
  /** The page in hand could not be unmapped: the next pass tries it again. */
  triesAgain = false;

  /** @param pages isolated, each with the isolation's reference, in order */
  constructor(
    readonly pages: readonly Pfn[],
    readonly newPage: NewPage,
    readonly cpu: CpuId,
  ) {}
}
