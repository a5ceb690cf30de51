/**
 * What silicon does, knowing nothing of Linux: nodes, CPUs and distances, page tables, TLBs, and the MMU in front.
 *
 * `translate()` answers with a frame or with the reason for a fault; it raises nothing. Called by engine/ for each
 * access and by mm/ to change entries. Always holds: an entry in a TLB equals the present entry of the page table,
 * because whoever changes one flushes the other; a PageId belongs to one address space.
 */
export { onDevice } from './device.js';
export { fallbackRows, loadByNodesLeft, loadByOne, type FallbackLoad } from './fallback.js';
export type { CostDescription, MachineDescription, ValueOrigin } from './machine-description.js';
export { makeMmu, type Mmu } from './mmu.js';
export { BLOCK_EMPTY, BLOCK_MIGRATION, BLOCK_SMALL, BLOCK_WHOLE, BLOCK_ZERO, PageTables } from './page-table.js';
export * from './pte.js';
export { Tlb } from './tlb.js';
export { Topology } from './topology.js';
export {
  DEFAULT_MACHINE,
  machineNamed,
  parseMachine,
  parseMachineCatalogue,
  type MachineCatalogue,
} from './machine-file.js';
export type { SourceField } from './machine-schema.js';
export { formatPages, parseMemorySize } from '../memory-size.js';
export { formatList, formatNodes, parseNodes } from './node-list.js';
