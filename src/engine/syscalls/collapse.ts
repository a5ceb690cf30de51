import { EAGAIN, EINVAL, ENOMEM } from '../../errors.js';
import type { CollapseBlock, Collapsed } from '../../migrate/index.js';
import { HUGE_PAGES, VM_NOHUGEPAGE, type Lru, type Task, type Vma } from '../../mm/index.js';

/** Blocks of [from, from + pages) of an area become huge pages. @returns 0 or -errno. Kernel: madvise_collapse(), mm/khugepaged.c */
export type CollapseArea = (task: Task, vma: Vma, from: number, pages: number) => number;

const ERRNO: Readonly<Record<Collapsed, number>> = {
  ...{ done: 0, whole: 0, empty: -EINVAL, refused: -EINVAL, busy: -EAGAIN, 'no memory': -ENOMEM },
};

const up = (vpn: number): number => Math.ceil(vpn / HUGE_PAGES) * HUGE_PAGES;
const down = (vpn: number): number => Math.floor(vpn / HUGE_PAGES) * HUGE_PAGES;

/**
 * K-H16: `enabled` and policies do not matter. A block that fails does not keep the next ones from being tried, and the last
 * failure is reported; but one without a page table, and want of memory, end it. Files are left out.
 */
export function makeCollapseArea(collapseBlock: CollapseBlock, lru: Lru): CollapseArea {
  return (task, vma, from, pages) => {
    if (vma.file !== null || (vma.flags & VM_NOHUGEPAGE) !== 0 || up(vma.start) >= down(vma.end)) return -EINVAL;
    const [first, end] = [up(from), down(from + pages)];
    if (first > end) return -EINVAL; // a range that touches neither end of the block it lies in
    lru.drainAll();
    let errno = 0;
    for (let at = first; at < end; at += HUGE_PAGES) {
      const came = collapseBlock(task, vma, at - vma.start, null);
      if (came === 'done' || came === 'whole') continue;
      errno = ERRNO[came];
      if (came === 'empty' || came === 'no memory') break;
    }
    return errno;
  };
}
