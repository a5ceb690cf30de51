import type { MachineDescription } from '../../hardware/index.js';
import type { RunRequest } from '../../run/run-request.js';
import type { Sidecar } from '../../trace/index.js';
import type { Machine } from '../machine.js';
import { hugePageAssumption } from './huge-page-assumption.js';

/** Sentences for the report: everything this run took for granted. */
export function runAssumptions(
  { spec, options }: RunRequest,
  machine: Machine,
  description: MachineDescription,
  sidecar: Sidecar,
): string[] {
  const { switches } = spec;
  const where =
    typeof switches.cpus === 'string' ? CPU_WORDS[switches.cpus] : `on CPUs ${switches.cpus.join(',')} in turn`;
  return [
    `Threads run ${where} (cpus=).`,
    options.order === 'rows'
      ? 'Effects happen in the order of the rows; each thread has a clock of its own (--order rows).'
      : 'The CPU furthest behind goes next, within 256 quanta (--order clocks).',
    ...(switches.readahead ? [] : ['Files are read one page at a time (readahead=off).']),
    ...(switches.faultAround ? [] : ['A fault maps one file page (fault-around=off).']),
    ...(switches.pageCluster === 0 ? ['Swap is read one page at a time (page-cluster=0).'] : []),
    ...(movesDirectly(spec) ? [WAITS] : []),
    ...(marksForBalancing(spec) ? [NOT_BALANCED] : []),
    hugePageAssumption(switches.thp, machine, sidecar),
    ...('times' in options.repeat && options.repeat.times === 1
      ? []
      : ['The region of interest is replayed again; memory unmapped within it is freed at its last end.']),
    ...machine.cost.assumptions,
    ...description.assumed,
  ];
}

const WAITS =
  'While a call moves pages, the threads of their process go on only when it is done; other processes move them on a CPU of their own.';

const movesDirectly = ({ actions, switches }: RunRequest['spec']): boolean =>
  switches.autoMigrate?.lazy === false || actions.some(({ kind }) => ['move', 'migrate', 'cpuset'].includes(kind));

const NOT_BALANCED = 'The flag numa_balancing is kept and changes nothing: no balancer runs (balancing=off).';

const marksForBalancing = ({ policy, switches }: RunRequest['spec']): boolean =>
  [policy, ...switches.vmas.map((vma) => vma.policy)].some(({ flags }) => flags.includes('numa_balancing'));

const CPU_WORDS = {
  blocks: 'in equal consecutive groups per node',
  spread: 'round robin over the nodes',
  pack: 'node after node',
};
