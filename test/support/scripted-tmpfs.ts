import type { Machine } from '../../src/engine/index.js';
import { cachedFrame, PG_DIRTY, type FileObject, type Task } from '../../src/mm/index.js';
import { asCpuId, type PageId, type Pfn, type SwapSlot } from '../../src/units.js';
import { mapShared } from './arrange.js';

const START = 5000;

/**
 * A task beside a replay, with a tmpfs file: each page dirty, the even ones mapped by it. It goes on writing what it maps, and
 * keeps a shadow copy of all pages.
 */
export class ScriptedTmpfs {
  readonly task: Task;
  readonly file: FileObject;
  readonly shadow: number[] = [];
  private stamp = 1_000_000;

  constructor(
    private readonly machine: Machine,
    cpu: number,
    readonly pages: number,
    /** Where a mapped page is dirty: in itself too, as after write(2), or in its entry alone. */
    readonly dirtyIn: 'page' | 'entry' = 'page',
  ) {
    this.task = machine.process.newProcess(asCpuId(cpu));
    this.file = machine.files.create('shmem', 'scripted', pages);
    mapShared(machine, this.task, this.file, START);
    for (let index = 0; index < pages; index++) this.write(index);
    for (let index = 1; index < pages; index += 2) this.unmap(index);
    machine.lru.drainAll();
  }

  write(index: number): void {
    const pfn = this.machine.touch(this.task, START + index, true);
    if (pfn <= 0) throw new Error(`tmpfs page ${String(index)}: outcome ${String(-pfn)}`);
    if (this.dirtyIn === 'page') this.machine.frames.set(pfn, PG_DIRTY);
    this.machine.contents?.set(pfn, ++this.stamp);
    this.shadow[index] = this.stamp;
  }

  /** Writes every page that it maps. */
  writeMapped(): void {
    for (let index = 0; index < this.pages; index += 2) this.write(index);
  }

  /** What the pages hold, wherever they are: in the page cache, the swap cache or on the swap device. */
  contents(): number[] {
    const { contents, swap } = this.machine;
    return Array.from({ length: this.pages }, (_, index) => {
      const slot = -this.file.slots.get(index) as SwapSlot;
      const pfn = slot > 0 ? swap.cached(slot) : cachedFrame(this.file, index);
      return (pfn > 0 ? contents?.get(pfn) : swap.device?.get(slot as number as Pfn)) ?? 0;
    });
  }

  /** Frame of each page that is in memory, 0 for one that is not. */
  frames(): Pfn[] {
    const { swap } = this.machine;
    return Array.from({ length: this.pages }, (_, index) => {
      const slot = -this.file.slots.get(index) as SwapSlot;
      return slot > 0 ? swap.cached(slot) : cachedFrame(this.file, index);
    });
  }

  private unmap(index: number): void {
    const { tables, mapping, lru } = this.machine;
    const page: PageId = tables.walk(this.task.space.root, START + index);
    lru.put(mapping.unmap(this.task.space, page, this.task.cpu));
  }
}
