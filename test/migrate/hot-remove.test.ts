import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { EBUSY, EINTR, EINVAL } from '../../src/errors.js';
import { HR11, HR2, HR5, HR6, HR7, HR9, Removal } from '../../src/migrate/index.js';
import {
  cachedFrame,
  LRU_UNEVICTABLE,
  MARK_LOW,
  memoryBlockPages,
  memoryBlocks,
  type MigrateOperation,
  PG_DIRTY,
} from '../../src/mm/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import {
  cacheOn,
  fillNode,
  intoVector,
  mapShared,
  processWithPages,
  shmemOn,
  startWriteback,
  unmapEverywhere,
} from '../support/arrange.js';
import { hotplugMachine, isFree, usedIn, type HotplugOptions } from '../support/hotplug.js';
import { allCounters, freePages, memorySnapshot } from '../support/snapshot.js';
import {
  cpuOf,
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  setPolicy,
  tinyMachine,
  touchAll,
} from '../support/tiny-machine.js';

// Taking a memory block away: what leaves, where to, and what cannot (HR-1..HR-15).

const START = 1000;
const N1 = asNodeId(1);
const GIB = 262_144;

/** Nodes of the pages of a task, without repetition. */
const nodesOf = (machine: Machine, task: Parameters<typeof nodeAt>[1], pages: number): number[] =>
  [...new Set(Array.from({ length: pages }, (_, i) => nodeAt(machine, task, START + i)))].sort();

const asker = (machine: Machine) => ({
  task: -1,
  cpu: cpuOf(machine, 0),
  node: asNodeId(0),
  mems: machine.rootCpuset.mems,
});

/** A removal of a node's first block, taken up to a step. */
function removalUpTo(machine: Machine, calls: ReturnType<typeof hotplugMachine>['calls'], until: number): Removal {
  const [block] = calls.hotplug.blocksOf(N1);
  const removal = new Removal(block, asker(machine));
  while (removal.next !== until) removal.next = calls.hotplug.hotRemove.step(removal, removal.next);
  return removal;
}

/** The rest of it. */
function finish(calls: ReturnType<typeof hotplugMachine>['calls'], removal: Removal): void {
  while (removal.next > 0) removal.next = calls.hotplug.hotRemove.step(removal, removal.next);
  if (removal.error === 0) calls.hotplug.finish(removal.block);
}

const BLOCK_SIZES = [
  { gib: 1, guest: false, mib: 128 },
  { gib: 63.875, guest: false, mib: 128 },
  { gib: 64, guest: false, mib: 2048 },
  { gib: 1000, guest: false, mib: 2048 },
  { gib: 64, guest: true, mib: 2048 },
  { gib: 65, guest: true, mib: 1024 },
  { gib: 64.5, guest: true, mib: 512 },
  { gib: 64.125, guest: true, mib: 128 },
];

describe('HR-1: the unit', () => {
  it('is told by eight rows', () => {
    expect(BLOCK_SIZES).toHaveLength(8);
  });

  it.each(BLOCK_SIZES)('$gib GiB of memory (guest: $guest): blocks of $mib MiB', ({ gib, guest, mib }) => {
    expect(memoryBlockPages(gib * GIB, guest)).toBe(mib * 256);
  });

  it('a small node is one block, and a node that is no whole number of blocks has a shorter last one', () => {
    const { frames, memoryBlockPages: size } = tinyMachine({ framesPerNode: [64, 100], nodes: 2 });
    expect(size).toBe(32_768);
    const pagesOf = (node: number, pages: number) =>
      memoryBlocks(frames, asNodeId(node), pages).map(({ from, until }) => until - from);
    expect([pagesOf(0, size), pagesOf(1, 32)]).toEqual([[64], [32, 32, 32, 4]]);
  });

  it('a node leaves block by block, ascending', () => {
    const { machine, calls } = hotplugMachine();
    const asked: number[] = [];
    calls.hotplug.notifiers.push(({ from }) => asked.push(from) * 0);
    expect(calls.hotplug.offlineNode(N1)).toEqual({ ret: 0, blocks: 2, moved: 0, leftovers: [] });
    expect(asked).toEqual(calls.hotplug.blocksOf(N1).map(({ from }) => from));
    checkMachine(machine);
  });

  it('a node without memory, or with none left, is EINVAL; the last memory of the machine is EBUSY', () => {
    const { calls } = hotplugMachine({ nodes: 3, framesPerNode: [64, 32, 0] });
    expect(calls.hotplug.offlineNode(asNodeId(2)).ret).toBe(-EINVAL);
    expect(calls.hotplug.offlineNode(N1).ret).toBe(0);
    expect(calls.hotplug.offlineNode(N1).ret).toBe(-EINVAL);
    expect(calls.hotplug.offlineNode(asNodeId(0))).toEqual({
      ...{ ret: -EBUSY, blocks: 1, moved: 0, leftovers: [], isLast: true },
    });
  });

  it('pages in the last memory of the machine are named, and none has left the node, however often it went from block to block', () => {
    const { machine, calls } = hotplugMachine({ nodes: 1, framesPerNode: 128 });
    const { task } = processWithPages(machine, 0, START, 20);
    const node = asNodeId(0);
    const result = calls.hotplug.offlineNode(node);
    const frames = Array.from({ length: 20 }, (_, i) => frameAt(machine, task, START + i)).sort((a, b) => a - b);
    const last = calls.hotplug.blocksOf(node)[3];
    expect(frames.every((pfn) => pfn >= last.from)).toBe(true);
    const leftovers = frames.map((pfn) => ({ pfn, reason: 'last memory' }));
    expect(result).toEqual({ ret: -EBUSY, blocks: 3, moved: 0, leftovers, isLast: true });
    expect(calls.hotplug.offlineBlock(last)).toEqual({ ret: -EBUSY, blocks: 0, moved: 0, leftovers, isLast: true });
    checkMachine(machine);
  });

  it('each page counts once, and while other nodes have room none goes into a block that is to leave next (HR-12)', () => {
    const { machine, calls } = hotplugMachine({ framesPerNode: 128 });
    processWithPages(machine, 1, START, 20);
    const used: number[] = [];
    calls.hotplug.notifiers.push((block) => used.push(usedIn(machine, block)) * 0);
    expect(calls.hotplug.offlineNode(N1)).toEqual({ ret: 0, blocks: 4, moved: 20, leftovers: [] });
    expect(used).toEqual([20, 0, 0, 0]);
  });
});

describe('the steps', () => {
  it('HR-2: pages that a CPU holds back leave too', () => {
    const { machine, calls } = hotplugMachine();
    const { task } = processWithPages(machine, 1, START, 3);
    for (let i = 0; i < 3; i++) intoVector(machine, cpuOf(machine, 2), frameAt(machine, task, START + i));
    expect(calls.hotplug.offlineNode(N1)).toMatchObject({ ret: 0, moved: 3 });
    checkMachine(machine);
  });

  it('HR-3: free pages of the block leave the free count, and a page freed there is not given out', () => {
    const { machine, calls } = hotplugMachine();
    const { task } = processWithPages(machine, 1, START, 4);
    const removal = removalUpTo(machine, calls, HR5);
    expect(machine.zones.free(N1)).toBe(32);
    const freed = frameAt(machine, task, START);
    machine.memory.munmap(task.space, START, 1, task.cpu);
    expect([isFree(machine, freed), machine.zones.free(N1)]).toEqual([true, 32]);
    const taken = fillNode(machine, 1);
    expect([...taken.keys()].every((pfn) => pfn >= removal.block.until)).toBe(true);
    checkMachine(machine, taken);
    finish(calls, removal);
    expect(removal).toMatchObject({ error: 0, moved: 3 });
    checkMachine(machine, taken);
  });

  it('HR-4: a notifier that refuses ends it with its own error, and the block is as before', () => {
    const { machine, calls } = hotplugMachine();
    processWithPages(machine, 1, START, 4);
    const before = memorySnapshot(machine);
    calls.hotplug.notifiers.push(() => -EINVAL);
    expect(calls.hotplug.offlineNode(N1)).toEqual({ ret: -EINVAL, blocks: 0, moved: 0, leftovers: [] });
    expect(memorySnapshot(machine)).toEqual(before);
    checkMachine(machine);
  });

  it('HR-5: a signal ends it; the isolation is undone, the moves are not', () => {
    const { machine, calls } = hotplugMachine();
    const { task } = processWithPages(machine, 1, START, 4);
    const removal = removalUpTo(machine, calls, HR7);
    removal.hasSignal = true;
    finish(calls, removal);
    expect(removal).toMatchObject({ error: -EINTR, moved: 4, leftovers: [] });
    expect(nodesOf(machine, task, 4)).toEqual([2]);
    expect(machine.zones.free(N1)).toBe(64);
    checkMachine(machine);
  });

  it('HR-6: unevictable pages are found as well', () => {
    const { machine, calls } = hotplugMachine();
    const { task } = processWithPages(machine, 1, START, 2);
    calls.areas.mlock(task, START, 2, true);
    machine.lru.drainAll();
    expect(machine.lru.size(N1, LRU_UNEVICTABLE)).toBe(2);
    expect(calls.hotplug.offlineNode(N1)).toMatchObject({ ret: 0, moved: 2 });
    expect(machine.lru.size(asNodeId(2), LRU_UNEVICTABLE)).toBe(2);
    checkMachine(machine);
  });

  it('HR-7: what was moved is looked for again from the first page that was found', () => {
    const { machine, calls } = hotplugMachine();
    const { task } = processWithPages(machine, 1, START, 4);
    const removal = removalUpTo(machine, calls, HR7);
    expect(removal.at).toBe(frameAt(machine, task, START));
    const steps: number[] = [];
    while (removal.next > 0) {
      steps.push(removal.next);
      removal.next = calls.hotplug.hotRemove.step(removal, removal.next);
    }
    expect(steps).toEqual([HR7, HR5, HR6, HR9]);
    calls.hotplug.finish(removal.block);
    checkMachine(machine);
  });

  it('HR-9: the frames are gone, and the marks of all nodes follow', () => {
    const { machine, calls } = hotplugMachine({ framesPerNode: 256, memoryBlockPages: 128, minFreeKbytes: 512 });
    const low = (node: number) => machine.zones.mark(asNodeId(node), MARK_LOW);
    expect([low(0), low(1)]).toEqual([40, 40]);
    calls.hotplug.offlineBlock(calls.hotplug.blocksOf(N1)[0]);
    expect([machine.zones.managed[1], machine.zones.free(N1), low(0), low(1)]).toEqual([128, 128, 45, 22]);
    calls.hotplug.onlineNode(N1);
    expect([machine.zones.managed[1], machine.zones.free(N1), low(0), low(1)]).toEqual([256, 256, 40, 40]);
    checkMachine(machine);
  });

  it('HR-10: all pages of the block are taken at once, shared and mlocked ones too; what fails goes back to its list', () => {
    const { machine, calls } = hotplugMachine();
    const { task } = processWithPages(machine, 1, START, 3);
    calls.areas.mlock(task, START + 2, 1, true);
    const child = machine.process.fork(task, task.cpu);
    const [stays] = cacheOn(machine, 1, machine.files.create('file', 'stays', 1, { migrate: 'fail' }));
    machine.lru.drainAll();
    const removal = removalUpTo(machine, calls, HR7);
    removal.next = calls.hotplug.hotRemove.step(removal, HR7);
    expect([removal.moved, nodesOf(machine, task, 3), nodesOf(machine, child, 3)]).toEqual([3, [2], [2]]);
    machine.lru.drainAll();
    expect([machine.frames.nodeOf(stays), machine.frames.isOnLru(stays)]).toEqual([1, true]);
    finish(calls, removal);
    expect(removal.error).toBe(-EBUSY);
    checkMachine(machine);
  });

  it('HR-11: with a write in flight there is another round; then what is left cannot leave', () => {
    const { machine, calls } = hotplugMachine();
    const [pfn] = cacheOn(machine, 1, machine.files.create('file', 'stays', 1, { migrate: 'fail' }));
    processWithPages(machine, 1, START, 31);
    const [written] = cacheOn(machine, 1, machine.files.create('file', 'written', 1));
    expect(machine.frames.nodeOf(written)).toBe(1); // in the other block of the node
    startWriteback(machine, written);
    const removal = removalUpTo(machine, calls, HR11);
    expect(removal.moved).toBe(31);
    expect(calls.hotplug.hotRemove.step(removal, HR11)).toBe(-1);
    machine.block.waitForPage(written);
    expect(calls.hotplug.hotRemove.step(removal, HR11)).toBe(HR5);
    removal.next = HR5;
    finish(calls, removal);
    expect(removal).toMatchObject({ error: -EBUSY, leftovers: [{ pfn, reason: 'not movable' }] });
    checkMachine(machine);
  });
});

describe('HR-11: leftovers and why', () => {
  /** One page on node 1 that cannot leave. @returns it, and the references that the test holds */
  const CASES: readonly {
    reason: string;
    machine?: HotplugOptions;
    arrange: (machine: Machine) => { pfn: Pfn; after?: () => void; pins?: ReadonlyMap<Pfn, number> };
  }[] = [
    {
      reason: 'pinned',
      arrange(machine) {
        const { task } = processWithPages(machine, 1, START, 1);
        const pfn = frameAt(machine, task, START);
        machine.frames.get(pfn);
        return { pfn, pins: new Map([[pfn, 1]]) };
      },
    },
    {
      reason: 'no room',
      machine: { nodes: 2, swapPages: 0 },
      arrange(machine) {
        const { task } = processWithPages(machine, 1, START, 1);
        return { pfn: frameAt(machine, task, START), pins: fillNode(machine, 0) };
      },
    },
    {
      reason: 'not movable',
      arrange(machine) {
        return { pfn: cacheOn(machine, 1, machine.files.create('file', 'data', 1, { migrate: 'fail' }))[0] };
      },
    },
    {
      reason: 'isolated',
      arrange(machine) {
        const { task } = processWithPages(machine, 1, START, 1);
        const pfn = frameAt(machine, task, START);
        machine.lru.isolate(pfn);
        return {
          pfn,
          after: () => {
            machine.lru.putback(task.cpu, pfn);
          },
        };
      },
    },
  ];

  it('is told by four rows', () => {
    expect(CASES).toHaveLength(4);
  });

  it.each(CASES)(
    '$reason: EBUSY, the block stays, and what else was in it has left',
    ({ reason, machine: of, arrange }) => {
      const { machine, calls } = hotplugMachine(of);
      const { pfn, after, pins } = arrange(machine);
      const free = freePages(machine);
      const { ret, leftovers, blocks } = calls.hotplug.offlineNode(N1);
      expect({ ret, leftovers, blocks }).toEqual({ ret: -EBUSY, leftovers: [{ pfn, reason }], blocks: 1 });
      expect(freePages(machine)[1]).toBe(free[1] - 32); // the other block is gone
      after?.();
      machine.lru.drainAll();
      expect(machine.frames.isOnLru(pfn)).toBe(true);
      checkMachine(machine, pins);
    },
  );
});

describe('HR-12: where pages go', () => {
  it('X29: node 1 of four blocks of 128 MiB, the first full: all 32768 to other nodes, by its row', () => {
    const { machine, calls } = hotplugMachine({
      framesPerNode: [40_000, 131_072, 24_000, 40_000],
      memoryBlockPages: 32_768,
    });
    const { task } = processWithPages(machine, 1, START, 32_768);
    const [first] = calls.hotplug.blocksOf(N1);
    expect(usedIn(machine, first)).toBe(32_768);
    expect(calls.hotplug.offlineBlock(first)).toEqual({ ret: 0, blocks: 1, moved: 32_768, leftovers: [] });
    expect(machine.zones.free(N1)).toBe(3 * 32_768);
    // Row 1 is 1230: node 2 down to its low mark, then 3.
    expect(freePages(machine)).toEqual([39_999, 3 * 32_768, 24, 40_000 - (32_768 - 24_000 + 24)]);
    expect(nodesOf(machine, task, 32_768)).toEqual([2, 3]);
    checkMachine(machine);
  });

  it('X30: one page of it pinned: 32767 leave, one is left over, their frames are free on node 1 again', () => {
    const { machine, calls } = hotplugMachine({
      framesPerNode: [40_000, 131_072, 24_000, 40_000],
      memoryBlockPages: 32_768,
    });
    const { task } = processWithPages(machine, 1, START, 32_768);
    const pfn = frameAt(machine, task, START + 77);
    machine.frames.get(pfn);
    const [first] = calls.hotplug.blocksOf(N1);
    const { ret, moved, leftovers } = calls.hotplug.offlineBlock(first);
    expect({ ret, moved, leftovers }).toEqual({ ret: -EBUSY, moved: 32_767, leftovers: [{ pfn, reason: 'pinned' }] });
    expect(machine.zones.free(N1)).toBe(3 * 32_768 + 32_767);
    checkMachine(machine, new Map([[pfn, 1]]));
  });

  it('X31: the last node with memory, with room in its other block: moved within the node', () => {
    const { machine, calls } = hotplugMachine({ nodes: 1 });
    const { task } = processWithPages(machine, 0, START, 20);
    const [first] = calls.hotplug.blocksOf(asNodeId(0));
    expect(calls.hotplug.offlineBlock(first)).toEqual({ ret: 0, blocks: 1, moved: 20, leftovers: [] });
    expect(usedIn(machine, first)).toBe(1); // the zero page, which is the kernel's
    expect(nodesOf(machine, task, 20)).toEqual([0]);
    checkMachine(machine);
  });

  it('where there is no room it reclaims, and never runs out of memory', () => {
    const { machine, calls } = hotplugMachine({ nodes: 2, writesAtOnce: true });
    const old = processWithPages(machine, 0, START, 62);
    const { task } = processWithPages(machine, 1, START, 40);
    expect(calls.hotplug.offlineNode(N1)).toMatchObject({ ret: 0, moved: 40 });
    expect(nodesOf(machine, task, 40)).toContain(0);
    expect(old.task.space.swapEntries + task.space.swapEntries).toBeGreaterThan(30);
    checkMachine(machine);
  });
});

describe('HR-13: whose rules hold', () => {
  it('a page of a BIND policy leaves its node all the same', () => {
    const { machine, calls } = hotplugMachine();
    const task = processOn(machine, 1);
    setPolicy(machine, task, POLICIES.bind, 1);
    mapAnon(machine, task, START, 4);
    touchAll(machine, task, START, 4, true);
    expect(calls.hotplug.offlineNode(N1)).toMatchObject({ ret: 0, moved: 4 });
    expect(nodesOf(machine, task, 4)).toEqual([2]);
  });

  it.each([1, 2] as const)('cgroup %d: the cpuset of the task that asks limits where pages go', (cgroup) => {
    const { machine, calls } = hotplugMachine({ cgroup });
    const { task } = processWithPages(machine, 1, START, 4);
    const admin = processOn(machine, 0);
    calls.cpusets.create('admin', { cpus: [0, 1, 2, 3], mems: [0, 1] });
    calls.cpusets.attach('admin', admin);
    expect(calls.hotplug.offlineNode(N1, admin)).toMatchObject({ ret: 0, moved: 4 });
    expect(nodesOf(machine, task, 4)).toEqual([0]);
    checkMachine(machine);
  });
});

describe('HR-14: by kind', () => {
  it('an anonymous page moves without a swap slot, a page of the swap cache keeps its slot', () => {
    const { machine, calls } = hotplugMachine();
    const { task } = processWithPages(machine, 1, START, 2);
    unmapEverywhere(machine, task, frameAt(machine, task, START));
    const slot = machine.tables.word[machine.tables.walk(task.space.root, START)];
    const used = machine.swap.slots - machine.swap.free;
    expect(calls.hotplug.offlineNode(N1)).toMatchObject({ ret: 0, moved: 2 });
    expect(machine.swap.slots - machine.swap.free).toBe(used);
    expect(machine.tables.word[machine.tables.walk(task.space.root, START)]).toBe(slot);
    expect(machine.frames.nodeOf(machine.swap.cached(slot as never))).toBe(2);
    checkMachine(machine);
  });

  it.each([
    ['simple', false],
    ['simple', true],
    ['buffers', false],
    ['buffers', true],
    ['none', false],
    ['none', true],
  ] as const)('a page of a file with the operation %s (dirty: %s) moves', (migrate: MigrateOperation, isDirty) => {
    const { machine, calls } = hotplugMachine();
    const file = machine.files.create('file', 'data', 2, { migrate });
    const writer = processOn(machine, 1);
    machine.file.access(writer, file, 0, isDirty);
    expect(calls.hotplug.offlineNode(N1)).toMatchObject({ ret: 0, moved: 1 });
    expect(machine.frames.nodeOf(cachedFrame(file, 0))).toBe(2);
    machine.block.completeAll();
    checkMachine(machine);
  });

  it('a shmem page, dirty, mapped or not, moves and stays in the page cache', () => {
    const { machine, calls } = hotplugMachine();
    const object = machine.files.create('shmem', 'shared', 4);
    shmemOn(machine, 1, object).forEach((pfn) => {
      machine.frames.set(pfn, PG_DIRTY);
    });
    const task = processOn(machine, 1);
    mapShared(machine, task, object, START);
    touchAll(machine, task, START, 2, false);
    const used = machine.swap.free;
    expect(calls.hotplug.offlineNode(N1)).toMatchObject({ ret: 0, moved: 4 });
    const moved = [0, 1, 2, 3].map((index) => cachedFrame(object, index));
    expect(moved.map((pfn) => [machine.frames.nodeOf(pfn), machine.frames.isDirty(pfn)])).toEqual(
      Array(4).fill([2, true]),
    );
    expect(machine.swap.free).toBe(used);
    expect(machine.frames.mapcount(moved[0])).toBe(1);
    checkMachine(machine);
  });

  it("the zero page is the kernel's, which lies elsewhere: node 0 leaves, and zeros are still read", () => {
    const { machine, calls } = hotplugMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, START, 2);
    touchAll(machine, task, START, 1, false);
    expect(calls.hotplug.offlineNode(asNodeId(0))).toEqual({ ret: 0, blocks: 2, moved: 0, leftovers: [] });
    touchAll(machine, task, START + 1, 1, false);
    expect(frameAt(machine, task, START + 1)).toBe(machine.zeroPage);
    checkMachine(machine);
    calls.hotplug.onlineNode(asNodeId(0));
    expect(machine.zones.free(asNodeId(0))).toBe(63);
    checkMachine(machine);
  });
});

describe('HR-15: meanwhile the node looks full', () => {
  it('PREFERRED and INTERLEAVE go on by distance, BIND to it alone is out of memory', () => {
    const { machine, calls } = hotplugMachine({ memoryBlockPages: 64, swapPages: 0 });
    const removal = removalUpTo(machine, calls, HR5);
    const place = (...[policy, nodes]: ['preferred' | 'interleave' | 'bind', number[]]) => {
      const task = processOn(machine, 0);
      setPolicy(machine, task, POLICIES[policy], ...nodes);
      mapAnon(machine, task, START, 2);
      const pfns = [machine.touch(task, START, true), machine.touch(task, START + 1, true)];
      return pfns.map((pfn) => (pfn > 0 ? machine.frames.nodeOf(pfn) : 'oom'));
    };
    expect(place('preferred', [1])).toEqual([2, 2]);
    expect(place('interleave', [0, 1])).toEqual([0, 2]);
    expect(place('bind', [1])).toEqual(['oom', 'oom']);
    finish(calls, removal);
    checkMachine(machine);
  });
});

describe('two drivers', () => {
  it('step by step and straight through leave the same machine', () => {
    for (const pages of [1, 5, 33, 60]) {
      const both = [true, false].map((straight) => {
        const { machine, calls } = hotplugMachine();
        processWithPages(machine, 1, START, pages);
        for (const block of calls.hotplug.blocksOf(N1)) {
          if (straight) {
            calls.hotplug.offlineBlock(block);
            continue;
          }
          const removal = new Removal(block, asker(machine));
          expect(removal.next).toBe(HR2);
          finish(calls, removal);
        }
        checkMachine(machine);
        return { memory: memorySnapshot(machine), counters: allCounters(machine) };
      });
      expect(both[0]).toEqual(both[1]);
    }
  });
});
