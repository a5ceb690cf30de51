import { bugOn } from '../../../src/errors.js';
import type { Machine } from '../../../src/engine/index.js';
import type { AddressSpace, FileObject, Task } from '../../../src/mm/index.js';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../../src/mm/index.js';
import { NO_PAGE, NO_PFN, type Pfn, type SwapSlot } from '../../../src/units.js';

/** Pages of each process that programs use, from its base on. */
export const WINDOW = 48;
/** What `ProcessShadow.object` says of private memory; an object's number plus 2 says it is mapped there. */
export const NOTHING = 0;
export const ANONYMOUS = 1;

/** What an access should end in. */
export type Expected = 'page' | 'segv' | 'sigbus';

/** What a file or shmem object should contain, page by page. */
export class ObjectShadow {
  values: Int32Array;
  /** Frame of each page when last looked at, 0 if it had none (INV-16). */
  residence: Int32Array;

  constructor(readonly file: FileObject) {
    this.values = new Int32Array(file.sizePages);
    this.residence = new Int32Array(file.sizePages);
  }

  /** What lies behind the new end is gone, and what is new is empty. */
  resize(pages: number): void {
    const resized = (column: Int32Array) =>
      Int32Array.from({ length: pages }, (_, i) => (i < column.length ? column[i] : 0));
    this.values = resized(this.values);
    this.residence = resized(this.residence);
  }
}

/** What the memory of one process should contain, by page of its window: copies are by value, there are no frames here. */
export class ProcessShadow {
  readonly tasks: Task[] = [];
  readonly object = new Uint8Array(WINDOW);
  readonly filePage = new Uint8Array(WINDOW);
  /** VM_ flags of the area. */
  readonly flags = new Uint8Array(WINDOW);
  /** 1: the process wrote the page of a private mapping, so `value` counts and nothing else. */
  readonly isOwn = new Uint8Array(WINDOW);
  readonly value = new Int32Array(WINDOW);
  /** 1: given up by MADV_FREE, so that the page may be gone, and be zero, until it is written again. */
  readonly isGivenUp = new Uint8Array(WINDOW);
  readonly residence = new Int32Array(WINDOW);

  constructor(
    readonly space: AddressSpace,
    readonly base: number,
  ) {}

  map(at: number, pages: number, object: number, filePage: number, flags: number): void {
    this.unmap(at, pages);
    for (let i = at; i < at + pages; i++) {
      this.object[i] = object;
      this.filePage[i] = object === ANONYMOUS ? 0 : filePage + i - at;
      this.flags[i] = flags;
    }
  }

  unmap(at: number, pages: number): void {
    this.object.fill(NOTHING, at, at + pages);
    this.flags.fill(0, at, at + pages);
    this.discard(at, pages);
  }

  discard(at: number, pages: number): void {
    this.isOwn.fill(0, at, at + pages);
    this.isGivenUp.fill(0, at, at + pages);
    this.value.fill(0, at, at + pages);
  }

  /** Pages go to another place, with all that is known of them; what was mapped there goes. */
  moveTo(at: number, pages: number, to: number): void {
    const { object, filePage, flags, isOwn, isGivenUp, value, residence } = this;
    for (const column of [object, filePage, flags, isOwn, isGivenUp, value, residence]) {
      column.copyWithin(to, at, at + pages);
    }
    this.unmap(at, pages);
  }

  isMapped(at: number): boolean {
    return this.object[at] !== NOTHING;
  }

  /** A child that sees the same. */
  copyTo(child: ProcessShadow): void {
    child.object.set(this.object);
    child.filePage.set(this.filePage);
    child.flags.set(this.flags);
    child.isOwn.set(this.isOwn);
    child.isGivenUp.set(this.isGivenUp);
    child.value.set(this.value);
  }
}

/**
 * The shadow copy of everything a machine's memory should hold (INV-13), and the comparison. It knows what was mapped
 * and written, and nothing of frames, caches or swap; `compare` follows page tables and caches to what is really there.
 */
export class Shadow {
  readonly objects: ObjectShadow[] = [];
  readonly processes: ProcessShadow[] = [];

  constructor(private readonly machine: Machine) {}

  addObject(file: FileObject): ObjectShadow {
    const object = new ObjectShadow(file);
    this.objects.push(object);
    return object;
  }

  expect(process: ProcessShadow, at: number, isWrite: boolean): Expected {
    if ((process.flags[at] & (isWrite ? VM_WRITE : VM_READ)) === 0) return 'segv';
    if (process.object[at] === ANONYMOUS || process.isOwn[at] !== 0) return 'page';
    return process.filePage[at] < this.objectAt(process, at).values.length ? 'page' : 'sigbus';
  }

  valueAt(process: ProcessShadow, at: number): number {
    if (process.isOwn[at] !== 0 || process.object[at] === ANONYMOUS) return process.value[at];
    return this.objectAt(process, at).values[process.filePage[at]];
  }

  write(process: ProcessShadow, at: number, stamp: number): void {
    if ((process.flags[at] & VM_SHARED) !== 0) this.objectAt(process, at).values[process.filePage[at]] = stamp;
    else {
      process.isOwn[at] = 1;
      process.isGivenUp[at] = 0;
      process.value[at] = stamp;
    }
  }

  /** A page that was given up, and is no longer there or reads as zero, went. */
  private settle(process: ProcessShadow, at: number, found: number): void {
    if (process.isGivenUp[at] !== 0 && found === 0) process.discard(at, 1);
  }

  /** What a read of the page found; compares it with what was last written. */
  read(process: ProcessShadow, at: number, found: number): void {
    this.settle(process, at, found);
    const wanted = this.valueAt(process, at);
    if (found !== wanted) differs(`page ${String(at)} of address space ${String(process.space.id)}`, found, wanted);
  }

  /** An object was cut or grew: private copies of pages behind its end are gone too. */
  resize(object: ObjectShadow, pages: number): void {
    object.resize(pages);
    const number = this.objects.indexOf(object) + 2;
    for (const process of this.processes) {
      for (let at = 0; at < WINDOW; at++) {
        if (process.object[at] === number && process.filePage[at] >= pages) process.discard(at, 1);
      }
    }
  }

  /** Locking writes to private pages so that they are there; each is a copy of what it showed from now on. */
  adoptCopies(process: ProcessShadow, at: number, pages: number): void {
    const { tables, frames } = this.machine;
    for (let i = at; i < at + pages; i++) {
      const page = tables.walk(process.space.root, process.base + i);
      if (process.isOwn[i] !== 0 || page === NO_PAGE || !tables.isPresent(page)) continue;
      if (!frames.isAnon(tables.word[page] as Pfn)) continue;
      process.value[i] = this.valueAt(process, i);
      process.isOwn[i] = 1;
    }
  }

  /**
   * Compares every page that is mapped, cached, swapped out or on the disk with what it should contain (INV-13).
   * @param moved told of each page that is in another frame than when last looked at (INV-16)
   */
  compare(moved: (before: Pfn, now: Pfn) => void): void {
    for (const object of this.objects) this.compareObject(object, moved);
    for (const process of this.processes) this.compareProcess(process, moved);
  }

  private objectAt(process: ProcessShadow, at: number): ObjectShadow {
    return this.objects[process.object[at] - 2];
  }

  private compareObject({ file, values, residence }: ObjectShadow, moved: (before: Pfn, now: Pfn) => void): void {
    for (let index = 0; index < values.length; index++) {
      const slot = file.slots.get(index);
      let now = slot as Pfn;
      let found: number;
      if (slot > 0) found = this.contentOf(now);
      else if (slot < 0) {
        now = this.machine.swap.cached(-slot as SwapSlot);
        found = this.contentOfSlot(-slot as SwapSlot);
      } else found = file.isShmem ? 0 : file.disk.get(index);
      if (found !== values[index]) differs(`page ${String(index)} of object ${file.name}`, found, values[index]);
      if (residence[index] !== (now as number)) {
        if (residence[index] !== 0 && now !== NO_PFN) moved(residence[index] as Pfn, now);
        residence[index] = now;
      }
    }
  }

  private compareProcess(process: ProcessShadow, moved: (before: Pfn, now: Pfn) => void): void {
    const { tables } = this.machine;
    let page = NO_PAGE;
    for (let at = 0; at < WINDOW; at++) {
      const vpn = process.base + at;
      page =
        at === 0 || vpn % 512 === 0
          ? tables.walk(process.space.root, vpn)
          : page === NO_PAGE
            ? page
            : ((page + 1) as typeof page);
      const now =
        page === NO_PAGE || tables.isNone(page) ? this.compareEmpty(process, at) : this.compareEntry(process, at, page);
      if (process.residence[at] !== (now as number)) {
        if (process.residence[at] !== 0 && now !== NO_PFN) moved(process.residence[at] as Pfn, now);
        process.residence[at] = now;
      }
    }
  }

  private compareEmpty(process: ProcessShadow, at: number): Pfn {
    this.settle(process, at, 0);
    bugOn(process.isOwn[at] !== 0, 'INV-13: a page that was written is gone, page of the process', at);
    return NO_PFN;
  }

  /** @returns the frame of a private page, or 0 */
  private compareEntry(process: ProcessShadow, at: number, page: typeof NO_PAGE): Pfn {
    const { tables, swap, frames } = this.machine;
    bugOn(!process.isMapped(at), 'INV-13: an entry where nothing is mapped, page of the process', at);
    const isSwap = tables.isSwap(page);
    const word = tables.word[page];
    const found = isSwap ? this.contentOfSlot(word as SwapSlot) : this.contentOf(word as Pfn);
    this.read(process, at, found);
    if (isSwap) return swap.cached(word as SwapSlot);
    return frames.isAnon(word as Pfn) ? (word as Pfn) : NO_PFN;
  }

  private contentOf(pfn: Pfn): number {
    return this.machine.contents?.get(pfn) ?? 0;
  }

  private contentOfSlot(slot: SwapSlot): number {
    const cached = this.machine.swap.cached(slot);
    return cached === NO_PFN ? (this.machine.swap.device?.get(slot as number as Pfn) ?? 0) : this.contentOf(cached);
  }
}

function differs(where: string, found: number, wanted: number): void {
  bugOn(true, `INV-13: ${where} holds ${String(found)}, should hold ${String(wanted)}`);
}
