import type { Meter } from '../cost/index.js';
import type { CollapseBlock, CollapseLimits } from '../migrate/index.js';
import { HUGE_PAGES, Task, type AddressSpace, type Cpuset, type HugePages, type Lru, type Vma } from '../mm/index.js';
import type { CpuId, NodeId } from '../units.js';

/** The files under /sys/kernel/mm/transparent_hugepage/khugepaged. */
export interface KhugepagedSettings {
  readonly pagesToScan: number;
  readonly scanSleepMs: number;
  readonly allocSleepMs: number;
  readonly maxPtesNone: number;
  readonly maxPtesSwap: number;
  readonly maxPtesShared: number;
}
const KHUGEPAGED_DEFAULTS: KhugepagedSettings = {
  ...{ pagesToScan: 8 * HUGE_PAGES, scanSleepMs: 10_000, allocSleepMs: 60_000 },
  ...{ maxPtesNone: HUGE_PAGES - 1, maxPtesSwap: HUGE_PAGES / 8, maxPtesShared: HUGE_PAGES / 2 },
};

export interface KhugepagedParts {
  readonly huge: HugePages;
  readonly lru: Lru;
  readonly meter: Meter;
  readonly collapseBlock: CollapseBlock;
  readonly rootCpuset: Cpuset;
}

/** The daemon that makes huge pages of what is in small pieces (HP-65, HP-66). Kernel: khugepaged(), mm/khugepaged.c */
export interface Khugepaged {
  /** One round: `pagesToScan` pages of the processes that had to do with huge pages, going on where the last one ended. @returns blocks that are huge pages now */
  round(): number;
  /** All rounds that are due until then, ns since the start; the first comes after one sleep. It runs on a clock of its own. */
  runUntil(ns: number): void;
  /** When the next round begins, ns. */
  nextNs(): number;
}

/** @param cpu CPU on which it runs, and `node` that CPU's: where pages of areas without a policy come in from swap */
export function makeKhugepaged(
  { huge, lru, meter, collapseBlock, rootCpuset }: KhugepagedParts,
  cpu: CpuId,
  node: NodeId,
  given: Partial<KhugepagedSettings> = {},
): Khugepaged {
  const settings = { ...KHUGEPAGED_DEFAULTS, ...given };
  const limits: CollapseLimits = {
    ...{ none: settings.maxPtesNone, swapped: settings.maxPtesSwap, shared: settings.maxPtesShared },
  };
  /** Where the next round goes on: the process, and the page number within it. */
  let space: AddressSpace | null = null;
  let vpn = 0;
  let nextNs = settings.scanSleepMs * 1e6;
  /** In the round that runs: blocks that are huge pages now; and whether it has waited for memory already. */
  let [collapsed, hasWaited] = [0, false];

  const mayCollapse = (vma: Vma): boolean => vma.file === null && huge.mayFill(vma);

  /** The next block at or after `vpn` of the process in hand. */
  function nextBlock(of: AddressSpace): Vma | null {
    for (let vma = of.vmas.endingAfter(vpn); vma !== undefined; vma = of.vmas.after(vma)) {
      vpn = Math.ceil(Math.max(vpn, vma.start) / HUGE_PAGES) * HUGE_PAGES;
      if (mayCollapse(vma) && vpn + HUGE_PAGES <= vma.end) return vma;
    }
    return null;
  }

  /** The process after the one in hand; at the end of the list none, and those that have ended are forgotten. */
  function nextSpace(): void {
    const all = huge.seenSpaces;
    const next = space === null ? 0 : all.indexOf(space) + 1;
    vpn = 0;
    space = next < all.length ? all[next] : null;
    if (space === null) huge.forgetSpaces();
  }

  /** One block, or the step to the next process. @returns pages looked at; -1: no memory again, the round is over */
  function step(of: AddressSpace): number {
    const vma = nextBlock(of);
    if (vma === null) {
      nextSpace();
      return 0;
    }
    const came = collapseBlock(new Task(-1, of, cpu, node, rootCpuset), vma, vpn - vma.start, limits);
    vpn += HUGE_PAGES;
    if (came === 'done') collapsed++;
    if (came === 'no memory' && hasWaited) return -1;
    if (came === 'no memory') hasWaited = true;
    return HUGE_PAGES;
  }

  /** A round that begins at the head of the list ends with it; another goes on at the head. */
  function round(): number {
    const taskNs = meter.nowNs;
    [collapsed, hasWaited] = [0, false];
    lru.drainAll();
    let passes = space === null ? 1 : 2;
    for (let pages = 0; pages >= 0 && pages < settings.pagesToScan;) {
      if (space === null && passes-- > 0) nextSpace();
      if (space === null) break;
      const looked = step(space);
      pages = looked < 0 ? looked : pages + looked;
    }
    meter.nowNs = taskNs;
    return collapsed;
  }

  return {
    round,
    runUntil(ns) {
      while (nextNs <= ns) {
        round();
        nextNs += (settings.scanSleepMs + (hasWaited ? settings.allocSleepMs : 0)) * 1e6;
      }
    },
    nextNs: () => nextNs,
  };
}
