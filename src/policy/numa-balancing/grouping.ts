import type { BalancedTask, BalancerActions, HintFault } from '../balancer.js';
import { cpuOfAccessor, isAccessor } from './accessor.js';
import { FaultGroup, type TaskFaults } from './task-faults.js';

/** NB-76: tasks that meet on a page are put together. Kernel: task_numa_group() */
export class Grouping {
  private lastId = 0;

  constructor(
    private readonly ask: BalancerActions,
    private readonly nodes: number,
    private readonly faultsOf: (task: BalancedTask) => TaskFaults,
  ) {}

  /** A shared fault. @returns whether it counts as private after all */
  meet(fault: HintFault, stored: number): boolean {
    const { task } = fault;
    const own = this.faultsOf(task);
    if (own.group === null) this.enter(task, own, new FaultGroup(++this.lastId, this.nodes));
    const other = this.ask.taskOn(cpuOfAccessor(stored));
    if (other === null || !isAccessor(stored, other.id)) return false;
    const { group } = this.faultsOf(other);
    const mine = own.group;
    if (group === null || mine === null || group === mine) return false;
    if (mine.tasks.size > group.tasks.size || (mine.tasks.size === group.tasks.size && mine.id > group.id))
      return false;
    if (other.space !== task.space && !fault.isShared) return true;
    this.leave(task, own);
    this.enter(task, own, group);
    return false;
  }

  /** The task has ended, or joins another group. */
  leave(task: BalancedTask, own: TaskFaults): void {
    if (own.group === null) return;
    own.group.sums.add(own.sums, -1);
    own.group.tasks.delete(task);
    own.group = null;
  }

  private enter(task: BalancedTask, own: TaskFaults, group: FaultGroup): void {
    group.sums.add(own.sums, 1);
    group.tasks.add(task);
    own.group = group;
  }
}
