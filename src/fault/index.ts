/**
 * Serving faults: what happens when `translate()` gave a reason instead of a frame.
 *
 * `handleMmFault` tells the kinds apart by what the page-table entry holds; each kind is a file. They find or allocate a
 * page (by policy, through placement.ts), ask migrate/ whether a page found in a cache is misplaced, map it and return
 * an outcome. Called by engine/ only. Always holds: an outcome is a number, nothing is thrown, and a fatal outcome has
 * changed nothing.
 */
export { makeAnonFault } from './anon.js';
export { makeCowFault, type CowFault } from './cow.js';
export { makeDeviceFault } from './device.js';
export { FaultState } from './fault-state.js';
export { makeFileFault, type FileFault } from './file.js';
export { makeHandleMmFault, type HandleMmFault } from './handle-fault.js';
export { makeHugeShmem } from './huge-shmem.js';
export { makeHintFault } from './hint-fault.js';
export { makeHugeFault } from './huge.js';
export { isFatal, MAJOR, MINOR, OOM, RETRY, SIGBUS, SIGSEGV, type Outcome } from './outcome.js';
export { makePlacement, type Placement } from './placement.js';
export {
  copyAfterPage,
  copyBeforePage,
  entryWaitWithoutReference,
  entryWaitWithReference,
  faultLeavesNoMark,
  faultRetry61,
  faultRetry612,
  faultMarksAccessed,
  swapHookBeforePtl,
  swapHookUnderPtl,
  swapIn2616,
  swapInReadOnly,
  swapInWritable,
  type CopyOrder,
  type EntryWait,
  type FaultReference,
  type FaultRetry,
  type FaultSwitches,
  type SwapHook,
  type SwapIn,
} from './rules.js';
export { makeShmemFault, type ShmemFault } from './shmem.js';
export { DONE, firstStep, makeSwapFault, S2, S6, WAIT, type SwapFault } from './swap.js';
export { makeSwapRead, type SwapRead } from './swap-read.js';
export { readAheadByArea61, readAheadByArea612, readAheadBySlots, type SwapReadAhead } from './swap-window.js';
