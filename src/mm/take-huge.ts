import { NO_PFN, type NodeId, type Pfn } from '../units.js';
import type { HugePages } from './huge-pages.js';
import type { Mempolicy } from './mempolicy.js';
import type { Task } from './task.js';
import { MARK_LOW, type NodeMask, type Zones } from './zones.js';

/**
 * K-H5: where a huge page is looked for. Nothing is reclaimed or compacted for it.
 *
 * @param start node that the policy answered
 * @param makesEffort other nodes than the start are tried too
 * @returns the first of 512 frames, with one reference, or `NO_PFN`
 */
export type TakeHuge = (task: Task, policy: Mempolicy, start: NodeId, makesEffort: boolean) => Pfn;

export function makeTakeHuge(zones: Zones, { rule }: HugePages): TakeHuge {
  return (task, policy, start, makesEffort) => {
    const { mems } = task.cpuset;
    const mask = policy.mask !== null && policy.allowsOneOf(mems) ? policy.mask : null; // MP-24
    const fromRow = (within: NodeMask | null) => zones.takeHugeFromRow(start, within, mems, MARK_LOW, task.node);
    if (policy.isInterleave) return fromRow(null);
    if (mask !== null && policy.mayLeaveMask) {
      const pfn = fromRow(mask);
      return pfn === NO_PFN ? fromRow(null) : pfn;
    }
    const isLocal = rule.prefersLocal && mask !== null && mask[task.node] !== 0;
    const first = isLocal ? task.node : start;
    if (mask !== null && mask[first] === 0) return fromRow(mask);
    const pfn = mems[first] === 0 ? NO_PFN : zones.takeHugeFromNode(first, MARK_LOW, task.node);
    if (pfn !== NO_PFN || !makesEffort) return pfn;
    return zones.takeHugeFromRow(first, mask, mems, MARK_LOW, task.node);
  };
}
