/**
 * A node is full: which pages leave, and who waits for it.
 *
 * Keeps little of its own: costs and ages per node, failures of the background reclaimers. The fault path and migrations
 * ask `allocatePage`, which answers from the free lists as long as a node is above its low mark, then wakes the
 * background reclaimers, and in the end reclaims itself; the fault path tells `refault` of pages that came back. What
 * differs between eras is a `ReclaimRule`. Always holds: nothing here allocates a page while it reclaims, no page stays
 * isolated or locked after a call, and a page leaves memory only if its contents are where they will be looked for.
 */
export type { Allocator } from './allocate.js';
export { makeReclaim, type Reclaim } from './make-reclaim.js';
export { DEFAULT_RECLAIM_SYSCTLS, type ReclaimSysctls } from './parts.js';
export { reclaim2616, reclaim61, reclaim612, type ReclaimRule } from './rules.js';
export { PIN_REFERENCES } from './shrink-list.js';
export type { Refault } from './workingset.js';
