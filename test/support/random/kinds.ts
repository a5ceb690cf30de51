import type { CounterName } from '../../../src/stats/index.js';
import { OPERATIONS } from './operations.js';

/** Outcomes that programs see, and what came of their operations. */
const EVENTS = [
  'access: read',
  'access: write',
  'access: SIGSEGV for a read',
  'access: SIGSEGV for a write',
  'access: SIGBUS for a read',
  'access: SIGBUS for a write',
  'access: out of memory',
  'file call: beyond the end',
  'file call: out of memory',
  'killed for want of memory',
  'lazily unmapped page',
  'left a node that lost memory',
  'memory stayed: not all could leave',
  'memory went away',
  'moved by a call',
  'moved by the swap hook',
  'moved by the file hook',
  'moved by the shmem hook',
  'page moved back by its driver',
  'page moved to the device',
  'page out: unmapped',
  'page out: writing',
  'page out: freed',
  'page that could not leave',
  'swap stayed on: no room',
  'swap went off',
  'write ended',
];

/**
 * Counters that a program of whole operations can reach. Not among them: C3 and the mapping and slot conditions of M5a,
 * which take a second actor in between, and the defects of 2006.
 */
const COUNTED: readonly CounterName[] = [
  ...(['pgfault', 'pgmajfault', 'pgalloc_normal', 'pgfree', 'pgactivate', 'pgdeactivate', 'pgrefill'] as const),
  ...(['pgrotated', 'pgscan_kswapd', 'pgscan_direct', 'pgscan_anon', 'pgscan_file'] as const),
  ...(['pgsteal_kswapd', 'pgsteal_direct', 'pgsteal_anon', 'pgsteal_file', 'pageoutrun', 'allocstall_normal'] as const),
  ...(['nr_vmscan_write', 'nr_vmscan_immediate_reclaim', 'pswpin', 'pswpout', 'swap_ra', 'swap_ra_hit'] as const),
  ...(['workingset_refault_anon', 'workingset_refault_file', 'workingset_activate_anon'] as const),
  ...(['workingset_activate_file', 'workingset_restore_anon', 'workingset_restore_file'] as const),
  ...(['pgmigrate_success', 'pgmigrate_fail', 'nr_tlb_remote_flush', 'nr_tlb_remote_flush_received'] as const),
  ...(['nr_tlb_local_flush_one', 'zone_reclaim_success', 'zone_reclaim_failed', 'tlb_miss'] as const),
  ...(['fault_zero_page', 'fault_anon', 'fault_file', 'fault_file_major', 'fault_shmem', 'fault_swap'] as const),
  ...(['fault_swap_major', 'fault_cow', 'fault_write_in_place', 'fault_segv', 'fault_sigbus', 'fault_oom'] as const),
  ...(['file_call', 'file_call_major', 'mof_task_moves', 'mof_pages_unmapped', 'mof_anon_faults'] as const),
  ...(['mof_migrate_tried', 'mof_migrate_done', 'mof_stay_c1_mapped', 'mof_stay_c2_writeback'] as const),
  ...(['mof_stay_c4_no_operation', 'mof_stay_c5_no_flag', 'mof_stay_c6_well_placed', 'mof_stay_would_copy'] as const),
  ...(['mof_fail_m1_isolate', 'mof_fail_m2_no_page', 'mof_fail_m4_refused', 'mof_fail_m5_no_operation'] as const),
  'mof_fail_m5a_count',
];

/** Everything that random programs have to do and to see often. */
export const KINDS: readonly string[] = [...OPERATIONS.map(({ name }) => name), ...EVENTS, ...COUNTED];
