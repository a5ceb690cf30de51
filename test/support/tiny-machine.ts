import { compose, type ComposeOptions, type Machine, type Rebind } from '../../src/engine/index.js';
import type { MachineDescription } from '../../src/hardware/index.js';
import type { Task } from '../../src/mm/index.js';
import { VM_READ, VM_WRITE, type MempolicyRequest, type Vma } from '../../src/mm/index.js';
import type { OptionValues, PolicyDefinition } from '../../src/policy/index.js';
import { asNodeId, type CpuId, type NodeId, type Pfn } from '../../src/units.js';
import bind from '../../policies/bind.js';
import defaultPolicy from '../../policies/default.js';
import interleave from '../../policies/interleave.js';
import local from '../../policies/local.js';
import preferredMany from '../../policies/preferred-many.js';
import preferred from '../../policies/preferred.js';
import weighted from '../../policies/weighted-interleave.js';

export const POLICIES = { default: defaultPolicy, bind, interleave, preferred, local, preferredMany, weighted };

export interface TinyOptions extends Partial<Omit<ComposeOptions, 'machine'>> {
  readonly nodes?: number;
  readonly framesPerNode?: number | readonly number[];
  readonly cpusPerNode?: number;
  /** CPUs of each node, where they are not equal. */
  readonly cpusOfNode?: readonly (readonly number[])[];
  /** SLIT; default 10 and 20. */
  readonly distance?: readonly (readonly number[])[];
  /** GB/s; default 100 and 50. */
  readonly bandwidthGbs?: readonly (readonly number[])[];
  readonly rebind?: Rebind;
}

/** A machine description with equal nodes: CPU c is on node floor(c / cpusPerNode). */
export function tinyDescription(options: TinyOptions = {}): MachineDescription {
  const { nodes = 4, framesPerNode = 64, cpusPerNode = 1 } = options;
  const each = Array.from({ length: nodes }, (_, node) => node);
  const table = (local: number, remote: number) => each.map((a) => each.map((b) => (a === b ? local : remote)));
  return {
    name: 'tiny',
    title: 'a machine for tests',
    nodes: each.map((node) => ({
      cpus: options.cpusOfNode?.[node] ?? Array.from({ length: cpusPerNode }, (_, i) => node * cpusPerNode + i),
      pages: typeof framesPerNode === 'number' ? framesPerNode : framesPerNode[node],
    })),
    distance: options.distance ?? table(10, 20),
    cost: {
      latencyNs: table(100, 200),
      bandwidthGbs: options.bandwidthGbs ?? table(100, 50),
      ...{ minorFaultNs: 1000, majorFaultNs: 90_000, writebackNs: 80_000, pageCopyGbs: 10 },
      ...{
        migrateBaseNs: 50_000,
        migratePerPageNs: 1000,
        migratePerFolioNs: 1000,
        ipiNs: 2000,
        ipiFurtherNs: 2000,
        deviceAtOnce: 32,
        deviceNextNs: 80_000,
        walkNs: 30,
      },
    },
    assumed: [],
  };
}

/** A machine of a few frames, with every hook on, contents kept, and no memory held back by watermarks. */
export function tinyMachine(options: TinyOptions = {}): Machine {
  const { rebind, ...rest } = options;
  return compose(
    {
      profile: 'mof',
      switches: {
        ...{ hookSwap: true, hookFile: true, hookShmem: true },
        ...{ pageCluster: 0, readahead: false, faultAround: false },
      },
      ...{ minFreeKbytes: 0, keepContents: true, defaultPolicy, seed: 1 },
      ...rest,
      machine: tinyDescription(options),
    },
    rebind,
  );
}

/** A policy request for `newPolicy`. */
export function request(definition: PolicyDefinition, ...nodes: number[]): MempolicyRequest {
  const initial = Object.entries(definition.options ?? {}).map(([name, option]) => [name, option.initial]);
  return { definition, nodes: nodes.map(asNodeId), flag: null, options: Object.fromEntries(initial) as OptionValues };
}

/** Gives a task a policy of its own. */
export function setPolicy(machine: Machine, task: Task, definition: PolicyDefinition, ...nodes: number[]): void {
  const policy = machine.policy.newPolicy(task, request(definition, ...nodes));
  machine.policy.setMempolicy(task, policy);
  policy.refs--;
}

export const cpuOf = (machine: Machine, node: number): CpuId => machine.topology.cpusOf(asNodeId(node))[0];

/** A process with one thread on a node. */
export function processOn(machine: Machine, node: number): Task {
  return machine.process.newProcess(cpuOf(machine, node));
}

/** Private anonymous memory, page numbers from `start`. */
export function mapAnon(machine: Machine, task: Task, start: number, pages: number): Vma {
  return machine.memory.mmap(task.space, start, pages, { flags: VM_READ | VM_WRITE }, task.cpu);
}

/** Touches pages of a task, one after the other; fails the test if one cannot be. */
export function touchAll(machine: Machine, task: Task, start: number, pages: number, isWrite: boolean): void {
  for (let vpn = start; vpn < start + pages; vpn++) {
    const pfn = machine.touch(task, vpn, isWrite);
    if (pfn <= 0) throw new Error(`page ${String(vpn)}: outcome ${String(-pfn)}`);
  }
}

/** The frame an entry shows, or 0. */
export function frameAt(machine: Machine, task: Task, vpn: number): Pfn {
  const page = machine.tables.walk(task.space.root, vpn);
  return (page >= 0 && machine.tables.isPresent(page) ? machine.tables.word[page] : 0) as Pfn;
}

/** The node of the page an entry shows, or -1. */
export function nodeAt(machine: Machine, task: Task, vpn: number): NodeId | -1 {
  const pfn = frameAt(machine, task, vpn);
  return pfn === 0 ? -1 : machine.frames.nodeOf(pfn);
}

/** Unmaps a task's areas lazily, as `mbind(MOVE | LAZY)` with its policy would, and drains the vectors. */
export function unmapLazily(machine: Machine, task: Task): ReturnType<Machine['policy']['unmapLazily']> {
  return machine.policy.unmapLazily(task, [...task.space.vmas], task.policy);
}
