import { describe, expect, it } from 'vitest';
import { PG_SWAPBACKED, PG_WORKINGSET } from '../../src/mm/index.js';
import { ReclaimCosts, reclaimCost612 } from '../../src/reclaim/cost.js';
import { competingPages, makeWorkingset } from '../../src/reclaim/workingset.js';
import { asNodeId, type SwapSlot } from '../../src/units.js';
import { reclaimMachine } from '../support/reclaim-machine.js';

describe('RC-61 refault distance', () => {
  it('X13: a file page evicted 600 pages ago competes with 650 pages if swap has room, with 400 if not', () => {
    expect(competingPages(true, true, 150, 100, 1000, 400)).toBe(650);
    expect(competingPages(true, false, 150, 100, 1000, 400)).toBe(400);
  });

  it('an anonymous page competes with inactive file pages too, and not with its own inactive list', () => {
    expect(competingPages(false, true, 150, 100, 1000, 400)).toBe(1500);
    expect(competingPages(false, false, 150, 100, 1000, 400)).toBe(1400);
  });

  /** A file page that left node 0 at age `stored` and comes back to node 1 with `active` active file pages on node 0. */
  function refault({ stored = 5000, age = 5600, active = 600, mark = false, isOnList = false }) {
    const m = reclaimMachine({ pagesOfNode: [2048, 2048] });
    const costs = new ReclaimCosts(2);
    const workingset = makeWorkingset({ ...m, costs }, reclaimCost612);
    const file = m.files.create('file', 'data', 16);
    const gone = m.zones.take(asNodeId(0));
    if (mark) m.frames.set(gone, PG_WORKINGSET);
    m.lru.ages[0] = stored;
    workingset.evictFile(file, 3, gone);
    expect(m.lru.ages[0]).toBe(stored + 1);
    m.lru.ages[0] = age;
    m.lru.sizes[3] = active; // active file pages of node 0
    const pfn = m.zones.take(asNodeId(1));
    if (isOnList) m.lru.addToHead(pfn);
    workingset.refault.file(file, 3, pfn);
    return { m, costs, workingset, file, pfn };
  }

  it('X13: at distance 600 of 600 the page starts active, on the node it came back to', () => {
    const { m, pfn, workingset } = refault({});
    expect(m.frames.isActive(pfn)).toBe(true);
    expect(m.counters.get('workingset_refault_file')).toBe(1);
    expect(m.counters.get('workingset_activate_file')).toBe(1);
    expect(m.counters.get('workingset_restore_file')).toBe(0);
    expect(m.lru.ages[1]).toBe(1);
    expect(workingset.hasMoved(asNodeId(1), true)).toBe(true);
    expect(workingset.hasMoved(asNodeId(0), true)).toBe(false);
    workingset.snapshot(asNodeId(1));
    expect(workingset.hasMoved(asNodeId(1), true)).toBe(false);
  });

  it('X13: one page further away it starts inactive', () => {
    const { m, pfn } = refault({ age: 5601 });
    expect(m.frames.isActive(pfn)).toBe(false);
    expect(m.counters.get('workingset_refault_file')).toBe(1);
    expect(m.counters.get('workingset_activate_file')).toBe(0);
  });

  it('a page that was already drained onto its list moves to the active one', () => {
    const { m, pfn } = refault({ isOnList: true });
    expect(m.frames.isActive(pfn)).toBe(true);
    expect(m.lru.listOf(pfn)).toBe(3);
    expect([m.lru.sizes[5 + 2], m.lru.sizes[5 + 3]]).toEqual([0, 1]);
  });

  it('a page that was active before keeps its mark and counts as a cost of its type', () => {
    const { m, pfn, costs } = refault({ mark: true });
    expect(m.frames.has(pfn, PG_WORKINGSET)).toBe(true);
    expect(m.counters.get('workingset_restore_file')).toBe(1);
    expect(costs.file(1)).toBe(16); // 32, halved: the lists of node 1 are empty
  });

  it('a shadow is used once', () => {
    const { m, workingset, file, pfn } = refault({});
    workingset.refault.file(file, 3, pfn);
    expect(m.counters.get('workingset_refault_file')).toBe(1);
  });

  it('a swap slot keeps the shadow beside it until the slot is given out anew', () => {
    const m = reclaimMachine();
    const workingset = makeWorkingset({ ...m, costs: new ReclaimCosts(2) }, reclaimCost612);
    const pfn = m.zones.take(asNodeId(0));
    m.frames.set(pfn, PG_SWAPBACKED);
    const slot: SwapSlot = m.swap.allocate();
    workingset.evictSwap(slot, pfn);
    workingset.refault.swap(slot, pfn);
    expect(m.counters.get('workingset_refault_anon')).toBe(1);
    workingset.evictSwap(slot, pfn);
    m.swap.dropUser(slot);
    expect(m.swap.allocate()).toBe(slot);
    workingset.refault.swap(slot, pfn);
    expect(m.counters.get('workingset_refault_anon')).toBe(1);
  });
});
