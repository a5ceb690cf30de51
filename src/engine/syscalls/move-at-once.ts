import { EACCES, EAGAIN, EBUSY, EFAULT, ENODEV, ENOENT, ENOMEM } from '../../errors.js';
import type { Frames, Lru, Task } from '../../mm/index.js';
import type { World } from '../../policy/index.js';
import { NO_PFN, type NodeId, type Pfn } from '../../units.js';

/** Rule variant `movePages`: how move_pages(2) goes through its list (DM section 7). */
export interface MovePagesRule {
  /** [2.6.18] All nodes are looked at before any page, and all pages are moved together; [6.x] in runs of one node (K-M2, K-M3). */
  readonly isAtOnce: boolean;
  /** What the call says when there was nothing to move: -ENOENT, and 0 since 2.6.28. */
  readonly nothing: number;
}
export const movePages6: MovePagesRule = { isAtOnce: false, nothing: 0 };
export const movePages2618: MovePagesRule = { isAtOnce: true, nothing: -ENOENT };

export interface MoveAtOnceParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly world: World;
  /** The frame behind a page, 0 for none. */
  readonly frameAt: (target: Task, vpn: number) => Pfn;
  /** Moves isolated pages, each to its node alone [2.6.19]. */
  readonly move: (task: Task, pages: readonly Pfn[], nodeOf: (pfn: Pfn) => NodeId) => { readonly noMemory: boolean };
}

/** One call of move_pages as 2.6.18 has it. @returns 0 or -errno; `status` gets an entry per page unless a node was wrong */
export type MoveAtOnce = (
  task: Task,
  target: Task,
  vpns: readonly number[],
  nodes: readonly number[],
  all: boolean,
  status: (number | null)[],
) => number;

/** Kernel: sys_move_pages(), do_move_pages(), mm/migrate.c, 2.6.18. */
export function makeMoveAtOnce({ frames, lru, world, frameAt, move }: MoveAtOnceParts, nothing: number): MoveAtOnce {
  /** The whole call fails for one wrong node. */
  function wrongNode(target: Task, nodes: readonly number[]): number {
    for (const node of nodes) {
      if (!(node >= 0 && node < world.nodeCount)) return -ENODEV;
      if (target.cpuset.mems[node] === 0) return -EACCES;
    }
    return 0;
  }

  /** Isolates a page that has to move. @returns its status, or null: it waits in `goals` */
  function select(target: Task, vpn: number, node: number, all: boolean, goals: Map<Pfn, NodeId>): number | null {
    if (target.space.find(vpn) === null) return -EFAULT;
    const pfn = frameAt(target, vpn);
    if (pfn === NO_PFN) return -ENOENT; // not present, or the zero page
    if (frames.nodeOf(pfn) === (node as NodeId)) return node;
    if (!all && frames.mapcount(pfn) > 1) return -EACCES;
    if (!lru.isolate(pfn)) return -EBUSY;
    goals.set(pfn, node as NodeId);
    return null;
  }

  return (task, target, vpns, nodes, all, status) => {
    const wrong = wrongNode(target, nodes);
    if (wrong !== 0) return wrong;
    lru.drainAll();
    const goals = new Map<Pfn, NodeId>();
    vpns.forEach((vpn, i) => (status[i] = select(target, vpn, nodes[i], all, goals)));
    if (goals.size === 0) return nothing;
    const { noMemory } = move(task, [...goals.keys()], (pfn) => goals.get(pfn) ?? task.node);
    lru.drainAll();
    vpns.forEach((vpn, i) => {
      if (status[i] !== null) return;
      const pfn = frameAt(target, vpn);
      const isThere = pfn !== NO_PFN && frames.nodeOf(pfn) === (nodes[i] as NodeId);
      status[i] = isThere ? nodes[i] : noMemory ? -ENOMEM : -EAGAIN;
    });
    return 0;
  };
}
