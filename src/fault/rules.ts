/** Rule variant `swapHook`: where doSwapPage calls the check, and whether it skips writes that will copy (FP 8, FP-20). */
export interface SwapHook {
  /** [MoF-0.x] Between S7 and S8 with the pte lock held: each move sleeps where it must not (FP-50). */
  readonly underPtl: boolean;
  /** A page that the write will copy is not moved first. */
  readonly skipsCopies: boolean;
}
export const swapHookBeforePtl: SwapHook = { underPtl: false, skipsCopies: true };
export const swapHookUnderPtl: SwapHook = { underPtl: true, skipsCopies: false };

/** Rule variant `swapIn`: how a page that came from the swap cache is mapped. */
export interface SwapIn {
  /** [6.12] A read maps an exclusive page writable; [6.1, 2.6.16] read-only, and the first write costs a fault (K section 7). */
  readonly readMapsWritable: boolean;
  /** [2.6.16] The page leaves the swap cache (S10) only if nobody else holds a reference, a vector included. */
  readonly leavesCacheOnlyAlone: boolean;
}
export const swapInWritable: SwapIn = { readMapsWritable: true, leavesCacheOnlyAlone: false };
export const swapInReadOnly: SwapIn = { readMapsWritable: false, leavesCacheOnlyAlone: false };
export const swapIn2616: SwapIn = { readMapsWritable: false, leavesCacheOnlyAlone: true };

/**
 * Rule variant `faultReference`: whether a fault counts as a use of the page beside the young bit of its entry.
 * [2.6.16] S4 and filemap_nopage mark the page accessed, so a second fault makes it active; [6.x] they do not (RC-20: only
 * read() and the end of a young file mapping do).
 */
export interface FaultReference {
  readonly marks: boolean;
}
export const faultMarksAccessed: FaultReference = { marks: true };
export const faultLeavesNoMark: FaultReference = { marks: false };

/** Rule variant `copyOrder`: whether a write to private file memory takes the page for its copy first (6.x), or last (2.6.16). */
export interface CopyOrder {
  readonly copyFirst: boolean;
}
export const copyBeforePage: CopyOrder = { copyFirst: true };
export const copyAfterPage: CopyOrder = { copyFirst: false };

/**
 * Rule variant `faultRetry`: how a fault is counted that waited for a file and was taken again (K-A9). A fault of the task
 * itself that had to read is major, one of populate minor, on every kernel.
 */
export interface FaultRetry {
  /** [6.1] One that only met the mark of read-ahead is major too; [6.12] it began without the lock, and counts as the first. */
  readonly markIsMajor: boolean;
  /** [6.1] pgfault counts it each time it is taken; [6.12] once. */
  readonly countsEach: boolean;
  /** [6.12] madvise(POPULATE) knows that it comes again: major, as for the task itself. [6.1] It counts as populate. */
  readonly adviceIsTask: boolean;
}
export const faultRetry61: FaultRetry = { markIsMajor: true, countsEach: true, adviceIsTask: false };
export const faultRetry612: FaultRetry = { markIsMajor: false, countsEach: false, adviceIsTask: true };

/**
 * Rule variant `entryWait` (FP-3, R-21): what a fault on a migration entry holds while it waits for the page lock. With a
 * reference of its own it makes the count one too high, and the very move that it waits for fails.
 */
export interface EntryWait {
  readonly takesReference: boolean;
}
/** [2.6.18, until 5.16] */
export const entryWaitWithReference: EntryWait = { takesReference: true };
/** [5.17, 6.x] */
export const entryWaitWithoutReference: EntryWait = { takesReference: false };

/** Which faults may migrate, and what is read ahead. Switches of a run. */
export interface FaultSwitches {
  hookSwap: boolean;
  hookFile: boolean;
  hookShmem: boolean;
  /** vm.page-cluster: 2^n swap slots are read together. */
  pageCluster: number;
  /** Read-around of mapped files: 32 pages. */
  readonly readahead: boolean;
  /** fault_around_bytes: 16 cached pages are mapped by one read fault, or as many as this says: a power of two. */
  faultAround: boolean;
  faultAroundPages?: number;
}
