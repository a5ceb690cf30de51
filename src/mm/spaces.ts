import { bugOn, ModelBug } from '../errors.js';
import type { PageTables } from '../hardware/index.js';
import type { PageId } from '../units.js';
import { AddressSpace } from './address-space.js';
import type { AnonVmas } from './anon-vma.js';
import type { FileObject } from './files.js';
import type { Mempolicy } from './mempolicy.js';
import { Vma } from './vma.js';

/** What an area is made with. */
export interface VmaAttributes {
  readonly flags: number;
  readonly file?: FileObject | null;
  /** Page of the file at the start; ignored without a file. */
  readonly filePage?: number;
  readonly policy?: Mempolicy | null;
  readonly name?: string;
  readonly tracePage?: number;
}

/** All address spaces and their areas: inserting, splitting, joining, and finding the area of a fault. */
export class Spaces {
  private readonly spaces: (AddressSpace | undefined)[] = [undefined];
  /** Areas by id, for the hint in the page tables; 0 stays empty. */
  private readonly table: (Vma | undefined)[] = [undefined];
  private readonly freeIds: number[] = [];
  /** Told before an area is cut (K-H7). */
  onCut: ((space: AddressSpace, vpn: number) => void) | null = null;

  constructor(
    private readonly tables: PageTables,
    private readonly anonVmas: AnonVmas,
    private readonly cpuCount: number,
  ) {}

  create(): AddressSpace {
    const space = new AddressSpace(this.spaces.length, this.tables.newRoot(), this.cpuCount);
    this.spaces.push(space);
    return space;
  }

  get(id: number): AddressSpace {
    const space = this.spaces[id];
    if (space === undefined) throw new ModelBug(`no address space ${String(id)}`);
    return space;
  }

  all(): AddressSpace[] {
    return this.spaces.filter((space) => space !== undefined);
  }

  /** Forgets an address space that has no areas left. */
  destroy(space: AddressSpace): void {
    bugOn(space.vmas.length > 0, 'an address space goes with areas in it', space.id);
    this.tables.freeRoot(space.root);
    this.spaces[space.id] = undefined;
  }

  /** Adds an area where nothing is mapped. */
  insert(space: AddressSpace, start: number, pages: number, attributes: VmaAttributes): Vma {
    const vma = new Vma(space);
    vma.flags = attributes.flags;
    vma.file = attributes.file ?? null;
    vma.filePage = vma.file === null ? 0 : (attributes.filePage ?? 0);
    vma.pgoff = vma.file === null ? start : vma.filePage;
    vma.name = attributes.name ?? '';
    vma.tracePage = attributes.tracePage ?? -1;
    vma.policy = attributes.policy ?? null;
    if (vma.policy !== null) vma.policy.refs++;
    vma.moveTo(start, pages);
    this.add(vma);
    return vma;
  }

  /** The areas that overlap [start, start + pages), after splitting those that reach beyond it. */
  isolateRange(space: AddressSpace, start: number, pages: number): Vma[] {
    const end = start + pages;
    const first = space.find(start);
    if (first !== null && first.start < start) this.split(first, start);
    const last = space.find(end - 1);
    if (last !== null && last.end > end) this.split(last, end);
    return space.vmas.within(start, end);
  }

  /** Cuts an area in two at page number `at`; the part before keeps its identity. @returns the new part */
  split(vma: Vma, at: number): Vma {
    bugOn(at <= vma.start || at >= vma.end, 'split outside the area', at);
    this.onCut?.(vma.space, at);
    const offset = at - vma.start;
    const rest = new Vma(vma.space);
    rest.flags = vma.flags;
    rest.file = vma.file;
    rest.filePage = vma.file === null ? 0 : vma.filePage + offset;
    rest.pgoff = vma.pgoff + offset;
    rest.name = vma.name;
    rest.tracePage = vma.tracePage < 0 ? -1 : vma.tracePage + offset;
    rest.policy = vma.policy;
    if (rest.policy !== null) rest.policy.refs++;
    rest.moveTo(at, vma.pages - offset);
    vma.moveTo(vma.start, offset);
    this.add(rest);
    rest.anonToken = vma.anonToken;
    rest.isForked = vma.isForked;
    rest.takeSwapWindow(vma);
    if (vma.anonVma !== null) this.anonVmas.join(rest, vma.anonVma);
    return rest;
  }

  /** An area that a mapping moved to takes over where its anonymous pages belong (K-I2). */
  adoptAnon(moved: Vma, from: Vma): void {
    moved.anonToken = from.anonToken;
    moved.isForked = from.isForked;
    if (from.anonVma !== null) this.anonVmas.join(moved, from.anonVma);
  }

  /**
   * Joins the areas of [start, end), which were just made or changed, with their neighbours where attributes are equal
   * (MP-17). Of two whose anonymous pages keep them apart on one side only, the one before wins. Kernel: vma_merge()
   */
  joinAround(space: AddressSpace, start: number, end: number): void {
    const { vmas } = space;
    for (let area = vmas.endingAfter(start); area !== undefined && area.start < end;) {
      const changed = area;
      const [previous, next] = [vmas.before(changed), vmas.after(changed)];
      const before = previous !== undefined && alike(previous, changed) && anonFits(changed, previous);
      const after = next !== undefined && alike(changed, next) && anonFits(changed, next);
      const all = before && after && (hasNone(previous, next) || previous.anonToken === next.anonToken);
      if (after && (all || !before)) this.join(changed, next);
      if (before) this.join(previous, changed);
      area = vmas.after(before ? previous : changed);
    }
  }

  setPolicy(vma: Vma, policy: Mempolicy | null): void {
    if (policy !== null) policy.refs++;
    if (vma.policy !== null) vma.policy.refs--;
    vma.policy = policy;
  }

  /** Takes the area out; its entries must be gone. */
  remove(vma: Vma): void {
    vma.space.vmas.remove(vma);
    if (vma.policy !== null) vma.policy.refs--;
    vma.policy = null;
    this.anonVmas.leave(vma);
    vma.file?.vmas.delete(vma);
    this.table[vma.id] = undefined;
    this.freeIds.push(vma.id);
  }

  /** The area a page lies in, or null. Tries the area of the last fault near it first. */
  vmaOf(page: PageId): Vma | null {
    const leaf = page >> 9;
    const hint = this.table[this.tables.leafVma[leaf]];
    if (hint !== undefined && hint.space.id === this.tables.leafSpace[leaf]) {
      if (this.offsetIn(hint, page) >= 0) return hint;
    }
    const found = this.get(this.tables.leafSpace[leaf]).find(this.tables.vpnOf(page));
    if (found !== null) this.tables.leafVma[leaf] = found.id;
    return found;
  }

  /** Pages from the start of the area to `page`, or -1 if it lies outside. */
  offsetIn(vma: Vma, page: PageId): number {
    const offset = ((this.tables.leafStart[page >> 9] - vma.startHigh) << 9) + (page & 511) - vma.startLow;
    return offset >= 0 && offset < vma.pages ? offset : -1;
  }

  /** The page's id in its address space; tables are made as needed. `NO_PAGE` if they are used up. */
  pageIn(vma: Vma, offset: number): PageId {
    return this.tables.ensure(vma.space.root, vma.start + offset, vma.space.id);
  }

  /** Areas are ordered and apart, and every list that names one is right. */
  check(): void {
    for (const space of this.all()) {
      let end = 0;
      for (const vma of space.vmas) {
        bugOn(vma.pages <= 0, 'an empty area', vma.id);
        bugOn(end > vma.start, 'areas overlap', vma.id);
        bugOn(space.find(vma.start) !== vma, 'an area that is not found', vma.id);
        end = vma.end;
        bugOn(this.table[vma.id] !== vma || vma.space !== space, 'an area in the wrong place', vma.id);
        bugOn(vma.file !== null && !vma.file.vmas.has(vma), 'a file does not know its area', vma.id);
        if (vma.anonVma === null) continue;
        bugOn(!vma.anonVma.vmas.has(vma), 'INV-6: an anon_vma does not know its area', vma.id);
        bugOn(this.anonVmas.get(vma.anonVma.id) !== vma.anonVma, 'INV-6: an area with a forgotten anon_vma', vma.id);
      }
    }
  }

  private add(vma: Vma): void {
    vma.space.vmas.add(vma);
    vma.id = this.freeIds.pop() ?? this.table.length;
    this.table[vma.id] = vma;
    vma.file?.vmas.add(vma);
  }

  private join(left: Vma, right: Vma): void {
    if (left.anonVma === null && right.anonVma !== null) this.anonVmas.join(left, right.anonVma);
    if (left.anonToken === 0) left.anonToken = right.anonToken;
    const pages = right.pages;
    this.remove(right);
    left.moveTo(left.start, left.pages + pages);
  }
}

const samePolicy = (a: Mempolicy | null, b: Mempolicy | null): boolean => a === b || (a !== null && a.equals(b));

function alike(left: Vma, right: Vma): boolean {
  return (
    left.end === right.start &&
    left.flags === right.flags &&
    left.file === right.file &&
    samePolicy(left.policy, right.policy) &&
    left.name === right.name &&
    left.pgoff + left.pages === right.pgoff &&
    (left.tracePage < 0 ? right.tracePage < 0 : left.tracePage + left.pages === right.tracePage)
  );
}

const hasNone = (a: Vma, b: Vma): boolean => a.anonToken === 0 || b.anonToken === 0;

/**
 * K-H3, area by area in the order of their change: an area that never had a page of its own joins a neighbour that has,
 * unless that one came from a fork; one that has pages does not join a neighbour that has none. Kernel: is_mergeable_anon_vma()
 */
function anonFits(changed: Vma, neighbour: Vma): boolean {
  if (changed.anonToken === neighbour.anonToken) return true;
  return changed.anonToken === 0 && !neighbour.isForked;
}
