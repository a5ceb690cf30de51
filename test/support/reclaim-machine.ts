import { DeviceQueue, Meter, PRICE, type PriceName, type Prices } from '../../src/cost/index.js';
import { bugOn } from '../../src/errors.js';
import {
  fallbackRows,
  makeMmu,
  MISS_NONE,
  MISS_READ_ONLY,
  PageTables,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  Tlb,
  Topology,
} from '../../src/hardware/index.js';
import { makeSwapOut, makeTryToUnmap } from '../../src/migrate/index.js';
import {
  AnonVmas,
  Block,
  cachedFrame,
  Contents,
  Files,
  Frames,
  Lru,
  lru612,
  lruHeads,
  makeMapping,
  makeRmap,
  PageCache,
  PG_DIRTY,
  PG_LOCKED,
  PG_PRIVATE,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UPTODATE,
  PG_WRITEBACK,
  Spaces,
  SwapArea,
  VM_READ,
  VM_WRITE,
  watermarks612,
  Zones,
  type FileObject,
  type LruRule,
  type Vma,
  type WatermarkRule,
} from '../../src/mm/index.js';
import {
  makeReclaim,
  reclaim612,
  DEFAULT_RECLAIM_SYSCTLS,
  type ReclaimRule,
  type ReclaimSysctls,
} from '../../src/reclaim/index.js';
import { Scan } from '../../src/reclaim/scan.js';
import { Counters } from '../../src/stats/index.js';
import { asCpuId, NO_PFN, type CpuId, type NodeId, type PageId, type Pfn, type SwapSlot } from '../../src/units.js';

export interface ReclaimMachineOptions {
  /** 4 KiB pages of each node; each node has one CPU of the same number, unless `cpusOfNode` says otherwise. */
  readonly pagesOfNode?: readonly number[];
  readonly cpusOfNode?: readonly (readonly number[])[];
  readonly distance?: number;
  readonly minFreeKbytes?: number;
  readonly swapPages?: number;
  /** The swap device and the disk are RAM disks. */
  readonly writesAtOnce?: boolean;
  readonly rule?: ReclaimRule;
  readonly lru?: LruRule;
  readonly watermarks?: WatermarkRule;
  /** Marks as with huge pages enabled (RC-2). */
  readonly hugePages?: boolean;
  readonly sysctls?: Partial<ReclaimSysctls>;
  readonly buffersBusy?: (pfn: Pfn) => boolean;
}

const PRICE_NS = 100;
export const WRITEBACK_NS = 50_000;

export type ReclaimMachine = ReturnType<typeof reclaimMachine>;

/** The real modules of a tiny machine, and a fault path just good enough to fill it. */
export function reclaimMachine(options: ReclaimMachineOptions = {}) {
  const pagesOfNode = options.pagesOfNode ?? [64, 64];
  const nodeCount = pagesOfNode.length;
  const { rule = reclaim612, writesAtOnce = false, distance = 20 } = options;
  const topology = new Topology({
    nodes: pagesOfNode.map((pages, node) => ({ cpus: options.cpusOfNode?.[node] ?? [node], pages })),
    distance: pagesOfNode.map((_, from) => pagesOfNode.map((__, to) => (from === to ? 10 : distance))),
  });
  const counters = new Counters(nodeCount);
  const prices = { ...mapPrices(PRICE_NS), deviceWrite: WRITEBACK_NS };
  const meter = new Meter(
    prices,
    pagesOfNode.map(() => pagesOfNode.map(() => PRICE_NS)),
    nodeCount,
  );
  const frames = new Frames(pagesOfNode, lruHeads(nodeCount));
  const sizes = pagesOfNode.map((managed) => ({ managed, movable: false }));
  const marks = (options.watermarks ?? watermarks612).marks(
    sizes,
    options.hugePages === true,
    options.minFreeKbytes ?? 64,
  );
  const zones = new Zones(frames, counters, fallbackRows(topology), marks);
  const lru = new Lru(frames, zones, counters, topology.cpuCount, options.lru ?? lru612);
  const tables = new PageTables(64);
  const tlb = new Tlb(topology.cpuCount);
  const mmu = makeMmu({ tlb, tables, counters, hasHuge: false });
  const contents = new Contents(frames.capacity);
  const files = new Files();
  const pageCache = new PageCache(frames, files, contents);
  const totalPages = pagesOfNode.reduce((sum, pages) => sum + pages, 0);
  const swap = new SwapArea(frames, options.swapPages ?? totalPages, true);
  const block = new Block(frames, lru, meter, new DeviceQueue(meter, 64), writesAtOnce);
  const anonVmas = new AnonVmas();
  const spaces = new Spaces(tables, anonVmas, topology.cpuCount);
  const { forEachMapping } = makeRmap({ frames, tables, files, anonVmas });
  const mapping = makeMapping({
    frames,
    lru,
    tables,
    mmu,
    swap,
    anonVmas,
    zeroPage: NO_PFN,
    counters,
    meter,
    huge: null,
  });
  const swapOut = makeSwapOut({ frames, files, pageCache, swap, block, contents, counters });
  const tryToUnmap = makeTryToUnmap({ frames, tables, lru, mapping, forEachMapping, meter });
  const parts = {
    ...{ topology, frames, zones, lru, tables, tlb, files, pageCache, swap, swapOut, block, tryToUnmap },
    ...{ forEachMapping, counters, meter, splitHuge: null, breakUp: null, huge: null, forEachHugePlace: null },
    ...(options.buffersBusy === undefined ? {} : { buffersBusy: options.buffersBusy }),
  };
  const reclaim = makeReclaim(parts, rule, options.sysctls);
  /** Lists of their own for single scans: costs and shadows apart from those of `reclaim`. */
  const lists = rule.makeLists(parts, { ...DEFAULT_RECLAIM_SYSCTLS, ...options.sysctls });
  const space = spaces.create();

  let nextVpn = 512;
  /** What each page of the one address space should hold. */
  const shadow = new Map<PageId, number>();
  let stamp = 0;

  function map(pages: number, flags = VM_READ | VM_WRITE, file: FileObject | null = null, owner = space): Vma {
    const vma = spaces.insert(owner, nextVpn, pages, { flags, file, filePage: 0 });
    nextVpn += pages + 1;
    return vma;
  }

  function allocate(cpu: CpuId): Pfn {
    const pfn = reclaim.allocatePage(topology.nodeOfCpu[cpu] as NodeId, null, false, null, cpu);
    if (pfn !== NO_PFN) contents.set(pfn, 0);
    return pfn;
  }

  function anonFault(vma: Vma, offset: number, page: PageId, isWrite: boolean, cpu: CpuId): boolean {
    const pfn = allocate(cpu);
    if (pfn === NO_PFN) return false;
    frames.set(pfn, PG_UPTODATE | PG_SWAPBACKED);
    mapping.mapAnon(vma, offset, page, pfn, PTE_YOUNG | PTE_WRITE | (isWrite ? PTE_DIRTY : 0));
    lru.cacheAddAnon(cpu, pfn);
    return true;
  }

  /** A page of a file in memory, with a reference: read from the disk, or back from swap, if it has to be. */
  function filePage(file: FileObject, index: number, cpu: CpuId): Pfn {
    const found = pageCache.findAndGet(file, index);
    if (found !== NO_PFN) return found;
    const slotValue = file.slots.get(index);
    const pfn = slotValue < 0 ? readSwap(-slotValue as SwapSlot, cpu) : allocate(cpu);
    if (pfn === NO_PFN) return NO_PFN;
    if (slotValue < 0) {
      const slot = -slotValue as SwapSlot;
      swap.remove(pfn);
      frames.drop(pfn);
      file.slots.set(index, 0);
      pageCache.add(file, index, pfn);
      frames.set(pfn, PG_DIRTY);
      swap.dropUser(slot);
      return pfn;
    }
    pageCache.add(file, index, pfn);
    pageCache.fill(file, index, pfn);
    if (file.isShmem) lru.cacheAddAnon(cpu, pfn);
    else lru.cacheAdd(cpu, pfn);
    reclaim.refault.file(file, index, pfn);
    return pfn;
  }

  /** The slot's page in the swap cache, with a reference. */
  function readSwap(slot: SwapSlot, cpu: CpuId): Pfn {
    const cached = swap.cached(slot);
    if (cached !== NO_PFN) {
      frames.get(cached);
      return cached;
    }
    const pfn = allocate(cpu);
    if (pfn === NO_PFN) return NO_PFN;
    swap.addUser(slot);
    swap.insert(slot, pfn);
    frames.set(pfn, PG_SWAPBACKED | PG_UPTODATE);
    contents.set(pfn, swap.device!.get(slot as number as Pfn));
    lru.cacheAddAnon(cpu, pfn);
    reclaim.refault.swap(slot, pfn);
    return pfn;
  }

  function swapFault(vma: Vma, offset: number, page: PageId, cpu: CpuId): boolean {
    const slot = tables.word[page] as SwapSlot;
    const pfn = readSwap(slot, cpu);
    if (pfn === NO_PFN) return false;
    vma.space.swapEntries--;
    mapping.mapAnon(vma, offset, page, pfn, PTE_YOUNG | PTE_WRITE);
    swap.dropUser(slot);
    return true;
  }

  function fileFault(vma: Vma, offset: number, page: PageId, cpu: CpuId): boolean {
    const pfn = filePage(vma.file!, vma.filePage + offset, cpu);
    if (pfn === NO_PFN) return false;
    mapping.mapFile(vma, page, pfn, PTE_YOUNG | (vma.isWritable ? PTE_WRITE : 0));
    return true;
  }

  /** Accesses a page as a program does. @returns its frame, or `NO_PFN`: out of memory */
  function touch(vma: Vma, offset: number, isWrite = false, cpu = asCpuId(0)): Pfn {
    vma.space.ranOn(cpu);
    const page = spaces.pageIn(vma, offset);
    for (;;) {
      const pfn = mmu.translate(cpu, page, isWrite);
      if (pfn > 0) {
        if (isWrite) contents.set(pfn, ++stamp);
        if (isWrite && vma.file === null) shadow.set(page, stamp);
        bugOn(vma.file === null && contents.get(pfn) !== (shadow.get(page) ?? 0), 'INV-13: contents lost', page);
        return pfn;
      }
      bugOn((pfn as number) === MISS_READ_ONLY, 'a write to an area that may not be written', page);
      let served: boolean;
      if ((pfn as number) !== MISS_NONE) served = swapFault(vma, offset, page, cpu);
      else if (vma.file !== null) served = fileFault(vma, offset, page, cpu);
      else served = anonFault(vma, offset, page, isWrite, cpu);
      if (!served) return NO_PFN;
    }
  }

  /** A read call: the page stays in the page cache, mapped nowhere. */
  function read(file: FileObject, index: number, cpu = asCpuId(0)): Pfn {
    const pfn = filePage(file, index, cpu);
    if (pfn !== NO_PFN) lru.put(pfn);
    return pfn;
  }

  function entry(vma: Vma, offset: number): PageId {
    return spaces.pageIn(vma, offset);
  }

  /** One pass over one node that looks at every page of its lists. */
  function scanOnce(node: number, isBackground = true, change: (scan: Scan) => void = () => undefined): Scan {
    const scan = new Scan(isBackground);
    scan.begin(asCpuId(0), 32);
    scan.priority = 0;
    change(scan);
    lists.scanner.shrink(node as NodeId, scan);
    lists.scanner.finish(node as NodeId, scan);
    return scan;
  }

  /** Takes frames that are on no list until `free` are left on the node. */
  function fillTo(node: number, free: number): void {
    while (zones.free(node as NodeId) > free) zones.take(node as NodeId);
  }

  function isFree(pfn: Pfn): boolean {
    return frames.count(pfn) === 0;
  }

  /** INV-1..INV-11 and INV-14, recounted. `pins`: references that the test itself holds. */
  function check(pins: ReadonlyMap<Pfn, number> = new Map()): void {
    zones.check();
    lru.check();
    spaces.check();
    pageCache.check();
    bugOn(lru.isolated !== 0, 'INV-3: pages are isolated', lru.isolated);
    const mapped = new Map<Pfn, number>();
    const slotUsers = new Map<SwapSlot, number>();
    const add = <K>(to: Map<K, number>, key: K) => to.set(key, (to.get(key) ?? 0) + 1);
    for (const each of spaces.all()) {
      let present = 0;
      let swapped = 0;
      for (const vma of each.vmas) {
        for (let offset = 0; offset < vma.pages; offset++) {
          const page = tables.walk(each.root, vma.start + offset);
          if (page < 0 || tables.isNone(page)) continue;
          if (tables.isSwap(page)) {
            swapped++;
            add(slotUsers, tables.word[page] as SwapSlot);
            bugOn(swap.users(tables.word[page] as SwapSlot) === 0, 'INV-14: an entry names a free slot', page);
          } else {
            present++;
            add(mapped, tables.word[page] as Pfn);
          }
        }
      }
      bugOn(present !== each.rssAnon + each.rssFile + each.rssShmem, 'INV-11: rss', each.id);
      bugOn(swapped !== each.swapEntries, 'INV-11: swap entries', each.id);
    }
    for (const file of files.all()) {
      file.slots.forEach((_, value) => {
        if (value < 0) add(slotUsers, -value as SwapSlot);
      });
    }
    swap.check(slotUsers);
    const holds = lru.vectorHolds();
    zones.forEachUsed((pfn) => {
      const map = frames.mapping(pfn);
      const cached = map > 0 && cachedFrame(files.get(map), frames.index(pfn)) === pfn ? 1 : 0;
      const inSwapCache = frames.has(pfn, PG_SWAPCACHE) ? 1 : 0;
      bugOn(cached + inSwapCache > 1, 'INV-4: in two caches', pfn);
      bugOn((mapped.get(pfn) ?? 0) !== frames.mapcount(pfn), 'INV-2: mapcount', pfn);
      bugOn(frames.has(pfn, PG_LOCKED) && !pins.has(pfn), 'INV-3: page is locked', pfn);
      bugOn(frames.isWriteback(pfn) && block.inFlight === 0, 'INV-3: writeback without a write', pfn);
      const buffers = frames.has(pfn, PG_PRIVATE) ? 1 : 0;
      const known =
        frames.mapcount(pfn) + cached + inSwapCache + buffers + (holds.get(pfn) ?? 0) + (pins.get(pfn) ?? 0);
      const isRaw = known === 0 && map === 0 && frames.count(pfn) === 1; // taken by fillTo
      bugOn(!isRaw && known !== frames.count(pfn), `INV-1: ${String(frames.count(pfn))} references, known`, known);
      bugOn(frames.has(pfn, PG_WRITEBACK) && frames.count(pfn) === 0, 'INV-9: freed while written', pfn);
    });
  }

  return {
    ...parts,
    ...{ mmu, contents, spaces, anonVmas, mapping, reclaim, lists, space, swapOut },
    ...{ map, touch, read, entry, scanOnce, fillTo, isFree, check, allocate },
  };
}

function mapPrices(ns: number): Prices {
  return Object.fromEntries((Object.keys(PRICE) as PriceName[]).map((name) => [name, ns])) as Record<PriceName, number>;
}
