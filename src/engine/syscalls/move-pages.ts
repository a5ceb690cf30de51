import { EACCES, EBUSY, EDEADLK, EFAULT, EINVAL, ENODEV, ENOENT, ENOMEM, ENOSYS, EPERM, ESRCH } from '../../errors.js';
import type { PageTables } from '../../hardware/index.js';
import { putbackLruPages, type IsolateEntry, type MigratePages } from '../../migrate/index.js';
import type { Allocator } from '../../reclaim/index.js';
import {
  MARK_LOW,
  VM_EXEC,
  VM_READ,
  VM_WRITE,
  type Frames,
  type HugePages,
  type Lru,
  type Task,
  type Zones,
} from '../../mm/index.js';
import type { World } from '../../policy/index.js';
import { NO_NODE, NO_PAGE, NO_PFN, type NodeId, type Pfn } from '../../units.js';
import { MPOL_MF_MOVE, MPOL_MF_MOVE_ALL, type Privileges } from './mempolicy.js';
import { makeMoveAtOnce, type MovePagesRule } from './move-at-once.js';
import type { MoveCalls } from './move-calls.js';
import { readNodeMask, type NodeMaskArgument } from './node-mask.js';

/** Rule variant `pageStatus`: how two states of an entry are spelled (K section 5, section 7). */
export interface PageStatus {
  /** An untouched page of private anonymous memory: -EFAULT (6.1) or -ENOENT (6.12). */
  readonly untouched: number;
  /** A present page under `prot: none` is seen and moved (6.12), or looks absent (6.1). */
  readonly seesProtNone: boolean;
}
export const pageStatus61: PageStatus = { untouched: -EFAULT, seesProtNone: false };
export const pageStatus612: PageStatus = { untouched: -ENOENT, seesProtNone: true };

export interface MovePagesParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly zones: Zones;
  readonly tables: PageTables;
  readonly world: World;
  readonly migratePages: MigratePages['migratePages'];
  readonly isolateEntry: IsolateEntry['isolateEntry'];
  readonly moveCalls: MoveCalls;
  readonly allocatePage: Allocator['allocatePage'];
  readonly pageStatus: PageStatus;
  readonly zeroPage: Pfn;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly privileges: Privileges;
  readonly movePagesRule: MovePagesRule;
}

export interface MovePagesCalls {
  /**
   * Kernel: move_pages(2). `target` null: no such process. `nodes` null: only asks where pages are.
   * @returns 0, -errno, or how many did not move; `status` gets an entry per page, null where none was written
   */
  movePages(
    task: Task,
    target: Task | null,
    vpns: readonly number[],
    nodes: readonly number[] | null,
    flags: number,
    status: (number | null)[],
  ): number;
  /** Kernel: migrate_pages(2) (K-G1, K-G2). */
  migratePages(task: Task, target: Task | null, from: NodeMaskArgument, to: NodeMaskArgument, maxnode: number): number;
  /** Every page of a process that lies on a node of `from` goes to its counterpart in `to`: cpusets (K-C3). */
  moveProcess(task: Task, target: Task, from: readonly NodeId[], to: readonly NodeId[], all: boolean): number;
  /** What move_pages reports for one page: a node, or -ENOENT, -EFAULT. */
  statusOf(target: Task, vpn: number): number;
}

export function makeMovePagesCalls(parts: MovePagesParts): MovePagesCalls {
  const { frames, lru, zones, tables, world, migratePages, pageStatus, zeroPage, huge } = parts;
  const { privileges, movePagesRule } = parts;
  const { isolateEntry, moveCalls, allocatePage } = parts;
  const mayAct = (task: Task, target: Task): boolean => moveCalls.mayAct(task, target, privileges.migrateOthers);

  /** The frame behind a page, 0 for none, or the status that says why there is none. */
  function look(target: Task, vpn: number): { pfn: Pfn; status: number } {
    const absent = (status: number) => ({ pfn: NO_PFN, status });
    const vma = target.space.find(vpn);
    if (vma === null) return absent(-EFAULT);
    const page = tables.walk(target.space.root, vpn);
    const isAnon = vma.file === null;
    if (page === NO_PAGE || tables.isNone(page)) return absent(isAnon ? pageStatus.untouched : -ENOENT);
    if (!tables.isPresent(page)) return absent(-ENOENT);
    const isHidden = (vma.flags & (VM_READ | VM_WRITE | VM_EXEC)) === 0 && !pageStatus.seesProtNone;
    if (isHidden) return absent(tables.isWhole(page) ? -EFAULT : -ENOENT);
    const pfn = tables.word[page] as Pfn;
    return pfn === zeroPage ? absent(-EFAULT) : { pfn, status: frames.nodeOf(pfn) };
  }

  const thisNodeOnly =
    (caller: Task, node: NodeId) =>
    (old: Pfn): Pfn => {
      if (caller.cpuset.mems[node] === 0) return NO_PFN;
      return frames.isHuge(old)
        ? zones.takeHugeFromNode(node, MARK_LOW, caller.node)
        : zones.takeFromNode(node, MARK_LOW, caller.node);
    };

  /** Where migrate_pages(2) takes its new pages. */
  const onNode = (caller: Task, node: NodeId): ((old: Pfn) => Pfn) =>
    moveCalls.fallsBack
      ? () => allocatePage(node, null, false, caller.cpuset.mems, caller.cpu)
      : thisNodeOnly(caller, node);

  const moveAtOnce = makeMoveAtOnce(
    {
      ...{ frames, lru, world, frameAt: (target, vpn) => look(target, vpn).pfn },
      move: (task, pages, nodeOf) => migratePages(pages, (old) => thisNodeOnly(task, nodeOf(old))(old), task.cpu),
    },
    movePagesRule.nothing,
  );

  function movePages(
    task: Task,
    target: Task | null,
    vpns: readonly number[],
    nodes: readonly number[] | null,
    flags: number,
    status: (number | null)[],
  ): number {
    if (!moveCalls.hasMovePages) return -ENOSYS;
    if ((flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0) return -EINVAL;
    if ((flags & MPOL_MF_MOVE_ALL) !== 0 && !task.credentials.has(privileges.moveAll)) return -EPERM;
    if (target === null) return -ESRCH;
    if (!target.hasMemory) return -EINVAL;
    if (!mayAct(task, target)) return -EPERM;
    if (nodes === null) {
      vpns.forEach((vpn, i) => (status[i] = look(target, vpn).status));
      return 0;
    }
    const all = (flags & MPOL_MF_MOVE_ALL) !== 0;
    if (movePagesRule.isAtOnce) return moveAtOnce(task, target, vpns, nodes, all, status);
    lru.drainAll();
    return moveInBatches(task, target, vpns, nodes, all, status);
  }

  /** @param counted of a huge page: the page whose mappings the caller looks at (K-H13) */
  const isMappedOnce = (pfn: Pfn, counted: Pfn): boolean =>
    huge !== null && frames.isHuge(pfn) ? huge.isMappedOnce(counted) : frames.mapcount(pfn) <= 1;

  /** K-M2, K-M3: runs of entries with one target, all of which have to move, are moved together. */
  function moveInBatches(
    task: Task,
    target: Task,
    vpns: readonly number[],
    nodes: readonly number[],
    all: boolean,
    status: (number | null)[],
  ): number {
    let batch: Pfn[] = [];
    let [first, node] = [0, -1];
    /** @returns 0, -ENOMEM, or pages that did not move and entries that were not looked at */
    const flush = (next: number): number => {
      if (batch.length === 0) return 0;
      const result = migratePages(batch, thisNodeOnly(task, node as NodeId), task.cpu);
      batch = [];
      lru.drainAll(); // vectors are switched off meanwhile
      if (result.noMemory) return -ENOMEM;
      if (result.failed > 0) return result.failed + vpns.length - next;
      for (let i = first; i < next; i++) status[i] = node;
      return 0;
    };
    for (let i = 0; i < vpns.length; i++) {
      const wanted = nodes[i];
      const bad = badTarget(target, wanted);
      if (bad !== 0) {
        flush(i);
        return bad;
      }
      if (node >= 0 && wanted !== node) {
        const flushed = flush(i);
        if (flushed !== 0) return flushed;
        node = -1;
      }
      if (node < 0) [node, first] = [wanted, i];
      const refused = queue(target, vpns[i], wanted, all, batch);
      if (refused === QUEUED) continue;
      status[i] = refused;
      const flushed = flush(i);
      if (flushed !== 0) return flushed;
      node = -1;
    }
    return flush(vpns.length);
  }

  function badTarget(target: Task, node: number): number {
    if (!(node >= 0 && node < world.nodeCount) || !world.hasMemory(node as NodeId)) return -ENODEV;
    return target.cpuset.mems[node] === 0 ? -EACCES : 0;
  }

  /** @returns QUEUED, or the status the entry ends with: the node it is on already, or why it stays */
  function queue(target: Task, vpn: number, node: number, all: boolean, batch: Pfn[]): number {
    const { pfn, status } = look(target, vpn);
    if (pfn === NO_PFN) return status;
    if (status === node) return node;
    if (!all && !isMappedOnce(pfn, pfn)) return -EACCES;
    const head = frames.headOf(pfn); // K-H11: any of its pages stands for a huge page
    if (!lru.isolate(head)) return -EBUSY;
    batch.push(head);
    return QUEUED;
  }

  function migrateCall(
    task: Task,
    target: Task | null,
    from: NodeMaskArgument,
    to: NodeMaskArgument,
    maxnode: number,
  ): number {
    const source = readNodeMask(from, maxnode);
    if (typeof source === 'number') return source;
    const wanted = readNodeMask(to, maxnode);
    if (typeof wanted === 'number') return wanted;
    if (target === null) return -ESRCH;
    if (!target.hasMemory) return -EINVAL;
    const isPrivileged = task.credentials.has(privileges.migrateOthers);
    if (!mayAct(task, target)) return -EPERM;
    if (!isPrivileged && wanted.some((node) => target.cpuset.mems[node] !== 1)) return -EPERM;
    if (!moveCalls.cutsToOwnNodes) return moveProcess(task, target, source, wanted, isPrivileged);
    const destination = wanted.filter((node) => task.cpuset.mems[node] === 1);
    if (destination.length === 0) return -EINVAL;
    return moveProcess(task, target, source, destination, isPrivileged);
  }

  /** K-G2, section 6: pairs of nodes, one after the other. Kernel: do_migrate_pages(). @returns pages that did not move [2.6.16], 0 [6.x], or -errno */
  function moveProcess(task: Task, target: Task, from: readonly NodeId[], to: readonly NodeId[], all: boolean): number {
    lru.drainAll();
    let stayed = 0;
    for (const [source, destination] of moveCalls.emptyMeansSwap && to.length === 0
      ? from.map((node) => [node, NO_NODE] as const)
      : nodePairs(from, to, moveCalls.staysInside)) {
      const result = moveNode(task, target, source, destination, all);
      if (result < 0) return result;
      stayed += result;
    }
    return moveCalls.hasMovePages ? 0 : stayed;
  }

  /** Everything a process maps on one node to another. @returns pages that did not move, or -errno */
  function moveNode(task: Task, target: Task, from: NodeId, to: NodeId, all: boolean): number {
    if (moveCalls.lacksSlots()) return 0; // DM-30: what the selection says is not passed on
    const queued: Pfn[] = [];
    for (const vma of target.space.vmas) {
      if (!moveCalls.isMigratable(vma)) continue;
      for (let vpn = vma.start; vpn < vma.end; vpn++) {
        const page = tables.walk(vma.space.root, vpn);
        if (page === NO_PAGE || !tables.isPresent(page)) continue;
        const pfn = tables.word[page] as Pfn;
        if (pfn === zeroPage || frames.nodeOf(pfn) !== from) continue;
        if (!all && !isMappedOnce(pfn, frames.headOf(pfn))) continue;
        isolateEntry(page, queued);
      }
    }
    if (queued.some((pfn) => frames.isHuge(pfn)) && !zones.isAbove(to, MARK_LOW)) {
      putbackLruPages(lru, queued, task.cpu); // K-H12: small pages of the program itself come first, and end it
      return -ENOMEM;
    }
    const { failed, noMemory, neverReturns } = migratePages(queued, onNode(task, to), task.cpu);
    lru.drainAll(); // vectors are switched off meanwhile
    if (neverReturns === true) return -EDEADLK;
    return noMemory ? -ENOMEM : failed;
  }

  return { movePages, migratePages: migrateCall, moveProcess, statusOf: (target, vpn) => look(target, vpn).status };
}

/**
 * The order in which nodes are emptied, so that pages do not pile up: each source goes to its image, and a source whose image is
 * itself still to be emptied waits. An empty destination maps every node to itself.
 *
 * @param staysInside sources inside a destination of another size stay [6.x]
 */
export function nodePairs(from: readonly NodeId[], to: readonly NodeId[], staysInside: boolean): [NodeId, NodeId][] {
  const pairs: [NodeId, NodeId][] = [];
  const imageOf = (node: NodeId): NodeId => {
    if (to.length === 0 || (staysInside && from.length !== to.length && to.includes(node))) return node;
    return to[from.indexOf(node) % to.length];
  };
  const left = new Set([...from].sort((a, b) => a - b).filter((node) => imageOf(node) !== node));
  while (left.size > 0) {
    let next = NO_NODE;
    for (const node of left) {
      next = node;
      if (!left.has(imageOf(node))) break;
    }
    left.delete(next);
    pairs.push([next, imageOf(next)]);
  }
  return pairs;
}

const QUEUED = -1000;
