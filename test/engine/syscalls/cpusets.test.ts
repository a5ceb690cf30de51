import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../../src/engine/index.js';
import type { Task } from '../../../src/mm/index.js';
import { callsBed, INTERLEAVE, mbind, type CallsBed } from '../../support/calls.js';
import { mapAnon, nodeAt, processOn, touchAll, type TinyOptions } from '../../support/tiny-machine.js';

// Control groups of 2.6.16 and today (direct-and-swap-migration section 9). Four nodes; a task on node 0 with eight pages there.

const START = 1000;
const PAGES = 8;
const ALL = [0, 1, 2, 3];

type Bed = CallsBed & { readonly nodes: () => number[] };

function bed(options: TinyOptions & { readonly cgroup?: 1 | 2 } = {}): Bed {
  const made = callsBed(options);
  mapAnon(made.machine, made.task, START, PAGES);
  touchAll(made.machine, made.task, START, PAGES, true);
  return { ...made, nodes: () => Array.from({ length: PAGES }, (_, i) => nodeAt(made.machine, made.task, START + i)) };
}

/** A group with all CPUs and these nodes. */
function group({ calls }: Bed, name: string, mems: readonly number[], memoryMigrate?: boolean): void {
  const settings = { cpus: ALL, mems, ...(memoryMigrate === undefined ? {} : { memoryMigrate }) };
  expect(calls.cpusets.create(name, settings)).toBe(0);
}

/** An administrator's shell in a group of its own. */
function shellIn(at: Bed, mems: readonly number[]): Task {
  group(at, 'shell', mems);
  const shell = processOn(at.machine, mems[0]);
  expect(at.calls.cpusets.attach('shell', shell)).toBe(0);
  return shell;
}

const each = (node: number) => Array<number>(PAGES).fill(node);

describe('a cpuset', () => {
  it.each([
    [undefined, 0],
    [false, 0],
    [true, 2],
  ])('takes the pages of a task that is attached along if memory_migrate is %s, which is off by itself', (on, node) => {
    const at = bed();
    group(at, 'a', [2], on);
    expect(at.calls.cpusets.attach('a', at.task)).toBe(0);
    expect(at.nodes()).toEqual(each(node));
    checkMachine(at.machine);
  });

  it('goes by the memory_migrate of the new group, not of the old one', () => {
    const at = bed();
    group(at, 'old', [0], true);
    group(at, 'new', [2]);
    at.calls.cpusets.attach('old', at.task);
    at.calls.cpusets.attach('new', at.task);
    expect(at.nodes()).toEqual(each(0));
  });

  it('whose mems change rebinds, then moves {old} to {new}, each page to the same place in the set', () => {
    const at = bed();
    group(at, 'a', [0, 1], true);
    at.calls.cpusets.attach('a', at.task);
    expect(mbind(at, START + 100, 4, INTERLEAVE, [0, 1])).toBe(-14); // nothing is mapped there yet
    mapAnon(at.machine, at.task, START + 100, 4);
    expect(mbind(at, START + 100, 4, INTERLEAVE, [0, 1])).toBe(0);
    touchAll(at.machine, at.task, START + 100, 4, true);
    const spread = () => Array.from({ length: 4 }, (_, i) => nodeAt(at.machine, at.task, START + 100 + i));
    const before = spread();
    expect([...before].sort()).toEqual([0, 0, 1, 1]);
    expect(at.calls.cpusets.setMems('a', [2, 3])).toBe(0);
    expect(spread()).toEqual(before.map((node) => node + 2));
    expect(at.nodes()).toEqual(each(2));
    expect(at.calls.numaMaps(at.task).map(({ policy }) => policy)).toEqual(['default', 'interleave:2-3']);
    checkMachine(at.machine);
  });

  it('leaves pages outside its old mems where they are', () => {
    const at = bed();
    group(at, 'a', [1], true);
    at.calls.cpusets.setMemoryMigrate('a', false);
    at.calls.cpusets.attach('a', at.task); // the pages stay on node 0
    at.calls.cpusets.setMemoryMigrate('a', true);
    at.calls.cpusets.setMems('a', [2]);
    expect(at.nodes()).toEqual(each(0));
  });

  it('takes pages along that several map: MOVE_ALL', () => {
    const at = bed();
    at.machine.process.fork(at.task, at.task.cpu);
    group(at, 'a', [2], true);
    at.calls.cpusets.attach('a', at.task);
    expect(at.nodes()).toEqual(each(2));
    checkMachine(at.machine);
  });

  it('DM-50 [2.6.16] moves under the nodes of the invoking task: a shell elsewhere makes pages land elsewhere', () => {
    const at = bed({ profile: 'mof-2006' });
    const shell = shellIn(at, [3]);
    group(at, 'a', [0], true);
    at.calls.cpusets.attach('a', at.task);
    expect(at.calls.cpusets.setMems('a', [2], shell)).toBe(0);
    expect(at.nodes()).toEqual(each(3));
    checkMachine(at.machine);
    const own = bed({ profile: 'mof-2006' });
    group(own, 'a', [0], true);
    own.calls.cpusets.attach('a', own.task);
    expect(own.calls.cpusets.setMems('a', [2], processOn(own.machine, 1))).toBe(0); // a shell that may use every node
    expect(own.nodes()).toEqual(each(2));
  });

  it('DM-50 [2.6.16] the same when a task is attached by such a shell', () => {
    const at = bed({ profile: 'mof-2006' });
    const shell = shellIn(at, [3]);
    group(at, 'a', [2], true);
    at.calls.cpusets.attach('a', at.task, shell);
    expect(at.nodes()).toEqual(each(3));
  });

  it('DM-50 [2.6.17 on] may use the destination, whoever invokes it', () => {
    for (const options of [{}, { profile: 'mof-2006', rules: { cpusetMover: 'may-use-destination' } }]) {
      const at = bed(options);
      const shell = shellIn(at, [3]);
      group(at, 'a', [0], true);
      at.calls.cpusets.attach('a', at.task);
      at.calls.cpusets.setMems('a', [2], shell);
      expect(at.nodes()).toEqual(each(2));
    }
  });

  it('DM-52 in the unified hierarchy always migrates, and has when the call returns', () => {
    const at = bed({ cgroup: 2 });
    group(at, 'a', [2], false);
    at.calls.cpusets.attach('a', at.task);
    expect(at.nodes()).toEqual(each(2));
    at.calls.cpusets.setMems('a', [1]);
    expect(at.nodes()).toEqual(each(1));
    checkMachine(at.machine);
  });
});
