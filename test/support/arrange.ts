import type { Machine } from '../../src/engine/index.js';
import { DONE, FaultState, S2, WAIT } from '../../src/fault/index.js';
import { makeSwapOut, makeTryToUnmap } from '../../src/migrate/index.js';
import { cachedFrame, type FileObject, type Task, type Vma, VM_READ, VM_SHARED, VM_WRITE } from '../../src/mm/index.js';
import { asNodeId, NO_PAGE, type CpuId, type PageId, type Pfn, type SwapSlot } from '../../src/units.js';
import { makeEvict } from './random/evict.js';
import { cpuOf, mapAnon, processOn, touchAll } from './tiny-machine.js';

/** What brings a machine into the state a test begins with. Everything here changes something; see snapshot.ts for questions. */

/** References that the test holds itself, for `checkMachine`. */
export type PinMap = Map<Pfn, number>;

/** Takes all free frames of a node but `leave`, as if another program used them. */
export function fillNode(machine: Machine, node: number, leave = 0): PinMap {
  const pins: PinMap = new Map();
  while (machine.zones.free(asNodeId(node)) > leave) pins.set(machine.zones.take(asNodeId(node)), 1);
  return pins;
}

/** A process whose `pages` private pages lie on `node`, written there by its first thread. */
export function processWithPages(
  machine: Machine,
  node: number,
  start: number,
  pages: number,
): { task: Task; vma: Vma } {
  const task = processOn(machine, node);
  const vma = mapAnon(machine, task, start, pages);
  touchAll(machine, task, start, pages, true);
  machine.lru.drainAll();
  return { task, vma };
}

/** The page-table entry of a page number; its tables are made if they are missing. */
export function pageOf(machine: Machine, vma: Vma, vpn: number): PageId {
  const page = machine.spaces.pageIn(vma, vpn - vma.start);
  if (page === NO_PAGE) throw new Error('no room for page tables');
  return page;
}

/** Unmaps a page from everybody, however often it is mapped, as MOVE_ALL with LAZY does; vectors are drained. */
export function unmapEverywhere(machine: Machine, task: Task, pfn: Pfn): void {
  const { frames, lru } = machine;
  lru.drainAll();
  if (!lru.isolate(pfn) || !frames.tryLock(pfn)) throw new Error('the page cannot be taken');
  const isReady = !frames.isAnon(pfn) || frames.isSwapCache(pfn) || makeSwapOut(machine).addToSwap(pfn);
  if (!isReady || makeTryToUnmap(machine)(pfn, task.cpu) !== 0) throw new Error('the page cannot be unmapped');
  frames.unlock(pfn);
  lru.putback(task.cpu, pfn);
  lru.drainAll();
}

/** Takes a page out of memory altogether, through its swap slot or its file; needs `writesAtOnce`. */
export function evict(machine: Machine, task: Task, pfn: Pfn): void {
  machine.lru.drainAll();
  const result = makeEvict(machine)(pfn, task.cpu);
  if (result !== 'freed') throw new Error(`the page was to be evicted and is ${result}`);
}

/** Starts writing an unmapped page of a cache; the write is still in flight afterwards. */
export function startWriteback(machine: Machine, pfn: Pfn): void {
  if (makeSwapOut(machine).startWrite(pfn)) throw new Error('the write has ended at once');
}

/** Takes a listed page off its list and leaves it in the vector of this CPU, as one that was just added. */
export function intoVector(machine: Machine, cpu: CpuId, pfn: Pfn): void {
  if (!machine.lru.isolate(pfn)) throw new Error('the page is on no list');
  machine.lru.putback(cpu, pfn);
}

/** A shared mapping of all pages of an object. */
export function mapShared(machine: Machine, task: Task, file: FileObject, start: number): Vma {
  const flags = VM_READ | VM_WRITE | VM_SHARED;
  return machine.memory.mmap(task.space, start, file.sizePages, { flags, file }, task.cpu);
}

/** A private mapping of all pages of an object. */
export function mapPrivate(machine: Machine, task: Task, file: FileObject, start: number): Vma {
  const flags = VM_READ | VM_WRITE;
  return machine.memory.mmap(task.space, start, file.sizePages, { flags, file }, task.cpu);
}

/** Reads all pages of a file into the page cache on `node`, by a process that ends again; vectors are drained. */
export function cacheOn(machine: Machine, node: number, file: FileObject): Pfn[] {
  const reader = processOn(machine, node);
  for (let index = 0; index < file.sizePages; index++) machine.file.access(reader, file, index, false);
  machine.process.exit(reader);
  machine.lru.drainAll();
  return Array.from({ length: file.sizePages }, (_, index) => cachedFrame(file, index));
}

/** All pages of a shmem object, touched by a process on `node` that unmaps it again; vectors are drained. */
export function shmemOn(machine: Machine, node: number, object: FileObject): Pfn[] {
  const toucher = processOn(machine, node);
  mapShared(machine, toucher, object, 16);
  touchAll(machine, toucher, 16, object.sizePages, false);
  machine.process.exit(toucher);
  machine.lru.drainAll();
  return Array.from({ length: object.sizePages }, (_, index) => cachedFrame(object, index));
}

/** Puts a thread of the machine on a node. */
export function moveTo(machine: Machine, task: Task, node: number): void {
  machine.process.moveTask(task, cpuOf(machine, node));
}

/** A fault on a swap entry, not begun yet: the state that `SwapFault` works on. */
export function swapFaultState(machine: Machine, task: Task, vma: Vma, vpn: number, isWrite: boolean): FaultState {
  const f = new FaultState(task, vma);
  f.offset = vpn - vma.start;
  f.page = pageOf(machine, vma, vpn);
  f.isWrite = isWrite;
  f.slot = machine.tables.word[f.page] as SwapSlot;
  f.next = S2;
  return f;
}

/** Takes steps of a swap fault until the next one would be `until` (or it is done); fails the test if it has to wait. */
export function stepTo(machine: Machine, f: FaultState, until: number = DONE): void {
  while (f.next !== until && f.next !== DONE) {
    const next = machine.swapFault.step(f, f.next);
    if (next === WAIT) throw new Error(`step ${String(f.next)} waits`);
    f.next = next;
  }
}
