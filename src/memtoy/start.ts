import {
  hookSwitches,
  bundledPolicies,
  compose,
  loadPolicy,
  makeCalls,
  profileNamed,
  tracedBy,
  type RuleNames,
  type Watcher,
} from '../engine/index.js';
import { COST_ASSUMPTIONS } from '../cost/index.js';
import type { MachineDescription } from '../hardware/index.js';
import type { PolicyDefinition } from '../policy/index.js';
import { mapProgram } from './preloaded.js';
import { StepPrinter } from './step-printer.js';
import { SegmentTable } from './segments.js';
import { makeSession, type Session } from './session.js';
import { Toy } from './toy.js';
import { type Host, World } from './world.js';

/** What a memtoy runs on. */
export interface MemtoyOptions {
  readonly machine: MachineDescription;
  readonly profile: string;
  /** Single rules changed by name. */
  readonly rules?: Partial<RuleNames>;
  /** Told each step (`--trace`); closing it is the caller's. */
  readonly watcher?: Watcher;
}

/** A machine with migrate-on-fault on, if its profile has it, and one memtoy on its first CPU. */
export async function startMemtoy(
  { machine: description, profile, rules, watcher }: MemtoyOptions,
  host: Host,
): Promise<Session> {
  const { hooks } = profileNamed(profile);
  const defaultPolicy = await loadPolicy('default', '.');
  const printer = new StepPrinter(watcher?.tracer ?? null);
  const machine = compose(
    {
      ...{ machine: description, profile, defaultPolicy, keepContents: true },
      ...(rules !== undefined && { rules }),
      switches: {
        ...hookSwitches(hooks, true),
        ...{ pageCluster: 0, readahead: false, faultAround: false },
      },
    },
    tracedBy(printer),
  );
  watcher?.watch(machine);
  const maskWidth = Math.max(64, Math.ceil((machine.topology.nodeCount + 1) / 64) * 64);
  const modes = new Map<number, PolicyDefinition>();
  for (const policy of await bundledPolicies()) if (policy.mode !== undefined) modes.set(policy.mode.number, policy);
  const calls = makeCalls(machine, { modes, cgroup: 1, possibleNodes: maskWidth });
  const world = new World(machine, calls, host, maskWidth, hooks, [...description.assumed, ...COST_ASSUMPTIONS]);
  printer.world = world;
  const task = machine.process.newProcess(machine.topology.cpusOf(machine.topology.lowestNodeWithMemory())[0]);
  const toy = new Toy(world, task, world.newPid(), 'memtoy', new SegmentTable(mapProgram(world, task)));
  host.out(`memtoy pid:  ${toy.pid}\n`);
  return makeSession(toy);
}
