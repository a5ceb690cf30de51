import { describe, expect, it } from 'vitest';
import { noteSwapHit, swapWindow } from '../../src/fault/swap-window.js';
import { checkMachine } from '../../src/engine/index.js';
import { VM_READ, VM_WRITE } from '../../src/mm/index.js';
import { evict, moveTo, processWithPages } from '../support/arrange.js';
import { frameAt, POLICIES, processOn, request, tinyMachine, touchAll } from '../support/tiny-machine.js';

const START = 1040;
const LENGTH = 64;
const HOOKS = { hookSwap: true, hookFile: true, hookShmem: true };

function area(pages: number) {
  const machine = tinyMachine();
  const task = processOn(machine, 0);
  return machine.memory.mmap(task.space, START, pages, { flags: VM_READ | VM_WRITE }, task.cpu);
}

/** Faults on one area in order: a page that is read, or one found in the cache that read-ahead brought; and the window. */
const STORY: readonly (readonly ['read' | 'hit', number, number, number])[] = [
  ['read', 20, 17, 25], // four hits to begin with: eight pages, three of them before
  ['read', 50, 49, 53], // none was of use: half
  ['read', 10, 10, 12], // and half of that
  ['read', 11, 11, 13], // next door: ahead
  ['read', 10, 9, 11], // next door: behind
  ['hit', 9, 0, 0],
  ['hit', 30, 0, 0],
  ['hit', 31, 0, 0],
  ['read', 32, 32, 40], // three hits: eight, ahead
  ['read', 1, 0, 4], // cut by the start of the area
  ['read', 62, 62, 64],
];

describe('the window of a read from swap', () => {
  it('grows with hits, shrinks by half, and lies where the faults go', () => {
    const vma = area(LENGTH);
    const window = { first: 0, end: 0 };
    expect(STORY).toHaveLength(11);
    for (const [kind, page, first, end] of STORY) {
      if (kind === 'hit') noteSwapHit(vma, page, true);
      else {
        swapWindow(window, vma, page, 3);
        expect([page, window.first, window.end]).toEqual([page, first, end]);
      }
    }
  });

  it('is one page without a cluster, and ends with the page table', () => {
    const vma = area(600);
    const window = { first: 0, end: 0 };
    swapWindow(window, vma, 20, 0);
    expect(window).toEqual({ first: 20, end: 21 });
    swapWindow(window, vma, 1536 - START + 1, 3); // the second page of the next leaf
    expect(window).toEqual({ first: 1536 - START, end: 1536 - START + 6 });
  });
});

describe('pages read along', () => {
  it.each([
    ['linux-6.1', [1, 1, 1, 1]],
    ['linux-6.12', [3, 1, 2, 3]],
  ])('under %s are placed on %j', (profile, nodes) => {
    const switches = { ...HOOKS, hookSwap: false, hookFile: false, hookShmem: false };
    const machine = tinyMachine({
      ...{ profile, writesAtOnce: true },
      switches: { ...switches, readahead: false, faultAround: false, pageCluster: 3 },
    });
    const { task } = processWithPages(machine, 0, START, 4);
    for (const page of [0, 1, 2, 3]) evict(machine, task, frameAt(machine, task, START + page));
    const policy = machine.policy.newPolicy(task, request(POLICIES.interleave, 1, 2, 3)); // 1040 modulo 3 is 2
    machine.policy.mbind(task.space, START, 4, policy);
    policy.refs--;
    machine.touch(task, START + 1, false); // index 1041: the first of the set
    touchAll(machine, task, START, 4, false);
    const found = [0, 1, 2, 3].map((page) => machine.frames.nodeOf(frameAt(machine, task, START + page)));
    expect(found).toEqual(nodes);
    expect(machine.counters.get('pgmajfault')).toBe(1);
    checkMachine(machine);
  });
});

describe('a swap device that reads at once', () => {
  it('gives a page that one entry names without the swap cache and without its neighbours', () => {
    const machine = tinyMachine({
      ...{ profile: 'linux-6.12', writesAtOnce: true, readsAtOnce: true },
      switches: {
        ...{ hookSwap: false, hookFile: false, hookShmem: false },
        ...{ readahead: false, faultAround: false, pageCluster: 3 },
      },
    });
    const { task } = processWithPages(machine, 0, START, 4);
    for (const page of [0, 1, 2, 3]) evict(machine, task, frameAt(machine, task, START + page));
    moveTo(machine, task, 2);
    machine.touch(task, START, false);
    expect(machine.frames.isSwapCache(frameAt(machine, task, START))).toBe(false);
    expect(machine.counters.get('pswpin')).toBe(1);
    const child = machine.process.fork(task, task.cpu);
    machine.touch(task, START + 1, false); // two entries name it: through the cache, with the two behind it
    expect(machine.frames.isSwapCache(frameAt(machine, task, START + 1))).toBe(true);
    expect(machine.counters.get('pswpin')).toBe(4);
    touchAll(machine, child, START, 4, false);
    checkMachine(machine);
  });
});
