import { describe, expect, it } from 'vitest';
import { PTE_YOUNG } from '../../src/hardware/index.js';
import {
  lru2616,
  PG_ACTIVE,
  PG_DIRTY,
  PG_LOCKED,
  PG_PRIVATE,
  PG_REFERENCED,
  VM_LOCKED,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  watermarks2616,
} from '../../src/mm/index.js';
import { reclaim2616 } from '../../src/reclaim/index.js';
import { MAPPED_TENDENCY, PassCounts, swapTendency } from '../../src/reclaim/mixed-lists.js';
import type { Pfn } from '../../src/units.js';
import { reclaimMachine, type ReclaimMachine, type ReclaimMachineOptions } from '../support/reclaim-machine.js';

const ERA = { rule: reclaim2616, lru: lru2616, watermarks: watermarks2616 };
const GONE = -1;
const INACTIVE = 0;
const ACTIVE = 1;

describe('RC-81 the tendency to take mapped pages', () => {
  const X16 = [
    { mapped: 60, previous: 12, tendency: 90, takes: false },
    { mapped: 80, previous: 12, tendency: 100, takes: true },
    { mapped: 60, previous: 2, tendency: 115, takes: true },
  ];

  it('X16: has three rows', () => {
    expect(X16).toHaveLength(3);
  });

  it.each(X16)('X16: $mapped % mapped after priority $previous: $tendency', ({ mapped, previous, tendency, takes }) => {
    expect(swapTendency(mapped * 10, 1000, previous, 60)).toBe(tendency);
    expect(tendency >= MAPPED_TENDENCY).toBe(takes);
  });
});

describe('RC-80 counts that grow until a list is scanned', () => {
  it('X17: 40000 pages at priority 12 are scanned in the fourth pass, 40 of them', () => {
    const counts = new PassCounts(1);
    const passes = () => [1, 2, 3, 4].map(() => counts.add(0, 40000, 12));
    expect(passes()).toEqual([0, 0, 0, 40]);
    expect(passes()).toEqual([0, 0, 0, 40]);
  });

  it('a list is scanned in chunks, active pages first, whatever was freed', () => {
    const m = reclaimMachine({ ...ERA, pagesOfNode: [256, 256] });
    const file = m.files.create('file', 'data', 100);
    for (let i = 0; i < 100; i++) m.read(file, i);
    m.lru.drainAll();
    expect(m.lru.size(0 as never, INACTIVE)).toBe(100); // RC-83: file reads start inactive
    const scan = m.scanOnce(0);
    expect([scan.scanned, scan.reclaimed]).toEqual([100, 100]);
    m.check();
  });
});

/** An anonymous page on the inactive list, its young bit taken. */
function oldAnon(m: ReclaimMachine, flags = VM_READ | VM_WRITE): Pfn {
  const vma = m.map(1, flags);
  const pfn = m.touch(vma, 0, true);
  m.lru.drainAll();
  m.lru.remove(pfn);
  m.frames.clear(pfn, PG_ACTIVE);
  m.lru.addToHead(pfn);
  m.tables.bits[m.entry(vma, 0)] &= ~PTE_YOUNG;
  return pfn;
}

function filePage(m: ReclaimMachine): Pfn {
  return m.read(m.files.create('file', 'data', 4), 0);
}

interface Row {
  readonly name: string;
  readonly options?: ReclaimMachineOptions;
  readonly arrange: (m: ReclaimMachine) => Pfn;
  readonly pins?: number;
  readonly list: number;
}

/** RC-82 in its order. */
const ROWS: readonly Row[] = [
  {
    name: 'its lock is busy: kept',
    arrange(m) {
      const pfn = filePage(m);
      m.frames.set(pfn, PG_LOCKED);
      return pfn;
    },
    list: INACTIVE,
    pins: 0,
  },
  {
    name: 'under writeback: kept',
    arrange(m) {
      const pfn = filePage(m);
      m.swapOut.startWrite(pfn);
      return pfn;
    },
    list: INACTIVE,
  },
  {
    name: 'referenced and mapped: activated',
    arrange(m) {
      const pfn = oldAnon(m);
      m.frames.set(pfn, PG_REFERENCED);
      return pfn;
    },
    list: ACTIVE,
  },
  {
    name: 'referenced, its file is mapped by somebody: activated',
    arrange(m) {
      const pfn = filePage(m);
      m.map(1, VM_READ, m.files.get(m.frames.mapping(pfn)));
      m.frames.set(pfn, PG_REFERENCED);
      return pfn;
    },
    list: ACTIVE,
  },
  {
    name: 'referenced and not in use: freed if it is clean',
    arrange(m) {
      const pfn = filePage(m);
      m.frames.set(pfn, PG_REFERENCED);
      return pfn;
    },
    list: GONE,
  },
  { name: 'anonymous, no slot: activated', options: { swapPages: 0 }, arrange: (m) => oldAnon(m), list: ACTIVE },
  {
    name: 'mapped by a locked area: activated',
    arrange: (m) => oldAnon(m, VM_READ | VM_WRITE | VM_LOCKED),
    list: ACTIVE,
  },
  {
    name: 'dirty and referenced: kept',
    arrange(m) {
      const pfn = filePage(m);
      m.frames.set(pfn, PG_DIRTY | PG_REFERENCED);
      return pfn;
    },
    list: INACTIVE,
  },
  { name: 'dirty and anonymous: written, kept meanwhile', arrange: (m) => oldAnon(m), list: INACTIVE },
  {
    name: 'dirty and anonymous, RAM disk: freed',
    options: { writesAtOnce: true },
    arrange: (m) => oldAnon(m),
    list: GONE,
  },
  {
    name: 'buffers not released: activated',
    options: { buffersBusy: () => true },
    arrange(m) {
      const pfn = filePage(m);
      m.frames.set(pfn, PG_PRIVATE);
      m.frames.get(pfn);
      return pfn;
    },
    list: ACTIVE,
  },
  {
    name: 'another reference: kept',
    arrange(m) {
      const pfn = filePage(m);
      m.frames.get(pfn);
      return pfn;
    },
    pins: 1,
    list: INACTIVE,
  },
  { name: 'else freed', arrange: filePage, list: GONE },
];

describe('RC-82 what happens to a scanned inactive page in 2.6.16', () => {
  it('has 13 rows', () => {
    expect(ROWS).toHaveLength(13);
  });

  it.each(ROWS)('$name', ({ options, arrange, pins, list }) => {
    const m = reclaimMachine({ ...ERA, ...options });
    const file = m.files.create('file', 'filler', 64); // so that the count comes to 32
    m.files.create('file', 'other', 1);
    for (let i = 0; i < 40; i++) m.read(file, i);
    m.lru.drainAll();
    const pfn = arrange(m);
    m.lru.drainAll();
    m.scanOnce(0);
    if (list === GONE) expect(m.isFree(pfn)).toBe(true);
    else expect([m.frames.isOnLru(pfn), m.lru.listOf(pfn)]).toEqual([true, list]);
    m.check(pins === undefined ? undefined : new Map([[pfn, pins]]));
  });

  it('PL-50: a shmem page gets its slot in one scan and is written in the next', () => {
    const m = reclaimMachine(ERA);
    const file = m.files.create('shmem', 'segment', 64);
    const vma = m.map(64, VM_READ | VM_WRITE | VM_SHARED, file);
    const pages: Pfn[] = [];
    for (let i = 0; i < 40; i++) {
      pages.push(m.touch(vma, i, true));
      m.tables.bits[m.entry(vma, i)] &= ~PTE_YOUNG;
    }
    m.lru.drainAll();
    for (const pfn of pages) {
      m.lru.remove(pfn);
      m.frames.clear(pfn, PG_ACTIVE);
      m.lru.addToHead(pfn);
    }
    m.scanOnce(0);
    // 40 >> 0 and one more are looked at (RC-80), so the oldest page is met a second time.
    expect(pages.every((pfn) => m.frames.isSwapCache(pfn))).toBe(true);
    expect(pages.slice(1).every((pfn) => m.frames.isDirty(pfn))).toBe(true);
    expect(m.counters.get('pswpout')).toBe(1);
    m.scanOnce(0);
    expect(m.counters.get('pswpout')).toBe(40);
    m.check();
  });
});

describe('RC-81 active pages in 2.6.16', () => {
  it('mapped pages stay until the tendency has come to 100, then those not used go', () => {
    const m = reclaimMachine({ ...ERA, pagesOfNode: [64, 64] });
    const vma = m.map(64);
    for (let i = 0; i < 40; i++) m.touch(vma, i, true);
    m.lru.drainAll();
    expect(m.lru.size(0 as never, ACTIVE)).toBe(40); // RC-83
    for (let i = 0; i < 40; i += 2) m.tables.bits[m.entry(vma, i)] &= ~PTE_YOUNG;
    m.scanOnce(0); // 31 % mapped, previous priority 12: 15 + 60
    expect(m.counters.get('pgdeactivate')).toBe(0);
    m.scanOnce(0); // previous priority 0: 100 more. 41 pages are looked at: one of the used ones twice
    expect(m.counters.get('pgdeactivate')).toBe(21);
    expect(m.lru.size(0 as never, ACTIVE)).toBe(19);
    m.check();
  });
});
