import { EFAULT, EINVAL, ENOMEM } from '../../errors.js';
import { OOM } from '../../fault/index.js';
import type { PageTables } from '../../hardware/index.js';
import { VM_READ, type Frames, type RotorRule, type Task } from '../../mm/index.js';
import { NO_PAGE, type NodeId, type Pfn } from '../../units.js';
import { maskWords } from './node-mask.js';
import { shownMode, shownNodes, type NewPolicyParts } from './new-policy.js';

const MPOL_F_NODE = 1 << 0;
const MPOL_F_ADDR = 1 << 1;
const MPOL_F_MEMS_ALLOWED = 1 << 2;
const PAGE = 4096n;

export interface GetMempolicyParts extends NewPolicyParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly zeroPage: Pfn;
  readonly rules: { readonly rotor: RotorRule };
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

/** Kernel: get_mempolicy(2): the policy of the task or of an address, the node of a page, or the nodes allowed. Address in bytes. */
export type GetMempolicy = (
  task: Task,
  address: bigint,
  maxnode: number,
  flags: number,
  wantsMask: boolean,
  wantsValue: boolean,
) => GetMempolicyAnswer;

/** @param noticeCpuset what every policy call does first (MP-80) */
export function makeGetMempolicy(parts: GetMempolicyParts, noticeCpuset: (task: Task) => void): GetMempolicy {
  const { frames, tables, modeRule, zeroPage, touch, possibleNodes } = parts;
  const { rotor } = parts.rules;

  const getMempolicy: GetMempolicy = (task, address, maxnode, flags, wantsMask, wantsValue) => {
    const fail = (errno: number): GetMempolicyAnswer => ({ ret: -errno, value: null, nodes: null, words: null });
    if (wantsMask && maxnode < possibleNodes) return fail(EINVAL);
    noticeCpuset(task);
    const known = MPOL_F_NODE | MPOL_F_ADDR | (modeRule.hasMemsAllowed ? MPOL_F_MEMS_ALLOWED : 0);
    if ((flags & ~known) !== 0) return fail(EINVAL);
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
    const nodes = shownNodes(policy, parts);
    if ((flags & MPOL_F_NODE) === 0) return answer(shownMode(policy), nodes);
    if ((flags & MPOL_F_ADDR) !== 0) {
      const pfn = pageAsked(task, Number(address / PAGE));
      return pfn > 0 ? answer(frames.nodeOf(pfn), nodes) : fail(-pfn === OOM ? ENOMEM : EFAULT);
    }
    if (policy?.isInterleave !== true) return fail(EINVAL);
    return answer(rotor.next(task, policy), nodes);
  };

  /** FP-90: the page is faulted in for reading, by the caller's CPU and policy; MP-90, FP-91: or nothing is touched. */
  function pageAsked(task: Task, vpn: number): Pfn {
    if (modeRule.asksWithoutMapping) {
      const page = tables.walk(task.space.root, vpn);
      const isUntouched = page === NO_PAGE || tables.isNone(page);
      const vma = task.space.find(vpn);
      if (isUntouched && vma?.file === null && (vma.flags & VM_READ) !== 0) return zeroPage;
    }
    return touch(task, vpn, false);
  }

  return getMempolicy;
}
