import { describe, expect, it } from 'vitest';
import { PTE_YOUNG } from '../../src/hardware/index.js';
import { LRU_ACTIVE_ANON, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE } from '../../src/mm/index.js';
import { MARK_MIN } from '../../src/mm/zones.js';
import { asCpuId, asNodeId, type Pfn } from '../../src/units.js';
import { reclaimMachine, type ReclaimMachine } from '../support/reclaim-machine.js';

const node0 = asNodeId(0);

/** File pages on the inactive list of node 0. */
function readPages(m: ReclaimMachine, name: string, pages: number): Pfn[] {
  const file = m.files.create('file', name, pages);
  const read = Array.from({ length: pages }, (_, i) => m.read(file, i));
  m.lru.drainAll();
  return read;
}

function activeAnon(m: ReclaimMachine, pages: number): void {
  const vma = m.map(pages);
  const touched = Array.from({ length: pages }, (_, i) => m.touch(vma, i, true));
  m.lru.drainAll();
  for (const pfn of touched) m.lru.activate(pfn);
}

describe('RC-25 a pass over one node', () => {
  it('ends in the round in which the target was reached', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512] });
    readPages(m, 'data', 200);
    expect(m.scanOnce(0).reclaimed).toBe(32);
    m.check();
  });

  it('with both types there, the one with less left stops, and the other has one more round', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512], writesAtOnce: true });
    const vma = m.map(64);
    for (let i = 0; i < 64; i++) m.touch(vma, i, true);
    readPages(m, 'data', 200);
    m.scanOnce(0); // the anonymous pages of the round are kept, once
    expect(m.counters.get('pgscan_anon')).toBe(32); // of 64
    expect(m.counters.get('pgscan_file')).toBe(64); // of 200, cut to 102 when 32 were done
    m.check();
  });

  it('a direct reclaimer at priority 12 scans all that was planned', () => {
    const scanned = [true, false].map((isBackground) => {
      const m = reclaimMachine({ pagesOfNode: [512, 512], swapPages: 0 });
      readPages(m, 'data', 200);
      m.lru.sizes[LRU_INACTIVE_FILE] += 96 << 12; // as if the list were as long as one pass of 96 pages wants
      return m.scanOnce(0, isBackground, (scan) => (scan.priority = 12)).reclaimed;
    });
    expect(scanned).toEqual([32, 96]);
  });

  it('ends with 32 active anonymous pages moved on, if their inactive list is low and there is a swap area', () => {
    for (const [swapPages, moved] of [
      [512, 32],
      [0, 0],
    ]) {
      const m = reclaimMachine({ pagesOfNode: [512, 512], swapPages });
      activeAnon(m, 40);
      m.scanOnce(0, true, (scan) => (scan.priority = 12)); // 40 >> 12: nothing else is scanned
      expect([m.lru.size(node0, LRU_INACTIVE_ANON), m.lru.size(node0, LRU_ACTIVE_ANON)]).toEqual([moved, 40 - moved]);
      m.check();
    }
  });

  it('a page whose write was started counts towards the target', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512] });
    const vma = m.map(200);
    for (let i = 0; i < 200; i++) m.touch(vma, i, true);
    m.lru.drainAll();
    m.scanOnce(0); // young
    const scan = m.scanOnce(0);
    expect([scan.reclaimed, scan.started, m.block.inFlight]).toEqual([0, 32, 32]);
    m.check();
  });
});

describe('RC-17, RC-24 active pages', () => {
  it('stay while their inactive list is not low; a direct reclaim that frees nothing is made once more without that', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512], swapPages: 0 });
    const held = readPages(m, 'held', 40);
    for (const pfn of held) m.frames.get(pfn);
    for (const pfn of readPages(m, 'active', 20)) m.lru.activate(pfn);
    m.fillTo(0, m.zones.mark(node0, MARK_MIN));
    m.fillTo(1, m.zones.mark(asNodeId(1), MARK_MIN));
    const pfn = m.reclaim.allocatePage(node0, null, false, null, asCpuId(0));
    expect(m.frames.nodeOf(pfn)).toBe(0);
    expect(m.counters.get('allocstall_normal')).toBe(2);
    expect(m.counters.get('pgdeactivate')).toBe(20);
    m.check(new Map([...held.map((page): [Pfn, number] => [page, 1]), [pfn, 1]]));
  });

  it('are moved on although their inactive list is not low once pages of the type started active', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512], swapPages: 0 });
    const file = m.files.create('file', 'data', 1);
    m.read(file, 0);
    m.lru.drainAll();
    m.scanOnce(0); // evicts it, with a shadow
    for (const pfn of readPages(m, 'held', 40)) m.frames.get(pfn);
    for (const pfn of readPages(m, 'active', 20)) m.lru.activate(pfn);
    m.scanOnce(0);
    expect(m.counters.get('pgdeactivate')).toBe(0);
    const back = m.zones.take(node0);
    m.lru.ages[0] = 1; // as if it had come back at once
    m.lists.refault.file(file, 0, back);
    expect(m.counters.get('workingset_activate_file')).toBe(1);
    m.scanOnce(0);
    expect(m.counters.get('pgdeactivate')).toBe(20);
  });
});

describe('RC-22, RC-26 what a pass costs', () => {
  it('after a pass that wrote anonymous pages the next one takes fewer of them', () => {
    const m = reclaimMachine({ pagesOfNode: [1024, 1024], writesAtOnce: true });
    const vma = m.map(200);
    for (let i = 0; i < 200; i++) {
      m.touch(vma, i, true);
      m.tables.bits[m.entry(vma, i)] &= ~PTE_YOUNG;
    }
    readPages(m, 'data', 200);
    const scannedAnon = [1, 2].map(() => {
      const before = m.counters.get('pgscan_anon');
      m.scanOnce(0, true, (scan) => {
        scan.priority = 1;
        scan.target = 1000;
        scan.forceDeactivate = true; // so that file pages are not preferred (RC-23)
      });
      return m.counters.get('pgscan_anon') - before;
    });
    expect(scannedAnon[0]).toBe(30); // 30 % of 200 >> 1
    expect(scannedAnon[1]).toBeLessThan(20); // of 170 >> 1
  });
});
