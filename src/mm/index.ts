/**
 * The kernel's memory state: frames, free lists, LRU lists, areas, page cache, swap cache, policies.
 *
 * Keeps and never decides: no function here chooses a node or moves a page for a reason of its own. Called by migrate/,
 * reclaim/, fault/ and engine/. State is typed arrays indexed by frame, page id or slot, made once; the classes here are
 * the only ones that know their layout. Always holds: INV-1..INV-18 at rest; each module's `check()` recounts its part.
 */
export { AddressSpace } from './address-space.js';
export { AnonVmas } from './anon-vma.js';
export { Block } from './block.js';
export { Contents } from './contents.js';
export { CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE } from './credentials.js';
export { Cpuset } from './cpuset.js';
export { DeviceMemory, type DeviceDriver, type DeviceOptions, type DevicePool } from './device-memory.js';
export { cachedFrame, FileObject, Files, type MigrateOperation } from './files.js';
export { Frames, HUGE_PAGES } from './frames.js';
export { makeHugePlaces, type ForEachHugePlace } from './huge-places.js';
export type { HugeMapping } from './huge-mapping.js';
export {
  huge61,
  huge612,
  HUGE_DEFAULTS,
  HugePages,
  shmemBlockIndex,
  type HugeRule,
  type HugeSettings,
} from './huge-pages.js';
export {
  Lru,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_LISTS,
  LRU_UNEVICTABLE,
  lru2616,
  lru61,
  lru612,
  lruHeads,
  type LruRule,
} from './lru.js';
export { makeMapping, type Mapping } from './mapping.js';
export { memoryBlockPages, memoryBlocks, type MemoryBlock } from './memory-block.js';
export {
  askAboutBlock,
  askAboutVma,
  badAnswer,
  effectiveNodes,
  index2616,
  index61,
  index61Moves,
  index612,
  lookup2616,
  lookup6,
  Mempolicy,
  Query,
  remapNodes,
  type InterleaveIndex,
  type MempolicyRequest,
  type NodesFlag,
  type PolicyLookup,
} from './mempolicy.js';
export { PageCache } from './page-cache.js';
export * from './page-flags.js';
export {
  noticedAfterLookup,
  noticedAtOnce,
  noticedLate,
  rebind2616,
  rebind6,
  rebindAsMeant,
  rebindTask,
  type CpusetNotice,
  type RebindRule,
} from './rebind.js';
export { makeRmap, type ForEachPlace, type Place, type Places } from './rmap.js';
export { rotor2616, rotor6, type RotorRule } from './rotor.js';
export { Spaces, type VmaAttributes } from './spaces.js';
export { SwapArea } from './swap-area.js';
export { makeTakeHuge, type TakeHuge } from './take-huge.js';
export { CALL_FAULTS, OWN_FAULTS, POPULATE_FAULTS, Task } from './task.js';
export {
  Vma,
  VM_DONTDUMP,
  VM_DONTFORK,
  VM_EXEC,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_SPECIAL,
  VM_WIPEONFORK,
  VM_WRITE,
} from './vma.js';
export { watermarks2616, watermarks61, watermarks612, type WatermarkRule, type Watermarks } from './watermarks.js';
export { weightsFromBandwidth } from './weights.js';
export { bindByNumber, bindNearestFirst, makeWorld, type BindOrder, type MachineWorld } from './world.js';
export { MARK_HIGH, MARK_LOW, MARK_MIN, MARK_PROMO, Zones, type NodeMask } from './zones.js';
