import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { isFatal, type FaultState } from '../../src/fault/index.js';
import { PG_UPTODATE } from '../../src/mm/index.js';
import {
  evict,
  fillNode,
  intoVector,
  processWithPages,
  type PinMap,
  startWriteback,
  stepTo,
  swapFaultState,
  unmapEverywhere,
} from '../support/arrange.js';
import { allCounters, memorySnapshot } from '../support/snapshot.js';
import { cpuOf, frameAt, POLICIES, setPolicy, tinyMachine } from '../support/tiny-machine.js';

// One source, two drivers: doSwapPage goes straight through the steps, an explorer takes them one at a time. On the same
// machine state both must leave the same state.

const PAGES = 3;
const START = 1000;
const OUTCOMES = ['minor', 'major', 'retry', 'segv', 'sigbus', 'oom'];

const starts = fc.record({
  profile: fc.constantFrom('mof', 'mof-2006', 'linux-6.1', 'linux-6.12'),
  hookSwap: fc.boolean(),
  refuses: fc.boolean(),
  swapPages: fc.constantFrom(3, 64),
  pageCluster: fc.constantFrom(0, 2),
  pageNode: fc.nat(2),
  faultNode: fc.nat(2),
  policy: fc.constantFrom('default', 'preferred', 'bind', 'interleave'),
  isShared: fc.boolean(),
  isWrite: fc.boolean(),
  page: fc.nat(PAGES - 1),
  /** What is odd about the page. */
  oddity: fc.constantFrom('none', 'in a vector', 'held', 'under writeback', 'not uptodate', 'swapped out'),
  fullNode: fc.constantFrom(-1, 0, 1, 2),
});
type Start = typeof starts extends fc.Arbitrary<infer T> ? T : never;

function setUp(start: Start): { machine: Machine; f: FaultState; pins: PinMap } {
  const machine = tinyMachine({
    ...{ nodes: 3, framesPerNode: 12, tlbSetBits: 1, profile: start.profile, swapPages: start.swapPages },
    switches: {
      ...{ hookSwap: start.hookSwap, hookFile: false, hookShmem: false },
      ...{ pageCluster: start.pageCluster, readahead: false, faultAround: false },
    },
    writesAtOnce: start.oddity === 'swapped out',
    ...(start.refuses ? { refuseMove: () => true } : {}),
  });
  const { task, vma } = processWithPages(machine, start.pageNode, START, PAGES);
  if (start.isShared) machine.process.fork(task, task.cpu);
  const frames = Array.from({ length: PAGES }, (_, i) => frameAt(machine, task, START + i));
  frames.forEach((pfn, i) => machine.contents?.set(pfn, i + 1));
  for (const pfn of frames) {
    if (start.oddity === 'swapped out') evict(machine, task, pfn);
    else unmapEverywhere(machine, task, pfn);
  }
  const pins = makeOdd(machine, start, frames[start.page]);
  if (start.policy !== 'default')
    setPolicy(machine, task, POLICIES[start.policy], ...[1, 2].slice(0, start.policy === 'preferred' ? 1 : 2));
  const thread = machine.process.newThread(task, cpuOf(machine, start.faultNode));
  if (start.fullNode >= 0) for (const [pfn, n] of fillNode(machine, start.fullNode)) pins.set(pfn, n);
  const f = swapFaultState(machine, thread, vma, START + start.page, start.isWrite);
  return { machine, f, pins };

  function makeOdd(m: Machine, { oddity }: Start, pfn: (typeof frames)[number]): PinMap {
    if (oddity === 'in a vector') intoVector(m, task.cpu, pfn);
    if (oddity === 'under writeback') startWriteback(m, pfn);
    if (oddity === 'not uptodate') m.frames.clear(pfn, PG_UPTODATE);
    if (oddity !== 'held') return new Map();
    m.frames.get(pfn);
    return new Map([[pfn, 1]]);
  }
}

describe('doSwapPage and its table of steps', () => {
  it('leave the same frames, entries, caches, outcome, time and counters', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(starts, (start) => {
        const [straight, stepped] = [setUp(start), setUp(start)];
        expect(memorySnapshot(stepped.machine)).toEqual(memorySnapshot(straight.machine));
        straight.machine.swapFault.doSwapPage(straight.f);
        stepTo(stepped.machine, stepped.f);
        expect(stepped.f.outcome).toBe(straight.f.outcome);
        expect(memorySnapshot(stepped.machine)).toEqual(memorySnapshot(straight.machine));
        expect(allCounters(stepped.machine)).toEqual(allCounters(straight.machine));
        expect(stepped.machine.meter.nowNs).toBe(straight.machine.meter.nowNs);
        if (!isFatal(stepped.f.outcome)) checkMachine(stepped.machine, stepped.pins);
        seen.add(`${start.oddity}: ${OUTCOMES[stepped.f.outcome]}`);
      }),
      { numRuns: 120, seed: 1 },
    );
    expect(seen).toEqual(
      new Set([
        ...['none', 'in a vector', 'held', 'under writeback'].map((oddity) => `${oddity}: minor`),
        ...['not uptodate: sigbus', 'swapped out: major'],
      ]),
    );
  });
});
