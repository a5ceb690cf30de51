import type { Pfn } from '../units.js';
import type { Mempolicy } from './mempolicy.js';
import { SlotTree } from './slot-tree.js';
import type { Vma } from './vma.js';

/** What a mapping offers for moving its pages (PL-71): nothing, the plain way, with buffers, or a refusal. */
export type MigrateOperation = 'none' | 'simple' | 'buffers' | 'fail';

/**
 * An address space of pages that belong to an object: a file's page cache, or a shmem object. Kernel: address_space.
 *
 * A slot holds 0 (absent), a frame (> 0), or for shmem minus a swap slot (PL-50).
 */
export class FileObject {
  readonly slots = new SlotTree();
  /** Age counter of the node when a page was evicted, +1 so that 0 means none; and node * 2 + mark (RC-60). */
  readonly shadowAge = new SlotTree();
  readonly shadowNode = new SlotTree();
  /** Contents on the disk; only with `Contents`. */
  readonly disk = new SlotTree();
  /** vmas that map it: the reverse map of its pages. Kernel: i_mmap. */
  readonly vmas = new Set<Vma>();
  /** Policies of ranges of a shmem object, by page index; undefined where none was ever set (MP-2). */
  private policies: (Mempolicy | undefined)[] | undefined;
  /** Where pages of the file stand in the numbering of the trace: [first file page, pages, first trace page]. */
  private readonly traceRanges: (readonly [number, number, number])[] = [];
  /** Changes at each truncate, for faults that looked before (FP section 4). */
  truncateCount = 0;
  /** The last window of read-ahead: where it began, its pages, and how many of them were read ahead. Kernel: file_ra_state */
  readStart = 0;
  readPages = 0;
  readAhead = 0;
  /** tmpfs mounted with huge=always: its blocks are huge pages (K-H18). */
  usesHuge = false;
  /** SHM_LOCK: pages of the object are not evicted. Kernel: AS_UNEVICTABLE. */
  isUnevictable = false;
  /** Pages in `slots` that are frames. */
  cachedPages = 0;

  constructor(
    readonly id: number,
    readonly kind: 'file' | 'shmem',
    readonly name: string,
    readonly inode: number,
    public sizePages: number,
    readonly migrate: MigrateOperation,
  ) {}

  get isShmem(): boolean {
    return this.kind === 'shmem';
  }

  /** Where a page lies on the device: its neighbours beside it, other files and swap elsewhere. */
  positionOf(index: number): number {
    return (Math.imul(this.id, 0x9e3779b1) + index) | 0;
  }

  addTraceRange(filePage: number, pages: number, tracePage: number): void {
    this.traceRanges.push([filePage, pages, tracePage]);
  }

  /** The page's number in the trace, or -1. */
  tracePageAt(index: number): number {
    for (const range of this.traceRanges) {
      if (index >= range[0] && index < range[0] + range[1]) return range[2] + index - range[0];
    }
    return -1;
  }

  policyAt(index: number): Mempolicy | null {
    return this.policies?.[index] ?? null;
  }

  setPolicy(first: number, pages: number, policy: Mempolicy | undefined): void {
    this.policies ??= [];
    for (let i = first; i < first + pages; i++) {
      const before = this.policies[i];
      if (before !== undefined) before.refs--;
      if (policy !== undefined) policy.refs++;
      this.policies[i] = policy;
    }
  }

  /** Calls `visit` once for each page index that has a policy of its own: each holds a reference (INV-17). */
  forEachPolicy(visit: (policy: Mempolicy) => void): void {
    this.policies?.forEach((policy) => policy !== undefined && visit(policy));
  }

  dropPolicies(): void {
    this.policies?.forEach((policy) => policy && policy.refs--);
    this.policies = undefined;
  }
}

/** All objects, by the id that stands in a frame's mapping word. */
export class Files {
  private readonly objects: FileObject[] = [];

  /** @param shmemOperation what shmem offers unless an object says otherwise: nothing until 2.6.16, then the plain way (PL-54) */
  constructor(private readonly shmemOperation: MigrateOperation = 'simple') {}

  create(
    kind: 'file' | 'shmem',
    name: string,
    sizePages: number,
    options: { readonly inode?: number; readonly migrate?: MigrateOperation } = {},
  ): FileObject {
    const id = this.objects.length + 1;
    const operation = options.migrate ?? (kind === 'shmem' ? this.shmemOperation : 'simple');
    const file = new FileObject(id, kind, name, options.inode ?? id, sizePages, operation);
    this.objects.push(file);
    return file;
  }

  get(id: number): FileObject {
    return this.objects[id - 1];
  }

  all(): readonly FileObject[] {
    return this.objects;
  }
}

/** A slot's frame, or 0 if it is empty or swapped out. */
export function cachedFrame(file: FileObject, index: number): Pfn {
  const slot = file.slots.get(index);
  return (slot > 0 ? slot : 0) as Pfn;
}
