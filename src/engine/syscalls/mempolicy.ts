import { EFAULT, EINVAL, EIO, ENOENT, EOPNOTSUPP, EPERM } from '../../errors.js';
import type { Spaces, Mempolicy, Task, Vma, Frames, Lru } from '../../mm/index.js';
import type { PageTables } from '../../hardware/index.js';
import { NO_PAGE, type NodeId, type Pfn } from '../../units.js';
import type { MovePolicyPages } from './move-policy-pages.js';
import { maskWords, readNodeMask, type NodeMaskArgument } from './node-mask.js';
import {
  makePolicy,
  modeFor,
  MPOL_BIND,
  MPOL_DEFAULT,
  MPOL_PREFERRED_MANY,
  readMode,
  shownMode,
  type ModeRule,
  type NewPolicyParts,
} from './new-policy.js';

/** Flags of mbind, and of get_mempolicy. */
const MPOL_MF_STRICT = 1 << 0;
export const MPOL_MF_MOVE = 1 << 1;
export const MPOL_MF_MOVE_ALL = 1 << 2;
const MPOL_F_NODE = 1 << 0;
const MPOL_F_ADDR = 1 << 1;
const MPOL_F_MEMS_ALLOWED = 1 << 2;
const PAGE = 4096n;
const ADDRESS_LIMIT = 1n << 64n;

export interface MempolicyCallParts extends NewPolicyParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly movePages: MovePolicyPages;
  readonly modeRule: ModeRule;
  readonly zeroPage: Pfn;
  /** Reads a page in for a question about its node. @returns its frame, or a negative outcome */
  readonly touch: (task: Task, vpn: number, isWrite: boolean) => Pfn;
  readonly possibleNodes: number;
}

/** What get_mempolicy wrote; null: nothing was written. */
export interface GetMempolicyAnswer {
  ret: number;
  value: number | null;
  nodes: readonly NodeId[] | null;
  words: number | null;
}

export interface MempolicyCalls {
  /** Kernel: set_mempolicy(2). */
  setMempolicy(task: Task, mode: number, mask: NodeMaskArgument, maxnode: number): number;
  /** Kernel: mbind(2). Address and length in bytes. */
  mbind(
    task: Task,
    start: bigint,
    length: bigint,
    mode: number,
    mask: NodeMaskArgument,
    maxnode: number,
    flags: number,
  ): number;
  /** What mbind does once its arguments are checked, for a policy that is there already; null: default. `nodes`: where pages may stay. */
  bindRange(
    task: Task,
    range: { readonly start: number; readonly pages: number },
    policy: Mempolicy | null,
    nodes: readonly NodeId[],
    flags: number,
  ): number;
  /** Kernel: get_mempolicy(2). */
  getMempolicy(
    task: Task,
    address: bigint,
    maxnode: number,
    flags: number,
    wantsMask: boolean,
    wantsValue: boolean,
  ): GetMempolicyAnswer;
  /** Kernel: set_mempolicy_home_node(2). */
  setHomeNode(task: Task, start: bigint, length: bigint, node: number, flags: number): number;
}

export function makeMempolicyCalls(parts: MempolicyCallParts): MempolicyCalls {
  const { frames, tables, spaces, movePages, modeRule, zeroPage, touch, possibleNodes, world } = parts;

  function setMempolicy(task: Task, mode: number, mask: NodeMaskArgument, maxnode: number): number {
    const read = readMode(mode, modeRule);
    if (typeof read === 'number') return read;
    const nodes = readNodeMask(mask, maxnode);
    if (typeof nodes === 'number') return nodes;
    const policy = policyFrom(task, read, nodes);
    if (typeof policy === 'number') return policy;
    if (task.policy !== null) task.policy.refs--;
    task.policy = policy;
    if (policy?.isInterleave === true) {
      task.ilPrev = -1;
      task.ilWeight = 0;
    }
    return 0;
  }

  function policyFrom(task: Task, read: { mode: number; flags: number }, nodes: NodeId[]): Mempolicy | null | number {
    const mode = modeFor(read, nodes);
    if (mode === null || mode < 0) return mode;
    return makePolicy(mode, read.flags, nodes, task.cpuset.nodes(), parts);
  }

  function mbind(
    task: Task,
    start: bigint,
    length: bigint,
    mode: number,
    mask: NodeMaskArgument,
    maxnode: number,
    flagsGiven: number,
  ): number {
    const read = readMode(mode, modeRule);
    if (typeof read === 'number') return read;
    const nodes = readNodeMask(mask, maxnode);
    if (typeof nodes === 'number') return nodes;
    if ((flagsGiven & ~(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0) return -EINVAL;
    if ((flagsGiven & MPOL_MF_MOVE_ALL) !== 0 && task.uid !== 0) return -EPERM;
    const range = readRange(start, length);
    if (typeof range === 'number') return range;
    const flags = read.mode === MPOL_DEFAULT ? flagsGiven & ~MPOL_MF_STRICT : flagsGiven;
    if (range.pages === 0) return 0;
    const policy = policyFrom(task, read, nodes);
    if (typeof policy === 'number') return policy;
    return bindRange(task, range, policy, nodes, flags);
  }

  function bindRange(
    task: Task,
    range: { readonly start: number; readonly pages: number },
    policy: Mempolicy | null,
    nodes: readonly NodeId[],
    flags: number,
  ): number {
    const moves = (flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0;
    const queued = queuePages(task, range.start, range.pages, nodes, flags, policy === null);
    if (typeof queued === 'number') {
      return queued;
    }
    setRange(task, range.start, range.pages, policy);
    if (!moves) return 0;
    const failed = movePages.move(task, queued, policy);
    return failed > 0 && (flags & MPOL_MF_STRICT) !== 0 ? -EIO : 0;
  }

  /** Page number and pages of a byte range, rounded up (K-B1). */
  function readRange(start: bigint, length: bigint): { start: number; pages: number } | number {
    if (start % PAGE !== 0n) return -EINVAL;
    const rounded = ((length + PAGE - 1n) & ~(PAGE - 1n)) % ADDRESS_LIMIT;
    const end = (start + rounded) % ADDRESS_LIMIT;
    if (end < start) return -EINVAL;
    return { start: Number(start / PAGE), pages: Number((end - start) / PAGE) };
  }

  /**
   * Walks the range area by area (K-B1): holes first, then the pages of the area that lie outside the mask (K-B4), which
   * are isolated if they may move (K-B5). @returns them, or -EFAULT, -EIO. Kernel: queue_pages_range()
   */
  function queuePages(
    task: Task,
    start: number,
    pages: number,
    nodes: readonly NodeId[],
    flags: number,
    allowsHoles: boolean,
  ): Pfn[] | number {
    const { space } = task;
    const end = start + pages;
    const queued: Pfn[] = [];
    const moves = (flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0;
    if (moves) parts.lru.drainAll();
    let first = true;
    const giveUp = (errno: number) => {
      movePages.putback(task, queued);
      return errno;
    };
    for (let i = space.indexAt(start); i < space.vmas.length && space.vmas[i].start < end; i++) {
      const vma = space.vmas[i];
      if (first && !allowsHoles && vma.start > start) return giveUp(-EFAULT);
      first = false;
      const next = space.vmas.at(i + 1);
      if (!allowsHoles && vma.end < end && (next === undefined || next.start > vma.end)) return giveUp(-EFAULT);
      if ((flags & (MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) === 0) continue;
      const errno = queueArea(vma, Math.max(start, vma.start), Math.min(end, vma.end), nodes, flags, queued);
      if (errno !== 0) return giveUp(errno);
    }
    return first ? giveUp(-EFAULT) : queued;
  }

  function queueArea(
    vma: Vma,
    start: number,
    end: number,
    nodes: readonly NodeId[],
    flags: number,
    queued: Pfn[],
  ): number {
    for (let vpn = start; vpn < end; vpn++) {
      const page = tables.walk(vma.space.root, vpn);
      if (page === NO_PAGE || !tables.isPresent(page)) continue;
      const pfn = tables.word[page] as Pfn;
      if (pfn === zeroPage || nodes.includes(frames.nodeOf(pfn))) continue;
      if ((flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) === 0) return -EIO;
      if ((flags & MPOL_MF_MOVE_ALL) !== 0 || frames.mapcount(pfn) === 1)
        movePages.queue(vma, vpn - vma.start, pfn, queued);
    }
    return 0;
  }

  /** Sets the policy where it differs from what the area has recorded (K-P4); shmem objects record it too (K-P2). */
  function setRange(task: Task, start: number, pages: number, policy: Mempolicy | null): void {
    const { space } = task;
    const end = start + pages;
    for (let at = start; at < end;) {
      const i = space.indexAt(at);
      if (i >= space.vmas.length || space.vmas[i].start >= end) return;
      const vma = space.vmas[i];
      const from = Math.max(at, vma.start);
      const until = Math.min(end, vma.end);
      at = until;
      const isSame = policy === null ? vma.policy === null : policy.equals(vma.policy);
      if (isSame) continue;
      const [part] = spaces.isolateRange(space, from, until - from);
      if (part.file?.isShmem === true) {
        const shared = policy?.clone(task.cpuset.nodes());
        part.file.setPolicy(part.filePage, part.pages, shared);
        if (shared !== undefined) shared.refs--; // the object's pages are its only holders
      }
      const own = policy?.clone(task.cpuset.nodes()) ?? null;
      spaces.setPolicy(part, own);
      if (own !== null) own.refs--; // the area is its only holder
      spaces.joinAround(space, from, until);
    }
  }

  function getMempolicy(
    task: Task,
    address: bigint,
    maxnode: number,
    flags: number,
    wantsMask: boolean,
    wantsValue: boolean,
  ): GetMempolicyAnswer {
    const fail = (errno: number): GetMempolicyAnswer => ({ ret: -errno, value: null, nodes: null, words: null });
    if (wantsMask && maxnode < possibleNodes) return fail(EINVAL);
    if ((flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED)) !== 0) return fail(EINVAL);
    const answer = (value: number, nodes: readonly NodeId[]): GetMempolicyAnswer => {
      const writes = wantsMask && maxnode > 1;
      return {
        ret: 0,
        value: wantsValue ? value : null,
        nodes: writes ? nodes.filter((node) => node < maxnode - 1) : null,
        words: writes ? maskWords(maxnode) : null,
      };
    };
    if ((flags & MPOL_F_MEMS_ALLOWED) !== 0) {
      return (flags & (MPOL_F_NODE | MPOL_F_ADDR)) !== 0 ? fail(EINVAL) : answer(0, task.cpuset.nodes());
    }
    let policy = task.policy;
    if ((flags & MPOL_F_ADDR) !== 0) {
      const vma = task.space.find(Number(address / PAGE));
      if (vma === null) return fail(EFAULT);
      policy =
        vma.file?.isShmem === true ? vma.file.policyAt(vma.filePage + Number(address / PAGE) - vma.start) : vma.policy;
    } else if (address !== 0n) return fail(EINVAL);
    const nodes = policy?.shownNodes ?? [];
    if ((flags & MPOL_F_NODE) === 0) return answer(shownMode(policy), nodes);
    if ((flags & MPOL_F_ADDR) !== 0) {
      const pfn = touch(task, Number(address / PAGE), false);
      return pfn > 0 ? answer(frames.nodeOf(pfn), nodes) : fail(EFAULT);
    }
    if (policy?.isInterleave !== true) return fail(EINVAL);
    return answer(movePages.rotor(task, policy), nodes);
  }

  function setHomeNode(task: Task, start: bigint, length: bigint, node: number, flags: number): number {
    if (flags !== 0 || start % PAGE !== 0n) return -EINVAL;
    if (!(node >= 0 && node < world.nodeCount)) return -EINVAL;
    const range = readRange(start, length);
    if (typeof range === 'number') return range;
    if (range.pages === 0) return 0;
    const { space } = task;
    const end = range.start + range.pages;
    let found = false;
    for (let at = range.start; at < end;) {
      const i = space.indexAt(at);
      if (i >= space.vmas.length || space.vmas[i].start >= end) break;
      const vma = space.vmas[i];
      const from = Math.max(at, vma.start);
      const until = Math.min(end, vma.end);
      at = until;
      const old = vma.policy;
      if (old === null) continue;
      found = true;
      const mode = old.definition.mode?.number;
      if (mode !== MPOL_BIND && mode !== MPOL_PREFERRED_MANY) return -EOPNOTSUPP;
      const policy = old.clone(task.cpuset.nodes());
      policy.homeNode = node as NodeId;
      setRange(task, from, until - from, policy);
    }
    return found ? 0 : -ENOENT;
  }

  return { setMempolicy, mbind, bindRange, getMempolicy, setHomeNode };
}
