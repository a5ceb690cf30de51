import { isPluginName, parseRun, type PolicySpec, type RunSpec } from '../run/index.js';
import type { RunResult } from '../stats/index.js';

/** A policy on a real machine: numactl's option for a whole program, the mode and libnuma's call for a range of it. */
interface Means {
  readonly option: string;
  readonly mode: string;
  readonly call: string;
  /** numactl takes one node here. */
  readonly isOneNode?: true;
}

const LOCAL: Means = { option: '--localalloc', mode: 'MPOL_LOCAL', call: 'numa_setlocal_memory()' };
const MEANS: Readonly<Record<string, Means>> = {
  default: LOCAL,
  bind: { option: '--membind', mode: 'MPOL_BIND', call: 'numa_tonodemask_memory()' },
  interleave: { option: '--interleave', mode: 'MPOL_INTERLEAVE', call: 'numa_interleave_memory()' },
  'weighted-interleave': { option: '--weighted-interleave', mode: 'MPOL_WEIGHTED_INTERLEAVE', call: 'mbind()' },
  preferred: { option: '--preferred', mode: 'MPOL_PREFERRED', call: 'numa_tonode_memory()', isOneNode: true },
  'preferred-many': { option: '--preferred-many', mode: 'MPOL_PREFERRED_MANY', call: 'mbind()' },
};

/** Actions that nobody chooses, and what makes them happen. */
const HAPPENS: Readonly<Record<string, string>> = {
  task: 'taskset or sched_setaffinity(2) make it happen',
  offline: 'an administrator makes it happen (offline to the state file of each memory block of the node)',
};

/** How to have what `result` shows on a real machine, a line each: numactl first, then what numactl cannot do. */
export function realMeans(result: RunResult): string[] {
  const spec = parseRun(result.run);
  return [
    spec.switches.balancing !== null && spec.policy.name === 'default'
      ? 'nothing but to start PROGRAM: a policy set with numactl would keep its pages from being balanced'
      : processLine(spec.policy, result.nodes),
    ...[...vmaLines(spec), ...moveLines(spec, result), ...threadLines(spec), ...sysctlLines(spec)],
  ];
}

/** What comes nearest to migrate-on-fault on the kernels people run. */
export function nearestRealMeans(result: RunResult): string[] {
  const { switches, actions } = parseRun(result.run);
  const lines = [
    'first touch: let the threads that use a page be the first to write it (initialise in parallel)',
    'mbind(…, MPOL_MF_MOVE) or move_pages(2) once, when initialisation is done',
    'NUMA balancing: sysctl kernel.numa_balancing=1 (pages follow their users over seconds, for programs that run that long)',
  ];
  if (switches.hookFile && actions.length === 0) {
    lines.push(
      'file pages: posix_fadvise(…, POSIX_FADV_DONTNEED) by the writer, so that the reader allocates them anew',
    );
  }
  return lines;
}

function processLine(policy: PolicySpec, resolved: string): string {
  const means = meansOf(policy);
  if (!means) {
    const whose = isPluginName(policy.name) ? 'a policy of your own' : 'no mode of the kernel';
    return `"${policy.name}" is ${whose}: what it decides takes mbind() on each range, before its first touch`;
  }
  if (policy.flags.length > 0) {
    const flag = policy.flags[0] === 'static' ? 'MPOL_F_STATIC_NODES' : 'MPOL_F_RELATIVE_NODES';
    return `in PROGRAM: set_mempolicy(${means.mode} | ${flag}, nodes ${policy.nodes ?? ''}) (numactl has no option for the flag)`;
  }
  const line = `numactl ${optionOf(means, policy, resolved)} -- PROGRAM`;
  return policy.name === 'default' ? `${line}    (or nothing at all: it is what the kernel does by itself)` : line;
}

function optionOf(means: Means, policy: PolicySpec, resolved: string): string {
  if (policy.nodes === null) return LOCAL.option;
  return `${means.option}=${means.isOneNode ? oneNode(policy.nodes, resolved) : policy.nodes}`;
}

/** `nodes` if it names one node, else the first of those it came to on the machine: the only one PREFERRED looks at. */
function oneNode(nodes: string, resolved: string): string {
  if (/^\+?\d+$/.test(nodes)) return nodes;
  return /^\d+/.exec(resolved)?.[0] ?? /^\d+/.exec(nodes)?.[0] ?? '0';
}

function vmaLines({ switches }: RunSpec): string[] {
  return switches.vmas.map(({ region, policy }) => {
    const means = meansOf(policy);
    const nodes = policy.nodes === null ? '' : `, nodes ${policy.nodes}`;
    const what = means
      ? `mbind(start, length, ${means.mode}${nodes}), in libnuma ${means.call}`
      : `mbind() as "${policy.name}" decides`;
    return `in PROGRAM, before the first touch of region "${region}": ${what}`;
  });
}

function moveLines({ actions, policy }: RunSpec, result: RunResult): string[] {
  const mode = meansOf(policy)?.mode ?? `the mode that "${policy.name}" stands for`;
  return actions.flatMap((action) => {
    const errno = refusal(action.text, result);
    if (errno !== null) return [`without ${action.text}: its call is refused (${errno}) and moves nothing`];
    if (action.kind === 'move')
      return [`in PROGRAM, for ${action.text}: mbind(start, length, ${mode}, …, MPOL_MF_MOVE) on each range`];
    if (action.kind === 'migrate') return [`for ${action.text}: migratepages PID ${action.from} ${action.to}`];
    if (action.kind === 'swapout')
      return [`for ${action.text}: process_madvise(PIDFD, …, MADV_PAGEOUT) by another process`];
    if (action.kind === 'cpuset') {
      const moves = `cpuset.memory_migrate=${action.migrates ? '1' : '0'} first (cgroup 1; cgroup 2 always moves pages)`;
      return [`for ${action.text}: cpuset.mems=${action.nodes} of its control group, ${moves}`];
    }
    return [];
  });
}

/** The errno of an action each of whose calls was refused and moved nothing; null for any other. */
function refusal(action: string, { actions }: RunResult): string | null {
  const came = actions.filter((each) => each.action === action && each.row !== null);
  const isRefused = came.every(({ errno, pagesTouched }) => errno !== undefined && pagesTouched === 0);
  return isRefused ? (came[0]?.errno ?? null) : null;
}

function threadLines({ switches, actions }: RunSpec): string[] {
  const lines = actions.flatMap(({ kind, text }) => {
    const how = Object.hasOwn(HAPPENS, kind) ? HAPPENS[kind] : null;
    return how === null ? [] : [`${text} happens to a program and is no choice of it: ${how}`];
  });
  const { cpus } = switches;
  if (cpus === 'spread')
    lines.push('threads: OMP_PROC_BIND=spread, or pthread_setaffinity_np() round robin over the nodes');
  else if (cpus === 'pack') lines.push('threads: OMP_PROC_BIND=close, or pthread_setaffinity_np() node after node');
  else if (cpus !== 'blocks')
    lines.push(`threads: GOMP_CPU_AFFINITY=${cpus.join(',')}, or pthread_setaffinity_np() in this order`);
  return lines;
}

function sysctlLines({ switches }: RunSpec): string[] {
  const lines = switches.pageCluster > 0 ? [`sysctl vm.page-cluster=${String(switches.pageCluster)}`] : [];
  if (switches.thp !== 'never') lines.push(`echo ${switches.thp} > /sys/kernel/mm/transparent_hugepage/enabled`);
  lines.push(...balancingLines(switches.balancing));
  return switches.swap ? lines : [...lines, 'swapoff -a'];
}

/** Kernel's own balancers; others have no switch. */
const BALANCING_MODES: Readonly<Record<string, number>> = { normal: 1, tiering: 2 };

function balancingLines(balancing: RunSpec['switches']['balancing']): string[] {
  if (balancing === null) return [];
  if (!Object.hasOwn(BALANCING_MODES, balancing.name))
    return [`balancer "${balancing.name}" is no part of the kernel: nothing switches it on`];
  const mode = BALANCING_MODES[balancing.name] | (balancing.options.normal === 'on' ? 1 : 0);
  const options = Object.keys(balancing.options).filter((name) => name !== 'normal');
  const scans = options.length === 0 ? '' : `; ${options.join(', ')} in /sys/kernel/debug/sched/numa_balancing`;
  return [`sysctl kernel.numa_balancing=${String(mode)}${scans}`];
}

function meansOf(policy: PolicySpec): Means | null {
  if (!Object.hasOwn(MEANS, policy.name)) return null;
  return policy.nodes === null ? LOCAL : MEANS[policy.name];
}
