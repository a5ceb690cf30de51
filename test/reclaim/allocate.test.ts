import { describe, expect, it } from 'vitest';
import { MARK_HIGH, MARK_LOW, MARK_MIN } from '../../src/mm/zones.js';
import { asCpuId, asNodeId, NO_PFN, type NodeId, type Pfn } from '../../src/units.js';
import { reclaimMachine, type ReclaimMachine } from '../support/reclaim-machine.js';

const cpu0 = asCpuId(0);
const node0 = asNodeId(0);
const node1 = asNodeId(1);
const only = (...nodes: number[]) => new Uint8Array([0, 1].map((node) => (nodes.includes(node) ? 1 : 0)));

/** The node of a page asked for on node 0, or -1. */
function ask(
  m: ReclaimMachine,
  mask: Uint8Array | null = null,
  mayLeaveMask = false,
  allowed: Uint8Array | null = null,
): number {
  return nodeOf(m, m.reclaim.allocatePage(node0, mask, mayLeaveMask, allowed, cpu0));
}

function nodeOf(m: ReclaimMachine, pfn: Pfn): number {
  return pfn === NO_PFN ? -1 : m.frames.nodeOf(pfn);
}

function fillToMark(m: ReclaimMachine, node: NodeId, mark: number): void {
  m.fillTo(node, m.zones.mark(node, mark));
}

/** File pages on the lists of node 0, mapped nowhere. */
function readPages(m: ReclaimMachine, pages: number): void {
  const file = m.files.create('file', 'data', pages);
  for (let i = 0; i < pages; i++) m.read(file, i);
  m.lru.drainAll();
}

describe('RC-10 on the machine of X2: two nodes of 4 GiB, marks 1448/2496/3544', () => {
  const X2 = { pagesOfNode: [1048576, 1048576], minFreeKbytes: 11585, swapPages: 0 };

  it('X5: with 2497 free the near node gives the page, with 2496 the next one does', () => {
    const m = reclaimMachine(X2);
    m.fillTo(0, 2497);
    expect(ask(m)).toBe(0);
    expect(m.zones.free(node0)).toBe(2496);
    expect(ask(m)).toBe(1);
    expect(m.counters.getNode('numa_foreign', 0)).toBe(1);
  });

  it('X6: a request of 2 MiB leaves the low mark with 511 pages less: 3007 free are too few, 3008 are enough', () => {
    const withHuge = { ...X2, hugePages: true }; // X4: low is 7040
    for (const [options, free, isTaken] of [
      [X2, 3007, false],
      [X2, 3008, true],
      [withHuge, 7551, false],
      [withHuge, 7552, true],
    ] as const) {
      const m = reclaimMachine(options);
      m.fillTo(0, free);
      expect(m.zones.takeHugeFromNode(node0, MARK_LOW, node0) !== NO_PFN).toBe(isTaken);
      expect(m.zones.free(node0)).toBe(isTaken ? free - 512 : free);
    }
  });

  it('X7: both at 2496: both reclaimers are woken and the near node goes below; at 1448 the next one gives the page', () => {
    const m = reclaimMachine(X2);
    m.fillTo(0, 2496);
    m.fillTo(1, 2496);
    expect(ask(m)).toBe(0);
    expect(m.counters.get('pageoutrun')).toBe(2);
    expect(m.zones.free(node0)).toBe(2495);
    m.fillTo(0, 1448);
    expect(ask(m)).toBe(1);
    expect(m.counters.get('allocstall_normal')).toBe(0);
  });

  it('X8: the background reclaimer ends when more than 3544 are free, under tiering more than 4592', () => {
    for (const [tiering, end] of [
      [false, 3545],
      [true, 4593],
    ] as const) {
      const m = reclaimMachine({ ...X2, sysctls: { tiering } });
      readPages(m, 8192);
      m.fillTo(0, 2496);
      m.fillTo(1, 2496);
      const before = m.meter.nowNs;
      expect(ask(m)).toBe(0);
      // A pass stops at the first batch of 32 past its target, which is the high mark itself: at most one pass too many.
      expect(m.zones.free(node0)).toBeGreaterThanOrEqual(end);
      expect(m.zones.free(node0)).toBeLessThan(end + 3544 + 32);
      expect(m.meter.nowNs).toBe(before); // RC-18
      expect(m.counters.get('pgsteal_kswapd')).toBe(m.zones.free(node0) - 2495);
    }
  });
});

describe('RC-10 steps of an allocation', () => {
  // Free pages of the nodes by mark before, what is on node 0, and what is expected of a request on node 0.
  const STEPS = [
    {
      step: 'A1',
      name: 'above low: taken',
      near: MARK_LOW,
      spare: 1,
      far: MARK_LOW,
      files: 0,
      node: 0,
      runs: 0,
      stalls: 0,
    },
    {
      step: 'A1',
      name: 'at low: the next node',
      near: MARK_LOW,
      spare: 0,
      far: MARK_HIGH,
      files: 0,
      node: 1,
      runs: 0,
      stalls: 0,
    },
    {
      step: 'A2',
      name: 'all at low: each reclaimer woken',
      near: MARK_LOW,
      spare: 0,
      far: MARK_LOW,
      files: 0,
      node: 0,
      runs: 2,
      stalls: 0,
    },
    {
      step: 'A3',
      name: 'near at min: the next goes below low',
      near: MARK_MIN,
      spare: 0,
      far: MARK_LOW,
      files: 0,
      node: 1,
      runs: 2,
      stalls: 0,
    },
    {
      step: 'A6',
      name: 'all at min: reclaims itself',
      near: MARK_MIN,
      spare: 0,
      far: MARK_MIN,
      files: 40,
      node: 0,
      runs: 1,
      stalls: 1,
    },
    {
      step: 'A8',
      name: 'nothing to reclaim: out of memory',
      near: MARK_MIN,
      spare: 0,
      far: MARK_MIN,
      files: 0,
      node: -1,
      runs: 2,
      stalls: 1,
    },
  ];

  it('has six rows; A4 is PREFERRED_MANY below, A5 concerns larger requests, A7 has tests of its own', () => {
    expect(STEPS).toHaveLength(6);
  });

  it.each(STEPS)('$step: $name', ({ near, spare, far, files, node, runs, stalls }) => {
    const m = reclaimMachine({ pagesOfNode: [512, 512] });
    readPages(m, files);
    fillToMark(m, node0, near);
    if (spare > 0) m.zones.give(releaseOne(m));
    m.fillTo(1, m.zones.mark(node1, far) + (far === MARK_HIGH ? 8 : 0));
    expect(ask(m)).toBe(node);
    expect([m.counters.get('pageoutrun'), m.counters.get('allocstall_normal')]).toEqual([runs, stalls]);
  });

  /** One of the frames that `fillTo` took, ready to be given back. */
  function releaseOne(m: ReclaimMachine): Pfn {
    const pfn = m.frames.firstOfNode[0] as Pfn;
    m.frames.drop(pfn);
    return pfn;
  }

  it('A7: goes on for 16 rounds without progress while what is reclaimable would do', () => {
    const m = reclaimMachine({ pagesOfNode: [256, 256], swapPages: 0 });
    const file = m.files.create('file', 'data', 40);
    for (let i = 0; i < 40; i++) m.frames.get(m.read(file, i)); // each is in use by somebody
    m.lru.drainAll();
    fillToMark(m, node0, MARK_MIN);
    fillToMark(m, node1, MARK_MIN);
    expect(ask(m)).toBe(-1);
    expect(m.counters.get('allocstall_normal')).toBe(17);
  });

  it('A8: takes a page above the high mark if one has turned up meanwhile', () => {
    const m = reclaimMachine({ pagesOfNode: [256, 256], swapPages: 0 });
    fillToMark(m, node0, MARK_MIN);
    fillToMark(m, node1, MARK_MIN);
    expect(ask(m)).toBe(-1);
    expect(m.counters.get('allocstall_normal')).toBe(1);
  });

  it('RC-11: nodes are used down to low one after another, and only then down to min', () => {
    const m = reclaimMachine({ pagesOfNode: [64, 64], swapPages: 0 });
    const order: number[] = [];
    for (let node = ask(m); node >= 0; node = ask(m)) order.push(node);
    const marks = [MARK_LOW, MARK_MIN].map((mark) => m.zones.mark(node0, mark));
    const runs = [64 - marks[0], 64 - marks[0], marks[0] - marks[1], marks[0] - marks[1]];
    expect(order).toEqual([0, 1, 0, 1].flatMap((node, i) => Array<number>(runs[i]).fill(node)));
  });

  it('the mask and the allowed nodes hold throughout: a full BIND node is out of memory beside a free one', () => {
    const m = reclaimMachine({ pagesOfNode: [64, 64], swapPages: 0 });
    fillToMark(m, node0, MARK_MIN);
    expect(ask(m, only(0))).toBe(-1);
    expect(ask(m, null, false, only(0))).toBe(-1);
    expect(ask(m, only(0), false, only(1))).toBe(-1);
    expect(ask(m)).toBe(1);
  });
});

describe('MP-27 PREFERRED_MANY', () => {
  it('leaves its set for any node without reclaiming in it, and wakes the reclaimers of the set alone', () => {
    const m = reclaimMachine({ pagesOfNode: [256, 256] });
    readPages(m, 40);
    fillToMark(m, node0, MARK_MIN);
    expect(ask(m, only(0), true)).toBe(1);
    expect(m.counters.get('allocstall_normal')).toBe(0);
    expect(m.counters.get('pageoutrun')).toBe(1);
  });

  it('A3, A4: it takes what its set has above min first', () => {
    const m = reclaimMachine({ pagesOfNode: [256, 256] });
    fillToMark(m, node0, MARK_LOW);
    expect(ask(m, only(0), true)).toBe(0);
  });

  it('with every node full it reclaims like the others', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512] });
    readPages(m, 40);
    fillToMark(m, node0, MARK_MIN);
    fillToMark(m, node1, MARK_MIN);
    expect(ask(m, only(1), true)).toBe(0);
    expect(m.counters.get('allocstall_normal')).toBe(1);
  });
});

describe('RC-12 this node only', () => {
  it('comes from the node or not at all, after reclaiming there', () => {
    const m = reclaimMachine({ pagesOfNode: [512, 512] });
    readPages(m, 40);
    fillToMark(m, node0, MARK_MIN);
    expect(nodeOf(m, m.reclaim.allocateThisNode(node0, cpu0))).toBe(0);
    expect(m.counters.get('allocstall_normal')).toBe(1);
    fillToMark(m, node1, MARK_MIN);
    expect(m.reclaim.allocateThisNode(node1, cpu0)).toBe(NO_PFN);
  });

  it('a node without memory has none to give', () => {
    const m = reclaimMachine({ pagesOfNode: [64, 0] });
    expect(m.reclaim.allocateThisNode(node1, cpu0)).toBe(NO_PFN);
  });
});
