import type { Machine } from '../../src/engine/index.js';
import {
  PTE_DEVICE,
  PTE_DIRTY,
  PTE_MIGRATION,
  PTE_PRESENT,
  PTE_SWAP,
  PTE_WRITE,
  PTE_YOUNG,
} from '../../src/hardware/index.js';
import { LRU_LISTS } from '../../src/mm/index.js';
import * as pageFlags from '../../src/mm/page-flags.js';
import { asNodeId, type Pfn, type SwapSlot } from '../../src/units.js';

/** Questions that change nothing, with answers that read well when two of them differ. */

const FLAG_NAMES = Object.entries(pageFlags)
  .filter(([name]) => name !== 'PG_NOT_WHEN_FREED')
  .map(([name, bit]) => [name.slice(3).toLowerCase(), bit] as const);

const PTE_NAMES = {
  present: PTE_PRESENT,
  write: PTE_WRITE,
  dirty: PTE_DIRTY,
  young: PTE_YOUNG,
  swap: PTE_SWAP,
  migration: PTE_MIGRATION,
  device: PTE_DEVICE,
};

const namesOf = (bits: number, names: readonly (readonly [string, number])[]): string =>
  names
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name)
    .join(' ');

/** Everything a frame's record holds but its links. */
export function frameRecord({ frames, contents }: Machine, pfn: Pfn) {
  return {
    flags: namesOf(frames.flags(pfn), FLAG_NAMES),
    count: frames.count(pfn),
    mapcount: frames.mapcount(pfn),
    mapping: frames.mapping(pfn),
    index: frames.index(pfn),
    private: frames.private_(pfn),
    stamp: contents?.get(pfn) ?? 0,
  };
}

/** The frames of each LRU list, from its head, by `node.list`; empty ones are left out. */
export function lruLists({ frames, lru, zones }: Machine): Record<string, number[]> {
  const lists: Record<string, number[]> = {};
  for (let node = 0; node < zones.nodeCount; node++) {
    for (let list = 0; list < LRU_LISTS; list++) {
      const head = lru.head(asNodeId(node), list);
      const pages: number[] = [];
      for (let pfn = frames.next(head); pfn !== head; pfn = frames.next(pfn)) pages.push(pfn);
      if (pages.length > 0) lists[`${node}.${list}`] = pages;
    }
  }
  return lists;
}

/** The name of the list a page is on, or ''. */
export function listNameOf(machine: Machine, pfn: Pfn): string {
  return machine.frames.isOnLru(pfn) ? `${machine.frames.nodeOf(pfn)}.${machine.lru.listOf(pfn)}` : '';
}

export const freePages = ({ zones }: Machine): number[] =>
  Array.from({ length: zones.nodeCount }, (_, node) => zones.free(asNodeId(node)));

/** The whole memory state: used frames, lists, vectors, free counts, caches, entries, rss. Not the counters. */
export function memorySnapshot(machine: Machine) {
  const used: Record<number, ReturnType<typeof frameRecord>> = {};
  machine.zones.forEachUsed((pfn) => (used[pfn] = frameRecord(machine, pfn)));
  machine.devices.forEachUsed((pfn) => (used[pfn] = frameRecord(machine, pfn)));
  const vectors: number[] = [];
  machine.lru.forEachHeld((pfn) => vectors.push(pfn));
  return {
    used,
    lists: lruLists(machine),
    vectors,
    free: freePages(machine),
    ...cachesOf(machine),
    ...entriesOf(machine),
    isolated: machine.lru.isolated,
    rotors: machine.process.tasks().map((task) => task.ilPrev),
  };
}

function cachesOf({ swap, files }: Machine) {
  const slots: Record<number, string> = {};
  for (let slot = 1; slot < swap.end; slot++) {
    const [users, pfn] = [swap.users(slot as SwapSlot), swap.cached(slot as SwapSlot)];
    if (users > 0 || pfn > 0) slots[slot] = `users ${users}, page ${pfn}`;
  }
  const objects: Record<string, number> = {};
  for (const file of files.all()) file.slots.forEach((index, value) => (objects[`${file.id}:${index}`] = value));
  return { slots, objects };
}

function entriesOf({ tables, spaces }: Machine) {
  const entries: Record<string, string> = {};
  tables.forEachEntry((page, space) => {
    const bits = namesOf(tables.bits[page], Object.entries(PTE_NAMES));
    entries[`${space}:${tables.vpnOf(page)}`] = `${tables.word[page]} ${bits}`;
  });
  const rss = spaces.all().map((s) => [s.id, s.rssAnon, s.rssFile, s.rssShmem, s.swapEntries]);
  return { entries, rss };
}

/** Counters of the machine and of its nodes. */
export const allCounters = ({ counters }: Machine) => ({
  ...counters.snapshot(),
  ofNodes: counters.snapshotOfNodes(),
});

/** What happened to the counters that `names` begin with, since `before`. */
export function countedSince(
  { counters }: Machine,
  before: Readonly<Record<string, number>>,
  ...prefixes: string[]
): Record<string, number> {
  const grown = Object.entries(counters.snapshot())
    .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
    .filter(([name, value]) => value !== 0 && prefixes.some((prefix) => name.startsWith(prefix)));
  return Object.fromEntries(grown);
}
