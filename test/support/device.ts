import { makeDeviceDriver, type Machine, type ModelDriver } from '../../src/engine/index.js';
import { PTE_DEVICE, PTE_MIGRATION, PTE_PRESENT, PTE_SWAP, PTE_WRITE } from '../../src/hardware/index.js';
import {
  frameOfWord,
  isMigrating,
  MIGRATE_VMA_DONE,
  MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
  MIGRATE_VMA_SELECT_SYSTEM,
  MIGRATE_VMA_SETUP,
  migratePfn,
  MigrateVma,
  type MigrateVmaRequest,
} from '../../src/migrate/index.js';
import { SETTLE } from '../../src/migrate/device/migrate-vma.js';
import type { Task } from '../../src/mm/index.js';
import { asNodeId, NO_PFN, type Pfn } from '../../src/units.js';
import { tinyMachine, type TinyOptions } from './tiny-machine.js';

/** The forms of migrateVma: before the change of October 2021, and after it. */
export const OLD = 'linux-5.15';
export const FORMS = [OLD, 'linux-6.1', 'linux-6.12', 'mof'] as const;
/** One profile for each variant of the rule. */
export const TWO_FORMS = [OLD, 'linux-6.12'] as const;
export type Form = (typeof FORMS)[number];

/** Two nodes and two devices, `gpu` and `nic`, with a driver each, and a third whose pages no process can have. */
export function deviceMachine(
  form: Form,
  options: TinyOptions = {},
): { machine: Machine; gpu: ModelDriver; nic: ModelDriver } {
  const machine = tinyMachine({
    ...{ profile: form, nodes: 2, framesPerNode: 32, tlbSetBits: 1 },
    devices: [
      { name: 'gpu', pages: 16 },
      { name: 'nic', pages: 4, node: 1 },
      { name: 'log', pages: 2, kind: 'generic' },
    ],
    ...(form === 'mof' ? {} : { switches: { ...SWITCHES } }),
    ...options,
  });
  return { machine, gpu: makeDeviceDriver(machine, 'gpu'), nic: makeDeviceDriver(machine, 'nic') };
}

const SWITCHES = {
  ...{ hookSwap: false, hookFile: false, hookShmem: false },
  ...{ pageCluster: 0, readahead: false, faultAround: false },
};

const SELECT_ALL = MIGRATE_VMA_SELECT_SYSTEM | MIGRATE_VMA_SELECT_DEVICE_PRIVATE;

/** A request for pages of one area, everything selected, the device being `gpu`. */
export function requestFor(
  task: Task,
  start: number,
  pages: number,
  options: Partial<MigrateVmaRequest> = {},
): MigrateVma {
  const words = (): BigUint64Array => new BigUint64Array(pages);
  const range = { task, vma: task.space.find(start), start, end: start + pages, src: words(), dst: words() };
  return new MigrateVma({ ...range, select: SELECT_ALL, owner: 'gpu', ...options });
}

/** A destination for every entry that is to migrate: locked, with what the source holds; from a device or from a node. */
export function fill(machine: Machine, m: MigrateVma, to: string | number = 'gpu'): Pfn[] {
  const fresh: Pfn[] = [];
  for (let i = 0; i < m.npages; i++) {
    if (!isMigrating(m.src[i])) continue;
    const pfn =
      typeof to === 'number' ? machine.zones.take(asNodeId(to)) : machine.devices.take(machine.devices.named(to));
    if (pfn === NO_PFN || !machine.frames.tryLock(pfn)) throw new Error('no destination');
    const source = frameOfWord(m.src[i]);
    if (source === NO_PFN) machine.contents?.set(pfn, 0);
    else machine.contents?.copy(pfn, source);
    m.dst[i] = migratePfn(pfn);
    fresh.push(pfn);
  }
  return fresh;
}

/** Setup, destinations, pages and finalize. @returns the request, done */
export function migrateAll(machine: Machine, m: MigrateVma, to: string | number = 'gpu'): MigrateVma {
  if (machine.migrateVma.setup(m) !== 0) throw new Error('refused');
  fill(machine, m, to);
  machine.migrateVma.pages(m);
  machine.migrateVma.finalize(m);
  return m;
}

/** A word of src or dst in words: `page 70 migrate write`, `hole`, `0`. */
export function wordOf(word: bigint): string {
  const flags = ['', 'migrate', 'locked', 'write'].filter((_, bit) => bit > 0 && ((word >> BigInt(bit)) & 1n) === 1n);
  const pfn = frameOfWord(word);
  if (pfn === NO_PFN) return word === 0n ? '0' : word === 2n ? 'hole' : `no page ${flags.join(' ')}`;
  return [`page ${String(pfn)}`, ...flags].join(' ');
}

/** What an entry is: `none`, `present`, `swap`, `migration` or `device`, `+w` if it may be written. */
export function entryOf({ tables }: Machine, task: Task, vpn: number): string {
  const page = tables.walk(task.space.root, vpn);
  const bits = page < 0 ? 0 : tables.bits[page];
  const kinds = { present: PTE_PRESENT, swap: PTE_SWAP, migration: PTE_MIGRATION, device: PTE_DEVICE };
  const kind = Object.entries(kinds).find(([, bit]) => (bits & bit) !== 0)?.[0] ?? 'none';
  return (bits & PTE_WRITE) === 0 ? kind : `${kind}+w`;
}

/** The frame that an entry names, present or not; a swap slot is none. */
export function wordAt({ tables }: Machine, task: Task, vpn: number): Pfn {
  const page = tables.walk(task.space.root, vpn);
  return (page < 0 || tables.isSwap(page) ? NO_PFN : tables.word[page]) as Pfn;
}

/** Takes steps of setup until all is collected and nothing is unmapped beyond that. */
export function collect(machine: Machine, m: MigrateVma): MigrateVma {
  m.next = MIGRATE_VMA_SETUP;
  while (m.next !== SETTLE && m.next !== MIGRATE_VMA_DONE) m.next = machine.migrateVma.step(m, m.next);
  return m;
}

/** The rest of the call that `m` is in. */
export function goOn(machine: Machine, m: MigrateVma): MigrateVma {
  while (m.next !== MIGRATE_VMA_DONE) m.next = machine.migrateVma.step(m, m.next);
  return m;
}

/** Pages and finalize; vectors are drained. */
export function finish(machine: Machine, m: MigrateVma): void {
  machine.migrateVma.pages(m);
  machine.migrateVma.finalize(m);
  machine.lru.drainAll();
}

/** The words of src. */
export const wordsOf = (m: MigrateVma): string[] => Array.from(m.src.subarray(0, m.npages), wordOf);
