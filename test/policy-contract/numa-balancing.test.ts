import { describe, expect, it } from 'vitest';
import {
  accessorOf,
  FaultGroup,
  nextScanPeriod,
  NO_NODE,
  NOTHING_STORED,
  passesFilter,
  Promotion,
  scanPeriodMax,
  scanPeriodMin,
  scanWindows,
  settingsOf,
  TaskFaults,
  type BalancedTask,
  type BalancedWorld,
  type BalancerActions,
  type HintFault,
  type NodeId,
} from '../../src/policy/index.js';

const GIB = 262_144;
const settings = settingsOf({});
const node = (n: number) => n as NodeId;

describe('scan period', () => {
  it.each([
    ['W1', 1, 4, 250, 15_000],
    ['W2', 10, 40, 100, 1500],
  ])('%s: %d GiB resident', (_id, gib, windows, min, max) => {
    expect(scanWindows(settings, gib * GIB)).toBe(windows);
    expect(scanPeriodMin(settings, gib * GIB)).toBe(min);
    expect(scanPeriodMax(settings, gib * GIB, null)).toBe(max);
  });

  it('W3: a group of two that shares much scans at most so rarely', () => {
    expect(scanPeriodMax(settings, GIB, { tasks: 2, shared: 300, private: 100 })).toBe(22_518);
  });

  it.each([
    ['W4', 1000, [900, 100, 0], [0, 1000], 1300],
    ['W5', 1000, [200, 800, 0], [700, 300], 600],
    ['W6', 1000, [800, 200, 0], [700, 300], 1100],
    ['W7', 1000, [0, 1000, 0], [1000, 0], 300],
    ['W7 again', 300, [0, 1000, 0], [1000, 0], 250],
    ['W8', 1000, [0, 500, 0], [0, 500], 2000],
    ['W9', 8000, [500, 500, 1], [500, 500], 15_000],
  ] as const)('%s', (_id, period, [local, remote, failed], [shared, own], next) => {
    const limits = { min: 250, max: 15_000 };
    expect(nextScanPeriod(period, limits, { local, remote, failed }, { shared, private: own })).toBe(next);
  });
});

it('W10: half of what was known and all that is new; the node with most is preferred', () => {
  const faults = new TaskFaults(2);
  faults.sums.memory.set([0, 101, 0, 0]);
  faults.memoryBuffer.set([0, 10, 0, 80]);
  faults.decay(1e9, 1e9);
  expect([faults.sums.memoryOf(0), faults.sums.memoryOf(1)]).toEqual([61, 80]);
  expect(
    faults.bestNode(
      () => true,
      (n) => n,
    ),
  ).toBe(1);
});

/** Nodes 0 and 1 with four CPUs each. */
const world = {
  ...{ nodeCount: 2, cpuCount: 8, isTopTier: () => true },
  nodeOfCpu: (cpu: number) => node(cpu < 4 ? 0 : 1),
} as unknown as BalancedWorld;

function faults(sequence: number, preferred: number, group?: { cpu: number[]; memory: number[] }): TaskFaults {
  const of = new TaskFaults(2);
  of.sequence = sequence;
  of.preferred = preferred < 0 ? NO_NODE : node(preferred);
  if (group !== undefined) {
    of.group = new FaultGroup(1, 2);
    of.group.sums.cpu.set([0, group.cpu[0], 0, group.cpu[1]]);
    of.group.sums.memory.set([0, group.memory[0], 0, group.memory[1]]);
  }
  return of;
}

/** P, thread 100 on CPU 4, meets a page of node 0. */
function moves(of: TaskFaults, stored: number): boolean {
  const fault = { task: { id: 100, cpu: 4 } as BalancedTask, pageNode: node(0), stored, pages: 1 } as HintFault;
  return passesFilter(world, fault, node(1), of, false);
}

describe('two-stage filter', () => {
  const [CPU0_Q, CPU6_Q, CPU4_P, CPU1_Q] = [
    accessorOf(0, 200),
    accessorOf(6, 200),
    accessorOf(4, 100),
    accessorOf(1, 200),
  ];

  it.each([
    ['W11, NB-54: early, and nobody was there', faults(0, -1), NOTHING_STORED, true],
    ['W12, NB-55: somebody of another node was there', faults(9, 1), CPU0_Q, false],
    ['W12, NB-56: the second fault in a row', faults(9, 1), CPU4_P, true],
    ['W13: a use in between from the page node itself, had it been stored', faults(9, 1), CPU1_Q, false],
    ['W14, NB-57: no group', faults(9, 1), CPU6_Q, true],
    ['W15, NB-59', faults(9, 1, { cpu: [100, 300], memory: [200, 100] }), CPU6_Q, true],
    ['W16, NB-59', faults(9, 1, { cpu: [90, 100], memory: [100, 100] }), CPU6_Q, false],
    [
      'W17, NB-62: a thread whose number is equal mod 256',
      faults(9, 1, { cpu: [9, 1], memory: [1, 9] }),
      accessorOf(6, 356),
      true,
    ],
    ['NB-53: an old time stamp of a slow page names no CPU', faults(9, 1), accessorOf(77, 100), false],
  ])('%s', (_id, of, stored, expected) => {
    expect(moves(of, stored)).toBe(expected);
  });
});

/** Promotions to node 0, which has so many free pages; `at` sets the clock, ms. */
function promotions(options: Record<string, number>, { free = 0, managed = 2 * GIB } = {}) {
  let ms = 0;
  let candidates = 0;
  const ask = {
    nowNs: () => ms * 1e6,
    store: () => undefined,
    countCandidate: (pages: number) => (candidates += pages),
  } as unknown as BalancerActions;
  const of = {
    ...{ freePages: () => free, managedPages: () => managed, promoMark: () => 1000 },
  } as unknown as BalancedWorld;
  const promotion = new Promotion(settingsOf(options), of, ask);
  return {
    promotion,
    candidates: () => candidates,
    at(now: number, stored: number, pages = 1) {
      ms = now;
      return promotion.mayPromote({ stored, pages } as HintFault, node(0));
    },
  };
}

describe('promotion', () => {
  it('W28, TI-23: hot if used within the threshold after it was marked', () => {
    const { at, candidates } = promotions({});
    expect([at(5900, 5000), candidates()]).toEqual([true, 1]);
    expect([at(6000, 5000), candidates()]).toEqual([false, 1]);
  });

  it('W29, TI-25: the threshold follows candidates beyond a tenth more or less than the limit of a minute', () => {
    for (const [candidates, expected] of [
      [1_700_000, 875],
      [1_689_600, 1000],
      [1_382_399, 1125],
    ]) {
      const { at, promotion } = promotions({ 'rate-limit': 100 });
      at(1, 1, candidates);
      at(60_002, 0);
      expect(promotion.thresholdOf(node(0))).toBe(expected);
    }
  });

  it('W30: at most twice the usual threshold, at least an eighth', () => {
    const quiet = promotions({});
    for (let minute = 1; minute <= 10; minute++) quiet.at(minute * 60_001, 0);
    expect(quiet.promotion.thresholdOf(node(0))).toBe(2000);
    const busy = promotions({ 'rate-limit': 1 });
    for (let minute = 1; minute <= 20; minute++) {
      busy.at(minute * 60_001, minute * 60_001, 100_000);
    }
    expect(busy.promotion.thresholdOf(node(0))).toBe(125);
  });

  it('W31, TI-24: the 256th page of a second is refused at 1 MB per second, and a huge page at once', () => {
    const small = promotions({ 'rate-limit': 1 });
    expect(Array.from({ length: 257 }, () => small.at(500, 500)).filter(Boolean)).toHaveLength(255);
    expect(promotions({ 'rate-limit': 1 }).at(500, 500, 512)).toBe(false);
  });

  it.each([
    ['8 GiB', 8 * GIB, 262_144],
    ['32 GiB', 32 * GIB, 524_288],
  ])('W32, TI-21: %s', (_id, managed, room) => {
    const enough = (free: number) => promotions({}, { free, managed }).promotion.hasMuchRoom(node(0));
    expect([enough(1000 + room), enough(1000 + room + 1)]).toEqual([false, true]);
  });
});
