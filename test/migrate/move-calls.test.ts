import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { EIO, ENODEV, ENOMEM, ENOSYS, EPERM, ESRCH } from '../../src/errors.js';
import { PG_DIRTY, VM_LOCKED, type Task } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { fillNode, intoVector, mapShared, processWithPages, unmapEverywhere } from '../support/arrange.js';
import { callsOf, mbind, MOVE, MOVE_ALL, oldMachine, STRICT } from '../support/movers.js';
import { frameAt, nodeAt, processOn, touchAll } from '../support/tiny-machine.js';

// mbind and migrate_pages(2) of 2.6.16 and before: what they check, select and ask for (sections 1, 2, 6).

const START = 1000;
const MAXNODE = 65;
const nodesOf = (machine: Machine, task: Task, pages: number, start = START) =>
  Array.from({ length: pages }, (_, i) => nodeAt(machine, task, start + i));
const migrate = (machine: Machine, caller: Task, target: Task | null, from: number[], to: number[]) =>
  callsOf(machine).pages.migratePages(caller, target, from, to, MAXNODE);

function settled(machine: Machine): Machine {
  machine.lru.drainAll();
  checkMachine(machine);
  return machine;
}

describe('selecting pages (section 2)', () => {
  it.each([
    ['mof-2006', -ENODEV],
    ['direct-2005', 0],
    ['swap-2006', 0],
    ['mof', 0],
  ])('step 1: without a free swap slot mbind(MOVE) under %s is %i', (profile, result) => {
    const machine = oldMachine(profile, { swapPages: 0 });
    const { task } = processWithPages(machine, 0, START, 2);
    expect(mbind(callsOf(machine), task, [START, 2], 'bind', [1], MOVE)).toBe(result);
    expect(nodesOf(machine, task, 2)).toEqual(profile === 'mof' ? [1, 1] : [0, 0]);
    settled(machine);
  });

  it('step 1: pages in the vectors of other CPUs are drained before', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 1);
    intoVector(machine, machine.topology.cpusOf(asNodeId(1))[0], frameAt(machine, task, START));
    expect(mbind(callsOf(machine), task, [START, 1], 'bind', [1], MOVE)).toBe(0);
    expect(nodesOf(machine, task, 1)).toEqual([1]);
    settled(machine);
  });

  it.each([
    // step 3: the area is locked. MOVE alone does not look at it; with STRICT its pages are tried and fail: EPERM in P9.
    ['mof-2006', MOVE, 0, 0],
    ['mof-2006', MOVE | STRICT, -EIO, 0],
    ['mof', MOVE, 0, 1],
  ])('step 3: a locked area under %s, flags %i', (profile, flags, result, node) => {
    const machine = oldMachine(profile);
    const { task, vma } = processWithPages(machine, 0, START, 2);
    vma.flags |= VM_LOCKED;
    expect(mbind(callsOf(machine), task, [START, 2], 'bind', [1], flags)).toBe(result);
    expect(nodesOf(machine, task, 2)).toEqual([node, node]);
    for (const each of task.space.vmas) each.flags &= ~VM_LOCKED;
    settled(machine);
  });

  it.each([
    ['direct-2005', 0],
    ['mof-2006', 1],
  ])('PL-52: shared memory under %s', (profile, node) => {
    const machine = oldMachine(profile);
    const task = processOn(machine, 0);
    mapShared(machine, task, machine.files.create('shmem', 's', 2), START);
    touchAll(machine, task, START, 2, false);
    expect(mbind(callsOf(machine), task, [START, 2], 'bind', [1], MOVE)).toBe(0);
    touchAll(machine, task, START, 2, false); // file entries are cleared, and faulted in again (DM-20)
    expect(nodesOf(machine, task, 2)).toEqual([node, node]);
    settled(machine);
  });

  it.each([
    [MOVE, [0, 0]],
    [MOVE_ALL, [1, 1]],
  ])('step 5: pages that a child shares, flags %i', (flags, nodes) => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 2);
    const child = machine.process.fork(task, task.cpu);
    expect(mbind(callsOf(machine), task, [START, 2], 'bind', [1], flags)).toBe(0);
    expect(nodesOf(machine, task, 2)).toEqual(nodes);
    expect(nodesOf(machine, child, 2)).toEqual(nodes); // both have real entries again (DM-21)
    settled(machine);
  });

  it('DM-1: a page in the swap cache that nobody maps is not looked at', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 2);
    const pfn = frameAt(machine, task, START);
    unmapEverywhere(machine, task, pfn);
    expect(mbind(callsOf(machine), task, [START, 2], 'bind', [1], MOVE | STRICT)).toBe(0);
    expect(nodesOf(machine, task, 2)).toEqual([-1, 1]);
    expect(machine.frames.nodeOf(machine.touch(task, START, false))).toBe(0);
    settled(machine);
  });

  it('DM-2: pages are taken in the order of their addresses', () => {
    const machine = oldMachine('swap-2006');
    const task = processOn(machine, 0);
    machine.memory.mmap(task.space, START, 4, { flags: 3 }, task.cpu);
    for (const page of [2, 0, 3, 1]) machine.touch(task, START + page, true);
    expect(mbind(callsOf(machine), task, [START, 4], 'bind', [1], MOVE)).toBe(0);
    const slots = [0, 1, 2, 3].map((i) => machine.tables.word[machine.tables.walk(task.space.root, START + i)]);
    expect(slots).toEqual([...slots].sort((a, b) => a - b));
    settled(machine);
  });

  it('DM-3: STRICT is told of pages that were isolated and failed, not of those left silently', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 3);
    const child = machine.process.fork(task, task.cpu);
    const calls = callsOf(machine);
    expect(mbind(calls, task, [START, 3], 'bind', [1], MOVE | STRICT)).toBe(0); // all shared: left
    machine.process.exit(child);
    const held = frameAt(machine, task, START + 1);
    machine.frames.get(held);
    expect(mbind(calls, task, [START, 3], 'bind', [1], MOVE)).toBe(0);
    expect(mbind(calls, task, [START, 3], 'bind', [1], MOVE | STRICT)).toBe(-EIO);
    expect(nodesOf(machine, task, 3)).toEqual([1, 0, 1]);
    machine.lru.drainAll();
    checkMachine(machine, new Map([[held, 1]]));
  });

  it.each(['default', 'preferred'] as const)('DM-4: %s without nodes replaces every page, local ones too', (mode) => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 3);
    const before = [0, 1, 2].map((i) => frameAt(machine, task, START + i));
    expect(mbind(callsOf(machine), task, [START, 3], mode, [], MOVE)).toBe(0);
    const after = [0, 1, 2].map((i) => frameAt(machine, task, START + i));
    expect(after.some((pfn) => before.includes(pfn))).toBe(false);
    expect(nodesOf(machine, task, 3)).toEqual([0, 0, 0]);
    settled(machine);
  });
});

describe('new pages of mbind(MOVE)', () => {
  it.each([
    // From node 2 over nodes 0 and 1. New pages are asked for at 0 1 0 1 0 1; of the passes the first page takes the last of them.
    ['mof', [0, 1, 0, 1, 0, 1]],
    ['mof-2006', [1, 0, 1, 0, 1, 0]],
  ] as const)('DM-15: interleaving six pages under %s: the right distribution', (profile, expected) => {
    const machine = oldMachine(profile, { nodes: 3 });
    const { task } = processWithPages(machine, 2, START, 6);
    expect(mbind(callsOf(machine), task, [START, 6], 'interleave', [0, 1], MOVE)).toBe(0);
    expect(nodesOf(machine, task, 6)).toEqual(expected);
    settled(machine);
  });

  it('DM-15: chunks of 257, each taken from its tail; the invented addresses go on', () => {
    const machine = oldMachine('mof-2006', { nodes: 3, framesPerNode: 700 });
    const { task } = processWithPages(machine, 2, START, 300);
    expect(mbind(callsOf(machine), task, [START, 300], 'interleave', [0, 1], MOVE)).toBe(0);
    const nodes = nodesOf(machine, task, 300);
    // Chunk 1: addresses 0..256, page i gets that of address 256 - i. Chunk 2: addresses 257..299, page i that of 556 - i.
    expect(nodes).toEqual(Array.from({ length: 300 }, (_, i) => (i < 257 ? 256 - i : 556 - i) % 2));
    settled(machine);
  });

  it('DM-16: no memory aborts, and the pages go back', () => {
    const machine = oldMachine('mof-2006', { swapPages: 4 });
    const { task } = processWithPages(machine, 0, START, 4);
    const calls = callsOf(machine);
    const pins = fillNode(machine, 1, 2);
    expect(mbind(calls, task, [START, 4], 'bind', [1], MOVE | STRICT)).toBe(-EIO);
    expect(nodesOf(machine, task, 4)).toEqual([0, 0, 0, 0]);
    machine.lru.drainAll();
    expect(machine.zones.free(asNodeId(1))).toBe(2);
    checkMachine(machine, pins);
  });

  it('DM-16: migrate_pages(2) passes it on, once no node has memory', () => {
    const machine = oldMachine('mof-2006', { swapPages: 40 });
    const { task } = processWithPages(machine, 0, START, 4);
    for (let i = 0; i < 4; i++) machine.frames.get(frameAt(machine, task, START + i)); // reclaim cannot take them
    const pins = new Map([...fillNode(machine, 1), ...fillNode(machine, 0)]);
    expect(migrate(machine, task, task, [0], [1])).toBe(-ENOMEM);
    machine.lru.drainAll();
    for (let i = 0; i < 4; i++) pins.set(frameAt(machine, task, START + i), 1);
    checkMachine(machine, pins);
  });
});

describe('migrate_pages(2) (section 6)', () => {
  it.each([
    ['mof-2006', 0, true],
    ['mof', -ENOMEM, false],
  ] as const)('a full destination under %s: with fallback, or that node alone', (profile, result, areReplaced) => {
    const machine = oldMachine(profile, { nodes: 3 });
    const { task } = processWithPages(machine, 0, START, 2);
    const before = [0, 1].map((i) => frameAt(machine, task, START + i));
    const pins = fillNode(machine, 2);
    expect(migrate(machine, task, task, [0], [2])).toBe(result);
    machine.lru.drainAll();
    const after = [0, 1].map((i) => frameAt(machine, task, START + i));
    expect(nodesOf(machine, task, 2)).not.toContain(2);
    expect(after.map((pfn, i) => pfn !== before[i])).toEqual([areReplaced, areReplaced]);
    checkMachine(machine, pins);
  });

  it('returns how many pages did not move', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 3);
    const held = frameAt(machine, task, START);
    machine.frames.get(held);
    expect(migrate(machine, task, task, [0], [1])).toBe(1);
    machine.lru.drainAll();
    checkMachine(machine, new Map([[held, 1]]));
  });

  it('DM-30: without swap it returns 0 and moves nothing', () => {
    const machine = oldMachine('mof-2006', { swapPages: 0 });
    const { task } = processWithPages(machine, 0, START, 2);
    expect(migrate(machine, task, task, [0], [1])).toBe(0);
    expect(nodesOf(machine, task, 2)).toEqual([0, 0]);
    settled(machine);
  });

  it('DM-31: policies stay, so later pages are where they would have been', () => {
    const machine = oldMachine('mof-2006');
    const { task, vma } = processWithPages(machine, 0, START, 2);
    expect(migrate(machine, task, task, [0], [1])).toBe(0);
    expect([task.policy, vma.policy]).toEqual([null, null]);
    machine.memory.mmap(task.space, START + 10, 1, { flags: 3 }, task.cpu);
    touchAll(machine, task, START + 10, 1, true);
    expect([...nodesOf(machine, task, 2), nodeAt(machine, task, START + 10)]).toEqual([1, 1, 0]);
    settled(machine);
  });

  it.each([
    // caller's uid, target's uid: another user's process is EPERM; the same user's is not (2.6.16), or is (6.x: not dumpable)
    ['mof-2006', 7, 7, 0],
    ['mof-2006', 7, 8, -EPERM],
    ['mof', 7, 7, -EPERM],
  ])('under %s user %i moves a process of user %i: %i', (profile, uid, owner, result) => {
    const machine = oldMachine(profile);
    const { task: target } = processWithPages(machine, 0, START, 1);
    const caller = processOn(machine, 1);
    target.uid = owner;
    caller.uid = uid;
    expect(migrate(machine, caller, target, [0], [1])).toBe(result);
    settled(machine);
  });

  it('checks in order: no such process before permission, permission before nodes', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 1);
    expect(migrate(machine, task, null, [0], [1])).toBe(-ESRCH);
    expect(callsOf(machine).pages.movePages(task, task, [START], [1], MOVE, [])).toBe(-ENOSYS);
    settled(machine);
  });
});

describe('swap migration (sections 1 and 4)', () => {
  it('places nothing: pages come back by the policy of whoever touches them', () => {
    const machine = oldMachine('swap-2006', { nodes: 3 });
    const { task } = processWithPages(machine, 0, START, 4);
    expect(migrate(machine, task, task, [0], [2])).toBe(0);
    expect(nodesOf(machine, task, 4)).toEqual([-1, -1, -1, -1]);
    machine.process.moveTask(task, machine.topology.cpusOf(asNodeId(1))[0]);
    touchAll(machine, task, START, 4, false);
    expect(nodesOf(machine, task, 4)).toEqual([1, 1, 1, 1]);
    settled(machine);
  });

  it('an empty destination sends a whole process to swap, on one node too', () => {
    const machine = oldMachine('swap-2006', { nodes: 1, writesAtOnce: false });
    const { task } = processWithPages(machine, 0, START, 12);
    for (let i = 0; i < 12; i++) machine.contents?.set(frameAt(machine, task, START + i), 40 + i);
    const free = machine.zones.free(asNodeId(0));
    expect(migrate(machine, task, task, [0], [])).toBe(0);
    expect(machine.zones.free(asNodeId(0))).toBe(free + 12);
    expect([machine.counters.get('pswpout'), task.space.rssAnon, task.space.swapEntries]).toEqual([12, 0, 12]);
    settled(machine);
    for (let i = 0; i < 12; i++) expect(machine.contents?.get(machine.touch(task, START + i, false))).toBe(40 + i);
    settled(machine);
  });

  it.each(['swap-2006', 'direct-2005', 'mof-2006'])(
    '%s: swapOutProcess evicts in the same passes on one node; pages without a slot, locked or held stay and are counted',
    (profile) => {
      const machine = oldMachine(profile, { nodes: 1, writesAtOnce: false, swapPages: 5 });
      const { task } = processWithPages(machine, 0, START, 8);
      const [locked, held] = [frameAt(machine, task, START), frameAt(machine, task, START + 1)];
      machine.frames.tryLock(locked);
      machine.frames.get(held);
      const { swapOutProcess } = callsOf(machine).swap;
      expect(swapOutProcess(task, task)).toBe(4); // these two, and with the held one's slot gone two more
      expect([machine.counters.get('pswpout'), nodeAt(machine, task, START)]).toEqual([4, 0]);
      machine.frames.unlock(locked);
      machine.frames.drop(held);
      settled(machine);
    },
  );

  it('an empty destination moves nothing where pages move directly', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 2);
    expect(migrate(machine, task, task, [0], [])).toBe(0);
    expect(nodesOf(machine, task, 2)).toEqual([0, 0]);
  });

  it('a page used since the last look only loses its young bit, and goes in the next pass (until Feb 2006)', () => {
    const machine = oldMachine('swap-2006');
    const { task } = processWithPages(machine, 0, START, 1);
    const pfn = frameAt(machine, task, START);
    machine.lru.isolate(pfn);
    const { record } = machine.mover.migratePages([pfn], () => 0 as never, task.cpu) as unknown as {
      record: { passes: number; pages: { fate: string; retries: number }[] };
    };
    expect(record).toMatchObject({ passes: 3, pages: [{ fate: 'swapped', retries: 2 }] }); // spared, written, freed
    settled(machine);
  });

  it('clean pages of a file are dropped, dirty ones written first', () => {
    const machine = oldMachine('swap-2006');
    const task = processOn(machine, 0);
    const file = machine.files.create('file', 'f', 2);
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 2, false);
    machine.frames.set(frameAt(machine, task, START), PG_DIRTY);
    machine.contents?.set(frameAt(machine, task, START), 5);
    expect(migrate(machine, task, task, [0], [])).toBe(0);
    expect([file.cachedPages, file.disk.get(0), file.disk.get(1)]).toEqual([0, 5, 0]);
    settled(machine);
  });
});
