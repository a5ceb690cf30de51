import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  asNodeId,
  checkMachine,
  compose,
  isMigrating,
  makeDeviceDriver,
  MIGRATE_VMA_SELECT_SYSTEM,
  migratePfn,
  MigrateVma,
  VM_READ,
  VM_WRITE,
} from '../../src/index.js';
import defaultPolicy from '../../policies/default.js';
import { entryOf } from '../support/device.js';
import { mapAnon, processOn, tinyDescription, tinyMachine } from '../support/tiny-machine.js';

const HERE = readFileSync(new URL(import.meta.url), 'utf8');
const DOCS = readFileSync(new URL('../../docs/device-memory.md', import.meta.url), 'utf8');

/** A program's tokens: without comments, white space and what formatting adds. */
const bare = (text: string): string => text.replaceAll(/\/\/[^\n]*/g, '').replaceAll(/[\s,]/g, '');

const programs = [...DOCS.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) => text);

it('the two programs of docs/device-memory.md are those that are run here', () => {
  expect(programs).toHaveLength(2);
  for (const program of programs) expect(bare(HERE)).toContain(bare(program));
});

it('the first does what its comments say', () => {
  const options = {
    ...{ machine: tinyDescription({ nodes: 2 }), profile: 'mof', defaultPolicy, minFreeKbytes: 0 },
    switches: {
      ...{ hookSwap: true, hookFile: true, hookShmem: true, pageCluster: 0, readahead: false, faultAround: false },
    },
  };
  const machine = compose({ ...options, devices: [{ name: 'gpu', pages: 256, node: 1 }] });
  const gpu = makeDeviceDriver(machine, 'gpu');
  const task = machine.process.newProcess(machine.topology.cpusOf(asNodeId(0))[0]);
  machine.memory.mmap(task.space, 0x1000, 16, { flags: VM_READ | VM_WRITE }, task.cpu);
  for (let vpn = 0x1000; vpn < 0x1008; vpn++) machine.touch(task, vpn, true);
  const there = gpu.toDevice(task, 0x1000, 16); // 16: untouched pages go too
  const inDevice = gpu.access(task, 0x1002, true); // the device writes a page
  const frame = machine.touch(task, 0x1002, false); // a CPU reads it: a fault, and the driver brings it back
  const left = gpu.unload(task); // 0: every other page has left the device
  expect([there, machine.frames.isDevice(inDevice), machine.frames.nodeOf(frame), left]).toEqual([16, true, 0, 0]);
  checkMachine(machine);
});

it('the second moves the pages of an area', () => {
  const pages = 3;
  const start = 0x1000;
  const machine = tinyMachine({ devices: [{ name: 'gpu', pages: 2 }] });
  const pool = machine.devices.named('gpu');
  const task = processOn(machine, 0);
  const vma = mapAnon(machine, task, start, pages);
  machine.touch(task, start, true);
  const words = () => new BigUint64Array(pages);
  const range = { task, vma, start, end: start + pages };
  const m = new MigrateVma({ ...range, src: words(), dst: words(), select: MIGRATE_VMA_SELECT_SYSTEM });
  if (machine.migrateVma.setup(m) === 0) {
    m.src.forEach((word, i) => {
      if (!isMigrating(word)) return; // a hole migrates too: frameOfWord(word) is 0 then
      const fresh = machine.devices.take(pool);
      if (fresh === 0) return; // dst stays 0, and the page where it is
      machine.frames.tryLock(fresh); // locked until finalize
      m.dst[i] = migratePfn(fresh);
    });
    machine.migrateVma.pages(m);
    machine.migrateVma.finalize(m);
  }
  expect([0, 1, 2].map((i) => entryOf(machine, task, start + i))).toEqual(['device+w', 'device+w', 'none']);
  checkMachine(machine);
});
