import { float64s } from '../arrays.js';

let next = 0;
/**
 * Everything that is counted, by the kernel's own name in /proc/vmstat where it has one; the rest is the model's own and
 * is listed last. To add a counter, add a line here: reports and JSON find it by its name.
 */
export const C = {
  pgfault: next++,
  pgmajfault: next++,
  pgalloc_normal: next++,
  pgfree: next++,
  pgactivate: next++,
  pgdeactivate: next++,
  pgrefill: next++,
  pgrotated: next++,
  pgscan_kswapd: next++,
  pgscan_direct: next++,
  pgscan_anon: next++,
  pgscan_file: next++,
  pgsteal_kswapd: next++,
  pgsteal_direct: next++,
  pgsteal_anon: next++,
  pgsteal_file: next++,
  pageoutrun: next++,
  allocstall_normal: next++,
  oom_kill: next++,
  nr_vmscan_write: next++,
  nr_vmscan_immediate_reclaim: next++,
  pswpin: next++,
  pswpout: next++,
  swap_ra: next++,
  swap_ra_hit: next++,
  workingset_refault_anon: next++,
  workingset_refault_file: next++,
  workingset_activate_anon: next++,
  workingset_activate_file: next++,
  workingset_restore_anon: next++,
  workingset_restore_file: next++,
  numa_pte_updates: next++,
  numa_huge_pte_updates: next++,
  numa_hint_faults: next++,
  numa_hint_faults_local: next++,
  numa_pages_migrated: next++,
  pgpromote_success: next++,
  pgpromote_candidate: next++,
  pgmigrate_success: next++,
  pgmigrate_fail: next++,
  thp_fault_alloc: next++,
  thp_fault_fallback: next++,
  thp_file_alloc: next++,
  thp_file_fallback: next++,
  thp_file_mapped: next++,
  thp_collapse_alloc: next++,
  thp_collapse_alloc_failed: next++,
  thp_scan_exceed_none_pte: next++,
  thp_scan_exceed_swap_pte: next++,
  thp_scan_exceed_share_pte: next++,
  thp_zero_page_alloc: next++,
  thp_split_pmd: next++,
  thp_split_page: next++,
  thp_split_page_failed: next++,
  thp_deferred_split_page: next++,
  thp_swpout: next++,
  thp_swpout_fallback: next++,
  thp_migration_success: next++,
  thp_migration_fail: next++,
  thp_migration_split: next++,
  nr_tlb_remote_flush: next++,
  nr_tlb_remote_flush_received: next++,
  nr_tlb_local_flush_one: next++,
  zone_reclaim_success: next++,
  zone_reclaim_failed: next++,

  // The model's own: what the hardware did …
  tlb_miss: next++,
  tlb_miss_huge: next++, // of these: the entry is a whole block's
  // … faults by kind …
  fault_zero_page: next++,
  fault_anon: next++,
  fault_huge: next++,
  fault_huge_zero: next++,
  fault_file: next++,
  fault_file_major: next++,
  fault_shmem: next++,
  fault_swap: next++,
  fault_swap_major: next++,
  fault_device: next++,
  fault_cow: next++,
  fault_write_in_place: next++,
  vm_fault_retry: next++,
  fault_segv: next++,
  fault_sigbus: next++,
  fault_oom: next++,
  file_call: next++,
  file_call_major: next++,
  // … and migrate-on-fault: the five counters of its first measurements (FP-76), then why pages stayed.
  mof_task_moves: next++,
  mof_pages_unmapped: next++,
  mof_anon_faults: next++,
  mof_migrate_tried: next++,
  mof_migrate_done: next++,
  mof_overflowed: next++,
  mof_atomic_sleeps: next++,
  mof_leaked_pages: next++,
  mof_stay_c1_mapped: next++,
  mof_stay_c2_writeback: next++,
  mof_stay_c3_not_uptodate: next++,
  mof_stay_c4_no_operation: next++,
  mof_stay_c5_no_flag: next++,
  mof_stay_c6_well_placed: next++,
  mof_stay_would_copy: next++,
  mof_stay_lock_busy: next++,
  mof_fail_m1_isolate: next++,
  mof_fail_m2_no_page: next++,
  mof_fail_m4_refused: next++,
  mof_fail_m5_no_operation: next++,
  mof_fail_m5a_mapping: next++,
  mof_fail_m5a_count: next++,
  mof_fail_m5a_slot: next++,
} as const satisfies Record<string, number>;

export type CounterName = keyof typeof C;
export const COUNTER_NAMES = Object.keys(C) as CounterName[];

let nextOfNode = 0;
/** numastat's counters, kept per node; names as in /proc/vmstat. */
export const N = {
  numa_hit: nextOfNode++,
  numa_miss: nextOfNode++,
  numa_foreign: nextOfNode++,
  numa_interleave: nextOfNode++,
  numa_local: nextOfNode++,
  numa_other: nextOfNode++,
} as const satisfies Record<string, number>;

export type NodeCounterName = keyof typeof N;
export const NODE_COUNTER_NAMES = Object.keys(N) as NodeCounterName[];

/** The counters of one machine. Doubles: exact to 2^53, and never a garbage object in the hot path. */
export class Counters {
  readonly values = float64s(COUNTER_NAMES.length);
  readonly ofNode: Float64Array;

  constructor(readonly nodeCount: number) {
    this.ofNode = float64s(nodeCount * NODE_COUNTER_NAMES.length);
  }

  inc(counter: number): void {
    this.values[counter]++;
  }

  add(counter: number, amount: number): void {
    this.values[counter] += amount;
  }

  incNode(counter: number, node: number): void {
    this.ofNode[counter * this.nodeCount + node]++;
  }

  get(name: CounterName): number {
    return this.values[C[name]];
  }

  getNode(name: NodeCounterName, node: number): number {
    return this.ofNode[N[name] * this.nodeCount + node];
  }

  /** Every counter that is not zero, by name. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(
      COUNTER_NAMES.filter((name) => this.get(name) !== 0).map((name) => [name, this.get(name)]),
    );
  }

  snapshotOfNodes(): Record<string, number[]> {
    return Object.fromEntries(
      NODE_COUNTER_NAMES.map((name) => [
        name,
        Array.from({ length: this.nodeCount }, (_, node) => this.getNode(name, node)),
      ]),
    );
  }
}
