import { int32s } from '../arrays.js';
import { EINVAL, ENOENT } from '../errors.js';
import { NO_PFN, type NodeId, type Pfn } from '../units.js';
import type { AddressSpace } from './address-space.js';
import type { FileObject } from './files.js';
import { HUGE_PAGES, type Frames } from './frames.js';
import { PG_PARTIAL } from './page-flags.js';
import { VM_HUGEPAGE, VM_NOHUGEPAGE, type Vma } from './vma.js';

const ENABLED = ['never', 'madvise', 'always'] as const;
const DEFRAG = ['always', 'defer', 'defer+madvise', 'madvise', 'never'] as const;

/** /sys/kernel/mm/transparent_hugepage. */
export interface HugeSettings {
  enabled: (typeof ENABLED)[number];
  /** How much a fault does to get a huge page (HP-3). */
  defrag: (typeof DEFRAG)[number];
  /** Reading an untouched block maps the huge zero page. */
  useZeroPage: boolean;
}

/** As a kernel starts; HP-1. */
export const HUGE_DEFAULTS: HugeSettings = { enabled: 'always', defrag: 'madvise', useZeroPage: true };

/**
 * Rule variant `hugePages`: how 6.1 and 6.12 differ about huge pages (K section 7, K-H5..K-H19).
 */
export interface HugeRule {
  /** Breaking up drops pages that hold only zeros: they show the zero page (K-H9). */
  readonly dropsZeros: boolean;
  /** A huge page with unmapped parts, or moved while mapped in parts, is broken up when it is to move next (K-H14). */
  readonly breaksPartial: boolean;
  /** The last part that is left mapped may be written in place (K-H8). */
  readonly reusesLastPart: boolean;
  /** A whole page whose protection is given back is writable at once; parts, whether written since the cut or not (K-H19). */
  readonly writableAtOnce: boolean;
  /** BIND with a home node starts at the local node, if that is one of its nodes (K-H5). */
  readonly prefersLocal: boolean;
  /** mbind and move_pages count the mappings of one page (6.1), or ask who maps any of it (K-H13). */
  readonly countsOnePage: boolean;
  /** mbind's interleave index of a huge page is that of the area (6.1), or the block's with a base for the call (K-H10). */
  readonly movesByArea: boolean;
  /** mbind(STRICT) takes a huge page in small pieces for one that could not be moved (K-H15). */
  readonly strictSeesParts: boolean;
  /** tmpfs: a huge page is allocated for a mapping too that cannot map it as a whole, and the inode counts before the division (K-H18). */
  readonly fillsForParts: boolean;
  /** The first page of a huge page just broken up, finding no memory, ends the work on the list (K-H11). */
  readonly partsEndList: boolean;
}
export const huge61: HugeRule = {
  ...{ dropsZeros: false, breaksPartial: false, reusesLastPart: true, writableAtOnce: false, prefersLocal: true },
  ...{ countsOnePage: true, movesByArea: true, fillsForParts: true, strictSeesParts: true, partsEndList: true },
};
export const huge612: HugeRule = {
  ...{ dropsZeros: true, breaksPartial: true, reusesLastPart: false, writableAtOnce: true, prefersLocal: false },
  ...{ countsOnePage: false, movesByArea: false, fillsForParts: false, strictSeesParts: false, partsEndList: false },
};

/**
 * What a machine with huge pages keeps about them beside their frames: settings, how often each is mapped as a whole, which
 * wait to be broken up, and the huge zero page. A page of a huge page counts in its own map count every entry that shows it,
 * whole ones included; references are the first page's alone: one per whole mapping, one per small entry.
 */
export class HugePages {
  readonly settings: HugeSettings;
  /** Whole mappings, by frame number >> 9. */
  private readonly wholes: Int32Array;
  /** Anonymous huge pages with unmapped parts, by node, the oldest first (HP-32). */
  private readonly deferred: readonly Set<Pfn>[];
  /** Processes that had a huge fault or asked for huge pages, in that order: what khugepaged goes through (HP-65). */
  readonly seenSpaces: AddressSpace[] = [];
  /** The huge zero page, once somebody has read (HP-20). */
  zeroHead = NO_PFN;

  constructor(
    private readonly frames: Frames,
    nodeCount: number,
    readonly rule: HugeRule,
    settings: Partial<HugeSettings>,
  ) {
    this.settings = { ...HUGE_DEFAULTS, ...settings };
    this.wholes = int32s((frames.capacity >> 9) + 1);
    this.deferred = Array.from({ length: nodeCount }, () => new Set<Pfn>());
  }

  /** khugepaged will look at this process. Kernel: khugepaged_enter_vma() */
  see(space: AddressSpace): void {
    if (space.isSeen) return;
    space.isSeen = true;
    this.seenSpaces.push(space);
  }
  /** Those that have ended leave the list. */
  forgetSpaces(): void {
    for (let i = this.seenSpaces.length - 1; i >= 0; i--) {
      if (this.seenSpaces[i].vmas.length === 0) this.seenSpaces.splice(i, 1)[0].isSeen = false;
    }
  }

  get isEnabled(): boolean {
    return this.settings.enabled !== 'never';
  }

  /** Writes one of the files. @returns 0, -EINVAL or -ENOENT */
  write(name: string, value: string): number {
    const { settings } = this;
    const [enabled, defrag] = [ENABLED.find((one) => one === value), DEFRAG.find((one) => one === value)];
    if (name === 'enabled' && enabled !== undefined) settings.enabled = enabled;
    else if (name === 'defrag' && defrag !== undefined) settings.defrag = defrag;
    else if (name === 'use_zero_page' && /^[01]$/.test(value)) settings.useZeroPage = value === '1';
    else return ['enabled', 'defrag', 'use_zero_page'].includes(name) ? -EINVAL : -ENOENT;
    return 0;
  }

  /** H1: may a fault fill whole blocks of this area? */
  mayFill(vma: Vma): boolean {
    if ((vma.flags & VM_NOHUGEPAGE) !== 0) return false;
    const { enabled } = this.settings;
    return enabled === 'always' || (enabled === 'madvise' && (vma.flags & VM_HUGEPAGE) !== 0);
  }

  /** K-H5: *effort*, which is direct reclaim (HP-3). */
  makesEffort(vma: Vma): boolean {
    const { defrag } = this.settings;
    return defrag === 'always' || (defrag.endsWith('madvise') && (vma.flags & VM_HUGEPAGE) !== 0);
  }

  wholeMappings(head: Pfn): number {
    return this.wholes[head >> 9];
  }
  addWhole(head: Pfn, mappings: 1 | -1): void {
    this.wholes[head >> 9] += mappings;
  }

  /** Entries that show one page of it: small ones, and each whole one once. Kernel: total_mapcount() with whole mappings as one. */
  mappings(head: Pfn): number {
    const wholes = this.wholeMappings(head);
    let small = 0;
    for (let pfn = head; pfn < head + HUGE_PAGES; pfn++) small += this.frames.mapcount(pfn) - wholes;
    return wholes + small;
  }

  /**
   * K-H13: may a call that moves what is mapped once move it? @param counted [6.1] the page whose mappings are counted: mbind
   * takes the first, move_pages the one it was given. Kernel: folio_likely_mapped_shared(), 6.12
   */
  isMappedOnce(counted: Pfn): boolean {
    if (this.rule.countsOnePage) return this.frames.mapcount(counted) === 1;
    const head = this.frames.headOf(counted);
    const wholes = this.wholeMappings(head);
    const all = this.mappings(head);
    if (all <= 1) return true;
    return wholes === 0 && all <= HUGE_PAGES && this.frames.mapcount(head) <= 1;
  }

  /** Some of its pages are mapped, and some by nobody. */
  hasUnmappedParts(head: Pfn): boolean {
    let unmapped = 0;
    for (let pfn = head; pfn < head + HUGE_PAGES; pfn++) if (this.frames.mapcount(pfn) === 0) unmapped++;
    return unmapped > 0 && unmapped < HUGE_PAGES;
  }

  /** @returns whether it was not queued yet */
  defer(head: Pfn): boolean {
    if (this.frames.has(head, PG_PARTIAL)) return false;
    this.frames.set(head, PG_PARTIAL);
    const queue = this.deferred[this.frames.nodeOf(head)];
    queue.delete(head); // an earlier huge page in the same frames
    queue.add(head);
    return true;
  }

  /** It is broken up or moved: no longer queued. */
  undefer(head: Pfn): void {
    this.frames.clear(head, PG_PARTIAL);
    this.deferred[this.frames.nodeOf(head)].delete(head);
  }

  /** HP-55: it has to be broken up before it leaves: parts are unmapped; [6.1] nobody maps it whole. */
  isPartial(head: Pfn): boolean {
    return this.rule.breaksPartial ? this.frames.has(head, PG_PARTIAL) : this.wholeMappings(head) === 0;
  }

  /** The oldest that waits to be broken up, or `NO_PFN`. */
  firstDeferred(node: NodeId): Pfn {
    const queue = this.deferred[node];
    for (const head of queue) {
      if (this.frames.has(head, PG_PARTIAL)) return head;
      queue.delete(head); // freed meanwhile
    }
    return NO_PFN;
  }
}

/** K-H18: what interleaving counts a block of a tmpfs object by. `index`: of any of its pages. */
export function shmemBlockIndex({ inode }: FileObject, index: number, rule: HugeRule): number {
  const first = index - (index % HUGE_PAGES);
  return rule.fillsForParts ? Math.floor((first + inode) / HUGE_PAGES) : first / HUGE_PAGES + inode;
}
