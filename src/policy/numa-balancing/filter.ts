import { NO_NODE, type NodeId } from '../../units.js';
import { NOTHING_STORED, type BalancedWorld, type HintFault } from '../balancer.js';
import { cpuOfAccessor, isAccessor } from './accessor.js';
import { ACTIVE_NODE_FRACTION, type TaskFaults } from './task-faults.js';

/** Scans of a new task during which its own pages move at the first fault (NB-54). */
const EARLY_SCANS = 4;

/**
 * NB-53..NB-59: may the page move to `to`? Two faults in a row from one node are the normal condition, with exceptions for early
 * and for private faults. The caller has stored who uses the page now (NB-52, NB-60). Kernel: should_numa_migrate_memory()
 */
export function passesFilter(
  world: BalancedWorld,
  fault: HintFault,
  to: NodeId,
  faults: TaskFaults,
  modeIsTiering: boolean,
): boolean {
  const { stored, pageNode: from, task } = fault;
  const cpu = stored === NOTHING_STORED ? -1 : cpuOfAccessor(stored);
  if (!modeIsTiering && !world.isTopTier(from) && cpu >= world.cpuCount) return false; // NB-53: an old time stamp
  const isOwn = isAccessor(stored, task.id);
  const isEarly = faults.preferred === NO_NODE || faults.sequence <= EARLY_SCANS;
  if (isEarly && (cpu < 0 || isOwn)) return true; // NB-54
  if (cpu >= 0 && (cpu >= world.cpuCount || world.nodeOfCpu(cpu) !== to)) return false; // NB-55
  if (isOwn) return true; // NB-56
  const { group } = faults;
  if (group === null) return true; // NB-57
  const { sums } = group;
  const [cpuTo, cpuFrom] = [sums.cpuOf(to), sums.cpuOf(from)];
  if (cpuTo > ACTIVE_NODE_FRACTION * cpuFrom) return true; // NB-58
  return cpuTo * sums.memoryOf(from) * 3 > cpuFrom * sums.memoryOf(to) * 4; // NB-59
}
