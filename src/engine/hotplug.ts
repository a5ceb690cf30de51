import { EBUSY, EDEADLK, EINVAL } from '../errors.js';
import { fallbackRows } from '../hardware/index.js';
import { makeHotRemove, type HotRemove, type Leftover, type MigratePages, type RemoveAsker } from '../migrate/index.js';
import { memoryBlocks, PG_RESERVED, type MemoryBlock, type Task } from '../mm/index.js';
import type { CpuId, NodeId, Pfn } from '../units.js';
import type { Machine } from './machine.js';
import type { CpusetCalls } from './syscalls/cpusets.js';

export interface HotplugParts {
  readonly machine: Machine;
  readonly migratePages: MigratePages['migratePages'];
  readonly cpusets: CpusetCalls;
}

/** What taking memory away came to. */
export interface OfflineResult {
  /** 0: all of it is gone; else the first block's error: -EBUSY, -EINTR, or what a notifier answered. */
  readonly ret: number;
  /** Blocks that are gone now. */
  readonly blocks: number;
  /** Pages that left the block, or with `offlineNode` the node: one that went from block to block of it counts only once it is out. */
  readonly moved: number;
  /** What stayed, and why: frame numbers ascending. Its blocks are memory as before. */
  readonly leftovers: readonly Leftover[];
  /** A block stayed because it is the last memory of the machine, be it empty: the kernel's own pages have to lie somewhere. */
  readonly isLast?: true;
}

/** A memory block as sysfs shows it. */
export interface BlockState extends MemoryBlock {
  readonly isOnline: boolean;
}

/** Memory that goes away and comes back, as an administrator asks for it through sysfs. */
export interface HotplugCalls {
  /**
   * `offline` to every block of the node that is online, ascending (HR-1). A block that cannot leave stays, and the next one is tried.
   *
   * @param asker the task that writes it: its CPU does the work, its cpuset limits where pages go (HR-13); default: CPU 0, no limit
   * @returns -EINVAL in `ret` for a node without memory
   */
  offlineNode(node: NodeId, asker?: Task): OfflineResult;
  /** `online` to every block of the node that is not (HR-24). @returns 0, or -EINVAL if there is none */
  onlineNode(node: NodeId): number;
  /** The blocks of a node, ascending. */
  blocksOf(node: NodeId): BlockState[];
  offlineBlock(block: MemoryBlock, asker?: Task): OfflineResult;
  onlineBlock(block: MemoryBlock): number;
  /** HR-4: asked before a block goes. Each answers 0, or -errno to refuse. */
  readonly notifiers: ((block: MemoryBlock) => number)[];
  /** The removal itself, for drivers that take one step at a time; `finish` is to follow its last one. */
  readonly hotRemove: HotRemove;
  /** HR-9, HR-20: what follows once a block is gone. */
  finish(block: MemoryBlock): void;
}

export function makeHotplug({ machine, migratePages, cpusets }: HotplugParts): HotplugCalls {
  const { frames, lru, zones, topology, rules, world, reclaim, setMarks, rootCpuset, memoryBlockPages } = machine;
  const notifiers: ((block: MemoryBlock) => number)[] = [];
  const hotRemove = makeHotRemove({
    ...machine,
    ...{ migratePages, allocatePage: reclaim.allocatePage, rule: rules.hotRemove },
    notify: (block) => notifiers.reduce((error, ask) => (error === 0 ? ask(block) : error), 0),
  });
  const anybody: RemoveAsker = {
    ...{ task: -1, cpu: 0 as CpuId, node: topology.nodeOfCpu[0] as NodeId, mems: rootCpuset.mems },
  };

  const askerOf = ({ id, cpu, node, cpuset }: Task): RemoveAsker => ({ task: id, cpu, node, mems: cpuset.mems });
  const isOnline = ({ from }: MemoryBlock): boolean => !zones.isGone(from as Pfn);
  const blocksOf = (node: NodeId): BlockState[] =>
    memoryBlocks(frames, node, memoryBlockPages).map((block) => ({ ...block, isOnline: isOnline(block) }));

  function offlineBlock(block: MemoryBlock, asker?: Task): OfflineResult {
    const refused = (ret: number): OfflineResult => ({ ret, blocks: 0, moved: 0, leftovers: [] });
    if (!isOnline(block)) return refused(-EINVAL);
    if (isLast(block)) return { ...refused(-EBUSY), leftovers: lastPages(block), isLast: true };
    const by = asker === undefined ? anybody : askerOf(asker);
    const { error, moved, leftovers } = hotRemove.offline(block, by);
    if (error === 0) finish(block);
    return { ret: error, blocks: error === 0 ? 1 : 0, moved, leftovers };
  }

  /** Pages in use among frames [from, until), without the kernel's own. */
  function pagesIn(from: number, until: number): Pfn[] {
    const pages: Pfn[] = [];
    zones.forEachUsed((pfn) => {
      if (pfn >= from && pfn < until && !frames.has(pfn, PG_RESERVED)) pages.push(pfn);
    });
    return pages;
  }

  /** What stays with the last block: nothing of it was tried, as there is nowhere else. */
  function lastPages({ from, until }: MemoryBlock): Leftover[] {
    lru.drainAll();
    return pagesIn(from, until).map((pfn) => ({ pfn, reason: 'last memory' }));
  }

  function isLast({ from, until }: MemoryBlock): boolean {
    return topology.allNodes().reduce((pages, node) => pages + zones.managed[node], 0) === until - from;
  }

  /** The frames have left: marks anew, and with the node's last one everything that knows which nodes have memory. */
  function finish({ node }: MemoryBlock): void {
    setMarks();
    if (zones.managed[node] === 0) nodeChanged(node, false);
  }

  function onlineBlock(block: MemoryBlock): number {
    if (isOnline(block)) return -EINVAL;
    zones.bringBack(block.node, block.from, block.until);
    setMarks();
    if (!topology.hasMemory(block.node)) nodeChanged(block.node, true);
    return 0;
  }

  /** HR-20, HR-22, HR-24: fallback rows, the background reclaimer, cpusets. The node itself stays (HR-21). */
  function nodeChanged(node: NodeId, isThere: boolean): void {
    topology.setMemory(node, isThere);
    const rows = fallbackRows(topology, rules.fallbackLoad, true);
    zones.setRows(rows);
    world.rowsChanged(rows);
    reclaim.setMemory(node, isThere);
    cpusets.nodesChanged();
  }

  function offlineNode(node: NodeId, asker?: Task): OfflineResult {
    const online = topology.hasMemory(node) ? blocksOf(node).filter((block) => block.isOnline) : [];
    const results: OfflineResult[] = [];
    const pagesBefore = pagesOn(node);
    for (const block of online) {
      results.push(offlineBlock(block, asker));
      if (results[results.length - 1].ret === -EDEADLK) break; // a call that never returns comes to no other block
    }
    return {
      ret: online.length === 0 ? -EINVAL : (results.find(({ ret }) => ret !== 0)?.ret ?? 0),
      blocks: results.reduce((sum, { blocks }) => sum + blocks, 0),
      moved: Math.max(0, pagesBefore - pagesOn(node)),
      leftovers: results.flatMap(({ leftovers }) => leftovers),
      ...(results.some(({ isLast: last }) => last) ? { isLast: true as const } : {}),
    };
  }

  function pagesOn(node: NodeId): number {
    lru.drainAll();
    return pagesIn(frames.firstOfNode[node], frames.endOfNode[node]).length;
  }

  function onlineNode(node: NodeId): number {
    const gone = blocksOf(node).filter((block) => !block.isOnline);
    for (const block of gone) onlineBlock(block);
    return gone.length === 0 ? -EINVAL : 0;
  }

  return { offlineNode, onlineNode, blocksOf, offlineBlock, onlineBlock, notifiers, hotRemove, finish };
}
