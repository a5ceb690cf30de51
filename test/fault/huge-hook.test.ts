import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { VM_READ, VM_SHARED, VM_WRITE, type Task } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { frameAt, mapAnon, nodeAt, processOn, tinyMachine, touchAll, unmapLazily } from '../support/tiny-machine.js';

// Migrate-on-fault and huge pages (HP-60): one in a cache that nobody maps moves as one, or stays as one.

const START = 512;

function withObject(): { machine: Machine; task: Task } {
  const machine = tinyMachine({ nodes: 2, framesPerNode: 8192, thp: {} });
  const task = processOn(machine, 0);
  const file = machine.files.create('shmem', 'pool', 512);
  file.usesHuge = true;
  machine.memory.mmap(task.space, START, 512, { flags: VM_READ | VM_WRITE | VM_SHARED, file }, task.cpu);
  const pfn = machine.touch(task, START + 5, true);
  machine.contents?.set(pfn, 42);
  machine.lru.drainAll();
  return { machine, task };
}

const relocate = (machine: Machine, task: Task, node: number): void => {
  machine.process.moveTask(task, machine.topology.cpusOf(asNodeId(node))[0]);
};

describe('a huge page of a tmpfs object that nobody maps', () => {
  it.each(['dontneed', 'lazy'])('HP-60: moves whole to where its first toucher wants it (%s)', (how) => {
    const { machine, task } = withObject();
    if (how === 'lazy') expect(unmapLazily(machine, task).unmapped).toBe(512);
    else machine.memory.discard(task.space, START, 512, task.cpu);
    checkMachine(machine);
    relocate(machine, task, 1);
    const pfn = machine.touch(task, START + 5, false);
    expect(machine.contents?.get(pfn)).toBe(42);
    expect([0, 5, 511].map((i) => nodeAt(machine, task, START + i))).toEqual([1, 1, 1]);
    expect(machine.frames.isHuge(pfn)).toBe(true);
    expect(machine.counters.get('pgmigrate_success')).toBe(512);
    expect(machine.counters.get('thp_migration_success')).toBe(1);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('HP-60: stays whole where the target has no huge page', () => {
    const { machine, task } = withObject();
    machine.memory.discard(task.space, START, 512, task.cpu);
    machine.zones.limitHuge(asNodeId(1), 0);
    relocate(machine, task, 1);
    const pfn = machine.touch(task, START + 5, false);
    expect([machine.frames.nodeOf(pfn), machine.frames.isHuge(pfn)]).toEqual([0, true]);
    expect(machine.counters.get('thp_migration_fail')).toBe(1);
    expect(machine.counters.get('mof_fail_m2_no_page')).toBe(1);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('C1: stays as long as somebody maps any of it', () => {
    const { machine, task } = withObject();
    const other = processOn(machine, 1);
    const file = machine.files.all()[0];
    machine.memory.mmap(other.space, START, 512, { flags: VM_READ | VM_WRITE | VM_SHARED, file }, other.cpu);
    const pfn = machine.touch(other, START + 100, false);
    expect(machine.frames.nodeOf(pfn)).toBe(0);
    expect(machine.counters.get('mof_stay_c1_mapped')).toBe(1);
    expect(nodeAt(machine, task, START + 100)).toBe(0);
    checkMachine(machine);
  });
});

describe('an anonymous huge page', () => {
  it('is broken up when it is unmapped lazily, and each page follows its own next toucher', () => {
    const machine = tinyMachine({ nodes: 2, framesPerNode: 8192, thp: {} });
    const task = processOn(machine, 0);
    mapAnon(machine, task, START, 512);
    touchAll(machine, task, START, 512, true);
    expect(unmapLazily(machine, task).unmapped).toBe(512);
    machine.touch(task, START, false);
    relocate(machine, task, 1);
    machine.touch(task, START + 1, false);
    expect([nodeAt(machine, task, START), nodeAt(machine, task, START + 1)]).toEqual([0, 1]);
    expect(machine.frames.isHuge(frameAt(machine, task, START))).toBe(false);
    machine.lru.drainAll();
    checkMachine(machine);
  });
});
