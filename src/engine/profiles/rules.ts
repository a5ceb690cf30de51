import type { BalancingRule } from '../../policy/index.js';
import {
  advice61,
  advice612,
  populateGoesOn,
  populateStops,
  type AdviceRule,
  type PopulateHoles,
} from '../syscalls/madvise.js';
import { movePages2618, movePages6, type MovePagesRule } from '../syscalls/move-at-once.js';
import {
  moveCalls2005,
  moveCalls2616,
  moveCalls6,
  moveCallsSwap2006,
  type MoveCallsRule,
} from '../syscalls/move-calls.js';
import { moverKeepsToOwnNodes, moverMayUseDestination, type CpusetMover } from '../syscalls/cpusets.js';
import { pageStatus61, pageStatus612, type PageStatus } from '../syscalls/move-pages.js';
import { privilegesBefore2616, privilegesNice, type Privileges } from '../syscalls/mempolicy.js';
import { numaMaps2616, numaMaps6, type NumaMapsForm } from '../syscalls/numa-maps.js';
import { modes2616, modes61, modes612, type ModeRule } from '../syscalls/new-policy.js';
import {
  copyAfterPage,
  copyBeforePage,
  entryWaitWithoutReference,
  entryWaitWithReference,
  faultLeavesNoMark,
  faultRetry61,
  faultRetry612,
  faultMarksAccessed,
  readAheadByArea61,
  readAheadByArea612,
  readAheadBySlots,
  type CopyOrder,
  type EntryWait,
  type FaultReference,
  type FaultRetry,
  type SwapHook,
  swapHookBeforePtl,
  swapHookUnderPtl,
  type SwapIn,
  type SwapReadAhead,
  swapIn2616,
  swapInReadOnly,
  swapInWritable,
} from '../../fault/index.js';
import { loadByNodesLeft, loadByOne, type FallbackLoad } from '../../hardware/index.js';
import {
  batchSleepsForLocks,
  batchTriesLocks,
  gateEveryPolicy,
  gateMarkedPolicies,
  isolatesAfterPtl,
  isolatesUnderPtl,
  moverBatches,
  moverPasses,
  moverPasses2617,
  moverSwapOnly,
  moverV1,
  hotRemove2624,
  hotRemove6,
  lazy2006,
  lazy2012,
  lazyRefused,
  migrateVma515,
  migrateVma516,
  migrateVma6,
  operationTestedFirst,
  operationTestedLate,
  operationTestedLateLeaking,
  targetNodeOnly,
  targetWithFallback,
  testsPageMapping,
  testsRawMapping,
  type IsolationRule,
  type MoverRule,
  type PageMappingRule,
  type HotRemoveRule,
  targetWithFallbackMiscounted,
  vetAsReviewed,
  vetByPolicy,
  vetByTask,
  type BindVetting,
  type LazyUnmap,
  type MigrateVmaRule,
  type BatchLock,
  type MisplacedGate,
  type MisplacedTarget,
  type OperationTest,
} from '../../migrate/index.js';
import {
  bindByNumber,
  bindNearestFirst,
  index2616,
  index61,
  index61Moves,
  index612,
  lookup2616,
  lookup6,
  lru2616,
  lru61,
  lru612,
  noticedAfterLookup,
  noticedAtOnce,
  noticedLate,
  rebind2616,
  rebind6,
  rebindAsMeant,
  rotor2616,
  rotor6,
  watermarks2616,
  watermarks61,
  watermarks612,
  huge61,
  huge612,
  type BindOrder,
  type CpusetNotice,
  type HugeRule,
  type InterleaveIndex,
  type LruRule,
  type MigrateOperation,
  type PolicyLookup,
  type RebindRule,
  type RotorRule,
  type WatermarkRule,
} from '../../mm/index.js';
import { reclaim2616, reclaim61, reclaim612, type ReclaimRule } from '../../reclaim/index.js';

/**
 * The small rules in which the eras differ. Each has named variants; a profile names one of each (profiles.ts), and
 * `--rule NAME=VARIANT` changes one. The code that uses a rule calls the object and never asks for the era.
 */
export interface Rules {
  /** How equal distances are told apart when fallback rows are built (MP-40). */
  readonly fallbackLoad: FallbackLoad;
  /** Order in which BIND tries its nodes (MP-23). */
  readonly bindOrder: BindOrder;
  readonly watermarks: WatermarkRule;
  readonly lru: LruRule;
  readonly reclaim: ReclaimRule;
  /** Which policy governs a page (MP-10..MP-12). */
  readonly policyLookup: PolicyLookup;
  /** What interleaving counts by (MP-50..52, K-I3, K-I6). */
  readonly interleaveIndex: InterleaveIndex;
  /** How a task's rotor counts (MP-3, MP-26). */
  readonly rotor: RotorRule;
  /** What follows when the allowed nodes change (MP-81..MP-84). */
  readonly rebind: RebindRule;
  /** When a task's policy follows its cpuset (MP-60, MP-80). */
  readonly cpusetNotice: CpusetNotice;
  /** Whose nodes the new pages have to be on when a cpuset takes its pages along (DM-50). */
  readonly cpusetMover: CpusetMover;
  /** C5, MP-61. */
  readonly misplacedGate: MisplacedGate;
  /** M2: this node only, or with fallback. */
  readonly misplacedTarget: MisplacedTarget;
  /** Nodes of BIND that the task may not use, in the check (MP-64, MP-70). */
  readonly bindVetting: BindVetting;
  /** C4: before the policy, or late. */
  readonly operationTest: OperationTest;
  /** Where the swap fault calls the check (FP-50). */
  readonly swapHook: SwapHook;
  /** What a read of a swapped page maps (K section 7). */
  readonly swapIn: SwapIn;
  /** Which pages come along when one is read from swap. */
  readonly swapReadAhead: SwapReadAhead;
  /** Whether a fault marks the page accessed (S4). */
  readonly faultReference: FaultReference;
  /** What a write to private file memory allocates first. */
  readonly copyOrder: CopyOrder;
  /** How faults are counted that waited for a file. */
  readonly faultRetry: FaultRetry;
  /** What interleaving counts by when mbind itself moves pages, and for copies of private mappings of shmem (K section 7). */
  readonly moveIndex: InterleaveIndex;
  /** Modes and mode flags that exist. */
  readonly modes: ModeRule;
  /** mbind with MPOL_MF_LAZY, MPOL_NOOP, and what unmapping is. */
  readonly lazyUnmap: LazyUnmap;
  /** The capabilities behind MOVE_ALL and migrate_pages. */
  readonly privileges: Privileges;
  /** How a line of numa_maps is written. */
  readonly numaMaps: NumaMapsForm;
  /** How move_pages goes through its list. */
  readonly movePages: MovePagesRule;
  /** How move_pages spells two states of a page. */
  readonly pageStatus: PageStatus;
  /** MADV_POPULATE over a hole. */
  readonly populateHoles: PopulateHoles;
  /** MADV_WILLNEED of shmem. */
  readonly advice: AdviceRule;
  /** Where the pages of a memory block go that is taken away (HR-12, HR-30). */
  readonly hotRemove: HotRemoveRule;
  /** Moving pages to and from device memory: before and after October 2021, and later (MV). */
  readonly migrateVma: MigrateVmaRule;
  /** What a batch of migratePages() does about a locked page. */
  readonly batchLock: BatchLock;
  /** What a fault on a migration entry holds while it waits. */
  readonly entryWait: EntryWait;
  /** Pages per TLB flush when many are unmapped. */
  readonly flushBatch: number;
  /** Who moves a list of pages: batches with migration entries, or pass by pass (DM-10..DM-22). */
  readonly mover: MoverRule;
  /** What the calls that move pages check, select and ask for (sections 2, 6). */
  readonly moveCalls: MoveCallsRule;
  /** Whether a page is isolated while the lock of its entry is held. */
  readonly isolation: IsolationRule;
  /** Which field says that a page is still in a cache when its slot is taken over (PL-52). */
  readonly pageMapping: PageMappingRule;
  /** Huge pages: how they are broken up, written and moved (K section 7). */
  readonly hugePages: HugeRule;
  /** What shmem offers for moving its pages (PL-54). */
  readonly shmemOperation: MigrateOperation;
  readonly numaBalancing: BalancingRule;
}

type Variants = { readonly [Name in keyof Rules]: Readonly<Record<string, Rules[Name]>> };

export const VARIANTS: Variants = {
  fallbackLoad: { 'by-one': loadByOne, 'by-nodes-left': loadByNodesLeft },
  bindOrder: { 'nearest-first': bindNearestFirst, 'by-number': bindByNumber },
  watermarks: { '6.12': watermarks612, '6.1': watermarks61, '2.6.16': watermarks2616 },
  lru: { '6.12': lru612, '6.1': lru61, '2.6.16': lru2616 },
  reclaim: { '6.12': reclaim612, '6.1': reclaim61, '2.6.16': reclaim2616 },
  policyLookup: { '6.x': lookup6, '2.6.16': lookup2616 },
  interleaveIndex: { '6.12': index612, '6.1': index61, '2.6.16': index2616 },
  rotor: { '6.x': rotor6, '2.6.16': rotor2616 },
  rebind: { '6.x': rebind6, '2.6.16': rebind2616, 'as-meant': rebindAsMeant },
  cpusetNotice: { 'at-once': noticedAtOnce, 'after-lookup': noticedAfterLookup, late: noticedLate },
  cpusetMover: { 'may-use-destination': moverMayUseDestination, 'keeps-to-own-nodes': moverKeepsToOwnNodes },
  misplacedGate: { 'every-policy': gateEveryPolicy, 'marked-only': gateMarkedPolicies },
  misplacedTarget: {
    'this-node-only': targetNodeOnly,
    'with-fallback': targetWithFallback,
    miscounted: targetWithFallbackMiscounted,
  },
  bindVetting: { 'as-reviewed': vetAsReviewed, 'by-task': vetByTask, 'by-policy': vetByPolicy },
  operationTest: {
    first: operationTestedFirst,
    late: operationTestedLate,
    'late-leaking': operationTestedLateLeaking,
  },
  swapHook: { 'before-ptl': swapHookBeforePtl, 'under-ptl': swapHookUnderPtl },
  swapIn: { writable: swapInWritable, 'read-only': swapInReadOnly, '2.6.16': swapIn2616 },
  swapReadAhead: { '6.12': readAheadByArea612, '6.1': readAheadByArea61, '2.6.16': readAheadBySlots },
  faultReference: { 'no-mark': faultLeavesNoMark, marks: faultMarksAccessed },
  copyOrder: { 'copy-first': copyBeforePage, 'page-first': copyAfterPage },
  faultRetry: { '6.12': faultRetry612, '6.1': faultRetry61 },
  moveIndex: { 'with-inode': index612, 'without-inode': index61Moves, '2.6.16': index2616 },
  modes: { '6.12': modes612, '2.6.16': modes2616, '6.1': modes61 },
  lazyUnmap: { '2012': lazy2012, '2006': lazy2006, refused: lazyRefused },
  privileges: { nice: privilegesNice, 'before-2.6.16': privilegesBefore2616 },
  numaMaps: { '6.x': numaMaps6, '2.6.16': numaMaps2616 },
  movePages: { '6.x': movePages6, '2.6.18': movePages2618 },
  pageStatus: { '6.12': pageStatus612, '6.1': pageStatus61 },
  populateHoles: { stops: populateStops, 'goes-on': populateGoesOn },
  advice: { '6.12': advice612, '6.1': advice61 },
  hotRemove: { '6.x': hotRemove6, '2.6.24': hotRemove2624 },
  migrateVma: { '6.x': migrateVma6, '5.16': migrateVma516, '5.15': migrateVma515 },
  batchLock: { tries: batchTriesLocks, sleeps: batchSleepsForLocks },
  entryWait: { 'without-reference': entryWaitWithoutReference, 'with-reference': entryWaitWithReference },
  flushBatch: { '512-pages': 512, 'each-page': 1 },
  mover: {
    batches: moverBatches,
    passes: moverPasses,
    'passes-2.6.17': moverPasses2617,
    v1: moverV1,
    'swap-only': moverSwapOnly,
  },
  moveCalls: { '6.x': moveCalls6, '2.6.16': moveCalls2616, 'swap-2006': moveCallsSwap2006, '2005': moveCalls2005 },
  isolation: { 'under-ptl': isolatesUnderPtl, 'drops-ptl': isolatesAfterPtl },
  pageMapping: { page_mapping: testsPageMapping, raw: testsRawMapping },
  hugePages: { '6.12': huge612, '6.1': huge61 },
  shmemOperation: { simple: 'simple', none: 'none' },
  numaBalancing: {
    '6.12': { skipsUnused: true, forgetsWhenSlowing: true },
    '6.1': { skipsUnused: false, forgetsWhenSlowing: false },
  },
};

/** Variant names of one profile, by rule. */
export type RuleNames = { readonly [Name in keyof Rules]: string };
