import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/engine/index.js';
import { OOM } from '../../src/fault/index.js';
import { cachedFrame, Cpuset, type Task } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { cacheOn, fillNode, mapShared, moveTo, pageOf, processWithPages } from '../support/arrange.js';
import {
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  request,
  setPolicy,
  tinyMachine,
  type TinyOptions,
  unmapLazily,
} from '../support/tiny-machine.js';

// Where a page is placed and which page is misplaced (mempolicy sections 3 to 6). A column per era; `both` where they agree.

const START = 1000;
/** Nodes 0 and 1 are near each other, and so are 2 and 3. */
const PAIRS = [
  [10, 16, 22, 22],
  [16, 10, 22, 22],
  [22, 22, 10, 16],
  [22, 22, 16, 10],
];
/** From node 0, node 3 is nearest, then 2, then 1. */
const THREE_IS_NEAR_ZERO = [
  [10, 22, 20, 16],
  [22, 10, 20, 20],
  [20, 20, 10, 20],
  [16, 20, 20, 10],
];

type PolicyWords = readonly [keyof typeof POLICIES, ...number[]];
type Column = 'mof' | 'mof-2006' | 'linux-6.1' | 'linux-6.12';
const COLUMNS: readonly Column[] = ['mof', 'mof-2006', 'linux-6.1', 'linux-6.12'];

/** `old` is 2.6.16, `mof` the others; a column that is missing does not have what the row is about. */
interface Expected<T> {
  readonly both?: T;
  readonly mof?: T;
  readonly old?: T;
  /** Where 6.1 differs from 6.12; null: it does not have it. */
  readonly v61?: T | null;
}
const expectedIn = <T>(row: Expected<T>, column: Column): T | undefined => {
  if (column === 'linux-6.1' && row.v61 !== undefined) return row.v61 ?? undefined;
  return row.both ?? (column === 'mof-2006' ? row.old : row.mof);
};

/** Each row once per era that has it. */
const perEra = <T, Row extends Expected<T>>(rows: readonly Row[]) =>
  rows.flatMap((row) =>
    COLUMNS.filter((profile) => expectedIn(row, profile) !== undefined).map((profile) => ({ ...row, profile })),
  );

function thread(
  machine: Machine,
  node: number,
  policy: PolicyWords | undefined,
  allowed: readonly number[] | undefined,
): Task {
  const task = processOn(machine, node);
  if (policy !== undefined) setPolicy(machine, task, POLICIES[policy[0]], ...(policy.slice(1) as number[]));
  if (allowed !== undefined) task.cpuset = new Cpuset('some', 4, allowed.map(asNodeId));
  return task;
}

/** Nodes of `pages` fresh pages, first touched by writing, from page number `start`; `OOM` where there was none. */
function placeFresh(machine: Machine, task: Task, start: number, pages: number): number[] {
  mapAnon(machine, task, start, pages);
  return Array.from({ length: pages }, (_, i) => {
    const pfn = machine.touch(task, start + i, true);
    return pfn > 0 ? nodeAt(machine, task, start + i) : pfn;
  });
}

interface Placed extends Expected<readonly number[]> {
  readonly id: string;
  readonly says: string;
  readonly on: number;
  readonly policy?: PolicyWords;
  readonly full?: readonly number[];
  readonly allowed?: readonly number[];
  readonly distance?: TinyOptions['distance'];
}

const NO_PAGE_LEFT = -OOM;

const PLACED: readonly Placed[] = [
  { id: 'MP-20', says: 'default: the node of the CPU', on: 2, both: [2, 2] },
  { id: 'MP-20', says: 'default, full: the row of that node', on: 2, full: [2], distance: PAIRS, both: [3, 3] },
  { id: 'MP-21', says: 'preferred 3, from node 0', on: 0, policy: ['preferred', 3], both: [3, 3] },
  {
    ...{ id: 'MP-21', says: 'preferred 3, full: the row of 3, not of the CPU', on: 0, policy: ['preferred', 3] },
    ...{ full: [3], distance: PAIRS, both: [2, 2] },
  },
  { id: 'MP-22', says: 'preferred without a node: local', on: 1, policy: ['preferred'], both: [1, 1] },
  {
    ...{ id: 'MP-23', says: 'bind to 0 and 3, from node 2: nearest, by number in 2006', on: 2 },
    ...{ policy: ['bind', 0, 3], distance: PAIRS, mof: [3, 3], old: [0, 0] },
  },
  {
    ...{ id: 'MP-23', says: 'bind to 1, 2 and 3 with the first choice full', on: 3, policy: ['bind', 1, 2, 3] },
    ...{ full: [3], distance: PAIRS, mof: [2, 2], old: [1, 1] },
  },
  {
    ...{ id: 'MP-23', says: 'bind to 1, 2 and 3 with 1 full', on: 3, policy: ['bind', 1, 2, 3] },
    ...{ full: [1], distance: PAIRS, mof: [3, 3], old: [2, 2] },
  },
  {
    ...{ id: 'MP-24', says: 'bind to nodes that the cpuset does not allow: local', on: 1 },
    ...{ policy: ['bind', 2, 3], allowed: [0, 1], both: [1, 1] },
  },
  {
    ...{ id: 'MP-24', says: 'bind of which the cpuset allows one: that one', on: 1 },
    ...{ policy: ['bind', 0, 2, 3], allowed: [1, 3], both: [3, 3] },
  },
  {
    id: 'MP-25',
    says: 'interleave over 0, 2, 3: by page number',
    on: 1,
    policy: ['interleave', 0, 2, 3],
    both: [2, 3],
  },
  {
    ...{ id: 'MP-25', says: 'interleave with the node of the page full: its row, outside the set too', on: 1 },
    ...{ policy: ['interleave', 0, 2], full: [0], distance: PAIRS, both: [1, 2] },
  },
  { id: 'MP-29', says: 'local, wherever the thread is', on: 3, policy: ['preferred'], both: [3, 3] },
  { id: 'MP-29', says: 'local is a mode of its own', on: 3, policy: ['local'], mof: [3, 3] },
  {
    ...{ id: 'MP-27', says: 'preferred-many 0 and 3, from node 2: the nearest', on: 2 },
    ...{ policy: ['preferredMany', 0, 3], distance: PAIRS, mof: [3, 3] },
  },
  {
    ...{ id: 'MP-27', says: 'preferred-many 0 and 3 with 3 full: the other of the set', on: 2 },
    ...{ policy: ['preferredMany', 0, 3], full: [3], distance: PAIRS, mof: [0, 0] },
  },
  {
    ...{ id: 'MP-27', says: 'preferred-many 0 and 3, both full: any node by the row of the CPU', on: 2 },
    ...{ policy: ['preferredMany', 0, 3], full: [0, 3], distance: PAIRS, mof: [2, 2] },
  },
  {
    ...{ id: 'MP-24', says: 'preferred-many of which the cpuset allows none: local', on: 1 },
    ...{ policy: ['preferredMany', 2, 3], allowed: [0, 1], mof: [1, 1] },
  },
  {
    ...{ id: 'MP-28', says: 'weighted interleave without weights: as interleave', on: 1 },
    ...{ policy: ['weighted', 0, 2, 3], mof: [2, 3], v61: null },
  },
  {
    ...{ id: 'MP-40', says: 'from node 0 with 0 and 1 full', on: 0, full: [0, 1], distance: PAIRS, both: [2, 2] },
  },
  { id: 'MP-41', says: 'flat: from node 2, first 3', on: 2, full: [2], both: [3, 3] },
  { id: 'MP-41', says: 'flat: from node 2, then 0', on: 2, full: [2, 3], both: [0, 0] },
  { id: 'MP-41', says: 'flat: from node 3, first 0', on: 3, full: [3], both: [0, 0] },
  {
    ...{ id: 'MP-42', says: 'bind to 1, full, without swap: out of memory while others are free', on: 1 },
    ...{ policy: ['bind', 1], full: [1], both: [NO_PAGE_LEFT, NO_PAGE_LEFT] },
  },
  {
    ...{
      id: 'MP-42',
      says: 'preferred 1, full: the next node',
      on: 1,
      policy: ['preferred', 1],
      full: [1],
      both: [2, 2],
    },
  },
  { id: 'MP-44', says: 'a CPU outside the cpuset: the first allowed of its row', on: 3, allowed: [1, 2], both: [1, 1] },
  {
    ...{ id: 'MP-44', says: 'preferred 2, which is not allowed: the first allowed of its row', on: 1 },
    ...{ policy: ['preferred', 2], allowed: [0, 1], both: [0, 0] },
  },
  {
    ...{ id: 'MP-44', says: 'all allowed nodes full: out of memory, the others stay free', on: 0, allowed: [0, 1] },
    ...{ full: [0, 1], both: [NO_PAGE_LEFT, NO_PAGE_LEFT] },
  },
];

describe('where a new page is placed', () => {
  it('is told by 28 rows', () => {
    expect(PLACED).toHaveLength(28);
  });

  it.each(perEra<readonly number[], Placed>(PLACED))('$id [$profile] $says', (row) => {
    const { profile, distance } = row;
    const machine = tinyMachine({ profile, swapPages: 0, ...(distance && { distance }) });
    for (const node of row.full ?? []) fillNode(machine, node);
    const task = thread(machine, row.on, row.policy, row.allowed);
    expect(placeFresh(machine, task, START, 2)).toEqual(expectedIn(row, profile));
  });

  it.each(COLUMNS)('MP-40 [%s] a preferred node and then its whole row are used up one after the other', (profile) => {
    const machine = tinyMachine({ profile, framesPerNode: 8, swapPages: 0 });
    const task = thread(machine, 0, ['preferred', 2], undefined);
    const nodes = placeFresh(machine, task, START, 31); // the zero page has the other frame of node 0
    const order = nodes.filter((node, i) => node !== nodes[i - 1]);
    expect(order).toEqual([2, 3, 0, 1]);
    expect(machine.touch(task, START + 31, true)).toBeLessThan(0);
  });

  it('MP-31: an interleaved page counts as a hit only where it was meant to go', () => {
    const machine = tinyMachine();
    const task = thread(machine, 1, ['interleave', 0, 2], undefined);
    placeFresh(machine, task, START, 6);
    fillNode(machine, 0);
    placeFresh(machine, task, START + 100, 4);
    expect([0, 1, 2].map((node) => machine.counters.getNode('numa_interleave', node))).toEqual([3, 0, 5]);
  });

  it('numa_hit, numa_miss, numa_foreign: where it was wanted, where it went', () => {
    const machine = tinyMachine();
    fillNode(machine, 2);
    const task = thread(machine, 1, ['preferred', 2], undefined);
    const before = (['numa_miss', 'numa_foreign', 'numa_other'] as const).map((name) =>
      machine.counters.getNode(name, 3),
    );
    expect(before).toEqual([0, 0, 0]);
    placeFresh(machine, task, START, 2);
    expect(machine.counters.getNode('numa_miss', 3)).toBe(2);
    expect(machine.counters.getNode('numa_foreign', 2)).toBe(2);
    expect(machine.counters.getNode('numa_other', 3)).toBe(2);
  });
});

interface Golden extends Expected<readonly number[]> {
  readonly says: string;
  readonly set: readonly number[];
  readonly kind: 'anon' | 'object' | 'calls';
  /** First page number of private memory, or first page of the object that is mapped. */
  readonly first: number;
  readonly inode?: number;
}

const GOLDEN: readonly Golden[] = [
  { says: 'page 3842 on', set: [0, 1, 2, 3], kind: 'anon', first: 0xf02, both: [2, 3, 0, 1] },
  { says: 'page 287 on', set: [0, 1, 2, 3], kind: 'anon', first: 0x11f, both: [3, 0, 1, 2] },
  { says: 'page 1000 on, over two nodes', set: [1, 3], kind: 'anon', first: 1000, both: [1, 3, 1] },
  { says: 'an object from its start', set: [0, 2, 5], kind: 'object', first: 0, inode: 3, both: [0, 2, 5, 0, 2] },
  {
    ...{
      says: 'an object from its start, whose inode number counts (MP-52)',
      set: [0, 2, 5],
      kind: 'object',
      first: 0,
    },
    ...{ inode: 4, mof: [2, 5, 0, 2, 5], old: [0, 2, 5, 0, 2] },
  },
  { says: 'an object mapped from page 4', set: [0, 2, 5], kind: 'object', first: 4, inode: 3, both: [2] },
  { says: 'three reads into the page cache', set: [1, 3], kind: 'calls', first: 0, both: [1, 3, 1] },
  {
    ...{ says: 'page 2^32 on: cut to 32 bits in 2006 (MP-50)', set: [0, 2, 5], kind: 'anon', first: 2 ** 32 },
    ...{ mof: [2, 5, 0], old: [0, 2, 5], v61: [0, 2, 5] },
  },
];

describe('interleave arithmetic (section 5)', () => {
  it('is told by eight golden rows', () => {
    expect(GOLDEN).toHaveLength(8);
  });

  it.each(perEra<readonly number[], Golden>(GOLDEN))('MP-50..53 [$profile] $says', (row) => {
    const machine = tinyMachine({ nodes: 6, profile: row.profile });
    const task = thread(machine, 4, ['interleave', ...row.set], undefined);
    const nodes = expectedIn(row, row.profile) ?? [];
    expect(interleaved(machine, task, row, nodes.length)).toEqual(nodes);
  });

  function interleaved(machine: Machine, task: Task, row: Golden, pages: number): number[] {
    if (row.kind === 'anon') return placeFresh(machine, task, row.first, pages);
    const { inode = 1 } = row;
    const object = machine.files.create(row.kind === 'object' ? 'shmem' : 'file', 'data', row.first + pages, { inode });
    for (let i = 0; i < pages && row.kind === 'calls'; i++) machine.file.access(task, object, i, false);
    if (row.kind === 'object') {
      const { flags } = mapShared(machine, task, object, START);
      machine.memory.munmap(task.space, START, object.sizePages, task.cpu);
      machine.memory.mmap(task.space, START, pages, { flags, file: object, filePage: row.first }, task.cpu);
      for (let i = 0; i < pages; i++) machine.touch(task, START + i, false);
    }
    return Array.from({ length: pages }, (_, i) => machine.frames.nodeOf(cachedFrame(object, row.first + i)));
  }

  it('MP-26: the rotor goes on at the next higher node of the set and around', () => {
    const machine = tinyMachine();
    const task = thread(machine, 0, ['interleave', 0, 2, 3], undefined);
    const file = machine.files.create('file', 'data', 7);
    for (let i = 0; i < 7; i++) machine.file.access(task, file, i, i % 2 === 0);
    const nodes = Array.from({ length: 7 }, (_, i) => machine.frames.nodeOf(cachedFrame(file, i)) as number);
    expect(nodes).toEqual([0, 2, 3, 0, 2, 3, 0]);
  });

  it('MP-30: pages with an address leave the rotor alone, also under the policy of the task', () => {
    const machine = tinyMachine();
    const task = thread(machine, 0, ['interleave', 1, 3], undefined);
    const file = machine.files.create('file', 'data', 2);
    machine.file.access(task, file, 0, false);
    expect(placeFresh(machine, task, START, 3)).toEqual([1, 3, 1]);
    machine.file.access(task, file, 1, false);
    expect(machine.frames.nodeOf(cachedFrame(file, 1))).toBe(3);
  });

  it('MP-3: setting the policy starts the rotor at the lowest node', () => {
    const machine = tinyMachine();
    const task = thread(machine, 0, ['interleave', 1, 3], undefined);
    const file = machine.files.create('file', 'data', 2);
    machine.file.access(task, file, 0, false);
    setPolicy(machine, task, POLICIES.interleave, 1, 3);
    machine.file.access(task, file, 1, false);
    expect(machine.frames.nodeOf(cachedFrame(file, 1))).toBe(1);
  });
});

interface Misplaced extends Expected<number> {
  readonly id: string;
  readonly says: string;
  readonly policy?: PolicyWords;
  /** Node of the task, node of the page, its page number. */
  readonly on: number;
  readonly page: number;
  readonly vpn?: number;
  readonly allowed?: readonly number[];
}

const FINE = -1;
const MISPLACED: readonly Misplaced[] = [
  // The examples of section 6: task on 0, page on 1.
  { id: 'section 6', says: 'preferred 1', policy: ['preferred', 1], on: 0, page: 1, both: FINE },
  {
    id: 'section 6',
    says: 'bind to 2 and 3: by number, or the nearest',
    policy: ['bind', 2, 3],
    on: 0,
    page: 1,
    mof: 3,
    old: 2,
  },
  { id: 'MP-63', says: 'local', policy: ['local'], on: 2, page: 1, mof: 2 },
  {
    id: 'MP-68',
    says: 'preferred-many, page on a node of it',
    policy: ['preferredMany', 1, 2],
    on: 0,
    page: 2,
    mof: FINE,
  },
  {
    id: 'MP-68',
    says: 'preferred-many, page outside: the nearest of it',
    policy: ['preferredMany', 2, 3],
    on: 0,
    page: 1,
    mof: 3,
  },
  {
    ...{ id: 'MP-65', says: 'weighted interleave, page on the wrong node of the set', policy: ['weighted', 1, 2] },
    ...{ on: 0, page: 1, vpn: 1001, mof: 2, v61: null },
  },
  {
    ...{
      id: 'MP-64',
      says: 'bind to 2 and 3, only 3 allowed: 3, for which 2012 asks the policy alone',
      policy: ['bind', 2, 3],
    },
    ...{ on: 0, page: 1, allowed: [0, 1, 3], both: 3 },
  },
  {
    ...{ id: 'MP-64', says: 'bind to 1 and 2, only 2 allowed: the first listed that is', policy: ['bind', 1, 2] },
    ...{ on: 0, page: 3, allowed: [0, 2, 3], old: 2 },
  },
  {
    ...{
      id: 'MP-64',
      says: 'bind to 2 and 3, none allowed, page on 2: fine for 2006, as DEFAULT by the review',
      policy: ['bind', 2, 3],
    },
    ...{ on: 0, page: 2, allowed: [0, 1], mof: 0, old: FINE },
  },
  { id: 'MP-62', says: 'default, page on 1, task on 0', on: 0, page: 1, both: 0 },
  { id: 'MP-62', says: 'default, page where the task is', on: 1, page: 1, both: FINE },
  { id: 'MP-63', says: 'preferred 1, page there', policy: ['preferred', 1], on: 0, page: 1, both: FINE },
  { id: 'MP-63', says: 'preferred 3, page on 1', policy: ['preferred', 3], on: 0, page: 1, both: 3 },
  { id: 'MP-63', says: 'preferred without a node', policy: ['preferred'], on: 0, page: 1, both: 0 },
  { id: 'MP-64', says: 'bind to 1 and 2, page on 1', policy: ['bind', 1, 2], on: 0, page: 1, both: FINE },
  { id: 'MP-64', says: 'bind to 1 and 2, page on 2', policy: ['bind', 1, 2], on: 0, page: 2, both: FINE },
  { id: 'MP-64', says: 'bind to 2 and 3, page on 1', policy: ['bind', 2, 3], on: 0, page: 1, mof: 3, old: 2 },
  {
    ...{ id: 'MP-64', says: 'bind to 1, 2 and 3, task on 2, page on 0', policy: ['bind', 1, 2, 3], on: 2, page: 0 },
    ...{ mof: 2, old: 1 },
  },
  { id: 'MP-65', says: 'interleave over 0 and 1, even', policy: ['interleave', 0, 1], on: 0, page: 1, both: 0 },
  {
    id: 'MP-65',
    says: 'interleave over 0 and 1, odd',
    policy: ['interleave', 0, 1],
    on: 0,
    page: 1,
    vpn: 1001,
    both: FINE,
  },
  { id: 'MP-65', says: 'interleave over 2 and 3, even', policy: ['interleave', 2, 3], on: 0, page: 1, both: 2 },
  {
    id: 'MP-65',
    says: 'interleave over 2 and 3, odd',
    policy: ['interleave', 2, 3],
    on: 0,
    page: 1,
    vpn: 1001,
    both: 3,
  },
  {
    ...{ id: 'MP-70', says: 'bind to nodes that the cpuset does not allow: as default', policy: ['bind', 2, 3] },
    ...{ on: 0, page: 1, allowed: [0, 1], both: 0 },
  },
  {
    ...{ id: 'MP-70', says: 'the same with the page where the task is', policy: ['bind', 2, 3] },
    ...{ on: 1, page: 1, allowed: [0, 1], both: FINE },
  },
];

describe('which page is misplaced (section 6)', () => {
  it('is told by 24 rows', () => {
    expect(MISPLACED).toHaveLength(24);
  });

  it.each(perEra<number, Misplaced>(MISPLACED))('$id [$profile] $says', (row) => {
    const { profile, on, page, vpn = START } = row;
    const machine = tinyMachine({ profile, distance: THREE_IS_NEAR_ZERO });
    const { task, vma } = processWithPages(machine, page, vpn, 1);
    moveTo(machine, task, on);
    if (row.policy !== undefined)
      setPolicy(machine, task, POLICIES[row.policy[0]], ...(row.policy.slice(1) as number[]));
    if (row.allowed !== undefined) task.cpuset = new Cpuset('some', 4, row.allowed.map(asNodeId));
    const ask = () => machine.misplaced.mpolMisplaced(task, vma, 0, frameAt(machine, task, vpn), false);
    const before = [task.ilPrev, machine.counters.snapshot()];
    expect([ask(), ask()]).toEqual([expectedIn(row, profile), expectedIn(row, profile)]); // MP-73: pure
    expect([task.ilPrev, machine.counters.snapshot()]).toEqual(before);
  });

  it('MP-66: without an address any node of the set is fine, else the rotor decides, and has been used', () => {
    const machine = tinyMachine();
    const file = machine.files.create('file', 'data', 1);
    const [pfn] = cacheOn(machine, 1, file);
    const ask = (...nodes: number[]) => {
      const task = thread(machine, 0, ['interleave', ...nodes], undefined);
      const home = machine.misplaced.mpolMisplaced(task, null, 0, pfn, false);
      return [home, task.ilPrev];
    };
    expect(ask(1, 3)).toEqual([FINE, -1]);
    expect(ask(2, 3)).toEqual([2, 2]);
  });

  it('MP-66: the second question without an address gets the next node', () => {
    const machine = tinyMachine();
    const [pfn] = cacheOn(machine, 1, machine.files.create('file', 'data', 1));
    const task = thread(machine, 0, ['interleave', 0, 2, 3], undefined);
    const answers = Array.from({ length: 4 }, () => machine.misplaced.mpolMisplaced(task, null, 0, pfn, false));
    expect(answers).toEqual([0, 2, 3, 0]);
  });

  it('MP-74: a page on the wrong node of an interleave set is misplaced for a fault, and not for mbind', () => {
    const machine = tinyMachine();
    const { task, vma } = processWithPages(machine, 1, START, 2);
    setPolicy(machine, task, POLICIES.interleave, 1, 3);
    expect(unmapLazily(machine, task)).toEqual({ looked: 0, unmapped: 0, left: 0, noSlot: 0 });
    expect(machine.misplaced.mpolMisplaced(task, vma, 1, frameAt(machine, task, START + 1), false)).toBe(3);
    setPolicy(machine, task, POLICIES.interleave, 2, 3);
    expect(unmapLazily(machine, task).unmapped).toBe(2);
  });

  it('MP-67: a policy that names the node where the page is has not called it misplaced', () => {
    const defaultPolicy = {
      ...POLICIES.default,
      create: () => ({ place: () => asNodeId(1), misplaced: () => asNodeId(1) }),
    };
    const machine = tinyMachine({ defaultPolicy });
    const { task, vma } = processWithPages(machine, 0, START, 1);
    unmapLazily(machine, task);
    machine.handleMmFault(task, pageOf(machine, vma, START), false);
    expect(machine.counters.get('mof_stay_c6_well_placed')).toBe(1);
  });

  it.each([-2, 4, 0.5, NaN])('an answer that is no node is a mistake of its author: %s', (answer) => {
    const wrong = (question: 'place' | 'misplaced') => {
      const create = () => ({
        place: () => asNodeId(0),
        misplaced: () => asNodeId(0),
        [question]: () => asNodeId(answer),
      });
      const machine = tinyMachine({ defaultPolicy: { ...POLICIES.default, create } });
      const task = processOn(machine, 1);
      mapAnon(machine, task, START, 1);
      machine.touch(task, START, true);
      unmapLazily(machine, task);
      machine.touch(task, START, true);
    };
    expect(() => wrong('place')).toThrow(/policy "default" answered place with .*expected a node/);
    expect(() => wrong('misplaced')).toThrow(/policy "default" answered misplaced with .*NO_NODE/);
  });

  it('MP-61: only marked policies are asked where the rule says so', () => {
    const machine = tinyMachine({ rules: { misplacedGate: 'marked-only' } });
    const { task } = processWithPages(machine, 1, START, 2);
    const policy = machine.policy.newPolicy(task, request(POLICIES.preferred, 3));
    machine.policy.setMempolicy(task, policy);
    policy.refs--;
    unmapLazily(machine, task);
    machine.touch(task, START, false);
    policy.isMof = true;
    machine.touch(task, START + 1, false);
    expect([nodeAt(machine, task, START), nodeAt(machine, task, START + 1)]).toEqual([1, 3]);
  });
});

describe('what single variants show in the check', () => {
  function answers(rules: NonNullable<TinyOptions['rules']>, remembered: number[], allowed: number[]): number {
    const machine = tinyMachine({ profile: 'mof-2006', rules });
    const { task, vma } = processWithPages(machine, 1, START, 1);
    moveTo(machine, task, 0);
    task.cpuset = new Cpuset('before', 4, remembered.map(asNodeId));
    setPolicy(machine, task, POLICIES.bind, 2, 3);
    task.cpuset = new Cpuset('now', 4, allowed.map(asNodeId));
    return machine.misplaced.mpolMisplaced(task, vma, 0, frameAt(machine, task, START), false);
  }

  it.each([
    { variant: 'by-task', remembered: [0, 1, 2], allowed: [0, 1, 3], home: 3 },
    { variant: 'by-policy', remembered: [0, 1, 2], allowed: [0, 1, 3], home: 2 }, // a node the task may not use
    { variant: 'by-policy', remembered: [0, 1], allowed: [0, 1, 3], home: 0 },
    { variant: 'as-reviewed', remembered: [0, 1, 2], allowed: [0, 1], home: 0 },
  ])('MP-70 [bindVetting=$variant] policy made for $remembered, task allowed $allowed: $home', (row) => {
    expect(answers({ bindVetting: row.variant }, row.remembered, row.allowed)).toBe(row.home);
  });

  it.each([
    { variant: 'with-fallback', policy: 'preferred', counted: 0 },
    { variant: 'with-fallback', policy: 'interleave', counted: 1 },
    { variant: 'miscounted', policy: 'preferred', counted: 1 },
    { variant: 'miscounted', policy: 'interleave', counted: 1 },
    { variant: 'this-node-only', policy: 'interleave', counted: 0 },
  ] as const)('MP-71 [misplacedTarget=$variant] a page moved under $policy counts as interleaved: $counted', (row) => {
    const machine = tinyMachine({ profile: 'mof-2006', rules: { misplacedTarget: row.variant } });
    const { task } = processWithPages(machine, 1, START, 1);
    setPolicy(machine, task, POLICIES[row.policy], 3);
    unmapLazily(machine, task);
    machine.touch(task, START, false);
    expect(nodeAt(machine, task, START)).toBe(3);
    expect(machine.counters.getNode('numa_interleave', 3)).toBe(row.counted);
  });

  it.each([
    { variant: 'late', home: 2, after: [2, 3] },
    { variant: 'after-lookup', home: 0, after: [2, 3] },
    { variant: 'at-once', home: 2, after: [2, 3] },
  ])('MP-60, MP-80 [cpusetNotice=$variant] a check after the cpuset changed asks the policy for $home', (row) => {
    const machine = tinyMachine({
      profile: 'mof-2006',
      rules: { cpusetNotice: row.variant, bindVetting: 'as-reviewed' },
    });
    const { task, vma } = processWithPages(machine, 1, START, 1);
    setPolicy(machine, task, POLICIES.interleave, 0, 1);
    machine.policy.cpusetSetMems(machine.rootCpuset, [0, 1].map(asNodeId)); // the sets agree so far
    machine.touch(task, START, true);
    mapAnon(machine, task, START + 50, 1);
    machine.touch(task, START + 50, true);
    machine.policy.cpusetSetMems(machine.rootCpuset, [2, 3].map(asNodeId));
    expect(machine.misplaced.mpolMisplaced(task, vma, 0, frameAt(machine, task, START), false)).toBe(row.home);
    expect(task.policy?.nodes).toEqual(row.after);
  });
});

describe('MP-43: zone reclaim', () => {
  /** Node 0 is full of clean file pages that nobody maps; then one more page is wanted there. */
  function placed(options: TinyOptions, far: number): { node: number; reclaimed: number } {
    const distance = [0, 1].map((from) => [0, 1].map((to) => (from === to ? 10 : far)));
    const machine = tinyMachine({ nodes: 2, framesPerNode: 256, swapPages: 0, ...options, distance });
    const task = processOn(machine, 0);
    cacheOn(machine, 0, machine.files.create('file', 'log', 128));
    fillNode(machine, 0, machine.zones.mark(asNodeId(0), 2));
    mapAnon(machine, task, START, 1);
    machine.touch(task, START, true);
    return { node: nodeAt(machine, task, START), reclaimed: machine.counters.get('zone_reclaim_success') };
  }

  it.each([
    { profile: 'mof-2006', far: 20, node: 1 },
    { profile: 'mof-2006', far: 21, node: 0 },
    { profile: 'mof', far: 21, node: 1 },
    { profile: 'linux-6.12', far: 40, node: 1 },
  ])('[$profile] distance $far: the page comes from node $node', ({ profile, far, node }) => {
    expect(placed({ profile, minFreeKbytes: 64 }, far)).toEqual({ node, reclaimed: 1 - node });
  });

  it('an administrator says otherwise', () => {
    const sysctls = { zoneReclaimMode: 0 };
    expect(placed({ profile: 'mof-2006', minFreeKbytes: 64, sysctls }, 21)).toEqual({ node: 1, reclaimed: 0 });
  });
});

describe('MP-45: lists are in node order, one zone per node', () => {
  it.each(COLUMNS)('[%s] interleaving over all nodes is periodic until the last page', (profile) => {
    const machine = tinyMachine({ profile, framesPerNode: [17, 16, 16, 16], swapPages: 0 }); // one frame is the zero page
    const task = thread(machine, 0, ['interleave', 0, 1, 2, 3], undefined);
    const nodes = placeFresh(machine, task, START, 64);
    expect(nodes).toEqual(Array.from({ length: 64 }, (_, i) => i % 4));
  });
});
