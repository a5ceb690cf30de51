import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { C } from '../../src/stats/index.js';
import { processWithPages } from '../support/arrange.js';
import { callsOf, mbind, MOVE, oldMachine } from '../support/movers.js';
import { frameAt, nodeAt } from '../support/tiny-machine.js';

// The same call under the movers of four kernels: eight pages written on node 0, then mbind(BIND 1, MOVE).

const START = 1000;
const PAGES = 8;

const MOVERS = [
  // profile, node of each page at once, swap slots while nobody touches them, node after the next touch by a thread on node 0
  { profile: 'mof', now: 1, slots: 0, later: 1 },
  { profile: 'mof-2006', now: 1, slots: 0, later: 1 },
  { profile: 'direct-2005', now: -1, slots: PAGES, later: 1 },
  { profile: 'swap-2006', now: -1, slots: PAGES, later: 1 },
] as const;

describe('mbind(MOVE) under the movers', () => {
  it.each(MOVERS)('$profile', ({ profile, now, slots, later }) => {
    const machine = oldMachine(profile);
    const { task } = processWithPages(machine, 0, START, PAGES);
    for (let i = 0; i < PAGES; i++) machine.contents?.set(frameAt(machine, task, START + i), 100 + i);
    const calls = callsOf(machine);
    expect(mbind(calls, task, [START, PAGES], 'bind', [1], MOVE)).toBe(0);
    machine.lru.drainAll();
    checkMachine(machine);
    const nodes = () => Array.from({ length: PAGES }, (_, i) => nodeAt(machine, task, START + i));
    expect(nodes()).toEqual(new Array(PAGES).fill(now));
    expect(machine.swap.slots - machine.swap.free).toBe(slots);
    expect(machine.counters.values[C.pswpout]).toBe(profile === 'swap-2006' ? PAGES : 0);
    for (let i = 0; i < PAGES; i++) expect(machine.contents?.get(machine.touch(task, START + i, false))).toBe(100 + i);
    expect(nodes()).toEqual(new Array(PAGES).fill(later));
    expect(machine.counters.values[C.pswpin]).toBe(profile === 'swap-2006' ? PAGES : 0);
    checkMachine(machine);
  });
});
