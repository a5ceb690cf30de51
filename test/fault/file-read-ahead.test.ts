import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { cachedFrame, PG_READAHEAD, VM_RAND_READ, VM_READ, type FileObject, type Task } from '../../src/mm/index.js';
import { processOn, tinyMachine } from '../support/tiny-machine.js';

const START = 4096;

function arrange(profile: string, pages: number, flags = 0) {
  const machine = tinyMachine({
    profile,
    switches: {
      ...{ hookSwap: false, hookFile: false, hookShmem: false },
      ...{ pageCluster: 0, readahead: true, faultAround: false },
    },
  });
  const file = machine.files.create('file', 'f', pages);
  const task = processOn(machine, 1);
  machine.memory.mmap(task.space, START, pages, { flags: VM_READ | flags, file, filePage: 0 }, task.cpu);
  return { machine, file, task };
}

/** Cached pages as ranges, and the pages that carry the mark. */
function state(machine: Machine, file: FileObject) {
  const cached: number[] = [];
  const marks: number[] = [];
  for (let i = 0; i < file.sizePages; i++) {
    const pfn = cachedFrame(file, i);
    if (pfn === 0) continue;
    cached.push(i);
    if (machine.frames.has(pfn, PG_READAHEAD)) marks.push(i);
  }
  return { from: cached[0], pages: cached.length, marks };
}

const faultsOf = (task: Task) => [task.minorFaults, task.majorFaults];

describe('a miss in a mapped file', () => {
  it.each([
    [100, 50, { from: 34, pages: 32, marks: [58] }],
    [100, 3, { from: 0, pages: 32, marks: [24] }],
    [16, 0, { from: 0, pages: 16, marks: [8] }],
    [8, 5, { from: 0, pages: 8, marks: [0] }],
    [5, 0, { from: 0, pages: 5, marks: [] }],
  ])('of %i pages at page %i reads around it', (pages, at, expected) => {
    const { machine, file, task } = arrange('linux-6.12', pages);
    machine.touch(task, START + at, false);
    expect(state(machine, file)).toEqual(expected);
    expect(faultsOf(task)).toEqual([0, 1]);
    checkMachine(machine);
  });

  it('reads one page in an area marked random, and leaves the marks of others', () => {
    const { machine, file, task } = arrange('linux-6.12', 16);
    machine.touch(task, START, false);
    const other = processOn(machine, 1);
    machine.memory.mmap(other.space, START, 16, { flags: VM_READ | VM_RAND_READ, file, filePage: 0 }, other.cpu);
    machine.touch(other, START + 8, false);
    expect(state(machine, file).marks).toEqual([8]);
    expect(faultsOf(other)).toEqual([1, 0]);
  });
});

describe('the mark', () => {
  it('sets off the next window, a full one behind the last', () => {
    const { machine, file, task } = arrange('linux-6.12', 100);
    machine.touch(task, START + 3, false);
    machine.touch(task, START + 24, false);
    expect(state(machine, file)).toEqual({ from: 0, pages: 64, marks: [32] });
    machine.touch(task, START + 32, false);
    expect(state(machine, file)).toEqual({ from: 0, pages: 96, marks: [64] });
    checkMachine(machine);
  });

  it.each([
    ['linux-6.1', [0, 2], 4],
    ['linux-6.12', [1, 1], 2],
  ])('K-A9: under %s a fault that met it counts %j (minor, major)', (profile, faults, pgfault) => {
    const { machine, task } = arrange(profile, 16);
    machine.touch(task, START, false);
    machine.touch(task, START + 8, false);
    expect(faultsOf(task)).toEqual(faults);
    expect(machine.counters.get('pgfault')).toBe(pgfault);
    expect(machine.counters.get('pgmajfault')).toBe(1);
  });
});
