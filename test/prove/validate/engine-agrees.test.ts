import { expect, it } from 'vitest';
import { ACCOUNT_MIGRATION, PRICE } from '../../../src/cost/index.js';
import { compose, makeCalls } from '../../../src/engine/index.js';
import { machineNamed, parseMachineCatalogue, type MachineDescription } from '../../../src/hardware/index.js';
import { VM_READ, VM_WRITE } from '../../../src/mm/index.js';
import { asCpuId } from '../../../src/units.js';
import { POLICIES } from '../../support/tiny-machine.js';
import { MACHINES_TEXT, validateFile } from './bundled.js';

const FIRST = 2 ** 20; // a multiple of 512, so that huge pages fit
const MPOL_MF_MOVE = 1 << 1;
const PAGES = 1024;

/** ns that one move_pages call charges for all pages of a process with one thread. */
function movePagesNs(machineDescription: MachineDescription, isHuge: boolean): number {
  const machine = compose({
    machine: machineDescription,
    profile: 'linux-6.12',
    switches: {
      hookSwap: false,
      hookFile: false,
      hookShmem: false,
      pageCluster: 0,
      readahead: false,
      faultAround: false,
    },
    defaultPolicy: POLICIES.default,
    ...(isHuge && { thp: { enabled: 'always' } }),
  });
  const task = machine.process.newProcess(asCpuId(0));
  machine.memory.mmap(task.space, FIRST, PAGES, { flags: VM_READ | VM_WRITE }, task.cpu);
  const vpns = Array.from({ length: PAGES }, (_, i) => FIRST + i);
  for (const vpn of vpns) machine.touch(task, vpn, true);
  const asked = isHuge ? vpns.filter((vpn) => vpn % 512 === 0) : vpns;
  const { movePages } = makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: 2 }).pages;
  const before = machine.meter.spent(ACCOUNT_MIGRATION);
  const nodes = asked.map(() => 1);
  expect(movePages(task, task, asked, nodes, MPOL_MF_MOVE, new Array<number | null>(asked.length).fill(null))).toBe(0);
  expect(machine.frames.nodeOf(machine.touch(task, FIRST, false))).toBe(1);
  // A run pays for the call where it makes it, as one of its actions; the call itself charges for what it moves.
  return machine.meter.price(PRICE.moveCall) + machine.meter.spent(ACCOUNT_MIGRATION) - before;
}

/** What `mof validate` says of the same call. */
async function computedUs(machine: string, folios: number, folioKiB: number): Promise<number> {
  const { figures } = await validateFile({
    ...{ id: 'mine', kind: 'migration-time', source: 'me', quantity: 'time', grade: 'A', use: 'validate' },
    ...{ x: [folios], y: [1], unit: 'us', machine_id: machine, parameters: { folioKiB } },
  });
  return figures[0].rows[0].model ?? NaN;
}

it.each(['haswell-e5-2640v3', 'epyc-zen3-2s'])(
  'on %s the engine charges for moves what validate computes',
  async (name) => {
    const machine = machineNamed(parseMachineCatalogue(MACHINES_TEXT), name);
    expect(movePagesNs(machine, false) / 1000).toBeCloseTo(await computedUs(name, PAGES, 4), 3);
    expect(movePagesNs(machine, true) / 1000).toBeCloseTo(await computedUs(name, PAGES / 512, 2048), 3);
  },
);
