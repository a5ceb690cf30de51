import {
  bundledPolicies,
  loadBalancer,
  compose,
  loadPolicy,
  makeCalls,
  tracedBy,
  type Watcher,
} from '../../engine/index.js';
import type { MachineDescription } from '../../hardware/index.js';
import { HUGE_DEFAULTS } from '../../mm/index.js';
import type { PolicyDefinition } from '../../policy/index.js';
import type { RecordedCase, RecordedMachine } from './recording.js';
import { Simulator } from './simulator.js';

/** Costs play no part in a recording: any will do. */
const COST = {
  ...{ minorFaultNs: 1000, majorFaultNs: 100_000, writebackNs: 100_000, pageCopyGbs: 10 },
  ...{
    migrateBaseNs: 1000,
    migratePerPageNs: 1000,
    migratePerFolioNs: 1000,
    ipiNs: 1000,
    ipiFurtherNs: 1000,
    deviceAtOnce: 32,
    deviceNextNs: 80_000,
    walkNs: 10,
  },
};

/** Makes machines for recorded cases: one policy set, one profile. */
export async function simulators(
  profile: string,
): Promise<(recorded: RecordedCase, watcher: Watcher | null) => Simulator> {
  const defaultPolicy = await loadPolicy('default', '.');
  const normal = await loadBalancer('normal', '.');
  const modes = new Map<number, PolicyDefinition>();
  for (const policy of await bundledPolicies()) if (policy.mode !== undefined) modes.set(policy.mode.number, policy);
  return (recorded, watcher) => {
    const parts = {
      ...{
        machine: describe(recorded.machine),
        profile,
        defaultPolicy,
        writesAtOnce: true,
        readsAtOnce: true,
        swapPages: 65536,
        ...(hasHuge(recorded) && { thp: HUGE_DEFAULTS }),
      },
      switches: {
        ...{ hookSwap: false, hookFile: false, hookShmem: false },
        ...{ pageCluster: 0, readahead: true, faultAround: false },
      },
    };
    const balancer = { definition: normal, options: {} };
    const needsBalancer = recorded.steps.some(({ op }) => op === 'touch_loop');
    const all = needsBalancer ? { ...parts, balancer } : parts;
    const machine = watcher === null ? compose(all) : compose(all, tracedBy(watcher.tracer));
    if (machine.balancing !== null) machine.balancing.isOn = false; // as recorded: a step switches it on
    watcher?.watch(machine);
    machine.swap.setLimit(0);
    const { possibleNodes } = recorded.machine;
    const calls = makeCalls(machine, { modes, cgroup: recorded.cgroup ?? 2, possibleNodes });
    return new Simulator(machine, calls);
  };
}

/** The recorded kernels start with the defaults of huge pages, but without any where none are recorded (section 3). */
const hasHuge = ({ steps }: RecordedCase): boolean => steps.some(({ hugePages }) => hugePages !== undefined);

function describe(machine: RecordedMachine): MachineDescription {
  const table = machine.distance.map((row) => row.map(() => 100));
  return {
    ...{ name: machine.name, title: machine.name, distance: machine.distance, assumed: [] },
    nodes: machine.nodes.map(({ cpus, pages }) => ({ cpus, pages })),
    cost: { latencyNs: table, bandwidthGbs: table, ...COST },
  };
}
