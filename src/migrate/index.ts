/**
 * Moving pages: the check for misplaced pages in a fault, lazy unmapping, the ways out to swap, to other nodes and to device memory.
 *
 * Each migration is the named steps of the rules as functions (M0..M9, P1..P13, D- and V-), taken in straight line or one at a time. fault/ and engine/
 * call them; they act on mm/ and never decide where a page should be: that is the policy's answer. Always holds: a
 * migration that fails leaves flags, references, caches and contents as found (FP-70), with the reason counted.
 */
export { makeCollapse, type CollapseBlock, type Collapsed, type CollapseLimits } from './collapse.js';
export { makeCopyPage, type CopyPage } from './copy-page.js';
export { makeMoveHuge, type MoveHuge } from './move-huge.js';
export { makeBreakUp, makeSplitHuge, type BreakUp, type SplitHuge } from './split-huge.js';
export { makeMigrateVma, type MigrateVmaCalls } from './device/device.js';
export {
  frameOfWord,
  isHole,
  isMigrating,
  MIGRATE_PFN_LOCKED,
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_VALID,
  MIGRATE_PFN_WRITE,
  MIGRATE_VMA_DONE,
  MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
  MIGRATE_VMA_SELECT_SYSTEM,
  MIGRATE_VMA_WAIT,
  FINALIZE as MIGRATE_VMA_FINALIZE,
  PAGES as MIGRATE_VMA_PAGES,
  SETUP as MIGRATE_VMA_SETUP,
  migratePfn,
  MigrateVma,
  type MigrateVmaRequest,
} from './device/migrate-vma.js';
export { migrateVma515, migrateVma516, migrateVma6, type MigrateVmaRule } from './device/migrate-vma-rules.js';
export {
  HR11,
  HR2,
  HR5,
  HR6,
  HR7,
  HR9,
  makeHotRemove,
  Removal,
  type HotRemove,
  type Leftover,
  type LeftoverReason,
  type RemoveAsker,
} from './hot-remove.js';
export {
  makeMigratePages,
  MIGRATE_DONE,
  MIGRATE_WAIT,
  type MigratePages,
  type MigratePagesSteps,
} from './migrate-pages.js';
export type { MigrateState } from './migrate-state.js';
export { LAZY_DONE, makeLazy, type Lazy, type LazyResult } from './lazy.js';
export { makeMisplaced, type Misplaced } from './misplaced.js';
export { makeMoveMisplaced, MOVED, MoveState, type MoveMisplaced } from './move-misplaced.js';
export {
  batchSleepsForLocks,
  batchTriesLocks,
  gateEveryPolicy,
  gateMarkedPolicies,
  hotRemove2624,
  hotRemove6,
  lazy2006,
  lazy2012,
  lazyRefused,
  operationTestedFirst,
  operationTestedLate,
  operationTestedLateLeaking,
  targetNodeOnly,
  targetWithFallback,
  type HotRemoveRule,
  targetWithFallbackMiscounted,
  vetAsReviewed,
  vetByPolicy,
  vetByTask,
  type BindVetting,
  type LazyUnmap,
  type BatchLock,
  type MisplacedGate,
  type MisplacedTarget,
  type OperationTest,
} from './rules.js';
export {
  makePageOutSteps,
  PAGE_ACTIVATE,
  PAGE_CLEAN,
  PAGE_KEEP,
  PAGE_SUCCESS,
  type PageOutStepsParts,
} from './page-out.js';
export {
  moverBatches,
  moverPasses,
  moverPasses2617,
  moverSwapOnly,
  moverV1,
  type Mover,
  type MoverRule,
} from './mover.js';
export { testsPageMapping, testsRawMapping, type PageMappingRule } from './operation.js';
export {
  isolatesAfterPtl,
  isolatesUnderPtl,
  makeIsolateEntry,
  type IsolateEntry,
  type IsolationRule,
} from './isolate-entry.js';
export { putbackLruPages } from './lists.js';
export { makeSwapOut, type SwapOut } from './swap-out.js';
export { makeTryToUnmap, UNMAP_AGAIN, UNMAP_FAIL, type TryToUnmap } from './unmap.js';
