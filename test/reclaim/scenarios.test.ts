import { describe, expect, it } from 'vitest';
import {
  lru2616,
  lru61,
  lru612,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  watermarks2616,
  watermarks61,
  watermarks612,
} from '../../src/mm/index.js';
import { reclaim2616, reclaim61, reclaim612 } from '../../src/reclaim/index.js';
import { NO_PFN, type Pfn } from '../../src/units.js';
import { reclaimMachine } from '../support/reclaim-machine.js';

const ERAS = [
  { era: '6.12', rule: reclaim612, lru: lru612, watermarks: watermarks612 },
  { era: '6.1', rule: reclaim61, lru: lru61, watermarks: watermarks61 },
  { era: '2.6.16', rule: reclaim2616, lru: lru2616, watermarks: watermarks2616 },
];
const SPEEDS = [{ writesAtOnce: true }, { writesAtOnce: false }];
const MACHINES = ERAS.flatMap((era) => SPEEDS.map((speed) => ({ ...era, ...speed })));

describe('a full machine', () => {
  it.each(MACHINES)('$era, writes at once $writesAtOnce: swaps out rather than fails, and loses nothing', (machine) => {
    const m = reclaimMachine({ ...machine, pagesOfNode: [64, 64], swapPages: 600 });
    const vma = m.map(400);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 400; i++) {
        expect(m.touch(vma, i, (i + round) % 3 === 0)).not.toBe(NO_PFN); // compares the contents too
        if (i % 16 === 0) m.check();
      }
    }
    expect(m.counters.get('pswpout')).toBeGreaterThan(272);
    expect(m.block.inFlight === 0 || !machine.writesAtOnce).toBe(true);
    m.block.completeAll();
    m.check();
  });

  it.each(ERAS)('$era: without swap a program larger than memory is out of memory, an outcome', (era) => {
    const m = reclaimMachine({ ...era, pagesOfNode: [64, 64], swapPages: 0 });
    const vma = m.map(400);
    let touched = 0;
    while (m.touch(vma, touched, true) !== NO_PFN) touched++;
    const min = m.zones.mark(0 as never, 1);
    expect(touched).toBe(2 * (64 - min));
    for (let i = 0; i < touched; i++) expect(m.touch(vma, i)).not.toBe(NO_PFN);
    m.check();
  });

  it.each(ERAS)('$era: swap that is too small for the rest is out of memory as well', (era) => {
    const m = reclaimMachine({ ...era, pagesOfNode: [64, 64], swapPages: 50, writesAtOnce: true });
    const vma = m.map(400);
    let touched = 0;
    while (m.touch(vma, touched, true) !== NO_PFN) touched++;
    expect(touched).toBeGreaterThan(2 * 40);
    expect(touched).toBeLessThanOrEqual(128 + 50);
    m.check();
  });

  it.each(ERAS)('$era: file pages that are read once go, and the program stays in memory', (era) => {
    const m = reclaimMachine({ ...era, pagesOfNode: [128, 128] });
    const vma = m.map(64);
    for (let i = 0; i < 64; i++) m.touch(vma, i, true);
    const file = m.files.create('file', 'stream', 2000);
    for (let i = 0; i < 2000; i++) {
      expect(m.read(file, i)).not.toBe(NO_PFN);
      m.touch(vma, i % 64, true);
    }
    expect(m.counters.get('pgsteal_file')).toBeGreaterThan(1700);
    expect(m.counters.get('pswpout')).toBe(0);
    m.check();
  });

  it.each(MACHINES)('$era, writes at once $writesAtOnce: a mix of everything keeps the invariants', (machine) => {
    const m = reclaimMachine({ ...machine, pagesOfNode: [96, 96], swapPages: 400 });
    const anon = m.map(120);
    const file = m.files.create('file', 'data', 120);
    const shmem = m.files.create('shmem', 'segment', 60);
    const mapped = m.map(120, VM_READ | VM_WRITE | VM_SHARED, file);
    const segment = m.map(60, VM_READ | VM_WRITE | VM_SHARED, shmem);
    const stamps = new Map<string, number>();
    let state = 12345;
    for (let step = 0; step < 3000; step++) {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      const isWrite = (state & 64) !== 0;
      const kind = (state >> 8) % 4;
      const i = (state >> 12) % 60;
      const cpu = ((state >> 20) & 1) as never;
      const vma = [anon, mapped, segment, anon][kind];
      const offset = kind === 3 ? 60 + i : kind === 1 ? 2 * i : i;
      const pfn = m.touch(vma, offset, isWrite, cpu);
      expect(pfn).not.toBe(NO_PFN);
      if (vma.file !== null) {
        const key = `${vma.file.name} ${offset}`;
        if (isWrite) stamps.set(key, m.contents.get(pfn));
        expect(m.contents.get(pfn)).toBe(stamps.get(key) ?? 0); // INV-13 for shared pages
      }
      if (step % 50 === 0) m.check();
      m.meter.nowNs += 500;
    }
    m.block.completeAll();
    m.check();
    expect(m.counters.get('pgsteal_file')).toBeGreaterThan(0);
    expect(m.counters.get('pgsteal_anon')).toBeGreaterThan(0);
  });
});

describe('which pages stay', () => {
  it('a page that is used between scans survives; its neighbours that are not, go', () => {
    const m = reclaimMachine({ pagesOfNode: [96, 96], swapPages: 1000, writesAtOnce: true });
    const vma = m.map(600);
    const hot = m.touch(vma, 0, true);
    const cold = m.touch(vma, 1, true);
    for (let i = 2; i < 600; i++) {
      m.touch(vma, i, true);
      m.touch(vma, 0);
    }
    expect(m.tables.word[m.entry(vma, 0)]).toBe(hot);
    expect(m.tables.isPresent(m.entry(vma, 1))).toBe(false);
    expect(cold).not.toBe(hot);
    m.check();
  });

  it('pages that somebody holds stay where they are, whatever the need', () => {
    const m = reclaimMachine({ pagesOfNode: [64, 64], swapPages: 600, writesAtOnce: true });
    const vma = m.map(400);
    const pins = new Map<Pfn, number>();
    for (let i = 0; i < 10; i++) {
      const pfn = m.touch(vma, i, true);
      m.frames.get(pfn);
      pins.set(pfn, 1);
    }
    const stamps = [...pins.keys()].map((pfn) => m.contents.get(pfn));
    for (let i = 10; i < 400; i++) expect(m.touch(vma, i, true)).not.toBe(NO_PFN);
    expect([...pins.keys()].map((pfn) => m.contents.get(pfn))).toEqual(stamps);
    m.check(pins);
    for (let i = 0; i < 10; i++) expect(pins.has(m.touch(vma, i))).toBe(true);
  });

  it('a page under writeback is not freed before its write has ended', () => {
    const m = reclaimMachine({ pagesOfNode: [64, 64], swapPages: 600 });
    const vma = m.map(64);
    for (let i = 0; i < 40; i++) m.touch(vma, i, true);
    m.lru.drainAll();
    for (let i = 0; i < 6; i++) m.scanOnce(0);
    expect([m.counters.get('pgsteal_anon'), m.block.inFlight]).toEqual([0, 40]);
    m.check();
    m.block.completeAll();
    m.scanOnce(0);
    expect(m.counters.get('pgsteal_anon')).toBeGreaterThan(0);
    m.check();
  });

  it('RC-61: a file page that comes back soon starts active; after a long stream it does not', () => {
    const m = reclaimMachine({ pagesOfNode: [256, 0], swapPages: 0 });
    const file = m.files.create('file', 'table', 40);
    const stream = m.files.create('file', 'stream', 4000);
    for (let i = 0; i < 40; i++) m.frames.get(m.read(file, i)); // in use for now
    m.lru.drainAll();
    const active = [...Array(40).keys()].map((i) => file.slots.get(i) as Pfn);
    for (const pfn of active) m.lru.activate(pfn);
    const lone = m.files.create('file', 'lone', 1);
    m.read(lone, 0);
    let at = 0;
    while (lone.slots.get(0) !== 0) m.read(stream, at++);
    m.read(lone, 0);
    expect(m.counters.get('workingset_refault_file')).toBe(1);
    expect(m.counters.get('workingset_activate_file')).toBe(1);
    m.lru.drainAll();
    expect(m.frames.isActive(lone.slots.get(0) as Pfn)).toBe(true);
    m.check(new Map(active.map((pfn) => [pfn, 1])));

    m.read(stream, 0); // evicted at the very beginning
    expect(m.counters.get('workingset_refault_file')).toBe(2);
    for (let i = at; i < 1500; i++) m.read(stream, i);
    m.read(stream, at + 2);
    const refaults = m.counters.get('workingset_refault_file');
    expect(refaults).toBeGreaterThan(2);
    expect(m.counters.get('workingset_activate_file')).toBeLessThan(refaults);
  });
});
