import { describe, expect, it } from 'vitest';
import { ACCOUNT_BACKGROUND, ACCOUNT_FAULT } from '../../src/cost/index.js';
import { makeKswapd, MAX_RECLAIM_RETRIES } from '../../src/reclaim/kswapd.js';
import type { NodeScanner, Scan } from '../../src/reclaim/scan.js';
import { asCpuId, asNodeId } from '../../src/units.js';
import { reclaimMachine, WRITEBACK_NS, type ReclaimMachine } from '../support/reclaim-machine.js';

const cpu0 = asCpuId(0);
const node0 = asNodeId(0);
const high = (m: ReclaimMachine) => m.zones.mark(node0, 3);

describe('RC-15 who is woken', () => {
  it('a balanced node is not', () => {
    const m = reclaimMachine();
    m.reclaim.wakeKswapd(node0, cpu0);
    m.fillTo(0, high(m) + 1);
    m.reclaim.wakeKswapd(node0, cpu0);
    expect(m.counters.get('pageoutrun')).toBe(0);
  });

  it('a reclaimer that freed nothing 16 times in a row is not, until a direct reclaim frees something there', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512], swapPages: 0 });
    const file = m.files.create('file', 'data', 64);
    m.fillTo(0, high(m));
    m.fillTo(1, m.zones.mark(asNodeId(1), 1));
    for (let i = 0; i < MAX_RECLAIM_RETRIES + 4; i++) m.reclaim.wakeKswapd(node0, cpu0);
    expect(m.counters.get('pageoutrun')).toBe(MAX_RECLAIM_RETRIES);

    for (let i = 0; m.zones.isAbove(node0, 1); i++) m.read(file, i); // no run meanwhile
    m.lru.drainAll();
    expect(m.counters.get('pgscan_kswapd')).toBe(0);
    m.reclaim.allocatePage(node0, null, false, null, cpu0);
    expect(m.counters.get('pgsteal_direct')).toBeGreaterThan(0);
    m.fillTo(0, high(m));
    const runs = m.counters.get('pageoutrun');
    m.reclaim.wakeKswapd(node0, cpu0);
    expect(m.counters.get('pageoutrun')).toBe(runs + 1);
  });
});

/** A scanner that notes the passes and frees and scans what it is told. */
function watched(m: ReclaimMachine, pass: (scan: Scan) => void) {
  const priorities: number[] = [];
  let aged = 0;
  let finished = 0;
  const scanner: NodeScanner = {
    ageAnon: () => aged++,
    shrink(_node, scan) {
      priorities.push(scan.priority);
      pass(scan);
    },
    finish: () => finished++,
  };
  const make = (retriesWithoutCacheTrim: boolean) =>
    makeKswapd({ ...m, scanner }, { retriesWithoutCacheTrim, tiering: false });
  return { priorities, make, aged: () => aged, finished: () => finished };
}

describe('RC-16 a run', () => {
  const down = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

  it('that frees nothing falls from priority 12 to 1, aging anonymous pages before each pass', () => {
    const m = reclaimMachine();
    m.fillTo(0, high(m));
    const { priorities, make, aged, finished } = watched(m, (scan) => (scan.scanned = 1000));
    const kswapd = make(true);
    kswapd.wake(node0);
    kswapd.runWoken(cpu0);
    expect(priorities).toEqual(down);
    expect([aged(), finished()]).toEqual([12, 1]);
  });

  it('stays at a priority as long as it scans its target and frees something', () => {
    const m = reclaimMachine();
    m.fillTo(0, high(m) - 2);
    const { priorities, make } = watched(m, (scan) => {
      scan.scanned = priorities.length === 2 ? scan.target - 1 : scan.target;
      if (priorities.length === 3) return; // frees nothing
      scan.reclaimed++;
      m.frames.drop(nth(m, priorities.length));
      m.zones.give(nth(m, priorities.length));
    });
    const kswapd = make(true);
    kswapd.wake(node0);
    kswapd.runWoken(cpu0);
    expect(priorities).toEqual([12, 12, 11, 10]);
  });

  it('aims at the high mark, or at 32 pages if that is more', () => {
    for (const [pages, least] of [
      [64, 32],
      [65536, 60],
    ] as const) {
      const m = reclaimMachine({ pagesOfNode: [pages, pages] });
      m.fillTo(0, high(m));
      let target = 0;
      const { make } = watched(m, (scan) => (target = scan.target));
      const kswapd = make(false);
      kswapd.wake(node0);
      kswapd.runWoken(cpu0);
      expect(target).toBe(Math.max(32, high(m)));
      expect(target).toBeGreaterThanOrEqual(least);
    }
  });

  it('6.12: one that freed nothing because file pages were preferred is made once more without preferring them', () => {
    for (const [retries, expected] of [
      [true, [...down, ...down]],
      [false, down],
    ] as const) {
      const m = reclaimMachine();
      m.fillTo(0, high(m));
      const { priorities, make } = watched(m, (scan) => (scan.cacheTrimFailed = true));
      const kswapd = make(retries);
      kswapd.wake(node0);
      kswapd.runWoken(cpu0);
      expect(priorities).toEqual(expected);
    }
  });

  function nth(m: ReclaimMachine, i: number) {
    return (m.frames.firstOfNode[0] + i) as never;
  }
});

describe('RC-18 time', () => {
  it('background reclaim costs its own account and not the task; direct reclaim costs the task', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512] });
    const file = m.files.create('file', 'data', 200);
    for (let i = 0; i < 200; i++) m.read(file, i);
    m.lru.drainAll();
    m.fillTo(0, high(m));
    m.reclaim.wakeKswapd(node0, cpu0);
    expect(m.counters.get('pgsteal_kswapd')).toBeGreaterThan(0);
    expect(m.meter.nowNs).toBe(0);
    expect(m.meter.spent(ACCOUNT_BACKGROUND)).toBe(100 * m.counters.get('pgscan_kswapd'));
    m.fillTo(0, m.zones.mark(node0, 1));
    m.fillTo(1, m.zones.mark(asNodeId(1), 1));
    m.reclaim.allocatePage(node0, null, false, null, cpu0);
    expect(m.counters.get('pgscan_direct')).toBeGreaterThan(0);
    expect(m.meter.nowNs).toBe(100 * m.counters.get('pgscan_direct'));
    expect(m.meter.spent(ACCOUNT_FAULT)).toBe(m.meter.nowNs);
  });

  it('a run stops when the writes in flight will balance the node, and starts no more while they last', () => {
    const m = reclaimMachine({ pagesOfNode: [1024, 1024] });
    const vma = m.map(900);
    for (let i = 0; i < 900; i++) m.touch(vma, i, true);
    m.lru.drainAll();
    m.fillTo(0, high(m));
    for (let i = 0; i < 8; i++) m.reclaim.wakeKswapd(node0, cpu0);
    const { inFlight } = m.block;
    expect(inFlight).toBeGreaterThan(0);
    expect(inFlight).toBeLessThan(100); // of 900 pages that could be written
    expect(m.zones.free(node0)).toBe(high(m));
    m.meter.nowNs += WRITEBACK_NS * 2;
    m.reclaim.wakeKswapd(node0, cpu0);
    expect(m.zones.free(node0)).toBeGreaterThan(high(m));
  });

  it('a direct reclaimer that can free nothing waits for the first write and goes on', () => {
    const m = reclaimMachine({ pagesOfNode: [64, 0], swapPages: 512 });
    const vma = m.map(200);
    for (let i = 0; i < 200; i++) expect(m.touch(vma, i, true)).toBeGreaterThan(0);
    expect(m.counters.get('allocstall_normal')).toBeGreaterThan(0);
    expect(m.meter.nowNs).toBeGreaterThanOrEqual(WRITEBACK_NS);
    m.check();
  });
});
