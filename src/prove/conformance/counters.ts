import { COUNTER_NAMES, NODE_COUNTER_NAMES, type CounterName, type NodeCounterName } from '../../stats/index.js';
import type { Counters } from '../../stats/index.js';
import type { Mismatch } from './compare.js';
import type { Step } from './recording.js';

/** Names of numastat, as the recordings have them, for those of /proc/vmstat. */
const NUMASTAT: Readonly<Record<NodeCounterName, string>> = {
  ...{ numa_hit: 'numa_hit', numa_miss: 'numa_miss', numa_foreign: 'numa_foreign' },
  ...{ numa_interleave: 'interleave_hit', numa_local: 'local_node', numa_other: 'other_node' },
};
const ofMachine = new Set<string>(COUNTER_NAMES);

/** What the counters of a machine stand at. */
export interface CounterReading {
  readonly values: ReadonlyMap<CounterName, number>;
  readonly nodes: ReadonlyMap<NodeCounterName, readonly number[]>;
}

export function readCounters(counters: Counters): CounterReading {
  const nodes = counters.snapshotOfNodes() as Record<NodeCounterName, number[]>;
  return {
    values: new Map(COUNTER_NAMES.map((name) => [name, counters.get(name)])),
    nodes: new Map(NODE_COUNTER_NAMES.map((name) => [name, nodes[name]])),
  };
}

/** Counters of the kernel that a touch moves; what is not recorded did not change. */
const COMPARED: readonly CounterName[] = ['pgfault', 'pgmajfault', 'pswpin', 'pswpout', 'pgmigrate_success'];

/**
 * Compares what a step changed in the counters of /proc/vmstat, and in those of each node. Names that differed between the
 * recorded runs (`unstable`) are left out, and so is what the model does not count.
 */
export function compareCounters(step: Step, before: CounterReading, after: CounterReading): Mismatch[] {
  const mismatches: Mismatch[] = [];
  const unstable = new Set(step.unstable);
  const { counters = {}, nodeCounters = {} } = step;
  const note = (what: string, expected: unknown, got: unknown) => {
    if (JSON.stringify(expected) !== JSON.stringify(got)) mismatches.push({ what, expected, got });
  };
  const names = new Set<string>([...COMPARED, ...Object.keys(counters).filter((name) => ofMachine.has(name))]);
  for (const name of names) {
    if (unstable.has(name)) continue;
    const [from, to] = [before, after].map(({ values }) => values.get(name as CounterName) ?? 0);
    note(name, counters[name] ?? 0, to - from);
  }
  for (const name of NODE_COUNTER_NAMES) {
    const [from, to] = [before, after].map(({ nodes }) => nodes.get(name) ?? []);
    const change = to.map((value, node) => value - from[node]);
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    if (!unstable.has(name)) note(name, counters[name] ?? 0, sum(change));
    const recorded = NUMASTAT[name];
    if (unstable.has(`node.${recorded}`)) continue;
    note(`${recorded} by node`, nodeCounters[recorded] ?? change.map(() => 0), change);
  }
  return mismatches;
}
