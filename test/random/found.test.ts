import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../src/mm/index.js';
import { C } from '../../src/stats/index.js';
import { asNodeId } from '../../src/units.js';
import { makeEvict } from '../support/random/evict.js';
import {
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  request,
  tinyMachine,
  touchAll,
  unmapLazily,
} from '../support/tiny-machine.js';

const RW = VM_READ | VM_WRITE;

// What random programs found first, each as the few steps it takes.
describe('random programs found, and it is mended, that', () => {
  it('a read between fork and write let the write through: the TLB took the dirty bit for leave to write (INV-12)', () => {
    const machine = tinyMachine();
    const parent = processOn(machine, 0);
    mapAnon(machine, parent, 10, 1);
    touchAll(machine, parent, 10, 1, true);
    const child = machine.process.fork(parent, parent.cpu);
    touchAll(machine, parent, 10, 1, false);
    const written = machine.touch(parent, 10, true);
    expect(written).not.toBe(frameAt(machine, child, 10));
    checkMachine(machine);
  });

  it('a misplaced page was moved to a node outside the cpuset of the task that touched it (MP-44, INV-18)', () => {
    const machine = tinyMachine({ nodes: 2 });
    const task = processOn(machine, 1);
    machine.policy.cpusetSetMems(task.cpuset, [asNodeId(0)]);
    mapAnon(machine, task, 10, 1);
    touchAll(machine, task, 10, 1, true);
    unmapLazily(machine, task);
    touchAll(machine, task, 10, 1, false);
    expect(nodeAt(machine, task, 10)).toBe(0);
    expect(machine.counters.values[C.mof_fail_m2_no_page]).toBe(1);
    checkMachine(machine);
  });

  it('a fault on a shmem page on its way to swap started over without waiting for the write, for ever (PL-51)', () => {
    const machine = tinyMachine({ writesAtOnce: false });
    const task = processOn(machine, 0);
    const file = machine.files.create('shmem', 'pool', 4);
    machine.memory.mmap(task.space, 10, 4, { flags: RW | VM_SHARED, file }, task.cpu);
    touchAll(machine, task, 10, 1, true);
    const pfn = frameAt(machine, task, 10);
    machine.contents?.set(pfn, 42);
    machine.lru.drainAll();
    expect(makeEvict(machine)(pfn, task.cpu)).toBe('writing');
    const startNs = machine.meter.nowNs;
    expect(machine.contents?.get(machine.touch(task, 10, false))).toBe(42);
    expect(machine.meter.nowNs - startNs).toBeGreaterThan(10_000);
    expect(machine.block.inFlight).toBe(0);
    checkMachine(machine);
  });

  it('a policy of a shmem object without a node that the task may use was obeyed until out of memory (MP-24)', () => {
    const machine = tinyMachine({ nodes: 2 });
    const task = processOn(machine, 0);
    const file = machine.files.create('shmem', 'pool', 4);
    machine.memory.mmap(task.space, 10, 4, { flags: RW | VM_SHARED, file }, task.cpu);
    const policy = machine.policy.newPolicy(task, request(POLICIES.bind, 1));
    machine.policy.mbind(task.space, 10, 4, policy);
    policy.refs--;
    machine.policy.cpusetSetMems(task.cpuset, [asNodeId(0)]);
    touchAll(machine, task, 10, 4, true);
    expect(nodeAt(machine, task, 10)).toBe(0);
    checkMachine(machine);
  });

  it('a copy on write whose allocation took its own source to swap started over for ever', () => {
    const machine = tinyMachine();
    const parent = processOn(machine, 0);
    mapAnon(machine, parent, 10, 1);
    touchAll(machine, parent, 10, 1, true);
    machine.process.fork(parent, parent.cpu);
    machine.lru.drainAll();
    const source = frameAt(machine, parent, 10);
    const evict = makeEvict(machine);
    const takeFromRow = machine.zones.takeFromRow.bind(machine.zones);
    machine.zones.takeFromRow = (...args) => {
      machine.lru.drainAll(); // as a reclaim does that finds nothing else
      evict(source, parent.cpu);
      return takeFromRow(...args);
    };
    expect(machine.touch(parent, 10, true)).toBeGreaterThan(0);
    expect(frameAt(machine, parent, 10)).not.toBe(source);
    checkMachine(machine);
  });
});
