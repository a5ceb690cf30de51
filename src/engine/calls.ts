import { makeIsolateEntry, type MigratePagesSteps } from '../migrate/index.js';
import { EINVAL, ENOENT, MmError } from '../errors.js';
import { cachedFrame, type FileObject, type Task } from '../mm/index.js';
import type { PolicyDefinition } from '../policy/index.js';
import { NO_PFN, type Pfn } from '../units.js';
import { makeHotplug, type HotplugCalls } from './hotplug.js';
import type { Machine } from './machine.js';
import { makeAreaCalls, type AreaCalls } from './syscalls/areas.js';
import { makeCollapseArea } from './syscalls/collapse.js';
import { makeCpusetCalls, type CpusetCalls } from './syscalls/cpusets.js';
import { makeMadviseCalls, type MadviseCalls } from './syscalls/madvise.js';
import { makeMempolicyCalls, type MempolicyCalls } from './syscalls/mempolicy.js';
import { setMountPolicy } from './syscalls/mount-policy.js';
import { makeMoveCalls } from './syscalls/move-calls.js';
import { makeMovePagesCalls, type MovePagesCalls } from './syscalls/move-pages.js';
import { makeMovePolicyPages } from './syscalls/move-policy-pages.js';
import { makeNumaMaps, type NumaMapsLine } from './syscalls/numa-maps.js';
import { makePunch } from './syscalls/punch.js';
import { makeShmCalls, type ShmCalls } from './syscalls/shm.js';
import { makeSwapCalls, type SwapCalls } from './syscalls/swap.js';
import { makeSwapOutProcess, type SwapOutProcess } from './syscalls/swap-out-process.js';
import { makeTruncate, type Truncate } from './syscalls/truncate.js';
import { told, toldBy } from './told.js';

/** System calls of a simulated task, with the kernel's argument checks and errno. */
export interface Calls {
  readonly policy: MempolicyCalls;
  readonly pages: MovePagesCalls;
  readonly areas: AreaCalls;
  readonly advice: MadviseCalls;
  readonly cpusets: CpusetCalls;
  readonly hotplug: HotplugCalls;
  readonly swap: SwapCalls & SwapOutProcess;
  readonly shm: ShmCalls;
  /** migratePages(), whole or one step at a time. */
  readonly migration: MigratePagesSteps | null;
  readonly file: {
    /** One page of pread or pwrite. @returns whether it was done */
    page(task: Task, file: FileObject, index: number, isWrite: boolean): boolean;
    /** Kernel: truncate(2), ftruncate(2). */
    truncate: Truncate;
    /** Clean, unmapped pages of files leave the page cache. */
    dropCaches(): void;
  };
  numaMaps(task: Task): NumaMapsLine[];
  /**
   * Writes one of the files under /proc/sys or sysfs that the model has. @returns 0, -EINVAL or -ENOENT
   * @throws MmError NOT_THERE_YET for a value whose effect is not modelled
   */
  sysctl(name: string, value: number | string): number;
  /** The `mpol=` mount option of a new tmpfs file. */
  mountPolicy(file: FileObject, text: string): number;
}

export interface CallOptions {
  /** Policies by mode number. */
  readonly modes: ReadonlyMap<number, PolicyDefinition>;
  readonly cgroup: 1 | 2;
  readonly possibleNodes: number;
}

export function makeCalls(machine: Machine, { modes, cgroup, possibleNodes }: CallOptions): Calls {
  const { frames, files, pageCache, swap, tables, lru, block, mapping, counters, zones } = machine;
  const { forEachMapping, spaces, zeroPage, rules, world, memory, touch, query, reclaim, topology } = machine;
  const { swapOut, cow, swapRead, rootCpuset, process, tracer } = machine;
  const { migratePages } = machine.mover;
  const moveCalls = makeMoveCalls(rules.moveCalls, swap);
  const { isolateEntry } = makeIsolateEntry(tables, lru, rules.isolation);
  const movePolicyPages = makeMovePolicyPages({
    ...{ frames, lru, counters, query, migratePages, lazy: machine.lazy, defaultPolicy: machine.defaultPolicy },
    ...{ isolateEntry, moveCalls, tables, huge: machine.huge, takeHuge: machine.takeHuge },
    ...{ allocatePage: reclaim.allocatePage, interleaveIndex: rules.moveIndex },
  });
  const newPolicy = { world, modes, modeRule: rules.modes };
  const policyCalls = makeMempolicyCalls({
    ...newPolicy,
    ...{
      frames,
      lru,
      tables,
      spaces,
      zeroPage,
      touch,
      possibleNodes,
      movePages: movePolicyPages,
      rules,
      moveCalls,
      huge: machine.huge,
    },
  });
  const policy = {
    ...policyCalls,
    mbind: told(tracer, 'mbind', policyCalls.mbind),
    bindRange: told(tracer, 'mbind', policyCalls.bindRange),
  };
  const pageCalls = makeMovePagesCalls({
    ...{
      frames,
      lru,
      zones,
      tables,
      world,
      migratePages,
      isolateEntry,
      pageStatus: rules.pageStatus,
      zeroPage,
      huge: machine.huge,
    },
    ...{ privileges: rules.privileges, movePagesRule: rules.movePages, moveCalls, allocatePage: reclaim.allocatePage },
  });
  const pages = {
    ...pageCalls,
    movePages: told(tracer, 'move_pages', pageCalls.movePages),
    migratePages: told(tracer, 'migrate_pages', pageCalls.migratePages),
    moveProcess: told(tracer, 'migrate process', pageCalls.moveProcess),
  };
  const areas = makeAreaCalls({
    ...{
      frames,
      lru,
      tables,
      spaces,
      mapping,
      memory,
      touch,
      isExclusive: cow.isExclusive,
      zeroPage,
      huge: machine.huge,
    },
  });
  const { forEachHugePlace, breakUp } = machine;
  const punch = makePunch({
    ...{ frames, lru, tables, swap, block, pageCache, mapping, forEachMapping, forEachHugePlace, breakUp },
  });
  const advice = makeMadviseCalls({
    ...{ frames, lru, tables, spaces, swap, mapping, memory, touch, zeroPage, punch },
    readSwap: swapRead.readFor,
    readSwapByTask: swapRead.readByTask,
    readFile: machine.fileFault.readExactly,
    adviceRule: rules.advice,
    faultRetry: rules.faultRetry,
    pageOut: reclaim.pageOut,
    populateHoles: rules.populateHoles,
    huge: machine.huge,
    breakUp: machine.breakUp,
    collapseArea: machine.collapseBlock === null ? null : makeCollapseArea(machine.collapseBlock, lru),
  });
  const plainCpusets = makeCpusetCalls({
    topology,
    rootCpuset,
    tasks: process.tasks,
    movePages: pages,
    moveTask: process.moveTask,
    version: cgroup,
    ...{ rebind: rules.rebind, notice: rules.cpusetNotice, mover: rules.cpusetMover },
  });
  const outcome = (result: number) => result;
  const cpusets: CpusetCalls = {
    ...plainCpusets,
    setMems: toldBy(tracer, 'cpuset', plainCpusets.setMems, { by: (_name, _mems, invoker) => invoker, outcome }),
    attach: toldBy(tracer, 'cpuset', plainCpusets.attach, { by: (_name, task, invoker) => invoker ?? task, outcome }),
  };
  const swapCalls = makeSwapCalls({
    ...{ frames, lru, tables, spaces, files, swap, block, memory, rootCpuset },
    bringInEntry: machine.swapFault.bringIn,
    bringIn: machine.file.bringIn,
  });
  const { swapOutProcess } = makeSwapOutProcess({
    ...{ frames, lru, tables, block, memory, zeroPage },
    ...{ pageOut: reclaim.pageOut, evict: machine.mover.evict },
  });
  const swapOutCalls = { ...swapCalls, swapOutProcess: told(tracer, 'swapout', swapOutProcess) };

  function sysctl(name: string, given: number | string): number {
    if (name.startsWith('transparent_hugepage/')) {
      return writeHuge(name.slice('transparent_hugepage/'.length), String(given));
    }
    const value = Number(given);
    if (name === 'weighted_interleave/auto') return setAutoWeights(value);
    const weight = /^weighted_interleave\/node(\d+)$/.exec(name);
    if (weight === null) return writeSwitch(name, value);
    const node = Number(weight[1]);
    if (!rules.modes.hasWeights || node >= topology.nodeCount) return -ENOENT;
    if (!(value >= 0 && value <= 255)) return -EINVAL;
    machine.weights[node] = value;
    return 0;
  }

  function writeHuge(name: string, value: string): number {
    const errno = machine.huge?.write(name, value) ?? -ENOENT;
    machine.setMarks(); // RC-2: more is kept free while they are enabled
    return errno;
  }

  /** On: the weights that follow from bandwidth; off: they stay as they are, and are the administrator's. As in 6.16. */
  function setAutoWeights(value: number): number {
    if (!rules.modes.hasWeights) return -ENOENT;
    if (value !== 0 && value !== 1) return -EINVAL;
    if (value === 1) for (const node of topology.allNodes()) machine.weights[node] = world.autoWeight(node);
    return 0;
  }

  function writeSwitch(name: string, value: number): number {
    const { switches } = machine.options;
    if (name === 'fault_around_bytes') return setFaultAround(value);
    if (name === 'vm.page-cluster') {
      if (!(value >= 0 && value <= 31)) return -EINVAL;
      switches.pageCluster = value;
    } else if (name.startsWith('migration/')) {
      return machine.autoMigrate.write(name.slice('migration/'.length), value) ? 0 : -ENOENT;
    } else if (name.startsWith('numa_balancing/') || name.startsWith('kernel.numa_balancing_')) {
      return machine.balancing?.instance.write?.(name, value) === true ? 0 : -ENOENT;
    } else if (name !== 'kernel.numa_balancing') return -ENOENT;
    else if (machine.balancing !== null && value <= 1) machine.balancing.isOn = value === 1;
    else if (value !== 0) throw new MmError('NOT_THERE_YET', `${name} = ${String(value)}: only 0 so far`);
    return 0;
  }

  /** Kernel: fault_around_bytes_set(): a power of two, at most what one page table maps. */
  function setFaultAround(bytes: number): number {
    const pages = bytes / 4096;
    if (!(pages >= 0 && pages <= 512)) return -EINVAL;
    const { switches } = machine.options;
    switches.faultAround = pages > 1;
    switches.faultAroundPages = 2 ** Math.floor(Math.log2(Math.max(1, pages)));
    return 0;
  }

  function dropCaches(): void {
    lru.drainAll();
    for (const file of files.all()) {
      if (file.isShmem) continue;
      for (let index = 0; index < file.sizePages; index++) dropPage(file, index);
    }
  }

  function dropPage(file: FileObject, index: number): void {
    const pfn: Pfn = cachedFrame(file, index);
    if (pfn === NO_PFN || frames.mapcount(pfn) > 0 || frames.isLocked(pfn)) return;
    if (frames.isDirty(pfn)) swapOut.startWrite(pfn);
    block.waitForPage(pfn);
    pageCache.releaseBuffers(pfn);
    pageCache.remove(pfn);
    lru.put(pfn);
  }

  return {
    ...{
      policy,
      pages,
      areas,
      advice,
      cpusets,
      hotplug: makeHotplug({ machine, migratePages, cpusets }),
      swap: swapOutCalls,
      sysctl,
      migration: machine.mover.batches,
    },
    shm: makeShmCalls({ frames, lru, punch }),
    file: {
      page(task, file, index, isWrite) {
        if (isWrite && index >= file.sizePages) file.sizePages = index + 1;
        return machine.file.access(task, file, index, isWrite, false) <= 1;
      },
      truncate: makeTruncate({ lru, memory, punch, bringIn: machine.file.bringIn }),
      dropCaches,
    },
    numaMaps: makeNumaMaps({
      ...{ frames, tables, memory, nodeCount: topology.nodeCount, zeroPage },
      ...{ form: rules.numaMaps, lookup: rules.policyLookup },
    }),
    mountPolicy: (file, text) => setMountPolicy(file, text, topology.nodesWithMemory(), newPolicy),
  };
}
