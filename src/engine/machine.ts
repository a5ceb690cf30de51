import { uint8s } from '../arrays.js';
import { DeviceQueue, makeMeter, type CostModel, type Meter } from '../cost/index.js';
import { bugOn } from '../errors.js';
import {
  isFatal,
  makeAnonFault,
  makeCowFault,
  makeDeviceFault,
  makeFileFault,
  makeHintFault,
  makeHandleMmFault,
  makeHugeFault,
  makeHugeShmem,
  makePlacement,
  makeShmemFault,
  makeSwapFault,
  makeSwapRead,
  OOM,
  RETRY,
  SIGSEGV,
  type CowFault,
  type FileFault,
  type HandleMmFault,
  type Outcome,
  type Placement,
  type SwapFault,
  type SwapRead,
} from '../fault/index.js';
import {
  makeAutoMigrate,
  makeBalancing,
  makeKhugepaged,
  tiersOf,
  type AutoMigrate,
  type Balancing,
  type Khugepaged,
} from '../balance/index.js';
import { fallbackRows, makeMmu, PageTables, Tlb, Topology, type Mmu } from '../hardware/index.js';
import {
  makeCollapse,
  makeCopyPage,
  makeLazy,
  makeMigrateVma,
  makeMoveHuge,
  makeBreakUp,
  makeSplitHuge,
  type BreakUp,
  type MoveHuge,
  type SplitHuge,
  makeMisplaced,
  makeMoveMisplaced,
  makeSwapOut,
  makeTryToUnmap,
  type CollapseBlock,
  type CopyPage,
  type Lazy,
  type MigrateVmaCalls,
  type Misplaced,
  type MoveMisplaced,
  type Mover,
  type SwapOut,
} from '../migrate/index.js';
import {
  AnonVmas,
  Block,
  Contents,
  Cpuset,
  DeviceMemory,
  Files,
  Frames,
  Lru,
  lruHeads,
  HugePages,
  makeHugePlaces,
  makeTakeHuge,
  type TakeHuge,
  makeMapping,
  makeRmap,
  makeWorld,
  Mempolicy,
  memoryBlockPages,
  PageCache,
  PG_RESERVED,
  PG_UPTODATE,
  Query,
  Spaces,
  SwapArea,
  weightsFromBandwidth,
  Zones,
  type ForEachHugePlace,
  type ForEachPlace,
  type MachineWorld,
  type Places,
  type Mapping,
  type Task,
  VM_READ,
  VM_WRITE,
} from '../mm/index.js';
import { makeReclaim, type Reclaim } from '../reclaim/index.js';
import { C, Counters, type Tracer } from '../stats/index.js';
import { asCpuId, asNodeId, NO_PAGE, type NodeId, type PageId, type Pfn } from '../units.js';
import type { MachineOptions, MachineParts } from './machine-options.js';
import type { Rules } from './profiles/index.js';
import { makeFileSyscalls, type FileSyscalls } from './syscalls/file.js';
import { makeMemorySyscalls, type MemorySyscalls } from './syscalls/memory.js';
import { makePolicySyscalls, type PolicySyscalls } from './syscalls/policy.js';
import { toldBy } from './told.js';
import { makeProcessSyscalls, type ProcessSyscalls } from './syscalls/process.js';

/** A machine: its parts, its system calls, and the access that drives them. */
export interface Machine {
  readonly options: MachineOptions;
  readonly rules: Rules;
  readonly topology: Topology;
  readonly world: MachineWorld;
  /** Pages of a memory block, the unit in which memory is taken away (HR-1). */
  readonly memoryBlockPages: number;
  readonly counters: Counters;
  readonly cost: CostModel;
  readonly meter: Meter;
  readonly frames: Frames;
  readonly zones: Zones;
  readonly lru: Lru;
  /** null: the machine has no huge pages. */
  readonly huge: HugePages | null;
  readonly moveHuge: MoveHuge | null;
  readonly splitHuge: SplitHuge | null;
  readonly breakUp: BreakUp | null;
  readonly forEachHugePlace: ForEachHugePlace | null;
  readonly takeHuge: TakeHuge | null;
  /** Small pages of a block become a huge page; null: the machine has none. */
  readonly collapseBlock: CollapseBlock | null;
  readonly khugepaged: Khugepaged | null;
  readonly tables: PageTables;
  readonly devices: DeviceMemory;
  readonly migrateVma: MigrateVmaCalls;
  readonly placement: Placement;
  readonly tlb: Tlb;
  readonly mmu: Mmu;
  readonly files: Files;
  readonly pageCache: PageCache;
  readonly swap: SwapArea;
  readonly block: Block;
  readonly spaces: Spaces;
  readonly anonVmas: AnonVmas;
  readonly mapping: Mapping;
  readonly forEachMapping: ForEachPlace;
  readonly contents: Contents | null;
  readonly rootCpuset: Cpuset;
  readonly defaultPolicy: Mempolicy;
  readonly misplaced: Misplaced;
  readonly moveMisplaced: MoveMisplaced;
  readonly lazy: Lazy;
  readonly swapFault: SwapFault;
  readonly fileFault: FileFault;
  readonly handleMmFault: HandleMmFault;
  readonly zeroPage: Pfn;
  readonly process: ProcessSyscalls;
  readonly memory: MemorySyscalls;
  readonly policy: PolicySyscalls;
  readonly file: FileSyscalls;
  readonly reclaim: Reclaim;
  readonly forEachPlace: ForEachPlace;
  readonly places: Places;
  readonly tracer: Tracer | null;
  readonly copyPage: CopyPage;
  readonly query: Query;
  readonly swapOut: SwapOut;
  readonly cow: CowFault;
  readonly swapRead: SwapRead;
  /** Who moves lists of pages: one for all calls. */
  readonly mover: Mover;
  readonly autoMigrate: AutoMigrate;
  /** null: there is no balancer. */
  readonly balancing: Balancing | null;
  /** Weights of nodes for weighted interleaving; 0: not set. */
  readonly weights: Uint8Array;
  /**
   * One access of a thread to a page: TLB, walk, faults until it succeeds.
   * @returns the frame; or minus a fatal outcome (SIGSEGV, SIGBUS, OOM), or minus RETRY: the page is being moved by
   * somebody whose steps are taken one by one, and the thread would sleep
   */
  access(task: Task, page: PageId, isWrite: boolean): Pfn;
  /** The rest of an access for which `translate()` gave a reason: faults, and the translation again, until it succeeds. */
  serveFaults(task: Task, page: PageId, isWrite: boolean): Pfn;
  /** The watermarks follow from the memory that there is, and from whether huge pages are enabled (RC-1, RC-2). */
  setMarks(): void;
  /** One access by page number of the virtual address, walking the tables. */
  touch(task: Task, vpn: number, isWrite: boolean): Pfn;
}

/** A fault that is tried again (its page moved, its page lock was busy) more often than this never ends. */
const MAX_RETRIES = 1000;

/** Leaf tables that there is room for from the start: 16 GiB of pages. */
const LEAF_TABLES = 8192;

export function makeMachine({ options, rules, cost, defaultPolicy, tracer }: MachineParts): Machine {
  const topology = new Topology(options.machine);
  const rows = fallbackRows(topology, rules.fallbackLoad);
  const weights = uint8s(topology.nodeCount);
  const { bandwidthGbs } = options.machine.cost;
  const autoWeights = weightsFromBandwidth(
    options.machine.nodes.map(({ pages }, node) => (pages > 0 ? bandwidthGbs[node][node] : 0)),
  );
  const world = makeWorld(topology, rows, rules.bindOrder, options.seed ?? 0, weights, autoWeights);
  const counters = new Counters(topology.nodeCount);
  const meter = makeMeter(cost, topology.nodeCount);
  const deviceOptions = options.devices ?? [];
  const besides = deviceOptions.map(({ pages, node = 0 }) => ({ pages, node: asNodeId(node) }));
  const frames = new Frames(topology.pagesOfNode, lruHeads(topology.nodeCount), besides);
  const devices = new DeviceMemory(frames, deviceOptions);
  const zoneSizes = options.machine.nodes.map((node) => ({ managed: node.pages, movable: node.movable === true }));
  const zones = new Zones(frames, counters, rows, rules.watermarks.marks(zoneSizes, false, options.minFreeKbytes));
  const lru = new Lru(frames, zones, counters, topology.cpuCount, rules.lru, devices);
  const memoryPages = zoneSizes.reduce((pages, zone) => pages + zone.managed, 0);
  const tables = new PageTables(
    Math.max(LEAF_TABLES, Math.ceil(memoryPages / 512) * 4),
    Math.max(LEAF_TABLES, Math.ceil((options.expectedPages ?? 0) / 512) * 2),
  );
  const tlb = new Tlb(topology.cpuCount, options.tlbSetBits);
  const mmu = makeMmu({ tlb, tables, counters, hasHuge: options.thp !== undefined });
  const huge =
    options.thp === undefined ? null : new HugePages(frames, topology.nodeCount, rules.hugePages, options.thp);
  if (huge !== null) setMarks();
  const { keepContents = false } = options;
  const contents = keepContents === false ? null : new Contents(frames.capacity, keepContents === 'pages');
  const files = new Files(rules.shmemOperation);
  const pageCache = new PageCache(frames, files, contents);
  const swap = new SwapArea(frames, options.swapPages ?? memoryPages, contents !== null);
  const disk = new DeviceQueue(meter, cost.deviceAtOnce);
  const block = new Block(frames, lru, meter, disk, options.writesAtOnce === true);
  const anonVmas = new AnonVmas();
  const spaces = new Spaces(tables, anonVmas, topology.cpuCount);
  const { forEachMapping, forEachPlace, places } = makeRmap({ frames, tables, files, anonVmas });
  const zeroPage = takeZeroPage(topology, zones, frames);
  const mapping = makeMapping({ frames, lru, tables, mmu, swap, anonVmas, zeroPage, counters, meter, huge });
  const { blocks } = mapping;
  if (blocks !== null) spaces.onCut = blocks.splitAt;

  const rootCpuset = new Cpuset('/', topology.nodeCount, topology.nodesWithMemory());
  const request = { definition: defaultPolicy, nodes: [], flag: null, options: {} };
  const systemPolicy = new Mempolicy(request, world, rootCpuset.nodes());
  const query = new Query();
  const { policyLookup: lookup, interleaveIndex } = rules;

  const swapOut = makeSwapOut({ frames, files, pageCache, swap, block, contents, counters });
  const tryToUnmap = makeTryToUnmap({ frames, tables, lru, mapping, forEachMapping, meter });
  const copyPage = makeCopyPage({ frames, files, pageCache, swap, contents });
  const hugeParts =
    huge === null || blocks === null
      ? null
      : {
          ...{
            frames,
            files,
            tables,
            lru,
            pageCache,
            mapping,
            blocks,
            huge,
            copyPage,
            counters,
            meter,
            tracer,
            zeroPage,
          },
          forEachHugePlace: makeHugePlaces({ frames, tables, files, anonVmas }),
        };
  const splitHuge = hugeParts === null ? null : makeSplitHuge(hugeParts);
  const moveHuge = hugeParts === null ? null : makeMoveHuge(hugeParts);
  const breakUp = splitHuge === null ? null : makeBreakUp({ frames, lru }, splitHuge);
  const forEachHugePlace = hugeParts?.forEachHugePlace ?? null;
  const lazyParts = { frames, tables, lru, mapping, swapOut, tryToUnmap, counters, meter, zeroPage, tracer, breakUp };
  const lazy = makeLazy({ ...lazyParts, files, flushBatch: rules.flushBatch, rule: rules.lazyUnmap });
  const moveMisplaced = makeMoveMisplaced({
    ...{ frames, zones, lru, files, swap, copyPage, huge, moveHuge, counters, meter, tracer },
    rules: { target: rules.misplacedTarget, operationTest: rules.operationTest },
    charge: options.refuseMove === undefined ? null : (pfn, target) => options.refuseMove?.(pfn, target) !== true,
  });
  const misplaced = makeMisplaced({
    ...{ frames, zones, files, huge, counters, meter, query, tracer, world, moveMisplaced },
    defaultPolicy: systemPolicy,
    rules: {
      ...{ lookup, interleaveIndex },
      gate: rules.misplacedGate,
      operationTest: rules.operationTest,
      vetting: rules.bindVetting,
      ...{ rotor: rules.rotor, rebind: rules.rebind, notice: rules.cpusetNotice },
    },
  });

  const reclaimParts = {
    frames,
    zones,
    lru,
    tlb,
    tables,
    topology,
    files,
    pageCache,
    swap,
    swapOut,
    block,
    tryToUnmap,
  };
  const reclaim = makeReclaim(
    {
      ...{ ...reclaimParts, forEachMapping, counters, meter, tracer, splitHuge, breakUp, huge },
      forEachHugePlace,
    },
    rules.reclaim,
    { ...(options.balancer?.definition.reclaimsToPromo === true && { tiering: true }), ...options.sysctls },
  );

  const { switches } = options;
  const takeHuge = huge === null ? null : makeTakeHuge(zones, huge);
  const placement = makePlacement({
    ...{ frames, allocatePage: reclaim.allocatePage, counters, contents, query },
    ...{ defaultPolicy: systemPolicy, zones, world, huge, takeHuge },
    rules: {
      ...{ lookup, interleaveIndex, copyIndex: rules.moveIndex, bindOrder: rules.bindOrder },
      ...{ rotor: rules.rotor, rebind: rules.rebind, notice: rules.cpusetNotice },
    },
  });
  const faultParts = {
    frames,
    tables,
    lru,
    swap,
    pageCache,
    mapping,
    anonVmas,
    placement,
    contents,
    counters,
    meter,
    tracer,
  };
  const { refault } = reclaim;
  const anon = makeAnonFault(faultParts);
  const hugeFault = huge === null || blocks === null ? null : makeHugeFault({ ...faultParts, blocks, huge });
  const cow = makeCowFault({ ...faultParts, anon, zeroPage, hugeFault });
  const swapRead = makeSwapRead({ ...faultParts, disk, refault, switches, rules });
  const fileFault = makeFileFault({ ...faultParts, disk, misplaced, cow, refault, switches, rules });
  const hugeShmem = huge === null || blocks === null ? null : makeHugeShmem({ ...faultParts, blocks, huge });
  const shmem = makeShmemFault({
    ...{ ...faultParts, block, misplaced, cow, swapRead, switches, rules, hugeShmem },
    mapAround: fileFault.mapAround,
  });
  const swapFault = makeSwapFault({
    ...{ ...faultParts, misplaced, cow, swapRead, switches, rules },
    readsAtOnce: options.readsAtOnce === true,
  });
  const collapseBlock =
    huge === null || blocks === null
      ? null
      : makeCollapse({
          ...{ ...faultParts, zones, blocks, huge, topology, zeroPage },
          ...{ reclaimsNear: reclaim.reclaimsNear, readIn: swapFault.bringIn },
        });
  const khugepaged =
    huge === null || collapseBlock === null
      ? null
      : makeKhugepaged(
          { huge, lru, meter, collapseBlock, rootCpuset },
          asCpuId(0),
          topology.nodeOfCpu[0] as NodeId,
          options.khugepaged,
        );
  const migrateVma = makeMigrateVma({
    ...{ frames, tables, files, lru, spaces, swap, devices, mapping, copyPage, forEachPlace, meter, tracer, zeroPage },
    ...{ isExclusive: cow.isExclusive, rule: rules.migrateVma, breakUp },
  });
  const holdsReference = rules.migrateVma.hasFaultPage;
  const device = makeDeviceFault({ frames, tables, lru, devices, counters, tracer, holdsReference });
  const mover = rules.mover.make({
    ...{
      frames,
      files,
      tables,
      lru,
      block,
      mapping,
      pageCache,
      swap,
      swapOut,
      copyPage,
      places,
      forEachPlace,
      counters,
    },
    ...{ meter, tracer, rules, tryToUnmap, moveHuge, splitHuge },
  });
  const balancing =
    options.balancer === undefined
      ? null
      : makeBalancing({
          ...{ frames, tables, mapping, lru, zones, counters, meter, zeroPage, lookup, lazy, world },
          ...{ defaultPolicy: systemPolicy, migratePages: mover.migratePages, wakeReclaim: reclaim.wakeKswapd },
          ...{ tiers: tiersOf(options.machine, topology), rule: rules.numaBalancing, balancer: options.balancer },
        });
  const doNumaPage =
    balancing === null
      ? null
      : makeHintFault({
          ...{ frames, tables, counters, meter, zeroPage, lookup, defaultPolicy: systemPolicy },
          ...{ move: balancing.move, instance: balancing.instance },
        });
  const handleMmFault = makeHandleMmFault({
    ...{ tables, spaces, block, lru, anon, shmem, swapFault, cow, device, hugeFault, counters, tracer, rules },
    file: fileFault,
    ...{ doNumaPage, served: balancing?.faultServed ?? null },
  });

  const plainAutoMigrate = makeAutoMigrate(
    {
      ...{ frames, tables, lru, zones, meter, migratePages: mover.migratePages },
      ...{ lazy, zeroPage, lookup, defaultPolicy: systemPolicy, target: rules.misplacedTarget },
    },
    options.autoMigrate ?? null,
  );
  const autoMigrate: AutoMigrate = {
    ...plainAutoMigrate,
    returnToUser: toldBy(tracer, 'auto-migration', plainAutoMigrate.returnToUser, {
      by: (task) => task,
      outcome: (done) => done?.selected ?? 0,
    }),
  };
  const memory = makeMemorySyscalls({ tables, spaces, mapping });
  const process = makeProcessSyscalls({
    ...{ frames, tables, spaces, anonVmas, swap, mapping, memory, topology, counters, rootCpuset, zeroPage, huge },
    autoMigrate,
    moved: balancing?.moved ?? null,
    ...{ rebind: rules.rebind, notice: rules.cpusetNotice },
  });
  const policy = makePolicySyscalls({ ...{ spaces, lazy, meter, world, tracer, tasks: process.tasks }, rules });
  const file = makeFileSyscalls({ frames, lru, fileFault, shmem, contents, counters, meter, tracer });

  function setMarks(): void {
    const { nodes } = options.machine;
    const sizes = nodes.map((of, node) => ({ managed: zones.managed[node], movable: of.movable === true }));
    zones.setMarks(rules.watermarks.marks(sizes, huge?.isEnabled ?? false, options.minFreeKbytes));
  }

  function access(task: Task, page: PageId, isWrite: boolean): Pfn {
    const pfn = mmu.translate(task.cpu, page, isWrite);
    return pfn > 0 ? pfn : serveFaults(task, page, isWrite);
  }

  function serveFaults(task: Task, page: PageId, isWrite: boolean): Pfn {
    for (let tries = 0; ; tries++) {
      bugOn(tries > MAX_RETRIES, 'a fault that never ends', page);
      const outcome: Outcome = handleMmFault(task, page, isWrite);
      if (isFatal(outcome)) return -outcome as Pfn;
      if (outcome === RETRY && (tables.isMigration(page) || tables.isDevice(page))) return -RETRY as Pfn;
      const pfn = mmu.translate(task.cpu, page, isWrite);
      if (pfn > 0) return pfn;
    }
  }

  function touch(task: Task, vpn: number, isWrite: boolean): Pfn {
    if (task.migratePending) autoMigrate.returnToUser(task);
    const vma = task.space.find(vpn);
    if (vma === null || (vma.flags & (isWrite ? VM_WRITE : VM_READ)) === 0) {
      counters.inc(C.fault_segv);
      return -SIGSEGV as Pfn;
    }
    const page = spaces.pageIn(vma, vpn - vma.start);
    return page === NO_PAGE ? (-OOM as Pfn) : access(task, page, isWrite);
  }

  return {
    ...{ options, rules, topology, world, counters, cost, meter, frames, zones, lru, huge, tables, tlb, mmu, files },
    ...{
      forEachPlace,
      places,
      tracer,
      query,
      swapOut,
      copyPage,
      cow,
      swapRead,
      weights,
      mover,
      autoMigrate,
      balancing,
    },
    ...{ pageCache, swap, block, spaces, anonVmas, mapping, forEachMapping, contents, rootCpuset },
    ...{ memoryBlockPages: options.memoryBlockPages ?? memoryBlockPages(memoryPages) },
    ...{ defaultPolicy: systemPolicy, misplaced, moveMisplaced, lazy, swapFault, fileFault, handleMmFault, zeroPage },
    ...{ devices, migrateVma, placement, moveHuge, splitHuge, breakUp, takeHuge, collapseBlock, khugepaged },
    forEachHugePlace,
    ...{ process, memory, policy, file, reclaim, access, serveFaults, touch, setMarks },
  };
}

/** MP-90, K-S6: the zero page lies on the lowest node with memory, and belongs to nobody. */
function takeZeroPage(topology: Topology, zones: Zones, frames: Frames): Pfn {
  const pfn = zones.take(topology.lowestNodeWithMemory());
  frames.set(pfn, PG_RESERVED | PG_UPTODATE);
  return pfn;
}
