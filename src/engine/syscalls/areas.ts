import { EEXIST, EFAULT, EINVAL, ENOMEM } from '../../errors.js';
import { BLOCK_EMPTY, BLOCK_SMALL, PTE_DIRTY, PTE_HINT, PTE_WRITE, type PageTables } from '../../hardware/index.js';
import {
  OWN_FAULTS,
  PG_MLOCKED,
  PG_UNEVICTABLE,
  POPULATE_FAULTS,
  VM_EXEC,
  VM_LOCKED,
  VM_READ,
  VM_WRITE,
  type FileObject,
  type Frames,
  HUGE_PAGES,
  type HugeMapping,
  type HugePages,
  type Lru,
  type Mapping,
  type Spaces,
  type Task,
  type Vma,
  type VmaAttributes,
} from '../../mm/index.js';
import { NO_PAGE, type PageId, type Pfn } from '../../units.js';
import type { MemorySyscalls } from './memory.js';

export interface AreaParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly mapping: Mapping;
  readonly memory: MemorySyscalls;
  readonly touch: (task: Task, vpn: number, isWrite: boolean) => Pfn;
  /** PL-41: a page that one entry alone uses may be written through again. */
  readonly isExclusive: (pfn: Pfn) => boolean;
  readonly zeroPage: Pfn;
  readonly huge: HugePages | null;
}

/** What mmap is asked for. */
export interface MmapRequest {
  readonly vpn: number;
  readonly pages: number;
  readonly flags: number;
  readonly file: FileObject | null;
  readonly filePage: number;
  readonly populate: boolean;
  readonly name: string;
}

export interface AreaCalls {
  /** Kernel: mmap(2) with MAP_FIXED_NOREPLACE. @returns 0 or -EEXIST */
  mmap(task: Task, request: MmapRequest): number;
  /** Kernel: munmap(2). */
  munmap(task: Task, vpn: number, pages: number): number;
  /** Kernel: mprotect(2). @param flags VM_READ, VM_WRITE, VM_EXEC */
  mprotect(task: Task, vpn: number, pages: number, flags: number): number;
  /** Kernel: mlock(2), munlock(2). */
  mlock(task: Task, vpn: number, pages: number, locks: boolean): number;
  /** Kernel: mremap(2): to another place, or growing and shrinking where it is. */
  mremap(task: Task, vpn: number, pages: number, newPages: number, toVpn: number | null): number;
  /** Faults a range in, writable private memory by write (K-A5). @returns 0, or minus the outcome that stopped it */
  populate(task: Task, vma: Vma, first: number, pages: number): number;
}

const ACCESS = VM_READ | VM_WRITE | VM_EXEC;

const attributesOf = ({ flags, file, filePage, name, policy }: Vma): VmaAttributes => ({
  ...{ flags, file, filePage, name, policy },
});

export function makeAreaCalls(parts: AreaParts): AreaCalls {
  const { frames, lru, tables, spaces, mapping, memory, touch, isExclusive, zeroPage } = parts;

  function populate(task: Task, vma: Vma, first: number, pages: number): number {
    const isWrite = vma.isWritable && !vma.isShared;
    let outcome: number = 0;
    task.faults = POPULATE_FAULTS;
    for (let offset = first; offset < first + pages && outcome === 0; offset++) {
      outcome = Math.min(0, touch(task, vma.start + offset, isWrite));
    }
    task.faults = OWN_FAULTS;
    return outcome;
  }

  function mmap(task: Task, request: MmapRequest): number {
    const { space } = task;
    const there = space.vmas.endingAfter(request.vpn);
    if (there !== undefined && there.start < request.vpn + request.pages) return -EEXIST;
    const { flags, file, filePage, name } = request;
    const vma = spaces.insert(space, request.vpn, request.pages, { flags, file, filePage, name });
    spaces.joinAround(space, vma.start, vma.end);
    if (request.populate || (flags & VM_LOCKED) !== 0) {
      const area = space.find(request.vpn);
      if (area !== null) populate(task, area, request.vpn - area.start, request.pages);
    }
    return 0;
  }

  /** Areas of the range in order, cut at its ends; and whether they cover it from its start without a hole. */
  function cover(task: Task, vpn: number, pages: number): { areas: Vma[]; complete: boolean } {
    const { space } = task;
    const end = vpn + pages;
    const whole: Vma[] = [];
    let at = vpn;
    for (let vma = space.find(at); vma !== null && at < end; vma = space.find(at)) {
      whole.push(vma);
      at = vma.end;
    }
    return { areas: whole, complete: at >= end };
  }

  /** Gives the covered part of a range other flags, area by area, cutting only where something changes (K-H3). */
  function change(
    task: Task,
    vpn: number,
    pages: number,
    flagsOf: (vma: Vma) => number,
    after: (vma: Vma) => void,
  ): boolean {
    const { areas, complete } = cover(task, vpn, pages);
    const end = vpn + pages;
    for (const area of areas) {
      const from = Math.max(vpn, area.start);
      const until = Math.min(end, area.end);
      const flags = flagsOf(area);
      if (flags === area.flags) continue;
      const [part] = spaces.isolateRange(task.space, from, until - from);
      part.flags = flags;
      after(part);
      spaces.joinAround(task.space, from, until);
    }
    return complete;
  }

  /** Entries take the area's new protection; a page of one task alone is writable at once (K-A9). */
  function reprotect(task: Task, vma: Vma): void {
    const { blocks } = mapping;
    memory.forEachEntry(vma, (_, page) => {
      if (!tables.isPresent(page)) {
        if (!tables.isSwap(page)) tables.bits[page] &= ~PTE_WRITE; // in a device, or being moved: the next write asks
        return;
      }
      const pfn = tables.word[page] as Pfn;
      if (blocks !== null && tables.isWhole(page)) {
        if (page % HUGE_PAGES === 0 && pfn !== zeroPage) reprotectBlock(blocks, task, vma, page);
        return;
      }
      const isPrivatePage = pfn !== zeroPage && frames.isAnon(pfn) && isWritablePart(page, pfn) && isExclusive(pfn);
      const isSharedPage = vma.isShared && vma.file?.isShmem === true;
      const writable = vma.isWritable && (isPrivatePage || isSharedPage);
      const before = tables.bits[page];
      tables.bits[page] = (writable ? before | PTE_WRITE : before & ~PTE_WRITE) & ~PTE_HINT;
      if (tables.bits[page] !== before) mapping.flush(vma.space, page, task.cpu);
    });
  }

  /** K-H19: one entry for the whole block. */
  function reprotectBlock(blocks: HugeMapping, task: Task, vma: Vma, page: PageId): void {
    const pfn = tables.word[page] as Pfn;
    const mayWrite = vma.isShared || (parts.huge?.rule.writableAtOnce === true && isExclusive(pfn));
    const writable = vma.isWritable && mayWrite;
    if (writable !== ((tables.bits[page] & PTE_WRITE) !== 0)) blocks.setWritable(vma.space, page, writable, task.cpu);
  }

  /** K-H19: a part of a huge page that was not written since the cut asks once more. */
  function isWritablePart(page: PageId, pfn: Pfn): boolean {
    return parts.huge?.rule.writableAtOnce !== false || !frames.isHuge(pfn) || (tables.bits[page] & PTE_DIRTY) !== 0;
  }

  function mprotect(task: Task, vpn: number, pages: number, flags: number): number {
    const complete = change(
      task,
      vpn,
      pages,
      (vma) => (vma.flags & ~ACCESS) | flags,
      (vma) => {
        reprotect(task, vma);
      },
    );
    return complete ? 0 : -ENOMEM;
  }

  function setLocked(vma: Vma): void {
    memory.forEachEntry(vma, (_, page) => {
      if (!tables.isPresent(page)) return;
      if (tables.word[page] === (zeroPage as number)) return;
      const pfn = tables.word[page] as Pfn;
      if (frames.isHuge(pfn) && !(tables.isWhole(page) && page % HUGE_PAGES === 0)) return; // parts alone lock nothing
      const wasListed = frames.isOnLru(pfn);
      if (wasListed) lru.remove(pfn);
      if (vma.isLocked) frames.set(pfn, PG_MLOCKED | PG_UNEVICTABLE);
      else frames.clear(pfn, PG_MLOCKED | PG_UNEVICTABLE);
      if (wasListed) lru.addToHead(pfn);
    });
  }

  function mlock(task: Task, vpn: number, pages: number, locks: boolean): number {
    const complete = change(
      task,
      vpn,
      pages,
      (vma) => (locks ? vma.flags | VM_LOCKED : vma.flags & ~VM_LOCKED),
      setLocked,
    );
    if (!complete) return -ENOMEM;
    if (!locks) return 0;
    for (let at = vpn; at < vpn + pages;) {
      const vma = task.space.find(at);
      if (vma === null) return -ENOMEM;
      if ((vma.flags & ACCESS) === 0) return -ENOMEM;
      const count = Math.min(vma.end, vpn + pages) - at;
      if (populate(task, vma, at - vma.start, count) !== 0) return -ENOMEM;
      at += count;
    }
    return 0;
  }

  function mremap(task: Task, vpn: number, pages: number, newPages: number, toVpn: number | null): number {
    const { space } = task;
    if (newPages === 0) return -EINVAL;
    if (space.find(vpn) === null) return -EFAULT;
    if (toVpn !== null) {
      if (vpn + pages > toVpn && toVpn + newPages > vpn) return -EINVAL;
      memory.munmap(space, toVpn, newPages, task.cpu);
    }
    const kept = Math.min(pages, newPages);
    if (kept < pages) memory.munmap(space, vpn + kept, pages - kept, task.cpu);
    if (toVpn === null && newPages <= pages) return 0;
    const vma = space.find(vpn);
    if (vma === null || vma.end < vpn + kept) return -EFAULT; // not across the borders of areas
    return toVpn === null ? growInPlace(task, vma, vpn, pages, newPages) : moveTo(task, vpn, kept, newPages, toVpn);
  }

  /** What is added joins the area it makes longer, and what comes behind. */
  function growInPlace(task: Task, vma: Vma, vpn: number, pages: number, newPages: number): number {
    const { space } = task;
    const { end, pgoff, isLocked } = vma;
    if (end !== vpn + pages) return -ENOMEM;
    const next = space.vmas.endingAfter(end);
    if (next !== undefined && next.start < vpn + newPages) return -ENOMEM;
    const added = spaces.insert(space, end, newPages - pages, {
      ...attributesOf(vma),
      filePage: vma.filePage + vma.pages,
    });
    added.pgoff = pgoff + vma.pages;
    spaces.adoptAnon(added, vma);
    spaces.joinAround(space, end, vpn + newPages);
    const area = space.find(end);
    if (isLocked && area !== null) populate(task, area, end - area.start, newPages - pages);
    return 0;
  }

  /** K-I2: pages keep their numbers, unless the mapping never had an anonymous page: then it takes those of its place. */
  function moveTo(task: Task, vpn: number, pages: number, newPages: number, toVpn: number): number {
    const { space } = task;
    const [vma] = spaces.isolateRange(space, vpn, pages);
    const { flags } = vma;
    const moved = spaces.insert(space, toVpn, newPages, attributesOf(vma));
    if (vma.anonVma !== null) {
      moved.pgoff = vma.pgoff;
      spaces.adoptAnon(moved, vma);
    }
    moved.takeSwapWindow(vma);
    const { blocks } = mapping;
    const keepsBlocks = (toVpn - vpn) % HUGE_PAGES === 0;
    memory.forEachEntry(vma, (offset, page) => {
      const target = spaces.pageIn(moved, offset);
      if (target === NO_PAGE) return;
      if (blocks !== null && tables.isWhole(page)) {
        if (keepsBlocks) {
          blocks.moveBlock(space, page, target, task.cpu);
          return;
        }
        blocks.splitBlock(space, page, task.cpu);
        if (tables.isNone(page)) return; // it showed a huge page of an object
      }
      if (blocks !== null && tables.block[target >> 9] === BLOCK_EMPTY) tables.block[target >> 9] = BLOCK_SMALL;
      tables.word[target] = tables.word[page];
      tables.bits[target] = tables.bits[page];
      tables.clear(page);
      mapping.flush(space, page, task.cpu);
    });
    memory.munmap(space, vpn, pages, task.cpu);
    spaces.joinAround(space, moved.start, moved.end);
    if ((flags & VM_LOCKED) !== 0 && newPages > pages) {
      const area = space.find(toVpn);
      if (area !== null) populate(task, area, toVpn + pages - area.start, newPages - pages);
    }
    return 0;
  }

  return {
    mmap,
    munmap(task, vpn, pages) {
      if (pages === 0) return -EINVAL;
      memory.munmap(task.space, vpn, pages, task.cpu);
      return 0;
    },
    mprotect,
    mlock,
    mremap,
    populate,
  };
}
