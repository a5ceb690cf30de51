import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import {
  LRU_ACTIVE_ANON,
  LRU_INACTIVE_ANON,
  PG_ACTIVE,
  PG_LRU,
  PG_REFERENCED,
  PG_UNEVICTABLE,
} from '../../src/mm/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import { cacheOn, processWithPages } from '../support/arrange.js';
import { freePages, lruLists } from '../support/snapshot.js';
import { cpuOf, frameAt, mapAnon, processOn, tinyMachine, touchAll } from '../support/tiny-machine.js';

// The lists of a node, the vectors before them, and the zero page: PL-11, PL-12, PL-20..PL-24.

const START = 1000;

function onePage(profile = 'mof') {
  const machine = tinyMachine({ profile });
  const { task, vma } = processWithPages(machine, 1, START, 1);
  return { machine, task, vma, pfn: frameAt(machine, task, START) };
}

const countOf = ({ frames }: Machine, pfn: Pfn): [number, number] => [frames.count(pfn), frames.mapcount(pfn)];

describe('PL-11: the first touch of private memory', () => {
  it.each([
    ['mof', LRU_INACTIVE_ANON],
    ['mof-2006', LRU_ACTIVE_ANON],
  ] as const)('[%s] leaves one reference, one mapping, and the page on list %i', (profile, list) => {
    const { machine, pfn } = onePage(profile);
    expect(countOf(machine, pfn)).toEqual([1, 1]);
    expect(lruLists(machine)).toEqual({ [`1.${list}`]: [pfn] });
    expect(machine.frames.has(pfn, PG_ACTIVE)).toBe(list === LRU_ACTIVE_ANON);
  });
});

describe('PL-12: the zero page', () => {
  it('is mapped by first reads and counted nowhere', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 2);
    const vma = mapAnon(machine, task, START, 4);
    const before = [countOf(machine, machine.zeroPage), freePages(machine)];
    touchAll(machine, task, START, 4, false);
    expect(frameAt(machine, task, START + 3)).toBe(machine.zeroPage);
    expect([countOf(machine, machine.zeroPage), freePages(machine)]).toEqual(before);
    expect([vma.space.rssAnon, vma.space.rssFile]).toEqual([0, 0]);
    expect(machine.counters.get('fault_zero_page')).toBe(4);
    checkMachine(machine);
  });

  it('lies on the lowest node with memory', () => {
    expect(tinyMachine().frames.nodeOf(tinyMachine().zeroPage)).toBe(0);
    const machine = tinyMachine({ framesPerNode: [0, 16, 16, 16] });
    expect(machine.frames.nodeOf(machine.zeroPage)).toBe(1);
  });

  it('is never isolated and never unmapped lazily', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 2);
    const vma = mapAnon(machine, task, START, 1);
    machine.touch(task, START, false);
    expect(machine.lru.isolate(machine.zeroPage)).toBe(false);
    expect(machine.policy.unmapLazily(task, [vma], null)).toEqual({ looked: 0, unmapped: 0, left: 0, noSlot: 0 });
    expect(frameAt(machine, task, START)).toBe(machine.zeroPage);
  });
});

describe('PL-20: a page in a vector', () => {
  it('has one more reference, is on no list, and cannot be isolated', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 1);
    mapAnon(machine, task, START, 1);
    const pfn = machine.touch(task, START, true);
    expect(countOf(machine, pfn)).toEqual([2, 1]);
    expect(machine.frames.has(pfn, PG_LRU)).toBe(false);
    expect(machine.lru.isolate(pfn)).toBe(false);
    checkMachine(machine);
  });

  it("stays there when another CPU's vector is drained", () => {
    const machine = tinyMachine();
    const task = processOn(machine, 1);
    mapAnon(machine, task, START, 1);
    const pfn = machine.touch(task, START, true);
    machine.lru.drain(cpuOf(machine, 2));
    expect(machine.frames.isOnLru(pfn)).toBe(false);
    machine.lru.drain(cpuOf(machine, 1));
    expect(machine.frames.isOnLru(pfn)).toBe(true);
    expect(countOf(machine, pfn)).toEqual([1, 1]);
  });

  it('leaves it when the vector is full', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 1);
    const { batch } = machine.rules.lru;
    mapAnon(machine, task, START, batch);
    touchAll(machine, task, START, batch - 1, true);
    expect(lruLists(machine)).toEqual({});
    machine.touch(task, START + batch - 1, true);
    expect(machine.lru.size(asNodeId(1), LRU_INACTIVE_ANON)).toBe(batch);
  });

  it('is freed for good only when the vector lets go', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 1);
    mapAnon(machine, task, START, 1);
    const pfn = machine.touch(task, START, true);
    machine.process.exit(task);
    expect(countOf(machine, pfn)).toEqual([1, 0]);
    checkMachine(machine);
    machine.lru.drainAll();
    expect(countOf(machine, pfn)).toEqual([0, 0]);
    checkMachine(machine);
  });
});

describe('isolation and putback', () => {
  it('PL-21: isolation takes the page off its list and a reference, once', () => {
    const { machine, pfn } = onePage();
    expect(machine.lru.isolate(pfn)).toBe(true);
    expect(countOf(machine, pfn)).toEqual([2, 1]);
    expect(machine.lru.isolate(pfn)).toBe(false);
    expect(lruLists(machine)).toEqual({});
    expect(() => checkMachine(machine)).toThrow('INV-3: pages are isolated');
  });

  it.each([true, false])('PL-22: putback goes through the vector to the same kind of list (active: %s)', (isActive) => {
    const { machine, task, pfn } = onePage();
    if (isActive) machine.lru.activate(pfn);
    const before = lruLists(machine);
    machine.lru.isolate(pfn);
    machine.lru.putback(task.cpu, pfn);
    expect(machine.frames.isOnLru(pfn)).toBe(false);
    expect(countOf(machine, pfn)).toEqual([2, 1]); // the vector's
    machine.lru.drainAll();
    expect(lruLists(machine)).toEqual(before);
    expect(countOf(machine, pfn)).toEqual([1, 1]);
    checkMachine(machine);
  });

  it('PL-23: a page that everybody else let go of while it was isolated is freed by putback', () => {
    const { machine, task, pfn } = onePage();
    const free = machine.zones.free(asNodeId(1));
    machine.lru.isolate(pfn);
    machine.process.exit(task);
    expect(countOf(machine, pfn)).toEqual([1, 0]);
    machine.lru.putback(task.cpu, pfn);
    expect(machine.zones.free(asNodeId(1))).toBe(free + 1);
    checkMachine(machine);
  });
});

describe('PL-24: marking a page accessed', () => {
  it('makes it referenced, then active and unreferenced, then referenced', () => {
    const { machine, pfn } = onePage();
    const seen = Array.from({ length: 3 }, () => {
      machine.lru.markAccessed(pfn);
      return [machine.frames.has(pfn, PG_REFERENCED), machine.frames.isActive(pfn)];
    });
    expect(seen).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
    expect(machine.counters.get('pgactivate')).toBe(1);
    checkMachine(machine);
  });

  it('does not activate a page in a vector, nor one that cannot be evicted', () => {
    const { machine, task, pfn } = onePage();
    machine.lru.isolate(pfn);
    machine.lru.putback(task.cpu, pfn);
    machine.lru.markAccessed(pfn);
    machine.lru.markAccessed(pfn);
    expect(machine.frames.isActive(pfn)).toBe(false);
    const [cached] = cacheOn(machine, 1, machine.files.create('file', 'data', 1));
    machine.lru.remove(cached);
    machine.frames.set(cached, PG_UNEVICTABLE);
    machine.lru.addToHead(cached);
    machine.lru.markAccessed(cached);
    machine.lru.markAccessed(cached);
    expect(machine.frames.isActive(cached)).toBe(false);
  });

  it('S4: a fault of 2006 marks the page, one of 6.x does not', () => {
    const marks = ['mof', 'mof-2006'].map((profile) => {
      const { machine, task, vma, pfn } = onePage(profile);
      machine.frames.clear(pfn, PG_REFERENCED);
      machine.policy.unmapLazily(task, [vma], null);
      machine.touch(task, START, false);
      return machine.frames.has(pfn, PG_REFERENCED);
    });
    expect(marks).toEqual([false, true]);
  });
});
