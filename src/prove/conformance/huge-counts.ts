import type { Machine } from '../../engine/index.js';
import { BLOCK_ZERO } from '../../hardware/index.js';
import { HUGE_PAGES, VM_EXEC, VM_READ, VM_WRITE, type Task } from '../../mm/index.js';
import { NO_PAGE, type Pfn } from '../../units.js';

/** What a region shows of huge pages: those mapped as a whole, small entries that show a part of one, blocks of zeros. */
export interface HugeCounts {
  hugePages: number;
  hugeParts: number;
  hugeZero: number;
}

/**
 * Counts as a recording does, which reads /proc/PID/pagemap and kpageflags: a whole huge page that reaches beyond the region
 * is parts of one, and on 6.1 so is one that nobody may access.
 */
export function countHuge(machine: Machine, task: Task, { vpn, length }: { vpn: number; length: number }): HugeCounts {
  const { tables, frames, rules } = machine;
  const counts = { hugePages: 0, hugeParts: 0, hugeZero: 0 };
  const end = vpn + length;
  for (let at = vpn; at < end; at++) {
    const page = tables.walk(task.space.root, at);
    if (page === NO_PAGE || !tables.isPresent(page)) continue;
    const start = at - (at % HUGE_PAGES);
    const isInside = start >= vpn && start + HUGE_PAGES <= end;
    if (tables.block[page >> 9] === BLOCK_ZERO) {
      if (isInside && at === start) counts.hugeZero++;
    } else if (tables.isWhole(page) && isInside && (rules.pageStatus.seesProtNone || isAccessible(task, at))) {
      if (at === start) counts.hugePages++;
    } else if (frames.isHuge(tables.word[page] as Pfn)) counts.hugeParts++;
  }
  return counts;
}

function isAccessible(task: Task, vpn: number): boolean {
  return ((task.space.find(vpn)?.flags ?? 0) & (VM_READ | VM_WRITE | VM_EXEC)) !== 0;
}
