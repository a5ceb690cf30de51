import { int32s } from '../../arrays.js';
import { compose, loadPolicy, type ComposeOptions, type Machine, type Rebind } from '../../engine/index.js';
import type { MachineDescription } from '../../hardware/index.js';
import {
  askAboutVma,
  Mempolicy,
  Query,
  VM_READ,
  VM_WRITE,
  type MempolicyRequest,
  type Task,
  type Vma,
  type VmaAttributes,
} from '../../mm/index.js';
import { MmError } from '../../errors.js';
import { Random } from '../../random.js';
import { asCpuId, asNodeId, NO_NODE, type CpuId, type NodeId, type PageId } from '../../units.js';

export const BENCH_NODES = 4;
export const BENCH_CPUS = 8;
/** Its costs: round numbers near those of present servers. */
export const BENCH_ASSUMED =
  'a first touch 2 µs, a major fault 90 µs, 5 GB/s copying, 1.5 µs per move, interrupts 2.7 and 1.3 µs (all assumed).';
const FIRST_VPN = 2 ** 20;
/** Touches that a thread makes in one go, as in a trace. */
const QUANTUM = 64;
/** Neighbouring pages that share a policy where several are mixed. */
const STRETCH = 512;
/** Answers that may say "it is right there" before a page is taken to be right everywhere. */
const TRIES = 64;

export interface BedOptions {
  /** Working set, in pages. */
  readonly pages: number;
  /** Policy of the tasks; null: default. */
  readonly policy: MempolicyRequest | null;
  /** Instead, policies of stretches of the area, in turn. */
  readonly mixed?: readonly MempolicyRequest[];
  /** In which order pages are placed and touched; random: two orders that have nothing to do with each other. */
  readonly order?: 'random' | 'page';
  /** Frames have 4 KiB each, which writes fill and moves copy. */
  readonly contents?: boolean;
  /** Threads that touch the pages, spread over the nodes. */
  readonly threads?: number;
  /** Nodes of the machine; 4 unless said otherwise. */
  readonly nodes?: number;
  /** Left out: each node can take the whole working set, twice over. */
  readonly framesPerNode?: number | undefined;
  /** Those of migrate-on-fault; on unless said otherwise. */
  readonly hooks?: boolean;
  readonly rebind?: Rebind;
}

/** A machine with one area of pages, and who touches which page when. */
export interface Bed {
  readonly machine: Machine;
  readonly tasks: readonly Task[];
  readonly first: Task;
  readonly pages: number;
  /** Page number of the area's first page. */
  readonly firstVpn: number;
  readonly random: Random;
  /** The sequence of touches, each page once, some at a time by each thread: page ids (valid after `map`), and which thread. */
  readonly touchId: Int32Array;
  readonly touchTask: Uint8Array;
  /** The pages themselves. */
  readonly touchPage: Uint32Array;
  /** Ids by page of the area. */
  readonly ids: Int32Array;
  /** Maps the area anew: nothing of it is there. */
  map(attributes?: VmaAttributes): Vma;
  /**
   * Maps it and lets each page be written once by its thread, where its policy wants it or, `misplaced`, where it does not.
   * @throws MmError BAD_POLICY if there is no such node
   */
  place(misplaced: boolean): void;
  /** Each page is touched once, in the order of the touches. */
  touchAll(isWrite: boolean): void;
  /** Lazy unmapping of the whole area. @returns pages unmapped */
  unmapLazily(): number;
}

/** A policy by name, as the cases use it: with two of the nodes, all of them or one. */
export async function policyForBench(name: string): Promise<MempolicyRequest | null> {
  if (name === 'default') return null;
  const nodes = { bind: [1, 2], interleave: [0, 1, 2, 3], preferred: [2], 'preferred-many': [1, 2] }[name];
  const definition = await loadPolicy(name, '.');
  const given = nodes ?? (definition.nodes === 'some' ? [0, 1, 2, 3] : []);
  return { definition, nodes: given.map(asNodeId), flag: null, options: initialOptions(definition.options) };
}

function initialOptions(options: MempolicyRequest['definition']['options']): MempolicyRequest['options'] {
  return Object.fromEntries(Object.entries(options ?? {}).map(([name, { initial }]) => [name, initial]));
}

export async function makeBed(options: BedOptions): Promise<Bed> {
  const { pages, order = 'random', threads = BENCH_CPUS, mixed = [], nodes: nodeCount = BENCH_NODES } = options;
  const cpuOfThread = (thread: number): CpuId => cpuOn(nodeCount, thread);
  const machine = compose(await composeOptions(options), options.rebind);
  const first = machine.process.newProcess(cpuOfThread(0));
  const tasks = [first];
  for (let i = 1; i < threads; i++) tasks.push(machine.process.newThread(first, cpuOfThread(i)));
  const random = new Random(1);
  const threadOf = Uint8Array.from({ length: pages }, () => random.below(threads));
  const placeOrder = order === 'random' ? shuffled(pages, random) : ascending(pages);
  const touchOrder = inQuanta(order === 'random' ? shuffled(pages, random) : placeOrder, threadOf, threads);
  const touchTask = Uint8Array.from(touchOrder, (page) => threadOf[page]);
  const touchPage = Uint32Array.from(touchOrder);
  const touchId = int32s(pages);
  const ids = int32s(pages);

  const newPolicy = (request: MempolicyRequest) => machine.policy.newPolicy(first, request);
  const policy = options.policy === null ? null : newPolicy(options.policy);
  const stretches = mixed.map(newPolicy);
  const policyOf = (page: number): Mempolicy | null =>
    stretches.length === 0 ? policy : stretches[Math.floor(page / STRETCH) % stretches.length];
  const stray = await loadPolicy('preferred', '.');
  const strays = machine.topology
    .allNodes()
    .map((node) => newPolicy({ definition: stray, nodes: [node], flag: null, options: {} }));
  const query = new Query();
  for (const task of tasks) setPolicy(task, policy);

  function map(attributes: VmaAttributes = { flags: VM_READ | VM_WRITE }): Vma {
    machine.memory.munmap(first.space, FIRST_VPN, pages, first.cpu);
    const vma = machine.memory.mmap(first.space, FIRST_VPN, pages, attributes, first.cpu);
    for (let page = 0; page < pages; page++) ids[page] = machine.spaces.pageIn(vma, page);
    for (let i = 0; i < pages; i++) touchId[i] = ids[touchOrder[i]];
    return vma;
  }

  function setPolicy(task: Task, to: Mempolicy | null): void {
    if (task.policy !== to) machine.policy.setMempolicy(task, to);
  }

  function setStretches(): void {
    for (let page = 0; stretches.length > 0 && page < pages; page += STRETCH)
      machine.policy.mbind(first.space, FIRST_VPN + page, Math.min(STRETCH, pages - page), policyOf(page));
  }

  function place(misplaced: boolean): void {
    const vma = map();
    const nodes = misplaced ? Uint8Array.from(placeOrder, (page) => wrongNode(vma, page)) : null;
    for (const task of tasks) setPolicy(task, policy);
    if (!misplaced) setStretches();
    for (let i = 0; i < pages; i++) {
      const page = placeOrder[i];
      const task = tasks[threadOf[page]];
      if (nodes !== null) setPolicy(task, strays[nodes[i]]);
      machine.access(task, ids[page] as PageId, true);
    }
    if (misplaced) setStretches();
    for (const task of tasks) setPolicy(task, policy);
  }

  /** A node from which the page's policy would move it. */
  function wrongNode(vma: Vma, page: number): NodeId {
    const governing = policyOf(page) ?? machine.defaultPolicy;
    askAboutVma(query, vma, page, machine.rules.interleaveIndex);
    query.cpuNode = tasks[threadOf[page]].node;
    for (let i = 0; i < TRIES; i++) {
      query.pageNode = asNodeId(random.below(nodeCount));
      if (governing.instance.misplaced(query) !== NO_NODE) return query.pageNode;
    }
    throw new MmError(
      'BAD_POLICY',
      `policy "${governing.definition.name}" finds a page right on every node; expected one that moves pages`,
    );
  }

  return {
    ...{ machine, tasks, first, pages, firstVpn: FIRST_VPN, random, touchId, touchTask, touchPage, ids, map, place },
    touchAll(isWrite) {
      for (let i = 0; i < pages; i++) machine.access(tasks[touchTask[i]], touchId[i] as PageId, isWrite);
    },
    unmapLazily: () => machine.policy.unmapLazily(first, [...first.space.vmas], null).unmapped,
  };
}

/** CPUs of each of so many nodes: as many in all as there are threads, or four where that would be fewer than one. */
const cpusPerNode = (nodes: number): number => (nodes > BENCH_CPUS ? 4 : BENCH_CPUS / nodes);

/** Threads in turn on each node: with as many as CPUs, one on each; on nodes far apart where there are more nodes than threads. */
function cpuOn(nodes: number, thread: number): CpuId {
  const stride = Math.max(1, nodes / BENCH_CPUS);
  const turns = Math.min(nodes, BENCH_CPUS);
  const perNode = cpusPerNode(nodes);
  return asCpuId((thread % turns) * stride * perNode + (Math.floor(thread / turns) % perNode));
}

async function composeOptions({
  pages,
  contents = false,
  framesPerNode,
  nodes = BENCH_NODES,
  hooks = true,
}: BedOptions): Promise<ComposeOptions> {
  return {
    machine: benchMachine(nodes, framesPerNode ?? pages * 2),
    expectedPages: pages,
    ...(framesPerNode !== undefined && { swapPages: pages * 2 }),
    profile: 'mof',
    switches: {
      hookSwap: hooks,
      hookFile: hooks,
      hookShmem: hooks,
      pageCluster: 0,
      readahead: false,
      faultAround: false,
    },
    keepContents: contents ? 'pages' : false,
    defaultPolicy: await loadPolicy('default', '.'),
  };
}

function ascending(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/** The same pages, each thread's in their order, with turns of a quantum. */
function inQuanta(order: Int32Array, threadOf: Uint8Array, threads: number): Int32Array {
  const own = Array.from({ length: threads }, (_, thread) => order.filter((page) => threadOf[page] === thread));
  const turned = int32s(order.length);
  let at = 0;
  for (let from = 0; at < order.length; from += QUANTUM) {
    for (const pages of own) {
      const quantum = pages.subarray(from, from + QUANTUM);
      turned.set(quantum, at);
      at += quantum.length;
    }
  }
  return turned;
}

function shuffled(n: number, random: Random): Int32Array {
  const order = ascending(n);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Nodes one hop apart, with two CPUs each where there are four. */
export function benchMachine(nodes: number, framesPerNode: number): MachineDescription {
  const each = Array.from({ length: nodes }, (_, node) => node);
  const perNode = cpusPerNode(nodes);
  const table = (local: number, remote: number) => each.map((a) => each.map((b) => (a === b ? local : remote)));
  return {
    ...{
      name: 'bench',
      title: `${String(nodes)} nodes, ${String(nodes * perNode)} CPUs`,
      distance: table(10, 20),
      assumed: [BENCH_ASSUMED],
    },
    nodes: each.map((node) => ({
      cpus: Array.from({ length: perNode }, (_, i) => node * perNode + i),
      pages: framesPerNode,
    })),
    cost: {
      ...{ latencyNs: table(80, 140), bandwidthGbs: table(100, 50), minorFaultNs: 2000, majorFaultNs: 90_000 },
      ...{
        writebackNs: 80_000,
        pageCopyGbs: 5,
        migrateBaseNs: 60_000,
        migratePerPageNs: 1500,
        migratePerFolioNs: 1500,
      },
      ...{ ipiNs: 2700, ipiFurtherNs: 1300, deviceAtOnce: 32, deviceNextNs: 90_000, walkNs: 30 },
    },
  };
}
