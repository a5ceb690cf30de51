import {
  type AddressSpace,
  type AnonVmas,
  type Cpuset,
  type CpusetNotice,
  type Frames,
  type Mapping,
  type RebindRule,
  rebindTask,
  HUGE_PAGES,
  type HugePages,
  PG_EXCLUSIVE,
  PG_SWAPBACKED,
  type Spaces,
  type SwapArea,
  Task,
  VM_DONTFORK,
  VM_WIPEONFORK,
  type Vma,
} from '../../mm/index.js';
import type { AutoMigrate } from '../../balance/index.js';
import {
  BLOCK_EMPTY,
  BLOCK_SMALL,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_SWAP,
  PTE_WRITE,
  type PageTables,
  type Topology,
} from '../../hardware/index.js';
import { C, type Counters } from '../../stats/index.js';
import { NO_PAGE, type CpuId, type NodeId, type PageId, type Pfn, type SwapSlot } from '../../units.js';
import type { MemorySyscalls } from './memory.js';

export interface ProcessParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly anonVmas: AnonVmas;
  readonly swap: SwapArea;
  readonly mapping: Mapping;
  readonly memory: MemorySyscalls;
  readonly topology: Topology;
  readonly counters: Counters;
  readonly rootCpuset: Cpuset;
  readonly zeroPage: Pfn;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly autoMigrate: Pick<AutoMigrate, 'assigned'>;
  /** Told that a thread has come to another node; null: no balancer wants to know. */
  readonly moved: ((task: Task, from: NodeId) => void) | null;
  readonly rebind: RebindRule;
  readonly notice: CpusetNotice;
}

export interface ProcessSyscalls {
  /** A process with an empty address space and one thread on `cpu`. */
  newProcess(cpu: CpuId): Task;
  /** Another thread of the same process; it inherits the task policy. Kernel: clone(CLONE_VM). */
  newThread(task: Task, cpu: CpuId): Task;
  /** A child with the same memory, shared until written (K-A3, K-A4). Kernel: fork(), copy_page_range(). */
  fork(task: Task, cpu: CpuId): Task;
  /** One thread ends; the last one of a process takes the memory along. */
  exit(task: Task): void;
  /** The thread gets another CPU. Counts moves between nodes (FP-76); with automatic migration on, its pages are to follow. */
  moveTask(task: Task, cpu: CpuId): void;
  /** Threads that are alive. */
  tasks(): readonly Task[];
}

export function makeProcessSyscalls(parts: ProcessParts): ProcessSyscalls {
  const { frames, tables, spaces, anonVmas, swap, mapping, memory, topology, counters, rootCpuset, zeroPage } = parts;
  const alive = new Set<Task>();
  let lastId = -1;

  function start(space: AddressSpace, cpu: CpuId, cpuset: Cpuset): Task {
    const task = new Task(++lastId, space, cpu, topology.nodeOfCpu[cpu] as NodeId, cpuset);
    space.ranOn(cpu);
    space.threads++;
    alive.add(task);
    return task;
  }

  function inherit(child: Task, parent: Task): Task {
    if (parts.notice.isLate && parent.memsSeen !== parent.cpuset.version) rebindTask(parent, parts.rebind); // MP-86
    child.policy = parent.policy?.clone(parent.cpuset.nodes()) ?? null;
    child.ilPrev = parent.ilPrev;
    child.ilNext = parent.ilNext;
    child.memsSeen = parent.memsSeen;
    child.credentials.copyFrom(parent.credentials);
    return child;
  }

  /** Entries of an area that may hold private pages; others are faulted in again by the child (K-A4). */
  function copyEntries(from: Vma, to: Vma, cpu: CpuId): void {
    const { blocks } = mapping;
    memory.forEachEntry(from, (offset, page) => {
      if (blocks !== null && tables.isWhole(page)) {
        if (page % HUGE_PAGES !== 0) return; // came with its block's first page
        if (frames.mapping(tables.word[page] as Pfn) > 0) return; // HP-40: the child faults
      }
      const copy = spaces.pageIn(to, offset);
      if (copy === NO_PAGE) return;
      if (blocks !== null && tables.isWhole(page)) blocks.copyBlock(from.space, page, to, offset, copy, cpu);
      else copyEntry(from, to, offset, page, copy, cpu);
    });
    if (blocks !== null) copySmallBlocks(from, to);
  }

  /** A block in small pieces is one in the child too, whatever is mapped there (K-H1). */
  function copySmallBlocks(from: Vma, to: Vma): void {
    for (let offset = 0; offset < from.pages; offset += HUGE_PAGES - ((from.start + offset) % HUGE_PAGES)) {
      const page = tables.walk(from.space.root, from.start + offset);
      if (page === NO_PAGE || tables.block[page >> 9] !== BLOCK_SMALL) continue;
      const copy = spaces.pageIn(to, offset);
      if (copy !== NO_PAGE && tables.block[copy >> 9] === BLOCK_EMPTY) tables.block[copy >> 9] = BLOCK_SMALL;
    }
  }

  function copyEntry(from: Vma, to: Vma, offset: number, page: PageId, copy: PageId, cpu: CpuId): void {
    const bits = tables.bits[page];
    if ((bits & PTE_SWAP) !== 0) {
      const slot = tables.word[page] as SwapSlot;
      swap.addUser(slot);
      to.space.swapEntries++;
      tables.setSwap(copy, slot);
      return;
    }
    const pfn = tables.word[page] as Pfn;
    if (tables.isDevice(page)) {
      tables.bits[page] &= ~PTE_WRITE;
      frames.get(pfn);
      mapping.mapDevice(to, offset, copy, pfn, false);
      return;
    }
    if (tables.isMigration(page)) {
      copyMigration(to, page, copy, pfn);
      return;
    }
    if (pfn === zeroPage) {
      mapping.mapZeroPage(copy);
      return;
    }
    mapping.writeProtect(from.space, page, cpu);
    frames.get(frames.headOf(pfn));
    if (frames.isHuge(pfn)) frames.clear(pfn, PG_EXCLUSIVE);
    const childBits = bits & ~(PTE_WRITE | PTE_PRESENT | (from.isShared ? PTE_DIRTY : 0)); // a private page stays dirty in both
    if (frames.isAnon(pfn)) mapping.mapAnon(to, offset, copy, pfn, childBits);
    else mapping.mapFile(to, copy, pfn, childBits);
  }

  /** the page is being moved. Both entries name it, neither may write any more, and its mover finds both. */
  function copyMigration(to: Vma, page: PageId, copy: PageId, pfn: Pfn): void {
    tables.bits[page] &= ~PTE_WRITE;
    tables.setMigration(copy, pfn, tables.bits[page]);
    if (frames.isAnon(pfn)) to.space.rssAnon++;
    else if (frames.has(pfn, PG_SWAPBACKED)) to.space.rssShmem++;
    else to.space.rssFile++;
  }

  function fork(task: Task, cpu: CpuId): Task {
    const space = spaces.create();
    const child = inherit(start(space, cpu, task.cpuset), task);
    if (task.space.isSeen) parts.huge?.see(space);
    for (const vma of task.space.vmas) {
      if ((vma.flags & VM_DONTFORK) !== 0) continue;
      const copy = spaces.insert(space, vma.start, vma.pages, vma);
      copy.pgoff = vma.pgoff;
      copy.takeSwapWindow(vma);
      if (vma.policy !== null) {
        const own = vma.policy.clone(task.cpuset.nodes());
        spaces.setPolicy(copy, own);
        own.refs--; // the area is its only holder
      }
      if (vma.anonVma === null || (vma.flags & VM_WIPEONFORK) !== 0) continue;
      anonVmas.join(copy, vma.anonVma);
      anonVmas.forked(copy);
      copyEntries(vma, copy, task.cpu);
    }
    mapping.forgetFlushes();
    return child;
  }

  function exit(task: Task): void {
    if (alive.delete(task)) task.space.threads--;
    task.hasMemory = false;
    if (task.policy !== null) task.policy.refs--;
    task.policy = null;
    for (const other of alive) if (other.space === task.space) return;
    memory.unmapAll(task.space, task.cpu);
    spaces.destroy(task.space);
  }

  return {
    newProcess: (cpu) => start(spaces.create(), cpu, rootCpuset),
    newThread: (task, cpu) => inherit(start(task.space, cpu, task.cpuset), task),
    fork,
    exit,
    moveTask(task, cpu) {
      task.cpu = cpu;
      const node = topology.nodeOfCpu[cpu] as NodeId;
      if (node !== task.node) {
        counters.inc(C.mof_task_moves);
        parts.autoMigrate.assigned(task);
      }
      const from = task.node;
      task.node = node;
      task.space.ranOn(cpu);
      if (from !== node && parts.moved !== null) parts.moved(task, from);
    },
    tasks: () => [...alive],
  };
}
