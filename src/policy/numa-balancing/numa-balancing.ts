import { NO_NODE, type NodeId } from '../../units.js';
import {
  NOTHING_STORED,
  type BalancedSpace,
  type BalancedTask,
  type BalancerContext,
  type BalancerInstance,
  type HintFault,
  type Served,
} from '../balancer.js';
import { accessorOf, isPrivate } from './accessor.js';
import { passesFilter } from './filter.js';
import { Grouping } from './grouping.js';
import { Promotion } from './promotion.js';
import { mustSlowDown, nextScanPeriod, scanPeriodMax, scanPeriodMin, scanPeriodStart } from './scan-period.js';
import { AreaScanner } from './scanner.js';
import { settingsOf, writeSetting } from './settings.js';
import { PRIVATE, SHARED, TaskFaults } from './task-faults.js';

/** A tick, ns: CONFIG_HZ of 250. */
const TICK_NS = 4e6;
/** Scanning takes at most about 3 % of a task's time (NB-5). */
const SCAN_COST_FACTOR = 32;

/** The bits of kernel.numa_balancing. */
export interface NumaModes {
  readonly normal: boolean;
  readonly tiering: boolean;
}

/** NUMA balancing of the kernel (NB-1..NB-76, TI-20..TI-29), out of the parts of this folder. */
export function numaBalancing(context: BalancerContext, { normal, tiering }: NumaModes): BalancerInstance {
  const { world, ask, rule } = context;
  const settings = settingsOf(context.options);
  const scanner = new AreaScanner(ask, rule, settings, { skipsTopTier: !normal, storesTime: tiering });
  const promotion = new Promotion(settings, world, ask);
  const known = new WeakMap<BalancedTask, TaskFaults>();
  /** When the next scan of an address space is due, ns. */
  const nextScan = new WeakMap<BalancedSpace, number>();
  const firstOf = new WeakSet<BalancedSpace>();
  const grouping = new Grouping(ask, world.nodeCount, faultsOf);
  const hasCpus = Array.from({ length: world.nodeCount }, () => false);
  for (let cpu = 0; cpu < world.cpuCount; cpu++) hasCpus[world.nodeOfCpu(cpu)] = true;
  /** What was stored with the page before this fault (H5). */
  let last = NOTHING_STORED;

  /** NB-3 */
  function faultsOf(task: BalancedTask): TaskFaults {
    let faults = known.get(task);
    if (faults !== undefined) return faults;
    faults = new TaskFaults(world.nodeCount);
    faults.period = settings.scanDelayMs;
    faults.placedNs = ask.nowNs();
    if (firstOf.has(task.space)) faults.stampNs = task.usedNs + 2 * TICK_NS;
    firstOf.add(task.space);
    known.set(task, faults);
    if (!nextScan.has(task.space)) nextScan.set(task.space, ask.nowNs() + settings.scanDelayMs * 1e6);
    return faults;
  }

  const groupFaults = ({ group }: TaskFaults) =>
    group === null
      ? null
      : { tasks: group.tasks.size, shared: group.sums.ofKind(SHARED), private: group.sums.ofKind(PRIVATE) };

  /** NB-4, NB-5. Kernel: task_tick_numa(), task_numa_work() */
  function tick(task: BalancedTask): void {
    const faults = faultsOf(task);
    if (task.usedNs <= faults.stampNs + faults.period * 1e6) return;
    if (faults.stampNs === 0) faults.period = scanPeriodStart(settings, task.space.residentPages, groupFaults(faults));
    faults.stampNs += faults.period * 1e6;
    const now = ask.nowNs();
    if (now < (nextScan.get(task.space) ?? 0)) return;
    nextScan.set(task.space, now + faults.period * 1e6);
    faults.stampNs += 2 * TICK_NS;
    scanner.scan(task);
    faults.stampNs += SCAN_COST_FACTOR * (ask.nowNs() - now);
  }

  const isTiered = (node: NodeId): boolean => tiering && !world.isTopTier(node);

  function hintFault(fault: HintFault): NodeId {
    scanner.used(fault.area, fault.task);
    last = isTiered(fault.pageNode) ? NOTHING_STORED : fault.stored;
    const to = fault.target;
    if (to === NO_NODE || !world.hasMemory(to)) return NO_NODE; // NB-50
    if (isTiered(fault.pageNode)) return promotion.mayPromote(fault, to) ? to : NO_NODE; // NB-51
    const faults = faultsOf(fault.task);
    ask.store(fault, accessorOf(fault.task.cpu, fault.task.id)); // NB-52
    if (to === fault.pageNode) return NO_NODE;
    return passesFilter(world, fault, to, faults, tiering) ? to : NO_NODE;
  }

  /** NB-70, NB-71. Kernel: task_numa_fault() */
  function served(fault: HintFault, how: Served): void {
    const { task, pageNode, pages } = fault;
    if (!world.isTopTier(pageNode) && (tiering || last === NOTHING_STORED)) return;
    const faults = faultsOf(task);
    let own = isPrivate(last, { ...fault, task });
    if (!own && fault.groups) own = grouping.meet(fault, last);
    const { group } = faults;
    let local = task.node === pageNode;
    if (!own && !local && group !== null && group.activeNodes() > 1)
      local = group.isActive(task.node) && group.isActive(pageNode);
    place(task, faults);
    const kind = own ? PRIVATE : SHARED;
    faults.memoryBuffer[pageNode * 2 + kind] += pages;
    faults.cpuBuffer[task.node * 2 + kind] += pages;
    if (local) faults.locality.local += pages;
    else faults.locality.remote += pages;
    if (how === 'failed') faults.locality.failed += pages;
  }

  /** NB-72..NB-75, once per scan of the address space. Kernel: task_numa_placement() */
  function place(task: BalancedTask, faults: TaskFaults): void {
    const sequence = scanner.sequenceOf(task.space);
    if (faults.sequence === sequence) return;
    faults.sequence = sequence;
    const since = faults.decay(ask.nowNs(), task.usedNs);
    const best = faults.bestNode((node) => hasCpus[node], nearestWithCpus);
    if (best !== NO_NODE) faults.preferred = best;
    adapt(task, faults, since);
  }

  function nearestWithCpus(from: NodeId): NodeId {
    let best = NO_NODE;
    for (let node = 0 as NodeId; node < world.nodeCount; node++) {
      if (hasCpus[node] && (best === NO_NODE || world.distance(from, node) < world.distance(from, best))) best = node;
    }
    return best;
  }

  /** NB-75, NB-80, NB-81 */
  function adapt(task: BalancedTask, faults: TaskFaults, since: { shared: number; private: number }): void {
    const { residentPages } = task.space;
    const limits = {
      min: scanPeriodMin(settings, residentPages),
      max: scanPeriodMax(settings, residentPages, groupFaults(faults)),
    };
    const { locality } = faults;
    const slows = mustSlowDown(locality, since.shared);
    faults.period = nextScanPeriod(faults.period, limits, locality, since);
    if (slows) nextScan.set(task.space, ask.nowNs() + faults.period * 1e6);
    if (!slows || rule.forgetsWhenSlowing) locality.local = locality.remote = locality.failed = 0;
  }

  return {
    tick,
    hintFault,
    served,
    /** NB-82 */
    moved(task, from) {
      const faults = faultsOf(task);
      const { preferred, sequence } = faults;
      if (sequence > 0 && (preferred === task.node || (preferred !== NO_NODE && from !== preferred))) return;
      faults.period = scanPeriodStart(settings, task.space.residentPages, groupFaults(faults));
    },
    write: (name, value) => writeSetting(settings, name, value),
  };
}
