import { EEXIST, EINVAL, ENOENT, ENOSPC } from '../../errors.js';
import { parseNodes, type Topology } from '../../hardware/index.js';
import { Cpuset, type Mempolicy, type Task } from '../../mm/index.js';
import type { CpuId, NodeId } from '../../units.js';
import type { MovePagesCalls } from './move-pages.js';

/** A control group that confines CPUs and memory nodes. */
interface Group {
  readonly cpuset: Cpuset;
  cpus: readonly CpuId[];
  /** False for a cgroup 1 group whose mems were never written: tasks cannot enter. */
  hasMems: boolean;
  migrates: boolean;
}

export interface CpusetParts {
  readonly topology: Topology;
  readonly rootCpuset: Cpuset;
  readonly tasks: () => readonly Task[];
  readonly movePages: MovePagesCalls;
  readonly moveTask: (task: Task, cpu: CpuId) => void;
  /** Which interface: 1 has memory_migrate per group, 2 always migrates (K-C3). */
  readonly version: 1 | 2;
}

export interface CpusetCalls {
  create(name: string, settings: { cpus?: NodeText; mems?: NodeText; memoryMigrate?: boolean }): number;
  setMems(name: string, mems: NodeText): number;
  setMemoryMigrate(name: string, migrates: boolean): number;
  /** The task and its CPU mask move into the group (K-C5); its pages too, if the group migrates (K-C3). */
  attach(name: string, task: Task): number;
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
}: CpusetParts): CpusetCalls {
  const allCpus = topology.allNodes().flatMap((node) => topology.cpusOf(node));
  const root: Group = { cpuset: rootCpuset, cpus: allCpus, hasMems: true, migrates: version === 2 };
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
    const group: Group = {
      cpuset: new Cpuset(name, topology.nodeCount, version === 2 ? rootCpuset.nodes() : []),
      cpus: version === 2 ? allCpus : [],
      hasMems: version === 2,
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

  function setMems(name: string, text: NodeText): number {
    const group = groups.get(name);
    if (group === undefined) return -ENOENT;
    const given = readMems(text);
    if (typeof given === 'number') return given;
    const members = tasks().filter((task) => task.cpuset === group.cpuset);
    if (given.length === 0 && members.length > 0) return -ENOSPC;
    const before = group.cpuset.nodes();
    const after = given.length > 0 ? given : version === 2 ? rootCpuset.nodes() : [];
    group.hasMems = after.length > 0;
    group.cpuset.setNodes(after);
    for (const task of members) rebindTask(task, after);
    for (const task of new Map(members.map((member) => [member.space, member])).values()) {
      rebindAreas(task, after);
      if (group.migrates) movePages.moveProcess(task, task, before, after, true);
    }
    return 0;
  }

  function rebindTask(task: Task, nodes: readonly NodeId[]): void {
    task.policy?.rebind(nodes);
  }

  /** Every area's own record; policies of shmem objects are never rebound (K-C2). */
  function rebindAreas(task: Task, nodes: readonly NodeId[]): void {
    const seen = new Set<Mempolicy>();
    for (const vma of task.space.vmas) {
      if (vma.policy === null || seen.has(vma.policy)) continue;
      seen.add(vma.policy);
      vma.policy.rebind(nodes);
    }
  }

  function attach(name: string, task: Task): number {
    const group = name === '/' ? root : groups.get(name);
    if (group === undefined) return -ENOENT;
    if (group.cpus.length === 0 || !group.hasMems) return -ENOSPC;
    const before = task.cpuset.nodes();
    const after = group.cpuset.nodes();
    task.cpuset = group.cpuset;
    if (!group.cpus.includes(task.cpu)) moveTask(task, group.cpus[0]); // K-C5
    rebindTask(task, after);
    rebindAreas(task, after);
    if (group.migrates) movePages.moveProcess(task, task, before, after, true);
    return 0;
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
    cpusOf: (task) => groupOf(task).cpus,
  };
}
