import { describe, expect, it } from 'vitest';
import { checkMachine, makeCalls, makeDeviceDriver, type Machine } from '../../src/engine/index.js';
import { ENOENT, EOPNOTSUPP } from '../../src/errors.js';
import { RETRY, SIGBUS } from '../../src/fault/index.js';
import { PG_LOCKED, VM_READ, VM_WRITE, type Task } from '../../src/mm/index.js';
import type { Pfn } from '../../src/units.js';
import { fillNode, processWithPages } from '../support/arrange.js';
import { deviceMachine, entryOf, FORMS, OLD, wordAt } from '../support/device.js';
import { errorOf } from '../support/error-of.js';
import { frameAt, nodeAt, POLICIES, setPolicy, tinyMachine } from '../support/tiny-machine.js';

// Device memory from outside: what a driver, a CPU and each system call make of pages that are in a device.

const START = 1000;
const MAY = VM_READ | VM_WRITE;

/** A process with four pages in the device, of 50, 51, … */
function fourInDevice(form: (typeof FORMS)[number] = 'mof') {
  const { machine, gpu } = deviceMachine(form);
  const { task, vma } = processWithPages(machine, 0, START, 4);
  for (let i = 0; i < 4; i++) machine.contents?.set(frameAt(machine, task, START + i), 50 + i);
  expect(gpu.toDevice(task, START, 4)).toBe(4);
  const calls = makeCalls(machine, { modes: new Map([[2, POLICIES.bind]]), cgroup: 2, possibleNodes: 2 });
  return { machine, gpu, task, vma, calls, pool: machine.devices.named('gpu') };
}

const stamp = (machine: Machine, pfn: Pfn): number | undefined => machine.contents?.get(pfn);
const entries = (machine: Machine, task: Task, pages = 4): string[] =>
  Array.from({ length: pages }, (_, i) => entryOf(machine, task, START + i));

describe('device memory and its driver', () => {
  it.each(FORMS)('contents follow there and back, what the device has written too [%s]', (form) => {
    const { machine, gpu, task } = fourInDevice(form);
    machine.contents?.set(gpu.access(task, START + 2, true), 99);
    expect(gpu.toRam(task, START, 2)).toBe(2);
    expect([0, 1].map((i) => stamp(machine, machine.touch(task, START + i, false)))).toEqual([50, 51]);
    expect([2, 3].map((i) => stamp(machine, machine.touch(task, START + i, false)))).toEqual([99, 53]);
    expect(machine.counters.get('fault_device')).toBe(2);
    checkMachine(machine);
  });

  it('a page comes back to where its policy places a new one', () => {
    const { machine, task } = fourInDevice();
    setPolicy(machine, task, POLICIES.bind, 1);
    machine.touch(task, START, true);
    expect(nodeAt(machine, task, START)).toBe(1);
    checkMachine(machine);
  });

  it('untouched pages move too, as zeros; a device that is full takes what fits', () => {
    const { machine, gpu } = deviceMachine('mof');
    const { task } = processWithPages(machine, 0, START, 1);
    machine.memory.mmap(task.space, START + 1, 19, { flags: MAY }, task.cpu);
    expect(gpu.toDevice(task, START, 20)).toBe(16);
    expect([0, 15, 16].map((i) => entryOf(machine, task, START + i))).toEqual(['device+w', 'device+w', 'none']);
    expect(stamp(machine, gpu.access(task, START + 5, false))).toBe(0);
    checkMachine(machine);
  });

  it('the device reaches what is there, and writes what it may write', () => {
    const { machine, gpu, task } = fourInDevice();
    machine.process.fork(task, task.cpu);
    const pfn = wordAt(machine, task, START);
    expect([gpu.access(task, START, false), gpu.access(task, START, true), gpu.access(task, 7, false)]).toEqual([
      ...[pfn, 0, 0],
    ]);
    checkMachine(machine);
  });

  it.each(FORMS)('unload empties the device by frame number, from 6.1 on [%s]', (form) => {
    const { machine, gpu, task, pool } = fourInDevice(form);
    const [left, free] = form === OLD ? [4, 12] : [0, 16];
    expect([gpu.unload(task), machine.devices.free(pool)]).toEqual([left, free]);
    if (form === OLD) expect(machine.migrateVma.deviceRange(task, [pool.first]).result).toBe(-EOPNOTSUPP);
    else expect([0, 1, 2, 3].map((i) => stamp(machine, frameAt(machine, task, START + i)))).toEqual([50, 51, 52, 53]);
    checkMachine(machine);
  });

  it('frames that are free or locked are left out of a device range', () => {
    const { machine, task, pool } = fourInDevice();
    const used = [0, 1, 2, 3].map((i) => wordAt(machine, task, START + i));
    machine.frames.set(used[1], PG_LOCKED);
    const free = Array.from({ length: 16 }, (_, i) => (pool.first + i) as Pfn).find((pfn) => !used.includes(pfn));
    const m = machine.migrateVma.deviceRange(task, [used[0], used[1], free as Pfn]);
    expect([m.cpages, m.src[0] !== 0n, m.src[1], m.src[2]]).toEqual([1, true, 0n, 0n]);
    machine.migrateVma.finalize(m);
    machine.frames.clear(used[1], PG_LOCKED);
    checkMachine(machine);
  });

  it('a page is freed with its last entry, and its driver hears of it', () => {
    const { machine, gpu, task, pool } = fourInDevice();
    const child = machine.process.fork(task, task.cpu);
    machine.process.exit(task);
    expect(machine.devices.free(pool)).toBe(12);
    const pfn = gpu.access(child, START, false);
    expect(pfn).toBe(wordAt(machine, child, START));
    machine.process.exit(child);
    expect(machine.devices.free(pool)).toBe(16);
    checkMachine(machine);
  });
});

describe('a CPU fault on a page of a device', () => {
  it.each(FORMS)('is SIGBUS if the driver cannot bring it back: no memory [%s]', (form) => {
    const { machine, task } = fourInDevice(form);
    const pins = new Map([...fillNode(machine, 0), ...fillNode(machine, 1)]);
    expect(machine.touch(task, START, false)).toBe(-SIGBUS);
    expect(entries(machine, task)[0]).toBe('device+w');
    checkMachine(machine, pins);
  });

  it.each(FORMS)('is SIGBUS if the page is pinned [%s]', (form) => {
    const { machine, task } = fourInDevice(form);
    const pfn = wordAt(machine, task, START);
    machine.frames.get(pfn);
    expect(machine.touch(task, START, false)).toBe(-SIGBUS);
    expect([entryOf(machine, task, START), stamp(machine, pfn)]).toEqual(['device+w', 50]);
    checkMachine(machine, new Map([[pfn, 1]]));
  });

  it('is SIGBUS if the device has no driver', () => {
    const { machine, task, pool } = fourInDevice();
    pool.driver = null;
    expect(machine.touch(task, START, true)).toBe(-SIGBUS);
    expect(machine.counters.get('fault_sigbus')).toBe(1);
    checkMachine(machine);
  });

  it('would sleep while somebody else has the page locked', () => {
    const { machine, task } = fourInDevice();
    const pfn = wordAt(machine, task, START);
    machine.frames.tryLock(pfn);
    expect(machine.touch(task, START, true)).toBe(-RETRY);
    machine.frames.unlock(pfn);
    expect(machine.touch(task, START, true)).toBeGreaterThan(0);
    checkMachine(machine);
  });
});

describe('system calls and pages of a device', () => {
  it('fork copies the entry read-only, with a reference; a write brings the page back and copies it', () => {
    const { machine, task } = fourInDevice();
    const child = machine.process.fork(task, task.cpu);
    expect([entries(machine, task, 1), entries(machine, child, 1)]).toEqual([['device'], ['device']]);
    const pfn = wordAt(machine, task, START);
    expect([machine.frames.count(pfn), machine.frames.mapcount(pfn), child.space.rssAnon]).toEqual([2, 2, 4]);
    checkMachine(machine);
    const copy = machine.touch(child, START, true);
    machine.contents?.set(copy, 7);
    expect([stamp(machine, copy), stamp(machine, machine.touch(task, START, false))]).toEqual([7, 50]);
    expect(machine.frames.count(pfn)).toBe(0);
    checkMachine(machine);
  });

  it('munmap and MADV_DONTNEED drop it', () => {
    const { machine, task, calls, pool } = fourInDevice();
    expect(calls.areas.munmap(task, START, 1)).toBe(0);
    expect(calls.advice.madvise(task, START + 1, 1, 'dontneed')).toBe(0);
    expect([machine.devices.free(pool), task.space.rssAnon]).toEqual([14, 2]);
    expect(entries(machine, task)).toEqual(['none', 'none', 'device+w', 'device+w']);
    checkMachine(machine);
  });

  it('mprotect makes the entry readable, and leaves it so when writing is allowed again', () => {
    const { machine, task, calls } = fourInDevice();
    expect(calls.areas.mprotect(task, START, 2, VM_READ)).toBe(0);
    expect(entries(machine, task)).toEqual(['device', 'device', 'device+w', 'device+w']);
    checkMachine(machine);
    expect(calls.areas.mprotect(task, START, 2, MAY)).toBe(0);
    expect(entries(machine, task)).toEqual(['device', 'device', 'device+w', 'device+w']);
    machine.contents?.set(machine.touch(task, START, true), 8);
    checkMachine(machine);
  });

  it('mremap takes the entry along, and the page is found there', () => {
    const { machine, gpu, task, calls } = fourInDevice();
    expect(calls.areas.mremap(task, START, 4, 4, 3000)).toBe(0);
    checkMachine(machine);
    expect(gpu.toRam(task, 3000, 4)).toBe(4);
    expect(stamp(machine, frameAt(machine, task, 3001))).toBe(51);
    checkMachine(machine);
  });

  it('move_pages says ENOENT, asking or moving (DM section 7, 6.x)', () => {
    const { machine, task, calls } = fourInDevice();
    const status: (number | null)[] = [null];
    expect(calls.pages.movePages(task, task, [START], null, 0, status)).toBe(0);
    expect(status).toEqual([-ENOENT]);
    calls.pages.movePages(task, task, [START], [1], 2, status);
    expect(status).toEqual([-ENOENT]);
    checkMachine(machine);
  });

  it('mbind, migrate_pages and advice leave it where it is; numa_maps does not count it', () => {
    const { machine, task, calls } = fourInDevice();
    machine.touch(task, START, true);
    for (const advice of ['pageout', 'cold', 'free', 'willneed']) calls.advice.madvise(task, START, 4, advice);
    calls.pages.moveProcess(task, task, machine.rootCpuset.nodes(), machine.rootCpuset.nodes(), true);
    machine.lazy.unmapArea(task, [...task.space.vmas][0], 0, 4, null);
    expect(entries(machine, task).slice(1)).toEqual(['device+w', 'device+w', 'device+w']);
    machine.touch(task, START, true);
    const [line] = calls.numaMaps(task);
    expect([line.anon, line.nodes.reduce((sum, n) => sum + n, 0), task.space.rssAnon]).toEqual([1, 1, 4]);
    checkMachine(machine);
  });
});

describe('device memory in checks and mistakes', () => {
  it.each([
    [
      'a leaked frame',
      'INV-10: a leaked frame of a device',
      (m: Machine) => m.frames.drop(m.devices.take(m.devices.pools[0])),
    ],
    [
      'a locked page',
      'INV-3: page is locked',
      (m: Machine) => {
        m.frames.tryLock(wordOfFirst(m));
      },
    ],
    [
      'one mapping too few',
      'INV-2: mapcount and entries differ',
      (m: Machine) => m.frames.removeMapping(wordOfFirst(m)),
    ],
    [
      'one reference too many',
      'INV-1: count is 2',
      (m: Machine) => {
        m.frames.get(wordOfFirst(m));
      },
    ],
    [
      'an entry that shows memory of a node',
      'INV-2: the entry of a device',
      (m: Machine) => {
        m.tables.setDevice(pageOfFirst(m), m.zeroPage, false);
      },
    ],
    [
      'a migration entry',
      'INV-14: a migration entry at rest',
      (m: Machine) => {
        m.tables.setMigration(pageOfFirst(m), wordOfFirst(m), 0);
      },
    ],
    [
      'a free frame that is in use',
      'INV-9: a free frame',
      (m: Machine) => {
        m.frames.setCounts((m.devices.pools[0].end - 1) as Pfn, 1, 0);
      },
    ],
    [
      'rss',
      'INV-11: rssAnon',
      (m: Machine) => {
        m.process.tasks()[0].space.rssAnon++;
      },
    ],
  ] as const)('checkMachine finds %s', (_, message, spoil) => {
    const { machine } = fourInDevice();
    checkMachine(machine);
    spoil(machine);
    expect(() => {
      checkMachine(machine);
    }).toThrow(message);
  });

  const pageOfFirst = (machine: Machine) => machine.tables.walk(machine.process.tasks()[0].space.root, START);
  const wordOfFirst = (machine: Machine) => wordAt(machine, machine.process.tasks()[0], START);

  it('a device that is not there is one line', () => {
    expect(errorOf(() => makeDeviceDriver(fourInDevice().machine, 'gpu0'))).toEqual({
      code: 'BAD_OPTION',
      message: 'no device "gpu0" in this machine. There are: gpu, nic, log',
    });
    expect(errorOf(() => makeDeviceDriver(tinyMachine(), 'gpu'))).toEqual({
      code: 'BAD_OPTION',
      message: 'no device "gpu" in this machine. There are: none (option "devices")',
    });
  });
});
