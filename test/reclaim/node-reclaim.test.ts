import { describe, expect, it } from 'vitest';
import { minUnmappedPages, reclaimableCache } from '../../src/reclaim/node-reclaim.js';
import { asCpuId, asNodeId } from '../../src/units.js';
import { reclaimMachine } from '../support/reclaim-machine.js';

describe('RC-65 node_reclaim', () => {
  const cache = { file: 20000, mapped: 5000, dirty: 6000, cache: 30000 };

  it('X15: mode 1 finds 9000 of at least 10486 pages and skips the node, mode 3 finds 15000', () => {
    expect(minUnmappedPages(1048576)).toBe(10485);
    expect(reclaimableCache(cache, 1)).toBe(9000);
    expect(reclaimableCache(cache, 3)).toBe(15000);
  });

  it('mode 5 may unmap, so the whole page cache counts, less what is dirty', () => {
    expect(reclaimableCache(cache, 5)).toBe(24000);
    expect(reclaimableCache(cache, 7)).toBe(30000);
  });

  function fullNearNode(zoneReclaimMode: number, distance = 20, cpu = 0) {
    const m = reclaimMachine({ pagesOfNode: [256, 256], distance, sysctls: { zoneReclaimMode } });
    const file = m.files.create('file', 'log', 128);
    for (let i = 0; i < 128; i++) m.read(file, i);
    m.lru.drainAll();
    m.fillTo(0, m.zones.mark(asNodeId(0), 2));
    const pfn = m.reclaim.allocatePage(asNodeId(0), null, false, null, asCpuId(cpu));
    m.check(new Map([[pfn, 1]]));
    return { m, node: m.frames.nodeOf(pfn) };
  }

  it('switched off, a node at its low mark is passed over', () => {
    const { m, node } = fullNearNode(0);
    expect(node).toBe(1);
    expect(m.counters.get('zone_reclaim_success')).toBe(0);
  });

  it('switched on, its file pages go first and the page is near', () => {
    const { m, node } = fullNearNode(1);
    expect(node).toBe(0);
    expect(m.counters.get('zone_reclaim_success')).toBe(1);
    expect(m.counters.get('pgsteal_file')).toBeGreaterThan(0);
  });

  it('a node further away than 30 is none of its business, nor is one whose CPU is not running', () => {
    const other = fullNearNode(1, 20, 1);
    expect(other.node).toBe(1);
    expect(other.m.counters.get('zone_reclaim_success')).toBe(0);
    const m = reclaimMachine({
      pagesOfNode: [256, 256],
      distance: 31,
      cpusOfNode: [[0], []],
      sysctls: { zoneReclaimMode: 1 },
    });
    const file = m.files.create('file', 'log', 128);
    for (let i = 0; i < 128; i++) {
      const pfn = m.reclaim.allocateThisNode(asNodeId(1), asCpuId(0));
      m.pageCache.add(file, i, pfn);
      m.pageCache.fill(file, i, pfn);
      m.lru.cacheAdd(asCpuId(0), pfn);
      m.lru.put(pfn);
    }
    m.lru.drainAll();
    m.fillTo(0, m.zones.mark(asNodeId(0), 2));
    m.fillTo(1, m.zones.mark(asNodeId(1), 2));
    m.reclaim.allocatePage(asNodeId(0), null, false, null, asCpuId(0));
    expect(m.counters.get('zone_reclaim_success') + m.counters.get('zone_reclaim_failed')).toBe(0);
  });

  it('a run that frees nothing is counted as failed', () => {
    const m = reclaimMachine({ pagesOfNode: [256, 256], sysctls: { zoneReclaimMode: 1 } });
    const file = m.files.create('file', 'log', 64);
    for (let i = 0; i < 64; i++) m.frames.get(m.read(file, i)); // somebody is using each of them
    m.lru.drainAll();
    m.fillTo(0, m.zones.mark(asNodeId(0), 2));
    expect(m.frames.nodeOf(m.reclaim.allocatePage(asNodeId(0), null, false, null, asCpuId(0)))).toBe(1);
    expect(m.counters.get('zone_reclaim_failed')).toBe(1);
  });
});
