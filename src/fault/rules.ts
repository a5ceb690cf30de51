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

/** Which faults may migrate, and what is read ahead. Switches of a run. */
export interface FaultSwitches {
  hookSwap: boolean;
  hookFile: boolean;
  hookShmem: boolean;
  /** vm.page-cluster: 2^n swap slots are read together. */
  pageCluster: number;
  /** Read-around of mapped files: 32 pages. */
  readonly readahead: boolean;
  /** fault_around_bytes: 16 cached pages are mapped by one read fault. */
  faultAround: boolean;
}
