import { describe, expect, it } from 'vitest';
import { PTE_YOUNG } from '../../src/hardware/index.js';
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  PG_DIRTY,
  PG_LOCKED,
  PG_MLOCKED,
  PG_PRIVATE,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_WORKINGSET,
  VM_EXEC,
  VM_LOCKED,
  VM_RAND_READ,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from '../../src/mm/index.js';
import { PIN_REFERENCES } from '../../src/reclaim/index.js';
import type { Pfn } from '../../src/units.js';
import { reclaimMachine, type ReclaimMachine, type ReclaimMachineOptions } from '../support/reclaim-machine.js';

const GONE = -1;

/** An anonymous page, used once, with its young bit already taken. */
function oldAnon(m: ReclaimMachine): Pfn {
  const vma = m.map(1);
  const pfn = m.touch(vma, 0, true);
  m.tables.bits[m.entry(vma, 0)] &= ~PTE_YOUNG;
  return pfn;
}

function fileOf(m: ReclaimMachine, kind: 'file' | 'shmem' = 'file') {
  return m.files.create(kind, 'data', 8);
}

function readPage(m: ReclaimMachine): Pfn {
  return m.read(fileOf(m), 0);
}

function oldShmem(m: ReclaimMachine): Pfn {
  const vma = m.map(1, VM_READ | VM_WRITE | VM_SHARED, fileOf(m, 'shmem'));
  const pfn = m.touch(vma, 0, true);
  m.tables.bits[m.entry(vma, 0)] &= ~PTE_YOUNG;
  return pfn;
}

function hold(m: ReclaimMachine, pfn: Pfn, references: number): Map<Pfn, number> {
  for (let i = 0; i < references; i++) m.frames.get(pfn);
  return new Map([[pfn, references]]);
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly options?: ReclaimMachineOptions;
  /** Makes the page; `pins`: what the test holds of it. */
  readonly arrange: (m: ReclaimMachine) => { pfn: Pfn; pins?: Map<Pfn, number> };
  /** The list it is on after one scan, or `GONE`. */
  readonly list: number;
  readonly also?: (m: ReclaimMachine, pfn: Pfn) => void;
  readonly direct?: boolean;
  readonly mayUnmap?: boolean;
  readonly mayWrite?: boolean;
}

const ROWS: readonly Row[] = [
  {
    id: 'RC-40',
    name: 'a page whose lock is busy is kept, its young bit too',
    arrange(m) {
      const pfn = oldAnon(m);
      m.frames.set(pfn, PG_LOCKED);
      return { pfn, pins: new Map([[pfn, 0]]) };
    },
    list: LRU_INACTIVE_ANON,
    also: (m, pfn) => expect(m.frames.isSwapCache(pfn)).toBe(false),
  },
  {
    id: 'RC-41',
    name: 'an mlocked page goes to the unevictable list',
    arrange(m) {
      const pfn = oldAnon(m);
      m.lru.drainAll();
      m.frames.set(pfn, PG_MLOCKED);
      return { pfn };
    },
    list: LRU_UNEVICTABLE,
    also: (m) => expect(m.counters.get('pgactivate')).toBe(0),
  },
  {
    id: 'RC-42',
    name: 'a mapped page is kept if unmapping is not allowed',
    arrange: (m) => ({ pfn: oldAnon(m) }),
    list: LRU_INACTIVE_ANON,
    mayUnmap: false,
    also: (m, pfn) => expect(m.frames.mapcount(pfn)).toBe(1),
  },
  {
    id: 'RC-43',
    name: 'a page under writeback is activated, and leaves at the tail when its write ends',
    arrange(m) {
      const pfn = readPage(m);
      m.frames.set(pfn, PG_DIRTY);
      m.swapOut.startWrite(pfn);
      return { pfn };
    },
    list: LRU_ACTIVE_FILE,
    also(m, pfn) {
      expect(m.frames.has(pfn, PG_RECLAIM)).toBe(true);
      m.block.completeAll();
      expect(m.lru.listOf(pfn)).toBe(LRU_INACTIVE_FILE);
      expect(m.frames.previous(m.lru.head(m.frames.nodeOf(pfn), LRU_INACTIVE_FILE))).toBe(pfn);
      expect(m.counters.get('pgrotated')).toBe(1);
    },
  },
  {
    id: 'RC-44',
    name: 'a page used since the last scan is kept',
    arrange: (m) => ({ pfn: m.touch(m.map(1), 0, true) }),
    list: LRU_INACTIVE_ANON,
    also: (m, pfn) => expect(m.frames.has(pfn, PG_REFERENCED)).toBe(true),
  },
  {
    id: 'RC-44',
    name: 'a page in a locked area ends unevictable',
    arrange: (m) => ({ pfn: m.touch(m.map(1, VM_READ | VM_WRITE | VM_LOCKED), 0, true) }),
    list: LRU_UNEVICTABLE,
  },
  {
    id: 'RC-46',
    name: 'a pinned anonymous page is kept and gets no slot',
    arrange(m) {
      const pfn = oldAnon(m);
      return { pfn, pins: hold(m, pfn, PIN_REFERENCES) };
    },
    list: LRU_INACTIVE_ANON,
    also: (m, pfn) => expect([m.frames.isSwapCache(pfn), m.frames.mapcount(pfn)]).toEqual([false, 1]),
  },
  {
    id: 'RC-46',
    name: 'without a slot left it is activated',
    options: { swapPages: 1 },
    arrange(m) {
      const pfn = oldAnon(m);
      const other = oldAnon(m); // scanned later, so it finds no slot
      expect(other).not.toBe(pfn);
      return { pfn: other };
    },
    list: LRU_ACTIVE_ANON,
  },
  {
    id: 'RC-48',
    name: 'a pinned file page is unmapped and activated',
    arrange(m) {
      const vma = m.map(1, VM_READ, fileOf(m));
      const pfn = m.touch(vma, 0);
      m.tables.bits[m.entry(vma, 0)] &= ~PTE_YOUNG;
      return { pfn, pins: hold(m, pfn, PIN_REFERENCES) };
    },
    list: LRU_ACTIVE_FILE,
    also: (m, pfn) => expect(m.frames.mapcount(pfn)).toBe(0),
  },
  {
    id: 'RC-49',
    name: 'a dirty file page is activated, written by the flusher and leaves when that has ended',
    arrange(m) {
      const pfn = readPage(m);
      m.contents.set(pfn, 77);
      m.frames.set(pfn, PG_DIRTY);
      return { pfn };
    },
    list: LRU_ACTIVE_FILE,
    also(m, pfn) {
      expect(m.counters.get('nr_vmscan_immediate_reclaim')).toBe(1);
      expect(m.counters.get('nr_vmscan_write')).toBe(0);
      expect(m.frames.isWriteback(pfn)).toBe(true);
      m.block.completeAll();
      m.scanOnce(0);
      expect(m.isFree(pfn)).toBe(true);
      expect(m.files.get(1).disk.get(0)).toBe(77);
    },
  },
  {
    id: 'RC-49',
    name: 'the background reclaimer writes a dirty file page itself when it meets it again',
    arrange(m) {
      const pfn = readPage(m);
      m.frames.set(pfn, PG_DIRTY | PG_RECLAIM);
      return { pfn };
    },
    list: LRU_INACTIVE_FILE,
    also: (m, pfn) => expect([m.counters.get('nr_vmscan_write'), m.frames.isWriteback(pfn)]).toEqual([1, true]),
  },
  {
    id: 'RC-49',
    name: '… but keeps it, unwritten, if it was used lately',
    arrange(m) {
      const pfn = readPage(m);
      m.frames.set(pfn, PG_DIRTY | PG_RECLAIM | PG_REFERENCED);
      return { pfn };
    },
    list: LRU_INACTIVE_FILE,
    also: (m) => expect(m.counters.get('nr_vmscan_write')).toBe(0),
  },
  {
    id: 'RC-49',
    name: 'a direct reclaimer leaves it to the flusher every time',
    direct: true,
    arrange(m) {
      const pfn = readPage(m);
      m.frames.set(pfn, PG_DIRTY | PG_RECLAIM);
      return { pfn };
    },
    list: LRU_ACTIVE_FILE,
    also: (m) => expect(m.counters.get('nr_vmscan_immediate_reclaim')).toBe(1),
  },
  {
    id: 'RC-50',
    name: 'a dirty anonymous page with another reference is kept, in the swap cache and unmapped',
    arrange(m) {
      const pfn = oldAnon(m);
      return { pfn, pins: hold(m, pfn, 1) };
    },
    list: LRU_INACTIVE_ANON,
    also: (m, pfn) =>
      expect([m.frames.isSwapCache(pfn), m.frames.mapcount(pfn), m.frames.isDirty(pfn)]).toEqual([true, 0, true]),
  },
  {
    id: 'RC-50',
    name: 'a shmem page for which no slot is left is activated and stays in its object',
    options: { swapPages: 1 },
    arrange(m) {
      oldAnon(m);
      return { pfn: oldShmem(m) };
    },
    list: LRU_ACTIVE_ANON,
    also: (m, pfn) => expect([m.frames.mapping(pfn), m.frames.isDirty(pfn)]).toEqual([1, true]),
  },
  {
    id: 'RC-50',
    name: 'a dirty shmem page gets a slot, is written and kept until that has ended',
    arrange: (m) => ({ pfn: oldShmem(m) }),
    list: LRU_INACTIVE_ANON,
    also(m, pfn) {
      expect(m.frames.has(pfn, PG_RECLAIM)).toBe(true);
      expect([m.counters.get('pswpout'), m.counters.get('nr_vmscan_write')]).toEqual([1, 1]);
      m.block.completeAll();
      m.scanOnce(0);
      expect(m.isFree(pfn)).toBe(true);
      expect(m.files.get(1).slots.get(0)).toBeLessThan(0);
    },
  },
  {
    id: 'RC-50',
    name: 'on a RAM disk a dirty anonymous page is written and freed in one scan',
    options: { writesAtOnce: true },
    arrange: (m) => ({ pfn: oldAnon(m) }),
    list: GONE,
    also: (m) => expect([m.counters.get('pswpout'), m.counters.get('pgsteal_anon')]).toEqual([1, 1]),
  },
  {
    id: 'RC-50',
    name: 'a dirty page is kept by a reclaim that may not write',
    mayWrite: false,
    arrange: (m) => ({ pfn: oldAnon(m) }),
    list: LRU_INACTIVE_ANON,
    also: (m) => expect(m.counters.get('nr_vmscan_write')).toBe(0),
  },
  {
    id: 'RC-51',
    name: 'a page whose buffers cannot be dropped is activated',
    options: { buffersBusy: () => true },
    arrange(m) {
      const pfn = readPage(m);
      m.frames.set(pfn, PG_PRIVATE);
      m.frames.get(pfn);
      return { pfn };
    },
    list: LRU_ACTIVE_FILE,
  },
  {
    id: 'RC-51',
    name: 'a page whose buffers can be dropped is freed',
    arrange(m) {
      const pfn = readPage(m);
      m.frames.set(pfn, PG_PRIVATE);
      m.frames.get(pfn);
      return { pfn };
    },
    list: GONE,
  },
  {
    id: 'RC-52',
    name: 'a clean page with another reference is kept in its cache',
    arrange(m) {
      const pfn = readPage(m);
      return { pfn, pins: hold(m, pfn, 1) };
    },
    list: LRU_INACTIVE_FILE,
    also: (m, pfn) => expect(m.frames.mapping(pfn)).toBe(1),
  },
  {
    id: 'RC-52',
    name: 'a page that is dirty again is kept in its cache',
    options: { buffersBusy: () => false },
    arrange(m) {
      const pfn = readPage(m);
      m.frames.set(pfn, PG_PRIVATE);
      m.frames.get(pfn);
      const { clear } = m.frames;
      m.frames.clear = (page, flag) => {
        clear.call(m.frames, page, flag);
        if (flag === PG_PRIVATE) m.frames.set(page, PG_DIRTY); // letting go of its buffers showed that one was
      };
      return { pfn };
    },
    list: LRU_INACTIVE_FILE,
    also: (m, pfn) => expect([m.frames.mapping(pfn), m.frames.isDirty(pfn)]).toEqual([1, true]),
  },
  {
    id: 'RC-53',
    name: 'a clean file page is freed and leaves a shadow',
    arrange: (m) => ({ pfn: readPage(m) }),
    list: GONE,
    also(m) {
      const file = m.files.get(1);
      expect([file.slots.get(0), file.shadowAge.get(0), m.lru.ages[0]]).toEqual([0, 1, 1]);
    },
  },
];

describe('RC-40..RC-53 what happens to a scanned page', () => {
  it('has 23 rows, over every step but demotion (RC-45), which is not there, and RC-47, told below', () => {
    expect(ROWS).toHaveLength(23);
    const ids = new Set(ROWS.map((row) => row.id));
    expect([...ids]).toEqual([
      'RC-40',
      'RC-41',
      'RC-42',
      'RC-43',
      'RC-44',
      'RC-46',
      'RC-48',
      'RC-49',
      'RC-50',
      'RC-51',
      'RC-52',
      'RC-53',
    ]);
  });

  it.each(ROWS)('$id: $name', (row) => {
    const m = reclaimMachine(row.options);
    const { pfn, pins } = row.arrange(m);
    m.lru.drainAll();
    m.scanOnce(0, row.direct !== true, (scan) => {
      scan.mayUnmap = row.mayUnmap ?? true;
      scan.mayWrite = row.mayWrite ?? true;
    });
    if (row.list === GONE) expect(m.isFree(pfn)).toBe(true);
    else expect([m.frames.isOnLru(pfn), m.lru.listOf(pfn)]).toEqual([true, row.list]);
    row.also?.(m, pfn);
    m.check(pins);
  });

  it('RC-47: a page that is still mapped after unmapping is activated', () => {
    const m = reclaimMachine();
    const file = fileOf(m);
    // Read at random, so that the reference test passes it over, and locked, so that unmapping does (6.12).
    const vma = m.map(1, VM_READ | VM_LOCKED | VM_RAND_READ, file);
    const pfn = m.touch(vma, 0);
    m.lru.drainAll();
    m.scanOnce(0);
    expect([m.lru.listOf(pfn), m.frames.mapcount(pfn)]).toEqual([LRU_ACTIVE_FILE, 1]);
    m.check();
  });

  it('RC-47: every entry of a shared page goes, each with its dirty bit', () => {
    const m = reclaimMachine();
    const file = fileOf(m, 'shmem');
    const vmas = [m.map(1, VM_READ | VM_WRITE | VM_SHARED, file), m.map(1, VM_READ | VM_WRITE | VM_SHARED, file)];
    const pfn = m.touch(vmas[0], 0);
    expect(m.touch(vmas[1], 0, true)).toBe(pfn);
    for (const vma of vmas) m.tables.bits[m.entry(vma, 0)] &= ~PTE_YOUNG;
    m.lru.drainAll();
    m.scanOnce(0);
    expect([m.frames.mapcount(pfn), m.frames.isSwapCache(pfn), m.counters.get('pswpout')]).toEqual([0, true, 1]);
    m.check();
  });

  it('RC-54: an activated page gives up its slot when swap is over half full, and keeps it otherwise', () => {
    for (const [slots, keeps] of [
      [3, false],
      [4, true],
    ] as const) {
      const m = reclaimMachine({ swapPages: slots });
      const vma = m.map(1);
      const pfn = m.touch(vma, 0, true);
      m.lru.drainAll();
      m.frames.tryLock(pfn);
      m.swapOut.addToSwap(pfn);
      m.frames.unlock(pfn);
      m.swap.allocate(); // somebody else's
      m.frames.set(pfn, PG_REFERENCED); // and its young bit: activate
      m.scanOnce(0);
      expect([m.counters.get('pgactivate'), m.frames.isSwapCache(pfn), m.frames.isDirty(pfn)]).toEqual([
        1,
        keeps,
        true,
      ]);
      expect(m.swap.free).toBe(2);
    }
  });

  it('RC-50: a swap-cache page that no entry names any more is dropped, not written', () => {
    const m = reclaimMachine();
    const vma = m.map(1);
    const pfn = m.touch(vma, 0, true);
    m.lru.drainAll();
    m.frames.tryLock(pfn);
    m.swapOut.addToSwap(pfn);
    m.mapping.zap(m.space, m.entry(vma, 0), 0 as never); // the lock is busy: the cache keeps the page
    m.frames.unlock(pfn);
    expect(m.frames.isSwapCache(pfn)).toBe(true);
    m.scanOnce(0);
    expect([m.isFree(pfn), m.counters.get('pswpout'), m.swap.free]).toEqual([true, 0, m.swap.slots]);
    m.check();
  });
});

describe('X14: an anonymous page touched once', () => {
  it('with a slow device it is kept, then written and kept, rotated at the end of the write, then freed', () => {
    const m = reclaimMachine();
    const vma = m.map(1);
    const pfn = m.touch(vma, 0, true);
    m.lru.drainAll();
    const head = m.lru.head(m.frames.nodeOf(pfn), LRU_INACTIVE_ANON);

    expect(m.scanOnce(0).reclaimed).toBe(0);
    expect([m.frames.mapcount(pfn), m.frames.has(pfn, PG_REFERENCED)]).toEqual([1, true]);

    const second = m.scanOnce(0);
    expect([second.reclaimed, second.written]).toEqual([0, 1]);
    expect([m.frames.mapcount(pfn), m.frames.isWriteback(pfn), m.frames.has(pfn, PG_RECLAIM)]).toEqual([0, true, true]);
    expect(m.counters.get('pswpout')).toBe(1);
    const younger = m.touch(m.map(1), 0);
    m.lru.drainAll();
    m.block.waitForPage(pfn);
    expect(m.counters.get('pgrotated')).toBe(1);
    expect([m.frames.previous(head), m.frames.next(head)]).toEqual([pfn, younger]);

    expect(m.scanOnce(0).reclaimed).toBe(1);
    expect(m.isFree(pfn)).toBe(true);
    m.check();
    m.touch(vma, 0); // what comes back from swap is what was written
  });

  it('with a RAM disk it is freed in the second scan', () => {
    const m = reclaimMachine({ writesAtOnce: true });
    const pfn = m.touch(m.map(1), 0, true);
    m.lru.drainAll();
    expect(m.scanOnce(0).reclaimed).toBe(0);
    expect(m.scanOnce(0).reclaimed).toBe(1);
    expect(m.isFree(pfn)).toBe(true);
  });
});

describe('RC-20, RC-32 lists', () => {
  it('survivors go to the head in the order they had', () => {
    const m = reclaimMachine();
    const vma = m.map(3);
    const pages = [0, 1, 2].map((offset) => m.touch(vma, offset, true));
    m.lru.drainAll();
    m.scanOnce(0);
    const head = m.lru.head(m.frames.nodeOf(pages[0]), LRU_INACTIVE_ANON);
    let pfn = m.frames.previous(head);
    for (const page of pages) {
      expect(pfn).toBe(page);
      pfn = m.frames.previous(pfn);
    }
  });

  it('RC-32: an active page that is deactivated is marked as part of the working set', () => {
    const m = reclaimMachine();
    const pfn = readPage(m);
    m.lru.drainAll();
    m.lru.activate(pfn);
    expect(m.lru.ages[0]).toBe(1); // RC-60
    m.scanOnce(0);
    expect([m.lru.listOf(pfn), m.frames.has(pfn, PG_WORKINGSET)]).toEqual([LRU_INACTIVE_FILE, true]);
    expect([m.counters.get('pgdeactivate'), m.counters.get('pgrefill')]).toEqual([1, 1]);
    m.scanOnce(0);
    expect(m.isFree(pfn)).toBe(true);
    expect(m.files.get(1).shadowNode.get(0) & 1).toBe(1);
  });

  it('RC-32: used code stays active and counts towards the age', () => {
    const m = reclaimMachine();
    const vma = m.map(1, VM_READ | VM_EXEC, fileOf(m));
    const pfn = m.touch(vma, 0);
    m.lru.drainAll();
    m.lru.activate(pfn);
    m.scanOnce(0);
    expect([m.lru.listOf(pfn), m.lru.ages[0], m.counters.get('pgdeactivate')]).toEqual([LRU_ACTIVE_FILE, 2, 0]);
  });

  it('RC-55: what was scanned and freed is counted by who did it and by type', () => {
    const m = reclaimMachine({ writesAtOnce: true });
    oldAnon(m);
    readPage(m);
    m.lru.drainAll();
    m.scanOnce(0, false);
    const names = ['pgscan_direct', 'pgscan_kswapd', 'pgscan_anon', 'pgscan_file'] as const;
    expect(names.map((name) => m.counters.get(name))).toEqual([2, 0, 1, 1]);
    const freed = ['pgsteal_direct', 'pgsteal_kswapd', 'pgsteal_anon', 'pgsteal_file'] as const;
    expect(freed.map((name) => m.counters.get(name))).toEqual([2, 0, 1, 1]);
  });
});
