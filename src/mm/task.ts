import { NO_NODE, type CpuId, type NodeId } from '../units.js';
import type { AddressSpace } from './address-space.js';
import { Credentials } from './credentials.js';
import type { Cpuset } from './cpuset.js';
import type { Mempolicy } from './mempolicy.js';

/** An access of the task itself; a system call that comes again knowing that it waited (get_user_pages); populate, which does not. */
export const OWN_FAULTS = 0;
export const CALL_FAULTS = 1;
export const POPULATE_FAULTS = 2;

/** One thread: where it runs, whose memory it uses, and what governs its allocations. Kernel: task_struct. */
export class Task {
  /** Task policy; null is the default, local (MP-1). */
  policy: Mempolicy | null = null;
  /** The scheduler has moved it to another node and its pages are still to follow. Kernel: migrate_pending. */
  migratePending = false;
  /** Before this time the scheduler leaves it on its node, ns. Kernel: migrate_next. */
  migrateNextNs = 0;
  /** Node the rotor gave out last (MP-26); -1 so that the lowest node of a set comes first. Kernel: il_prev, 6.x. */
  ilPrev = -1;
  /** Pages that the rotor's node still gets in a row, with weights. Kernel: il_weight. */
  ilWeight = 0;
  /** Node that the rotor gives out next, where that is what a task keeps (MP-3). Kernel: il_next, 2.6.16. */
  ilNext: NodeId = NO_NODE;
  /** Version of the cpuset's nodes that the policy was rebound to last (MP-80). Kernel: cpuset_mems_generation. */
  memsSeen = 0;
  cpu: CpuId;
  node: NodeId;
  /** False once it has exited: somebody may still know its number. Kernel: task->mm */
  hasMemory = true;
  readonly credentials = new Credentials();
  /** Faults that the task has taken. Kernel: min_flt, maj_flt */
  minorFaults = 0;
  majorFaults = 0;
  /** On whose account the faults of now are: its own, or one of the system calls that fault pages in. */
  faults = OWN_FAULTS;

  /** CPU time used, ns; kept while there is a balancer. Kernel: sum_exec_runtime */
  usedNs = 0;

  constructor(
    readonly id: number,
    readonly space: AddressSpace,
    cpu: CpuId,
    node: NodeId,
    public cpuset: Cpuset,
  ) {
    this.cpu = cpu;
    this.node = node;
  }

  /** The real user; set it, and the task is that user and nothing else. */
  get uid(): number {
    return this.credentials.uid;
  }
  set uid(uid: number) {
    this.credentials.becomeUser(uid);
  }
}
