import { describe, expect, it } from 'vitest';
import { checkMachine, makeCalls, type Machine } from '../../src/engine/index.js';
import { VM_LOCKED, VM_READ, VM_SHARED, VM_WRITE, type Task } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { fillNode, processWithPages } from '../support/arrange.js';
import { freePages } from '../support/snapshot.js';
import {
  cpuOf,
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  request,
  setPolicy,
  tinyMachine,
  touchAll,
  type TinyOptions,
} from '../support/tiny-machine.js';

// A process with eight pages on node 0 of four; its one thread is moved to node 2. Nothing happens before it runs again.

const START = 1000;
const PAGES = 8;
const DIRECT = { lazy: false, intervalS: 30, maxMapcount: 1 };
const LAZY = { ...DIRECT, lazy: true };
const SECOND = 1e9;

function scene(options: Partial<TinyOptions> = { autoMigrate: DIRECT }): { machine: Machine; task: Task } {
  const machine = tinyMachine(options);
  return { machine, ...processWithPages(machine, 0, START, PAGES) };
}
const moveTo = (machine: Machine, task: Task, node: number) => {
  machine.process.moveTask(task, cpuOf(machine, node));
};
const nodesOf = (machine: Machine, task: Task, pages = PAGES) =>
  Array.from({ length: pages }, (_, i) => nodeAt(machine, task, START + i));

describe('automatic migration', () => {
  it('V18: lazily, the touched half of the pages comes to the new node, the rest waits on the old one in the swap cache', () => {
    const { machine, task } = scene({ autoMigrate: LAZY });
    moveTo(machine, task, 2);
    expect(nodesOf(machine, task)).toEqual(Array(PAGES).fill(0)); // pending only
    touchAll(machine, task, START, PAGES / 2, false);
    expect(nodesOf(machine, task)).toEqual([2, 2, 2, 2, -1, -1, -1, -1]);
    const waiting = Array.from({ length: PAGES / 2 }, (_, i) => {
      const page = machine.tables.walk(task.space.root, START + PAGES / 2 + i);
      const pfn = machine.swap.cached(machine.tables.word[page] as never);
      return machine.frames.isSwapCache(pfn) && machine.frames.mapcount(pfn) === 0 ? machine.frames.nodeOf(pfn) : -1;
    });
    expect(waiting).toEqual([0, 0, 0, 0]);
    expect(machine.counters.snapshot()).toMatchObject({ mof_pages_unmapped: PAGES, mof_migrate_done: PAGES / 2 });
    checkMachine(machine);
  });

  it('directly, all pages have moved when the thread runs again', () => {
    const { machine, task } = scene();
    moveTo(machine, task, 2);
    touchAll(machine, task, START, 1, false);
    expect(nodesOf(machine, task)).toEqual(Array(PAGES).fill(2));
    expect(machine.counters.get('pgmigrate_success')).toBe(PAGES);
    expect(machine.counters.get('mof_pages_unmapped')).toBe(0);
    checkMachine(machine);
  });

  it('off, as the kernel starts, does nothing; the files under /sys/kernel/migration switch it on', () => {
    const { machine, task } = scene({});
    const { sysctl } = makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: 4 });
    moveTo(machine, task, 2);
    touchAll(machine, task, START, 1, false);
    expect(nodesOf(machine, task)).toEqual(Array(PAGES).fill(0));
    expect(sysctl('migration/auto_migrate_enable', 1)).toBe(0);
    moveTo(machine, task, 3);
    touchAll(machine, task, START, 1, false);
    expect(nodesOf(machine, task)).toEqual(Array(PAGES).fill(3));
    expect(sysctl('migration/auto_migrate_enabled', 1)).toBe(-2);
    checkMachine(machine);
  });

  it.each([
    ['auto_migrate_enable', 7, 1],
    ['auto_migrate_interval', 1, 5],
    ['auto_migrate_interval', 60, 60],
    ['auto_migrate_interval', 1000, 300],
    ['migrate_max_mapcount', 0, 1],
    ['migrate_max_mapcount', 3, 3],
    ['auto_migrate_lazy', 1, 1],
  ] as const)('%s takes %i as %i, and reads "name value"', (name, given, taken) => {
    const { autoMigrate } = tinyMachine();
    expect(autoMigrate.write(name, given)).toBe(true);
    expect(autoMigrate.show(name)).toBe(`${name} ${taken}`);
  });

  it('starts with 0, 30, 1, 0 in its four files', () => {
    const { autoMigrate } = tinyMachine();
    expect(autoMigrate.show('auto_migrate_enable')).toBe('auto_migrate_enable 0');
    expect(autoMigrate.show('auto_migrate_interval')).toBe('auto_migrate_interval 30');
    expect(autoMigrate.show('migrate_max_mapcount')).toBe('migrate_max_mapcount 1');
    expect(autoMigrate.show('auto_migrate_lazy')).toBe('auto_migrate_lazy 0');
  });

  it('DM-60: back on its node before it ran, a thread is still pending, and nothing needs moving', () => {
    const { machine, task } = scene();
    moveTo(machine, task, 2);
    moveTo(machine, task, 0);
    expect(task.migratePending).toBe(true);
    expect(machine.autoMigrate.returnToUser(task)).toEqual({ node: 0, lazy: false, looked: 0, selected: 0 });
    expect(task.migratePending).toBe(false);
    expect(machine.autoMigrate.returnToUser(task)).toBeNull();
    expect(machine.counters.get('pgmigrate_success')).toBe(0);
  });

  it('DM-60: the destination is the node at the return, not the one that made it pending', () => {
    const { machine, task } = scene();
    moveTo(machine, task, 2);
    moveTo(machine, task, 3);
    touchAll(machine, task, START, 1, false);
    expect(nodesOf(machine, task)).toEqual(Array(PAGES).fill(3));
  });

  it('concerns only areas whose effective policy is the default', () => {
    const { machine, task } = scene();
    const bound = machine.policy.newPolicy(task, request(POLICIES.bind, 0));
    machine.policy.mbind(task.space, START, 4, bound);
    bound.refs--;
    moveTo(machine, task, 2);
    touchAll(machine, task, START, PAGES, false);
    expect(nodesOf(machine, task)).toEqual([0, 0, 0, 0, 2, 2, 2, 2]);
    const other = scene();
    setPolicy(other.machine, other.task, POLICIES.interleave, 0, 1);
    moveTo(other.machine, other.task, 2);
    touchAll(other.machine, other.task, START, PAGES, false);
    expect(nodesOf(other.machine, other.task)).toEqual(Array(PAGES).fill(0));
  });

  it.each([
    [1, [0, 0, 2, 2, 2, 2, 2, 2]],
    [2, [2, 2, 2, 2, 2, 2, 2, 2]],
  ])('moves pages mapped up to migrate_max_mapcount = %i times', (maxMapcount, expected) => {
    const { machine, task } = scene({ autoMigrate: { ...DIRECT, maxMapcount } });
    const child = machine.process.fork(task, cpuOf(machine, 1));
    machine.memory.munmap(child.space, START + 2, PAGES - 2, child.cpu);
    expect(machine.frames.mapcount(frameAt(machine, task, START))).toBe(2);
    moveTo(machine, task, 2);
    touchAll(machine, task, START, 1, false);
    expect(nodesOf(machine, task)).toEqual(expected);
    checkMachine(machine);
  });

  it('leaves locked areas', () => {
    const machine = tinyMachine({ autoMigrate: DIRECT });
    const task = machine.process.newProcess(cpuOf(machine, 0));
    machine.memory.mmap(task.space, START, 2, { flags: VM_READ | VM_WRITE | VM_LOCKED }, task.cpu);
    touchAll(machine, task, START, 2, true);
    moveTo(machine, task, 2);
    touchAll(machine, task, START, 2, false);
    expect(nodesOf(machine, task, 2)).toEqual([0, 0]);
  });

  it('pulls page-cache pages that only this task maps along', () => {
    const machine = tinyMachine({ autoMigrate: DIRECT });
    const task = machine.process.newProcess(cpuOf(machine, 0));
    const file = machine.files.create('file', 'f', 4);
    machine.memory.mmap(task.space, START, 4, { flags: VM_READ | VM_SHARED, file }, task.cpu);
    touchAll(machine, task, START, 4, false);
    expect(nodesOf(machine, task, 4)).toEqual([0, 0, 0, 0]);
    moveTo(machine, task, 2);
    touchAll(machine, task, START, 1, false);
    expect(nodesOf(machine, task, 4)).toEqual([2, 2, 2, 2]);
    checkMachine(machine);
  });

  it('that finds the node full leaves the rest where it is, under mof', () => {
    const { machine, task } = scene();
    const pins = fillNode(machine, 2, 3);
    moveTo(machine, task, 2);
    touchAll(machine, task, START, 1, false);
    expect(nodesOf(machine, task)).toEqual([2, 2, 2, 0, 0, 0, 0, 0]);
    expect(freePages(machine)[2]).toBe(0);
    checkMachine(machine, pins);
  });

  it('is paid by the thread that returns: a call, a look at each page, the moves', () => {
    const { machine, task } = scene();
    moveTo(machine, task, 2);
    const before = machine.meter.nowNs;
    machine.autoMigrate.returnToUser(task);
    const { migrateBaseNs, migratePerPageNs } = machine.options.machine.cost;
    expect(machine.meter.nowNs - before).toBeGreaterThan(migrateBaseNs + PAGES * migratePerPageNs);
  });

  it('hysteresis: the scheduler leaves it on its node while pending, and until the interval is over', () => {
    const { machine, task } = scene({ autoMigrate: { ...DIRECT, intervalS: 10 } });
    const mayLeave = (ns: number) => machine.autoMigrate.mayLeaveNode(task, ns);
    expect(mayLeave(0)).toBe(true);
    moveTo(machine, task, 2);
    expect(mayLeave(0)).toBe(false);
    machine.meter.nowNs = 2 * SECOND;
    machine.autoMigrate.returnToUser(task);
    expect([mayLeave(11.9 * SECOND), mayLeave(12 * SECOND)]).toEqual([false, true]);
    expect(scene({}).machine.autoMigrate.mayLeaveNode(task, 0)).toBe(true); // off: nobody asks
  });

  it('another thread of the process makes its own pages and all others follow it: the last to return decides', () => {
    const { machine, task } = scene();
    const sibling = machine.process.newThread(task, cpuOf(machine, 0));
    moveTo(machine, task, 2);
    moveTo(machine, sibling, 3);
    machine.touch(task, START, false);
    expect(nodesOf(machine, task)).toEqual(Array(PAGES).fill(2));
    machine.touch(sibling, START, false);
    expect(nodesOf(machine, task)).toEqual(Array(PAGES).fill(3));
    mapAnon(machine, task, START + 100, 1);
    expect(machine.frames.nodeOf(machine.touch(task, START + 100, true))).toBe(asNodeId(2));
    checkMachine(machine);
  });
});
