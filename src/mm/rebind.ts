import { NO_NODE, type NodeId } from '../units.js';
import { mapNode } from './mempolicy.js';
import type { Task } from './task.js';

/** Rule variant `rebind`: what follows when the allowed nodes change (MP-81..MP-84). */
export interface RebindRule {
  /** [2.6.16] PREFERRED's node is mapped like a set; [6.x] it stays (MP-84). */
  readonly mapsPreferred: boolean;
  /** The rotor's next node is mapped along, as MP-81 has it; in 2.6.16 it is not, by mistake (MP-82). */
  readonly mapsRotor: boolean;
}
export const rebind6: RebindRule = { mapsPreferred: false, mapsRotor: false };
export const rebind2616: RebindRule = { mapsPreferred: true, mapsRotor: false };
/** What 2.6.16 was meant to do. */
export const rebindAsMeant: RebindRule = { mapsPreferred: true, mapsRotor: true };

/** Rule variant `cpusetNotice`: when the policy of a task follows its cpuset (MP-80), and MP-60. */
export interface CpusetNotice {
  /** [2.6.16] At the task's next policied allocation or policy call; areas follow at once in every era. */
  readonly isLate: boolean;
  /** [MoF-0.1] The check of a misplaced page asks the policy first and notices afterwards (MP-60). */
  readonly isAfterLookup: boolean;
}
export const noticedAtOnce: CpusetNotice = { isLate: false, isAfterLookup: false };
export const noticedLate: CpusetNotice = { isLate: true, isAfterLookup: false };
export const noticedAfterLookup: CpusetNotice = { isLate: true, isAfterLookup: true };

/** The policy of a task is rebound to the nodes of its cpuset. Kernel: cpuset_update_task_memory_state(), 2.6.16. */
export function rebindTask(task: Task, { mapsPreferred, mapsRotor }: RebindRule): void {
  const { policy, cpuset } = task;
  task.memsSeen = cpuset.version;
  if (policy === null) return;
  const after = cpuset.nodes();
  const before: readonly NodeId[] = policy.definedFor;
  policy.rebind(after, mapsPreferred);
  if (mapsRotor && task.ilNext !== NO_NODE) task.ilNext = mapNode(task.ilNext, before, after);
}
