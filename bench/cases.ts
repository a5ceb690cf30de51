import { compose, loadPolicy, type Machine } from '../src/engine/index.js';
import type { MachineDescription } from '../src/hardware/index.js';
import { VM_READ, VM_WRITE, type Vma } from '../src/mm/index.js';
import { Random } from '../src/random.js';
import { asCpuId, asNodeId, type PageId } from '../src/units.js';

/** 4 nodes, 8 CPUs, one process with a thread on each CPU. */
const NODES = 4;
const CPUS = 8;
const FIRST_VPN = 2 ** 20;
/** Accesses per sample: one alone would measure the clock. */
export const LOOP = 4096;

export const CASE_NAMES = ['tlb-hit', 'miss-present', 'swap-cache-well-placed', 'swap-cache-misplaced'] as const;
export type CaseName = (typeof CASE_NAMES)[number];
export const POLICY_NAMES = ['default', 'bind', 'interleave', 'preferred'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** One case, ready to run: `prepare` is not timed, `run` makes LOOP accesses and is. */
export interface Case {
  prepare(): void;
  run(): void;
  /** Ends the program if the accesses were not what the name says. */
  verify(): void;
}

const NODES_OF: Readonly<Record<PolicyName, readonly number[]>> = {
  default: [],
  bind: [1, 2],
  interleave: [0, 1, 2, 3],
  preferred: [2],
};

/** @param pages working set; half of the machine's memory, so that moved pages find room */
export async function makeCase(name: CaseName, policyName: PolicyName, pages: number): Promise<Case> {
  const bed = await makeBed(policyName, pages);
  switch (name) {
    case 'tlb-hit':
      return accesses(bed, bed.hotPages(), 'tlb-hit');
    case 'miss-present':
      return accesses(bed, bed.randomPages(), 'miss-present');
    case 'swap-cache-well-placed':
      return faults(bed, false);
    case 'swap-cache-misplaced':
      return faults(bed, true);
  }
}

type Bed = Awaited<ReturnType<typeof makeBed>>;

/** A machine with one area of `pages` pages, and who touches which page. */
async function makeBed(policyName: PolicyName, pages: number) {
  const machine = compose({
    machine: description(pages),
    profile: 'mof',
    switches: { hookSwap: true, hookFile: true, hookShmem: true, pageCluster: 0, readahead: false, faultAround: false },
    defaultPolicy: await loadPolicy('default', '.'),
  });
  const first = machine.process.newProcess(asCpuId(0));
  const tasks = [first];
  for (let cpu = 1; cpu < CPUS; cpu++) tasks.push(machine.process.newThread(first, asCpuId(cpu)));
  const random = new Random(1);
  const cpuOf = Uint8Array.from({ length: pages }, () => random.below(CPUS));
  const order = shuffled(pages, random);
  const definition = await loadPolicy(policyName, '.');
  const policyOf = (nodes: readonly number[], of = definition) =>
    machine.policy.newPolicy(first, { definition: of, nodes: nodes.map(asNodeId), flag: null, options: {} });
  const policy = policyName === 'default' ? null : policyOf(NODES_OF[policyName]);
  const stray = await loadPolicy('preferred', '.');
  const strays = Array.from({ length: NODES }, (_, node) => policyOf([node], stray));
  const setPolicy = (to: typeof policy) => {
    for (const task of tasks) machine.policy.setMempolicy(task, to);
  };
  let vma: Vma | null = null;
  let ids = new Int32Array(0);

  /** Maps the area and touches each page, in random order, by its CPU; misplaced: on some node that is wrong for it. */
  function place(misplaced: boolean): void {
    if (vma !== null) machine.memory.munmap(first.space, FIRST_VPN, pages, first.cpu);
    const area = machine.memory.mmap(first.space, FIRST_VPN, pages, { flags: VM_READ | VM_WRITE }, first.cpu);
    vma = area;
    ids = Int32Array.from({ length: pages }, (_, i) => machine.spaces.pageIn(area, i));
    setPolicy(policy);
    for (const page of order) {
      const task = tasks[cpuOf[page]];
      if (misplaced) machine.policy.setMempolicy(task, strays[wrongNode(page)]);
      machine.access(task, ids[page] as PageId, true);
    }
    setPolicy(policy);
  }

  function wrongNode(page: number): number {
    const home = { default: cpuOf[page] >> 1, bind: 1, interleave: (FIRST_VPN + page) % NODES, preferred: 2 }[
      policyName
    ];
    if (policyName === 'bind') return random.below(2) * 3;
    return (home + 1 + random.below(NODES - 1)) % NODES;
  }

  return {
    ...{ machine, tasks, cpuOf, order, pages, place },
    id: (page: number) => ids[page] as PageId,
    unmap: () => vma !== null && machine.policy.unmapLazily(first, [vma], null),
    /** 512 pages per CPU, so that all of them fit its TLB. */
    hotPages: () => Int32Array.from({ length: LOOP }, () => random.below(512)),
    randomPages: () => Int32Array.from({ length: 2 ** 20 }, () => random.below(pages)),
  };
}

/** Accesses to pages that are present: from the TLB, or by a walk. */
function accesses(bed: Bed, pages: Int32Array, name: 'tlb-hit' | 'miss-present'): Case {
  const { machine, tasks } = bed;
  let at = 0;
  let made = 0;
  bed.place(false);
  const run = () => {
    for (let i = 0; i < LOOP; i++) {
      const page = pages[at];
      at = at + 1 === pages.length ? 0 : at + 1;
      machine.access(tasks[i & 7], bed.id(page), false);
    }
    made += LOOP;
  };
  for (let i = 0; i < 16; i++) run();
  made = 0;
  const missesBefore = machine.counters.get('tlb_miss');
  const faultsBefore = machine.counters.get('pgfault');
  return {
    prepare: () => undefined,
    run,
    verify() {
      const share = (machine.counters.get('tlb_miss') - missesBefore) / made;
      expect(
        name === 'tlb-hit' ? share < 0.001 : share > 0.9,
        `${name}: ${String(share)} of the accesses missed the TLB`,
      );
      expect(machine.counters.get('pgfault') === faultsBefore, `${name}: there were faults`);
    },
  };
}

/** Swap-cache faults: pages unmapped lazily, then touched once each in another random order. */
function faults(bed: Bed, misplaced: boolean): Case {
  const { machine, tasks, cpuOf, order, pages } = bed;
  let at = pages;
  let made = 0;
  const count = (name: Parameters<Machine['counters']['get']>[0]) => machine.counters.get(name);
  return {
    prepare() {
      if (at + LOOP <= pages) return;
      if (misplaced || made === 0) bed.place(misplaced);
      bed.unmap();
      at = 0;
    },
    run() {
      for (let i = 0; i < LOOP; i++) {
        const page = order[pages - 1 - at++];
        machine.access(tasks[cpuOf[page]], bed.id(page), false);
      }
      made += LOOP;
    },
    verify() {
      expect(
        count('fault_swap') === made,
        `${String(count('fault_swap'))} swap-cache faults, ${String(made)} accesses`,
      );
      expect(count('fault_swap_major') === 0, 'pages were read from the device');
      const moved = count('mof_migrate_done');
      expect(moved === (misplaced ? made : 0), `${String(moved)} of ${String(made)} pages were migrated`);
    },
  };
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`this case does not measure what it says: ${otherwise}`);
}

function shuffled(n: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Every node can take the whole working set. */
function description(pages: number): MachineDescription {
  const each = Array.from({ length: NODES }, (_, node) => node);
  const table = (local: number, remote: number) => each.map((a) => each.map((b) => (a === b ? local : remote)));
  return {
    ...{ name: 'bench', title: 'four nodes, eight CPUs', distance: table(10, 20), assumed: [] },
    nodes: each.map((node) => ({ cpus: [2 * node, 2 * node + 1], pages: pages * 2 })),
    cost: {
      ...{ latencyNs: table(80, 140), bandwidthGbs: table(100, 50), minorFaultNs: 2000, majorFaultNs: 90_000 },
      ...{
        writebackNs: 80_000,
        pageCopyGbs: 5,
        migrateBaseNs: 60_000,
        migratePerPageNs: 1500,
        ipiNs: 2700,
        walkNs: 30,
      },
    },
  };
}
