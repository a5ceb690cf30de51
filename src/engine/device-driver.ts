import { bugOn, EAGAIN, EBUSY } from '../errors.js';
import { PTE_WRITE } from '../hardware/index.js';
import {
  frameOfWord,
  isMigrating,
  MIGRATE_VMA_DONE,
  MIGRATE_VMA_FINALIZE,
  MIGRATE_VMA_PAGES,
  MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
  MIGRATE_VMA_SELECT_SYSTEM,
  MIGRATE_VMA_SETUP,
  MIGRATE_VMA_WAIT,
  migratePfn,
  MigrateVma,
} from '../migrate/index.js';
import type { Task, Vma } from '../mm/index.js';
import { NO_PAGE, NO_PFN, type Pfn } from '../units.js';
import type { Machine } from './machine.js';

/** A move under way, for drivers that take one step at a time and let others act in between. */
export interface DeviceMove {
  readonly m: MigrateVma;
  readonly toDevice: boolean;
  /** Next step; DONE at the end. */
  next: number;
  /** Pages that moved, known at the end. */
  moved: number;
}

/** A small driver of a device, which follows the protocol of migrateVma (MV section 2). */
export interface ModelDriver {
  /** Moves pages of a process into the device, untouched ones included. @returns how many moved */
  toDevice(task: Task, vpn: number, pages: number): number;
  /** Brings pages back, each to where its policy places a new page. @returns how many moved */
  toRam(task: Task, vpn: number, pages: number): number;
  /** The driver goes: every page leaves the device, to the node beside it first. @returns pages that could not [6.x] */
  unload(task: Task): number;
  /** The device reads or writes a page. @returns the frame; `NO_PFN` if it is not there for that: move it first */
  access(task: Task, vpn: number, isWrite: boolean): Pfn;
  /** One move of pages of one area, before its first step. */
  begin(task: Task, vpn: number, pages: number, toDevice: boolean): DeviceMove;
  /** The same for pages of the device by frame number [6.x]. */
  beginUnload(task: Task, frames: readonly Pfn[]): DeviceMove;
  /** One step. @returns the next, MIGRATE_VMA_DONE or MIGRATE_VMA_WAIT: nothing was done, the same step again later */
  step(move: DeviceMove, at: number): number;
}

/** After setup: destinations, one entry after the other; between pages and finalize: the driver's own tables. */
const FILL = 60;
const NOTE = 61;

/**
 * Puts device memory of a machine to use: makes a driver and binds it, so that CPU faults on its pages are served.
 *
 * @param name a device of the machine's option `devices`
 * @throws MmError if there is no such device
 */
export function makeDeviceDriver(machine: Machine, name: string): ModelDriver {
  const { frames, tables, spaces, devices, migrateVma, placement, reclaim, contents, rules } = machine;
  const pool = devices.named(name);
  /** The device's own page tables: frames that it may reach. */
  const mirrored = new Set<Pfn>();

  function begin(task: Task, vpn: number, pages: number, toDevice: boolean, faultPage = NO_PFN): DeviceMove {
    const words = (): BigUint64Array => new BigUint64Array(pages);
    const request = { task, vma: task.space.find(vpn), start: vpn, end: vpn + pages, src: words(), dst: words() };
    const select = toDevice ? MIGRATE_VMA_SELECT_SYSTEM : MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
    const m = new MigrateVma({ ...request, select, owner: pool.owner, faultPage });
    return { m, toDevice, next: MIGRATE_VMA_SETUP, moved: 0 };
  }

  function beginUnload(task: Task, range: readonly Pfn[]): DeviceMove {
    const m = migrateVma.beginDeviceRange(task, range);
    return { m, toDevice: false, next: m.next, moved: 0 };
  }

  function step(move: DeviceMove, at: number): number {
    const { m } = move;
    if (at === FILL) return fill(move);
    if (at === NOTE) return note(move);
    const next = migrateVma.step(m, at);
    if (next !== MIGRATE_VMA_DONE) return next;
    if (at >= MIGRATE_VMA_FINALIZE) return MIGRATE_VMA_DONE;
    if (at >= MIGRATE_VMA_PAGES) return NOTE;
    m.at = 0;
    return m.result === 0 ? FILL : MIGRATE_VMA_DONE;
  }

  /** Protocol step 3 for the next entry: a destination, locked, and what the source holds. */
  function fill(move: DeviceMove): number {
    const { m } = move;
    while (m.at < m.npages && !isMigrating(m.word)) m.at++;
    if (m.at === m.npages) return MIGRATE_VMA_PAGES;
    const source = frameOfWord(m.word);
    const fresh = allocate(move, source);
    if (fresh !== NO_PFN) {
      frames.tryLock(fresh); // cannot fail: it is new
      if (contents !== null && source === NO_PFN) contents.set(fresh, 0);
      else contents?.copy(fresh, source);
      m.dst[m.at] = migratePfn(fresh);
    }
    m.at++;
    return FILL;
  }

  function allocate({ m, toDevice }: DeviceMove, source: Pfn): Pfn {
    if (toDevice) return devices.take(pool);
    if (source === NO_PFN) return NO_PFN; // on its way back a hole is nothing to move
    const { task } = m.request;
    if (m.vma !== null) return placement.forVma(task, m.vma, m.vpn - m.vma.start, true);
    return reclaim.allocatePage(pool.node, null, true, task.cpuset.mems, task.cpu);
  }

  /** Protocol step 5: what has arrived is the device's to use. (What has left told so when its frame was freed.) */
  function note(move: DeviceMove): number {
    const { m } = move;
    for (let i = 0; i < m.npages; i++) {
      const fresh = frameOfWord(m.dst[i]);
      if (!isMigrating(m.src[i]) || fresh === NO_PFN) continue;
      move.moved++;
      if (move.toDevice) mirrored.add(fresh);
    }
    return MIGRATE_VMA_FINALIZE;
  }

  function run(move: DeviceMove): DeviceMove {
    while (move.next !== MIGRATE_VMA_DONE) {
      move.next = step(move, move.next);
      bugOn(move.next === MIGRATE_VMA_WAIT, 'a driver waits, and nobody is there to wait for', move.m.pfn);
    }
    return move;
  }

  /** A range may reach over several areas; what no area covers is passed over. */
  function moveRange(task: Task, vpn: number, pages: number, toDevice: boolean): number {
    let moved = 0;
    for (const vma of task.space.vmas) {
      const from = Math.max(vpn, vma.start);
      const until = Math.min(vpn + pages, vma.end);
      if (from < until) moved += run(begin(task, from, until - from, toDevice)).moved;
    }
    return moved;
  }

  function migrateToRam(task: Task, vma: Vma, vpn: number, pfn: Pfn): number {
    if (vma.space.tablesHeld) return -EAGAIN;
    run(begin(task, vpn, 1, false, rules.migrateVma.hasFaultPage ? pfn : NO_PFN));
    const page = spaces.pageIn(vma, vpn - vma.start);
    if (page === NO_PAGE || !tables.isDevice(page)) return 0;
    return frames.isLocked(pfn) ? -EAGAIN : -EBUSY;
  }

  function unload(task: Task): number {
    const range: Pfn[] = [];
    devices.forEachUsed((pfn) => {
      if (devices.poolOf(pfn) === pool) range.push(pfn);
    });
    return range.length - run(beginUnload(task, range)).moved;
  }

  function access(task: Task, vpn: number, isWrite: boolean): Pfn {
    const page = tables.walk(task.space.root, vpn);
    if (page === NO_PAGE || !tables.isDevice(page)) return NO_PFN;
    const pfn = tables.word[page] as Pfn;
    const mayWrite = (tables.bits[page] & PTE_WRITE) !== 0;
    return mirrored.has(pfn) && (mayWrite || !isWrite) ? pfn : NO_PFN;
  }

  pool.driver = { migrateToRam, pageFree: (pfn) => mirrored.delete(pfn) };
  return {
    toDevice: (task, vpn, pages) => moveRange(task, vpn, pages, true),
    toRam: (task, vpn, pages) => moveRange(task, vpn, pages, false),
    ...{ unload, access, begin, beginUnload, step },
  };
}
