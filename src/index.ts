/**
 * What an embedding program imports, in the order of the flow: a machine is described, composed, driven, and asked.
 *
 * The contract for plug-in authors is apart, in `migrate-on-fault/policy`.
 */
export { MmError, ModelBug, type MmErrorCode } from './errors.js';
export { asCpuId, asNodeId, NO_NODE, type CpuId, type NodeId, type PageId, type Pfn } from './units.js';
export { definePolicy, indexModulo, unlessThere } from './policy/index.js';
export type { Fault, PolicyContext, PolicyDefinition, PolicyInstance, World } from './policy/index.js';
export { parseMachine, type MachineDescription } from './hardware/index.js';
export type { CostModel } from './cost/index.js';
export type { DeviceDriver, DeviceOptions, DevicePool } from './mm/index.js';
export {
  frameOfWord,
  isHole,
  isMigrating,
  MIGRATE_PFN_LOCKED,
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_VALID,
  MIGRATE_PFN_WRITE,
  MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
  MIGRATE_VMA_SELECT_SYSTEM,
  migratePfn,
  type Leftover,
  type LeftoverReason,
  MigrateVma,
  type MigrateVmaCalls,
  type MigrateVmaRequest,
} from './migrate/index.js';
export { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from './mm/index.js';
export { compose, COST_MODEL, loadPolicy, POLICY, PROFILE, rulesOf, TRACER } from './engine/index.js';
export type { ComposeOptions, Machine, MachineOptions, Rebind, Rules } from './engine/index.js';
export {
  checkMachine,
  makeCalls,
  makeDeviceDriver,
  replayTrace,
  type Calls,
  type HotplugCalls,
  type ModelDriver,
  type OfflineResult,
} from './engine/index.js';
export { DEFAULT_OPTIONS, parseRun, type RunRequest, type RunSpec } from './run/index.js';
export { remoteShare, type CounterName, type PhaseResult, type RunResult, type Tracer } from './stats/index.js';
export { runLine, runScript, startMemtoy, type Host, type MemtoyOptions, type Session } from './memtoy/index.js';
