import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { checkMachine, compose, makeCalls, type Machine } from '../../src/engine/index.js';
import { parseMachine } from '../../src/hardware/index.js';
import { Frames, VM_READ, VM_WRITE, type Task } from '../../src/mm/index.js';
import type { NodeId, Pfn } from '../../src/units.js';
import defaultPolicy from '../../policies/default.js';
import { cpuOf, nodeAt, processOn } from '../support/tiny-machine.js';

const NODES = 256;
const LAST = NODES - 1;
/** Of the last node: so few that all of them have numbers above 2^28, as the list heads have the lowest. */
const LAST_PAGES = 8192;
const START = 2 ** 35;
const PAGES = 4;

/** In a process of its own, where nothing else comes and goes: prints what heap and array buffers grow by. */
const BOOT = `
  const { compose, loadPolicy, parseMachine } = await import('${new URL('../../dist/src/index.js', import.meta.url).href}');
  const nodes = [{ cpus: 4, memory: '4GiB', repeat: 256 }];
  const machine = parseMachine(JSON.stringify({ name: 'terabyte', nodes }), 'terabyte.json');
  const switches = { hookSwap: true, hookFile: true, hookShmem: true, pageCluster: 0, readahead: false, faultAround: false };
  const options = { machine, profile: 'mof', defaultPolicy: await loadPolicy('default', '.'), switches };
  const used = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const before = used();
  globalThis.machine = compose(options);
  console.log(used() - before);
`;

/** 1 TiB, nearly all on nodes 0 to 254. */
function terabyte(): Machine {
  const nodes = [
    { cpus: 4, memory: 2 ** 20, repeat: LAST - 1 },
    { cpus: 4, memory: 2 ** 21 - LAST_PAGES },
    { cpus: 4, memory: LAST_PAGES },
  ];
  const switches = { hookSwap: true, hookFile: true, hookShmem: true };
  return compose({
    ...{
      machine: parseMachine(JSON.stringify({ name: 'terabyte', nodes }), 'terabyte.json'),
      profile: 'mof',
      defaultPolicy,
    },
    switches: { ...switches, pageCluster: 0, readahead: false, faultAround: false },
    seed: 1,
  });
}

/** A process with a thread on each node, which touches `PAGES` pages there. */
function spreadOut(machine: Machine): Task[] {
  const first = processOn(machine, 0);
  machine.memory.mmap(first.space, START, NODES * PAGES, { flags: VM_READ | VM_WRITE }, first.cpu);
  const tasks = Array.from({ length: NODES }, (_, node) =>
    node === 0 ? first : machine.process.newThread(first, cpuOf(machine, node)),
  );
  tasks.forEach((task, node) => {
    touch(machine, task, node);
  });
  return tasks;
}

/** @returns the frame of the first page of the node's */
function touch(machine: Machine, task: Task, node: number): Pfn {
  for (let i = PAGES - 1; i > 0; i--) machine.touch(task, START + node * PAGES + i, true);
  return machine.touch(task, START + node * PAGES, true);
}

const pagesOn = (machine: Machine, task: Task): (NodeId | -1)[] =>
  Array.from({ length: NODES * PAGES }, (_, i) => nodeAt(machine, task, START + i));
const owners = Array.from({ length: NODES * PAGES }, (_, i) => Math.floor(i / PAGES));

describe('a machine of 1 TiB with 256 nodes', () => {
  it('has a record for each of its 268,435,456 frames, apart from all others', () => {
    const frames = new Frames(new Float64Array(NODES).fill(2 ** 20), NODES * 5);
    const last = (frames.endOfNode[LAST] - 1) as Pfn;
    expect(last).toBeGreaterThanOrEqual(2 ** 28);
    frames.initList(1 as Pfn);
    for (const pfn of [last, 2 ** 28, 2 ** 28 - 1, frames.firstOfNode[0]] as Pfn[]) {
      frames.setMapping(pfn, -7, pfn);
      frames.setCounts(pfn, 3, 2);
      frames.link(pfn, 1 as Pfn);
    }
    const listed: number[] = [];
    for (let pfn = frames.next(1 as Pfn); pfn !== (1 as Pfn); pfn = frames.next(pfn)) listed.push(pfn);
    expect(listed).toEqual([frames.firstOfNode[0], 2 ** 28 - 1, 2 ** 28, last]);
    for (const pfn of listed as Pfn[])
      expect([frames.index(pfn), frames.count(pfn), frames.mapcount(pfn)]).toEqual([pfn, 3, 2]);
    expect(frames.nodeOf(last)).toBe(LAST);
    expect(frames.count((last - 1) as Pfn)).toBe(0);
  });

  it('places pages by first touch on every node, and TLBs know the highest frames', () => {
    const machine = terabyte();
    const tasks = spreadOut(machine);
    expect(pagesOn(machine, tasks[0])).toEqual(owners);
    const high = touch(machine, tasks[LAST], LAST);
    expect(high).toBeGreaterThan(2 ** 28);
    expect(machine.touch(tasks[LAST], START + LAST * PAGES, true)).toBe(high); // from the TLB
    expect(machine.touch(tasks[0], START + LAST * PAGES, false)).toBe(high);
    checkMachine(machine);
  });

  it('lets pages follow their next toucher to and from every node', () => {
    const machine = terabyte();
    const tasks = spreadOut(machine);
    machine.lru.drainAll();
    const { space } = tasks[0];
    machine.policy.unmapLazily(tasks[0], [...space.vmas], null);
    // Each node's pages go to the node before it: those of node 0 to the highest frames, those from there to node 254.
    tasks.forEach((_, node) => touch(machine, tasks[(node + LAST) % NODES], node));
    expect(pagesOn(machine, tasks[0])).toEqual(owners.map((node) => (node + LAST) % NODES));
    expect(machine.counters.get('mof_migrate_done')).toBe(NODES * PAGES);
    checkMachine(machine);
  });

  it('moves the pages of a process to the highest node and back by migrate_pages', () => {
    const machine = terabyte();
    const [task] = spreadOut(machine);
    machine.lru.drainAll();
    const { pages } = makeCalls(machine, { modes: new Map(), cgroup: 2, possibleNodes: NODES });
    const nodes = Array.from({ length: NODES }, (_, node) => node);
    expect(pages.migratePages(task, task, nodes.slice(0, LAST), [LAST], NODES + 1)).toBe(0);
    expect(pagesOn(machine, task)).toEqual(owners.map(() => LAST));
    expect(pages.migratePages(task, task, [LAST], [0], NODES + 1)).toBe(0);
    expect(pagesOn(machine, task)).toEqual(owners.map(() => 0));
    checkMachine(machine);
  });

  it('takes 32 bytes per frame, and for all else together less than a quarter of one, until memory is used', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', BOOT]);
    const bytesPerFrame = Number(stdout) / 2 ** 28;
    expect(bytesPerFrame).toBeGreaterThan(32);
    expect(bytesPerFrame).toBeLessThan(32.25);
  });
});
