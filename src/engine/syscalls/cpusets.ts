import { EACCES, EBUSY, EEXIST, EINVAL, ENOENT, ENOSPC } from '../../errors.js';
import { parseNodes, type Topology } from '../../hardware/index.js';
import { Cpuset, rebindTask, type CpusetNotice, type Mempolicy, type RebindRule, type Task } from '../../mm/index.js';
import type { CpuId, NodeId } from '../../units.js';
import type { MovePagesCalls } from './move-pages.js';

/** A control group that confines CPUs and memory nodes. */
interface Group {
  /** The nodes in force. None in a cgroup 1 group whose mems were never written, or are all gone: tasks cannot enter. */
  readonly cpuset: Cpuset;
  readonly parent: Group | null;
  /** The nodes asked for; cgroup 2 keeps to those that are there, and takes its parent's if none is (HR-22). */
  own: readonly NodeId[];
  cpus: readonly CpuId[];
  migrates: boolean;
}

/** Rule variant `cpusetMover` (DM-50): whose nodes the new pages have to be on when a cpuset takes its pages along. */
export interface CpusetMover {
  /** The task of whoever writes the file, or the one whose pages are moved, which may use the destination. */
  callerOf(invoker: Task, target: Task): Task;
}
/** [2.6.17 on] The destination is allowed for the time of the move; [6.x] a work queue does it (DM-52). */
export const moverMayUseDestination: CpusetMover = { callerOf: (_, target) => target };
/** [2.6.16] The invoking task's: pages of an administrator's shell in another cpuset land elsewhere. */
export const moverKeepsToOwnNodes: CpusetMover = { callerOf: (invoker) => invoker };

export interface CpusetParts {
  readonly topology: Topology;
  readonly rootCpuset: Cpuset;
  readonly tasks: () => readonly Task[];
  readonly movePages: MovePagesCalls;
  readonly moveTask: (task: Task, cpu: CpuId) => void;
  /** Which interface: 1 has memory_migrate per group, 2 always migrates (K-C3). */
  readonly version: 1 | 2;
  readonly rebind: RebindRule;
  readonly notice: CpusetNotice;
  readonly mover: CpusetMover;
}

export interface CpusetCalls {
  /** `a/b` is a child of `a`; cgroup 1 wants its nodes within its parent's. */
  create(name: string, settings: { cpus?: NodeText; mems?: NodeText; memoryMigrate?: boolean }): number;
  /** @param invoker task that writes the file; each member itself if nobody is named. When this returns, pages have moved (DM-52) */
  setMems(name: string, mems: NodeText, invoker?: Task): number;
  setMemoryMigrate(name: string, migrates: boolean): number;
  /** The task and its CPU mask move into the group (K-C5); its pages too, if the group migrates (K-C3). */
  attach(name: string, task: Task, invoker?: Task): number;
  /**
   * A node lost its memory or got some back: the root's nodes follow, then each group's, children after their parents
   * (HR-22, HR-24). Kernel: cpuset_hotplug_workfn().
   */
  nodesChanged(): void;
  /** CPUs the task may run on. */
  cpusOf(task: Task): readonly CpuId[];
}

/** Numbers, or a string as it is written to the file. */
export type NodeText = readonly number[] | string;

export function makeCpusetCalls({
  topology,
  rootCpuset,
  tasks,
  movePages,
  moveTask,
  version,
  rebind,
  notice,
  mover,
}: CpusetParts): CpusetCalls {
  const allCpus = topology.allNodes().flatMap((node) => topology.cpusOf(node));
  const root: Group = {
    ...{ cpuset: rootCpuset, parent: null, own: rootCpuset.nodes(), cpus: allCpus, migrates: version === 2 },
  };
  const groups = new Map<string, Group>();
  const groupOf = (task: Task): Group => [...groups.values()].find((group) => group.cpuset === task.cpuset) ?? root;

  function readList(text: NodeText, limit: number): number[] | number {
    if (typeof text !== 'string') return text.every((n) => n >= 0 && n < limit) ? [...text] : -EINVAL;
    if (text.trim() === '') return [];
    try {
      return parseNodes(text.trim(), { nodeCount: limit, hasMemory: () => true, allowed: [] });
    } catch {
      return -EINVAL;
    }
  }

  function readMems(text: NodeText): NodeId[] | number {
    const nodes = readList(text, topology.nodeCount);
    if (typeof nodes === 'number') return nodes;
    return nodes.every((node) => topology.hasMemory(node as NodeId)) ? (nodes as NodeId[]) : -EINVAL;
  }

  function create(
    name: string,
    { cpus, mems, memoryMigrate }: { cpus?: NodeText; mems?: NodeText; memoryMigrate?: boolean },
  ): number {
    if (groups.has(name)) return -EEXIST;
    const parent = groups.get(name.slice(0, Math.max(0, name.lastIndexOf('/')))) ?? root;
    const group: Group = {
      cpuset: new Cpuset(name, topology.nodeCount, version === 2 ? parent.cpuset.nodes() : []),
      parent,
      own: [],
      cpus: version === 2 ? allCpus : [],
      migrates: version === 2 || memoryMigrate === true,
    };
    groups.set(name, group);
    if (cpus !== undefined) {
      const list = readList(cpus, topology.cpuCount);
      if (typeof list === 'number') return list;
      group.cpus = list.length > 0 ? (list as CpuId[]) : group.cpus;
    }
    return mems === undefined ? 0 : setMems(name, mems);
  }

  function setMems(name: string, text: NodeText, invoker?: Task): number {
    const group = groups.get(name);
    if (group === undefined) return -ENOENT;
    const given = readMems(text);
    if (typeof given === 'number') return given;
    if (given.length === 0 && membersOf(group).length > 0) return -ENOSPC;
    const children = [...groups.values()].filter(({ parent }) => parent === group);
    if (version === 1) {
      if (!isWithin(given, group.parent?.cpuset.nodes() ?? given)) return -EACCES;
      if (!children.every(({ own }) => isWithin(own, given))) return -EBUSY;
    }
    group.own = given;
    changeMems(group, inForce(group), group.migrates, invoker);
    if (version === 2) children.forEach(follow);
    return 0;
  }

  const isWithin = (nodes: readonly NodeId[], set: readonly NodeId[]): boolean =>
    nodes.every((node) => set.includes(node));
  const membersOf = (group: Group): Task[] => tasks().filter((task) => task.cpuset === group.cpuset);

  /** Of the nodes asked for those that the parent has; cgroup 2: without any, all of the parent's. */
  function inForce(group: Group): NodeId[] {
    const ofParent = group.parent?.cpuset.nodes() ?? [];
    const common = group.own.filter((node) => ofParent.includes(node));
    return common.length > 0 || version === 1 ? common : ofParent;
  }

  /** The nodes in force change: policies of tasks and areas are rebound, and pages follow if the group migrates. */
  function changeMems(group: Group, after: readonly NodeId[], migrates: boolean, invoker?: Task): void {
    const members = membersOf(group);
    const before = group.cpuset.nodes();
    group.cpuset.setNodes(after);
    for (const task of members) changeTask(task);
    for (const task of new Map(members.map((member) => [member.space, member])).values()) {
      rebindAreas(task, after);
      if (migrates) movePages.moveProcess(mover.callerOf(invoker ?? task, task), task, before, after, true);
    }
  }

  /** The parent's nodes changed. A cgroup 1 group loses for good what is not there; its tasks leave it if nothing is left. */
  function follow(group: Group): void {
    const after = inForce(group);
    if (version === 1) {
      group.own = after;
      if (after.length === 0) for (const task of membersOf(group)) enter(ancestorWithMems(group), task);
    }
    if (after.join() !== group.cpuset.nodes().join()) changeMems(group, after, group.migrates);
    for (const child of groups.values()) if (child.parent === group) follow(child);
  }

  function ancestorWithMems(group: Group): Group {
    let at = group.parent ?? root;
    while (at.parent !== null && inForce(at).length === 0) at = at.parent;
    return at;
  }

  function nodesChanged(): void {
    root.own = topology.nodesWithMemory();
    changeMems(root, root.own, false); // the root never migrates
    for (const group of groups.values()) if (group.parent === root) follow(group);
  }

  /** MP-80: at once, or when the task allocates next. */
  function changeTask(task: Task): void {
    if (notice.isLate) task.memsSeen = -1;
    else rebindTask(task, rebind);
  }

  /** Every area's own record; policies of shmem objects are never rebound (K-C2). */
  function rebindAreas(task: Task, nodes: readonly NodeId[]): void {
    const seen = new Set<Mempolicy>();
    for (const vma of task.space.vmas) {
      if (vma.policy === null || seen.has(vma.policy)) continue;
      seen.add(vma.policy);
      vma.policy.rebind(nodes, rebind.mapsPreferred);
    }
  }

  function attach(name: string, task: Task, invoker?: Task): number {
    const group = name === '/' ? root : groups.get(name);
    if (group === undefined) return -ENOENT;
    if (group.cpus.length === 0 || group.cpuset.nodes().length === 0) return -ENOSPC;
    enter(group, task, invoker);
    return 0;
  }

  function enter(group: Group, task: Task, invoker?: Task): void {
    const before = task.cpuset.nodes();
    const after = group.cpuset.nodes();
    task.cpuset = group.cpuset;
    if (!group.cpus.includes(task.cpu)) moveTask(task, group.cpus[0]); // K-C5
    changeTask(task);
    rebindAreas(task, after);
    if (group.migrates) movePages.moveProcess(mover.callerOf(invoker ?? task, task), task, before, after, true);
  }

  return {
    create,
    setMems,
    setMemoryMigrate(name, migrates) {
      const group = groups.get(name);
      if (group === undefined) return -ENOENT;
      group.migrates = migrates;
      return 0;
    },
    attach,
    nodesChanged,
    cpusOf: (task) => groupOf(task).cpus,
  };
}
