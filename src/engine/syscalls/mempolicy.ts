import { EDEADLK, EFAULT, EINVAL, EIO, ENODEV, ENOENT, EOPNOTSUPP, EPERM } from '../../errors.js';
import {
  CAP_SYS_ADMIN,
  CAP_SYS_NICE,
  CAP_SYS_RESOURCE,
  rebindTask,
  type CpusetNotice,
  HUGE_PAGES,
  type Frames,
  type HugePages,
  type Lru,
  type Mempolicy,
  type RebindRule,
  type RotorRule,
  type Spaces,
  type Task,
  type Vma,
} from '../../mm/index.js';
import type { LazyUnmap } from '../../migrate/index.js';
import type { PageTables } from '../../hardware/index.js';
import { NO_PAGE, type NodeId, type Pfn } from '../../units.js';
import { makeGetMempolicy, type GetMempolicy, type GetMempolicyParts } from './get-mempolicy.js';
import type { MoveCalls } from './move-calls.js';
import type { MovePolicyPages } from './move-policy-pages.js';
import { readNodeMask, type NodeMaskArgument } from './node-mask.js';
import {
  makePolicy,
  modeFor,
  MPOL_BIND,
  MPOL_DEFAULT,
  MPOL_PREFERRED_MANY,
  readMode,
  type ModeArgument,
} from './new-policy.js';

/** Flags of mbind. */
const MPOL_MF_STRICT = 1 << 0;
export const MPOL_MF_MOVE = 1 << 1;
export const MPOL_MF_MOVE_ALL = 1 << 2;
export const MPOL_MF_LAZY = 1 << 3;
const PAGE = 4096n;
const ADDRESS_LIMIT = 1n << 64n;

export interface MempolicyCallParts extends GetMempolicyParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly movePages: MovePolicyPages;
  readonly moveCalls: MoveCalls;
  readonly rules: {
    readonly rotor: RotorRule;
    readonly rebind: RebindRule;
    readonly cpusetNotice: CpusetNotice;
    readonly lazyUnmap: LazyUnmap;
    readonly privileges: Privileges;
  };
  readonly zeroPage: Pfn;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
}

/** Rule variant `privileges`: the capability behind MPOL_MF_MOVE_ALL, and behind migrate_pages of others' processes. */
export interface Privileges {
  readonly moveAll: number;
  readonly migrateOthers: number;
}
/** Since 14 March 2006, days before 2.6.16 ("Consistent capabilites associated with MPOL_MOVE_ALL"). */
export const privilegesNice: Privileges = { moveAll: CAP_SYS_NICE, migrateOthers: CAP_SYS_NICE };
export const privilegesBefore2616: Privileges = { moveAll: CAP_SYS_RESOURCE, migrateOthers: CAP_SYS_ADMIN };

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
  readonly getMempolicy: GetMempolicy;
  /** Kernel: set_mempolicy_home_node(2). */
  setHomeNode(task: Task, start: bigint, length: bigint, node: number, flags: number): number;
}

/** Instead of a policy: MPOL_NOOP. */
const KEEP = 'keep';

/** Mode and mask of an mbind call, read. */
interface MbindArguments extends ModeArgument {
  readonly nodes: readonly NodeId[];
  /** MPOL_NOOP: no policy is installed, and pages are unmapped only. */
  readonly isNoop: boolean;
}

export function makeMempolicyCalls(parts: MempolicyCallParts): MempolicyCalls {
  const { frames, tables, spaces, movePages, moveCalls, modeRule, zeroPage, world, huge } = parts;
  const { rotor, rebind, cpusetNotice, lazyUnmap, privileges } = parts.rules;
  /** The call in hand has met parts of a huge page that it had isolated already. */
  let metParts = false;
  const mbindFlags = MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL | (lazyUnmap.isAccepted ? MPOL_MF_LAZY : 0);

  /** MP-80: a policy call notices a changed cpuset. */
  function noticeCpuset(task: Task): void {
    if (cpusetNotice.isLate && task.memsSeen !== task.cpuset.version) rebindTask(task, rebind);
  }

  function setMempolicy(task: Task, mode: number, mask: NodeMaskArgument, maxnode: number): number {
    const read = readMode(mode, modeRule);
    if (typeof read === 'number') return read;
    const nodes = readNodeMask(mask, maxnode);
    if (typeof nodes === 'number') return nodes;
    noticeCpuset(task);
    if (!modeRule.trims && nodes.some((node) => task.cpuset.mems[node] !== 1)) return -EINVAL;
    const policy = policyFrom(task, read, nodes);
    if (typeof policy === 'number') return policy;
    if (task.policy !== null) task.policy.refs--;
    task.policy = policy;
    if (policy?.isInterleave === true) rotor.start(task, policy);
    return 0;
  }

  function policyFrom(task: Task, read: ModeArgument, nodes: readonly NodeId[]): Mempolicy | null | number {
    const mode = modeFor(read, nodes, modeRule);
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
    const read = modeRule.readsMaskFirst ? readMaskFirst(mode, mask, maxnode) : readModeFirst(mode, mask, maxnode);
    if (typeof read === 'number') return read;
    const { nodes, isNoop } = read;
    if ((flagsGiven & ~mbindFlags) !== 0) return -EINVAL;
    if ((flagsGiven & MPOL_MF_MOVE_ALL) !== 0 && !task.credentials.has(privileges.moveAll)) return -EPERM;
    const range = readRange(start, length);
    if (typeof range === 'number') return range;
    const flags = read.mode === MPOL_DEFAULT || isNoop ? flagsGiven & ~MPOL_MF_STRICT : flagsGiven;
    if (range.pages === 0) return 0;
    if (isNoop && nodes.length > 0) return -EINVAL;
    const policy = isNoop ? null : policyFrom(task, read, nodes);
    if (typeof policy === 'number') return policy;
    const isLazy = isNoop || (flags & MPOL_MF_LAZY) !== 0;
    if (policy !== null && isLazy) policy.isMof = lazyUnmap.marksPolicy; // DM-41
    return bindRange(task, range, isNoop ? KEEP : policy, nodes, isLazy ? flags | MPOL_MF_LAZY : flags);
  }

  /** @param policy KEEP: none is installed */
  function bindRange(
    task: Task,
    range: { readonly start: number; readonly pages: number },
    policy: Mempolicy | null | typeof KEEP,
    nodes: readonly NodeId[],
    flags: number,
  ): number {
    const moves = (flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0;
    const queued = queuePages(task, range.start, range.pages, nodes, flags, policy === null || policy === KEEP);
    if (typeof queued === 'number') {
      return queued;
    }
    if (policy !== KEEP) setRange(task, range.start, range.pages, policy);
    if (!moves) return 0;
    const isLazy = policy === KEEP || (flags & MPOL_MF_LAZY) !== 0;
    const failed = isLazy ? movePages.unmap(task, queued) : movePages.move(task, queued, policy, range);
    if (failed === -EDEADLK) return failed;
    return (failed > 0 || metParts) && (flags & MPOL_MF_STRICT) !== 0 ? -EIO : 0;
  }

  /** [6.x] K-B1: mode and its flags, then the mask. */
  function readModeFirst(mode: number, mask: NodeMaskArgument, maxnode: number): MbindArguments | number {
    const read = readMbindMode(mode);
    if (typeof read === 'number') return read;
    const nodes = readNodeMask(mask, maxnode);
    return typeof nodes === 'number' ? nodes : { ...read, nodes };
  }

  /** [2.6.16] Steps 1 and 2: the mask, then the mode. */
  function readMaskFirst(mode: number, mask: NodeMaskArgument, maxnode: number): MbindArguments | number {
    const nodes = readNodeMask(mask, maxnode);
    if (typeof nodes === 'number') return nodes;
    const read = readMbindMode(mode);
    return typeof read === 'number' ? read : { ...read, nodes };
  }

  /** DM-43: MPOL_NOOP is the first number behind the modes, and exists where LAZY does. */
  function readMbindMode(mode: number): (ModeArgument & { isNoop: boolean }) | number {
    if (lazyUnmap.isAccepted && mode === modeRule.max) return { mode, flags: 0, isNoop: true };
    const read = readMode(mode, modeRule);
    return typeof read === 'number' ? read : { ...read, isNoop: false };
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
    if (moves && moveCalls.lacksSlots()) return -ENODEV;
    if (moves) parts.lru.drainAll();
    let first = true;
    metParts = false;
    const giveUp = (errno: number) => {
      movePages.putback(task, queued);
      return errno;
    };
    for (const vma of space.vmas.within(start, end)) {
      if (first && !allowsHoles && vma.start > start) return giveUp(-EFAULT);
      first = false;
      const next = space.vmas.after(vma);
      if (!allowsHoles && vma.end < end && (next === undefined || next.start > vma.end)) return giveUp(-EFAULT);
      if ((flags & (MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) === 0) continue;
      if ((flags & MPOL_MF_STRICT) === 0 && !moveCalls.isMigratable(vma)) continue;
      const errno = queueArea(vma, Math.max(start, vma.start), Math.min(end, vma.end), nodes, flags, queued);
      if (errno !== 0) return giveUp(errno);
    }
    const isFine = !first || (allowsHoles && modeRule.allowsHoleBefore && space.vmas.endingAfter(start) !== undefined);
    return isFine ? queued : giveUp(-EFAULT);
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
      if (huge !== null && frames.isHuge(pfn)) {
        queueHuge(huge, vma, vpn, flags, queued);
        if (tables.isWhole(page)) vpn += HUGE_PAGES - 1 - (vpn % HUGE_PAGES); // no small integer
        continue;
      }
      if ((flags & MPOL_MF_MOVE_ALL) !== 0 || frames.mapcount(pfn) === 1)
        movePages.queue(vma, vpn - vma.start, page, queued);
    }
    return 0;
  }

  /**
   * K-H10: one page of a huge page in the range stands for all of it. [6.1] The next one cannot be isolated any more, and is
   * for STRICT a page that cannot be moved (K-H15).
   */
  function queueHuge(known: HugePages, vma: Vma, vpn: number, flags: number, queued: Pfn[]): void {
    const page = tables.walk(vma.space.root, vpn);
    const head = frames.headOf(tables.word[page] as Pfn);
    if ((flags & MPOL_MF_MOVE_ALL) === 0 && !known.isMappedOnce(head)) return;
    const before = queued.length;
    movePages.queue(vma, vpn - vma.start, page, queued);
    if (queued.length === before && known.rule.strictSeesParts) metParts = true;
  }

  /** Sets the policy where it differs from what the area has recorded (K-P4); shmem objects record it too (K-P2). */
  function setRange(task: Task, start: number, pages: number, policy: Mempolicy | null): void {
    const { space } = task;
    const end = start + pages;
    for (let at = start; at < end;) {
      const vma = space.vmas.endingAfter(at);
      if (vma === undefined || vma.start >= end) return;
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
      const vma = space.vmas.endingAfter(at);
      if (vma === undefined || vma.start >= end) break;
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

  return { setMempolicy, mbind, bindRange, getMempolicy: makeGetMempolicy(parts, noticeCpuset), setHomeNode };
}
