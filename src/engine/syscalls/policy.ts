import {
  type AddressSpace,
  type Cpuset,
  Mempolicy,
  type MempolicyRequest,
  rebindTask,
  type Spaces,
  type Task,
  type Vma,
} from '../../mm/index.js';
import type { Lazy, LazyResult } from '../../migrate/index.js';
import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../../cost/index.js';
import type { World } from '../../policy/index.js';
import type { Tracer } from '../../stats/index.js';
import type { Rules } from '../profiles/index.js';
import type { NodeId } from '../../units.js';

export interface PolicyParts {
  readonly spaces: Spaces;
  readonly lazy: Lazy;
  readonly meter: Meter;
  readonly world: World;
  readonly tracer: Tracer | null;
  /** Where `cpusetSetMems` finds the tasks concerned. */
  readonly tasks: () => readonly Task[];
  readonly rules: Pick<Rules, 'rebind' | 'cpusetNotice' | 'rotor' | 'modes'>;
}

export interface PolicySyscalls {
  /** Makes a policy for the nodes the task may use; the caller holds the one reference. */
  newPolicy(task: Task, request: MempolicyRequest): Mempolicy;
  /** The task policy; null: default. The rotor starts with the lowest node (MP-3). Kernel: set_mempolicy(). */
  setMempolicy(task: Task, policy: Mempolicy | null): void;
  /** The policy of a range of private memory, or of a shmem object's range (MP-2). Splits and joins areas. Kernel: mbind(). */
  mbind(space: AddressSpace, start: number, pages: number, policy: Mempolicy | null): void;
  /** `mbind(MPOL_MF_MOVE | MPOL_MF_LAZY)` without setting a policy: unmaps what lies outside `policy` (MP-74). */
  unmapLazily(task: Task, vmas: readonly Vma[], policy: Mempolicy | null): LazyResult;
  /** New nodes for a cpuset: policies of its tasks and areas are rebound (MP-81); pages stay where they are. */
  cpusetSetMems(cpuset: Cpuset, nodes: readonly NodeId[]): void;
}

export function makePolicySyscalls({ spaces, lazy, meter, world, tracer, tasks, rules }: PolicyParts): PolicySyscalls {
  function mbind(space: AddressSpace, start: number, pages: number, policy: Mempolicy | null): void {
    for (const vma of spaces.isolateRange(space, start, pages)) {
      if (vma.file?.isShmem === true) vma.file.setPolicy(vma.filePage, vma.pages, policy ?? undefined);
      spaces.setPolicy(vma, policy);
    }
    spaces.joinAround(space, start, start + pages);
  }

  function unmapLazily(task: Task, vmas: readonly Vma[], policy: Mempolicy | null): LazyResult {
    const sum = { looked: 0, unmapped: 0, left: 0, noSlot: 0 };
    if (tracer !== null) {
      tracer.who(task.id, task.cpu, -1);
      tracer.enter('mbind lazy', vmas.length);
    }
    meter.pay(ACCOUNT_MIGRATION, PRICE.moveCall);
    for (const vma of vmas) {
      if (vma.isLocked) continue;
      const result = lazy.unmapArea(task, vma, 0, vma.pages, policy);
      sum.looked += result.looked;
      sum.unmapped += result.unmapped;
      sum.left += result.left;
      sum.noSlot += result.noSlot;
    }
    if (tracer !== null) {
      tracer.who(task.id, task.cpu, -1);
      tracer.leave('mbind lazy', sum.unmapped);
    }
    return sum;
  }

  function cpusetSetMems(cpuset: Cpuset, nodes: readonly NodeId[]): void {
    cpuset.setNodes(nodes);
    const policies = new Set<Mempolicy>();
    for (const task of tasks()) {
      if (task.cpuset !== cpuset) continue;
      if (!rules.cpusetNotice.isLate) rebindTask(task, rules.rebind);
      for (const vma of task.space.vmas)
        if (vma.policy !== null && vma.file?.isShmem !== true) policies.add(vma.policy);
    }
    for (const policy of policies) policy.rebind(nodes, rules.rebind.mapsPreferred);
  }

  return {
    newPolicy(task, request) {
      const allowed = task.cpuset.nodes();
      return rules.modes.trims
        ? new Mempolicy(request, world, allowed)
        : new Mempolicy(request, world, allowed, request.nodes);
    },
    setMempolicy(task, policy) {
      if (policy !== null) policy.refs++;
      if (task.policy !== null) task.policy.refs--;
      task.policy = policy;
      rules.rotor.start(task, policy);
    },
    mbind,
    unmapLazily,
    cpusetSetMems,
  };
}
