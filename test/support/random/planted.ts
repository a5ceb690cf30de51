import { PTE_DIRTY } from '../../../src/hardware/index.js';
import { cachedFrame, PG_LRU } from '../../../src/mm/index.js';
import { C } from '../../../src/stats/index.js';
import { NO_PFN, type NodeId, type PageId, type Pfn, type SwapSlot } from '../../../src/units.js';
import type { ProgramState } from './program-state.js';

/** A part of a machine broken on purpose. */
export interface PlantedBug {
  readonly name: string;
  /** Invariants that a check may name: the first of them that the bug breaks. */
  readonly breaks: readonly string[];
  plant(state: ProgramState): void;
}

/** True on each `n`-th call. */
function each(n: number): () => boolean {
  let calls = 0;
  return () => ++calls % n === 0;
}

/** Every invariant has at least one; each wraps one function of one module, so that all else stays as it is. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a reference that is not dropped',
    breaks: ['INV-1'],
    plant({ machine: { lru } }) {
      const put = lru.put.bind(lru);
      const now = each(50);
      lru.put = (pfn) => {
        if (!now()) put(pfn);
      };
    },
  },
  {
    name: 'a map count that an unmapping forgets',
    breaks: ['INV-2', 'INV-9'],
    plant({ machine: { frames } }) {
      const removeMapping = frames.removeMapping.bind(frames);
      const now = each(20);
      frames.removeMapping = (pfn) => {
        if (!now()) removeMapping(pfn);
      };
    },
  },
  {
    name: 'a page left locked',
    breaks: ['INV-3', 'INV-9'],
    plant({ machine: { frames } }) {
      const unlock = frames.unlock.bind(frames);
      const now = each(25);
      frames.unlock = (pfn) => {
        if (!now()) unlock(pfn);
      };
    },
  },
  {
    name: 'a migration after which the swap cache shows the old page',
    breaks: ['INV-4'],
    plant({ machine: { swap } }) {
      swap.replace = () => undefined;
    },
  },
  {
    name: 'a migration after which the page cache shows the old page',
    breaks: ['INV-5'],
    plant({ machine: { pageCache } }) {
      pageCache.replace = () => undefined;
    },
  },
  {
    name: 'an anonymous page with the index of its neighbour',
    breaks: ['INV-6'],
    plant({ machine: { frames } }) {
      const setMapping = frames.setMapping.bind(frames);
      const now = each(20);
      frames.setMapping = (pfn, mapping, index) => setMapping(pfn, mapping, mapping < 0 && now() ? index + 1 : index);
    },
  },
  {
    name: 'a fork that forgets the new user of a swap slot',
    breaks: ['INV-7'],
    plant({ machine: { process, swap } }) {
      const fork = process.fork.bind(process);
      const addUser = swap.addUser.bind(swap);
      Object.assign(process, {
        fork(...args: Parameters<typeof fork>) {
          swap.addUser = () => undefined;
          const child = fork(...args);
          swap.addUser = addUser;
          return child;
        },
      });
    },
  },
  {
    name: 'a list that keeps the link to a page which left it',
    breaks: ['INV-8'],
    plant({ machine: { frames } }) {
      const unlink = frames.unlink.bind(frames);
      const now = each(30);
      frames.unlink = (pfn) => {
        const before = frames.previous(pfn);
        unlink(pfn);
        if (now()) frames.setNext(before, pfn);
      };
    },
  },
  {
    name: 'a frame freed twice',
    breaks: ['INV-9'],
    plant({ machine: { zones } }) {
      const give = zones.give.bind(zones);
      const now = each(30);
      zones.give = (pfn) => {
        give(pfn);
        if (now()) give(pfn);
      };
    },
  },
  {
    name: 'a frame that nobody gives back',
    breaks: ['INV-10'],
    plant({ machine: { zones } }) {
      const give = zones.give.bind(zones);
      const now = each(30);
      zones.give = (pfn) => {
        if (!now()) give(pfn);
      };
    },
  },
  {
    name: 'an rss that counts a page of a file twice',
    breaks: ['INV-11'],
    plant({ machine: { mapping } }) {
      const mapFile = mapping.mapFile.bind(mapping);
      const now = each(20);
      mapping.mapFile = (vma, page, pfn, bits) => {
        mapFile(vma, page, pfn, bits);
        if (now()) vma.space.rssFile++;
      };
    },
  },
  {
    name: "a fork that leaves the parent's entries writable",
    breaks: ['INV-12'],
    plant({ machine: { mapping } }) {
      mapping.writeProtect = () => undefined;
    },
  },
  {
    name: 'an unmapping that forgets the TLB',
    breaks: ['INV-12', 'INV-13'],
    plant({ machine: { mmu } }) {
      const forget = mmu.forget.bind(mmu);
      const now = each(20);
      mmu.forget = (cpu, page, cpus) => (now() ? 0 : forget(cpu, page, cpus));
    },
  },
  {
    name: 'a dirty bit lost when its entry goes',
    breaks: ['INV-13'],
    plant({ machine: { mapping, tables } }) {
      const unmap = mapping.unmap.bind(mapping);
      const unmapToSwap = mapping.unmapToSwap.bind(mapping);
      const clean = (page: PageId) => {
        tables.bits[page] &= ~PTE_DIRTY;
      };
      mapping.unmap = (space, page, cpu) => {
        clean(page);
        return unmap(space, page, cpu);
      };
      mapping.unmapToSwap = (space, page, cpu, slot) => {
        clean(page);
        return unmapToSwap(space, page, cpu, slot);
      };
    },
  },
  {
    name: 'a migration that copies the wrong contents',
    breaks: ['INV-13'],
    plant({ machine: { contents, frames } }) {
      if (contents === null) return;
      const copy = contents.copy.bind(contents);
      contents.copy = (to, from) => {
        copy(to, from);
        if (frames.isLocked(to)) contents.set(to, contents.get(to) + 1); // only a migration copies to a locked page
      };
    },
  },
  {
    name: 'a write to swap that is not made',
    breaks: ['INV-13'],
    plant({ machine: { swap } }) {
      if (swap.device === null) return;
      const set = swap.device.set.bind(swap.device);
      const now = each(10);
      swap.device.set = (pfn, stamp) => {
        if (!now()) set(pfn, stamp);
      };
    },
  },
  {
    name: 'a discarded entry that goes on naming its swap slot',
    breaks: ['INV-14'],
    plant({ machine: { memory, tables, swap } }) {
      const discard = memory.discard.bind(memory);
      const clear = tables.clear.bind(tables);
      let isDiscarding = false;
      Object.assign(memory, {
        discard(...args: Parameters<typeof discard>) {
          isDiscarding = true;
          discard(...args);
          isDiscarding = false;
        },
      });
      tables.clear = (page) => {
        const slot = tables.word[page] as SwapSlot;
        const isLastUser = tables.isSwap(page) && swap.users(slot) === 1;
        if (!isDiscarding || !isLastUser) clear(page);
      };
    },
  },
  {
    name: 'a miss that numastat does not count',
    breaks: ['INV-15'],
    plant({ machine: { counters } }) {
      const incNode = counters.incNode.bind(counters);
      const now = each(50);
      counters.incNode = (counter, node) => {
        if (!now()) incNode(counter, node);
      };
    },
  },
  {
    name: 'a migration that is not counted',
    breaks: ['INV-15'],
    plant({ machine: { counters } }) {
      const [inc, add] = [counters.inc.bind(counters), counters.add.bind(counters)];
      const now = each(5);
      counters.inc = (counter) => {
        if (counter !== C.pgmigrate_success || !now()) inc(counter);
      };
      counters.add = (counter, times) => {
        if (counter !== C.pgmigrate_success || !now()) add(counter, times);
      };
    },
  },
  {
    name: 'a page that changes nodes and nobody knows why',
    breaks: ['INV-16'],
    plant(state) {
      const { lru } = state.machine;
      const drainAll = lru.drainAll.bind(lru);
      lru.drainAll = () => {
        drainAll();
        moveSecretly(state);
      };
    },
  },
  {
    name: 'a policy that an area holds twice',
    breaks: ['INV-17'],
    plant({ machine: { spaces } }) {
      const setPolicy = spaces.setPolicy.bind(spaces);
      spaces.setPolicy = (vma, policy) => {
        setPolicy(vma, policy);
        if (policy !== null) policy.refs++;
      };
    },
  },
  {
    name: 'a task that ends without giving its policy back',
    breaks: ['INV-17'],
    plant({ machine: { process } }) {
      const exit = process.exit.bind(process);
      Object.assign(process, {
        exit(task: Parameters<typeof exit>[0]) {
          task.policy = null;
          exit(task);
        },
      });
    },
  },
  {
    name: 'an allocation that does not ask the cpuset',
    breaks: ['INV-18'],
    plant({ machine: { zones } }) {
      const takeFromRow = zones.takeFromRow.bind(zones);
      zones.takeFromRow = (start, mask, _allowed, mark, cpuNode) => takeFromRow(start, mask, null, mark, cpuNode);
    },
  },
  {
    name: 'memory that goes away and is given out all the same',
    breaks: ['INV-10'],
    plant({ machine: { zones } }) {
      zones.takeAway = (node) => {
        zones.managed[node] -= 16;
        zones.undoIsolation(node);
      };
    },
  },
];

/** Moves a page of a file that nothing maps, correctly and without a word. */
function moveSecretly({ machine, shadow, pins }: ProgramState): void {
  const { frames, zones, lru, pageCache, contents, counters, topology } = machine;
  const { file } = shadow.objects[0];
  for (let index = 0; index < file.sizePages; index++) {
    const old = cachedFrame(file, index);
    if (old === NO_PFN || frames.count(old) !== 1 || pins.has(old) || frames.isWriteback(old)) continue;
    const node = topology.nodesWithMemory().find((other) => other !== frames.nodeOf(old) && zones.free(other) > 0);
    if (node === undefined) return;
    const fresh = takeUnseen(node);
    lru.remove(old);
    frames.setFlags(fresh, frames.flags(old) & ~PG_LRU);
    frames.setMapping(fresh, file.id, index);
    contents?.copy(fresh, old);
    pageCache.replace(file, index, fresh);
    lru.addToHead(fresh);
    frames.setMapping(old, 0, 0);
    lru.put(old);
    return;
  }

  function takeUnseen(node: NodeId): Pfn {
    const pfn = zones.take(node);
    counters.values[C.pgalloc_normal]--;
    return pfn;
  }
}
