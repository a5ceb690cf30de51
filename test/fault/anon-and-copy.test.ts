import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { MAJOR, MINOR, OOM, SIGBUS, SIGSEGV, type Outcome } from '../../src/fault/index.js';
import { PTE_WRITE } from '../../src/hardware/index.js';
import { VM_READ, type Task, type Vma } from '../../src/mm/index.js';
import { definePolicy, NO_NODE } from '../../src/policy/index.js';
import type { CounterName } from '../../src/stats/index.js';
import { asNodeId, type PageId } from '../../src/units.js';
import {
  cacheOn,
  evict,
  fillNode,
  mapPrivate,
  mapShared,
  moveTo,
  pageOf,
  processWithPages,
} from '../support/arrange.js';
import { freePages, memorySnapshot } from '../support/snapshot.js';
import {
  cpuOf,
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  setPolicy,
  tinyMachine,
} from '../support/tiny-machine.js';

// First touch, copy on write and the outcomes of a fault: FP-1, FP-2, FP-10, FP-11, FP-20, FP-21.

const START = 1000;

/** A policy that lets something happen while a page is allocated for a fault: the moment at which a sibling may come. */
function meddling(meddle: () => void) {
  return definePolicy({
    ...{ name: 'meddling', about: '', nodes: 'none', fallback: 'any', rebind: 'keep' },
    create: () => ({
      place(fault) {
        meddle();
        return fault.cpuNode;
      },
      misplaced: () => NO_NODE,
    }),
  });
}

/** A machine on which `meddle` happens once, during the next allocation by policy after it was armed. */
function meddledMachine(): { machine: Machine; arm: (meddle: () => void) => void } {
  let armed: (() => void) | null = null;
  const defaultPolicy = meddling(() => {
    const meddle = armed;
    armed = null;
    meddle?.();
  });
  return { machine: tinyMachine({ defaultPolicy }), arm: (meddle) => (armed = meddle) };
}

describe('FP-1: a fault whose entry was changed while it worked backs out', () => {
  it('a first write finds that a sibling has mapped the zero page', () => {
    const { machine, arm } = meddledMachine();
    const task = processOn(machine, 1);
    const vma = mapAnon(machine, task, START, 1);
    const page = pageOf(machine, vma, START);
    const free = freePages(machine);
    arm(() => machine.mapping.mapZeroPage(page));
    expect(machine.handleMmFault(task, page, true)).toBe(MINOR);
    expect(frameAt(machine, task, START)).toBe(machine.zeroPage);
    expect(freePages(machine)).toEqual(free);
    expect(machine.counters.get('fault_anon')).toBe(0);
    checkMachine(machine);
  });

  it('a copy on write finds that the page was discarded, and frees its copy', () => {
    const { machine, arm } = meddledMachine();
    const { task, vma } = processWithPages(machine, 1, START, 1);
    machine.process.fork(task, task.cpu);
    const free = freePages(machine);
    arm(() => machine.memory.discard(vma.space, START, 1, task.cpu));
    expect(machine.handleMmFault(task, pageOf(machine, vma, START), true)).toBe(MINOR);
    expect(frameAt(machine, task, START)).toBe(0);
    expect(freePages(machine)).toEqual(free); // the original is the child's now
    expect(machine.counters.get('fault_cow')).toBe(0);
    checkMachine(machine);
  });

  it('the copy of a page of a file finds that a sibling has mapped the file, and frees its copy', () => {
    const { machine, arm } = meddledMachine();
    const file = machine.files.create('file', 'data', 1);
    const [cached] = cacheOn(machine, 1, file);
    const task = processOn(machine, 1);
    const vma = mapPrivate(machine, task, file, START);
    const page = pageOf(machine, vma, START);
    const free = freePages(machine);
    arm(() => {
      machine.frames.get(cached);
      machine.mapping.mapFile(vma, page, cached, 0);
    });
    expect(machine.handleMmFault(task, page, true)).toBe(MINOR);
    expect(frameAt(machine, task, START)).toBe(cached);
    expect(freePages(machine)).toEqual(free);
    checkMachine(machine);
  });

  it('a fault on an entry that somebody else has served only marks it young', () => {
    const machine = tinyMachine();
    const { task, vma } = processWithPages(machine, 1, START, 1);
    const before = memorySnapshot(machine);
    expect(machine.handleMmFault(task, pageOf(machine, vma, START), true)).toBe(MINOR);
    expect(memorySnapshot(machine)).toEqual(before);
  });
});

interface OutcomeRow {
  readonly says: string;
  readonly outcome: Outcome;
  readonly counter: CounterName | null;
  readonly isWrite: boolean;
  arrange(machine: Machine): { task: Task; page: PageId };
}

const first = (machine: Machine, task: Task, vma: Vma) => ({ task, page: pageOf(machine, vma, vma.start) });

const OUTCOMES: readonly OutcomeRow[] = [
  {
    ...{ says: 'minor: nothing had to be read', outcome: MINOR, counter: null, isWrite: true },
    arrange(machine) {
      const task = processOn(machine, 0);
      return first(machine, task, mapAnon(machine, task, START, 1));
    },
  },
  {
    ...{ says: 'major: the page comes from swap', outcome: MAJOR, counter: 'pgmajfault', isWrite: false },
    arrange(machine) {
      const { task, vma } = processWithPages(machine, 0, START, 1);
      evict(machine, task, frameAt(machine, task, START));
      return first(machine, task, vma);
    },
  },
  {
    ...{ says: 'major: the page comes from its file', outcome: MAJOR, counter: 'pgmajfault', isWrite: false },
    arrange(machine) {
      const task = processOn(machine, 0);
      return first(machine, task, mapShared(machine, task, machine.files.create('file', 'data', 1), START));
    },
  },
  {
    ...{ says: 'out of memory: no node has a page', outcome: OOM, counter: 'fault_oom', isWrite: true },
    arrange(machine) {
      const task = processOn(machine, 0);
      for (let node = 0; node < 4; node++) fillNode(machine, node);
      return first(machine, task, mapAnon(machine, task, START, 1));
    },
  },
  {
    ...{ says: 'bus error: beyond the end of the file', outcome: SIGBUS, counter: 'fault_sigbus', isWrite: false },
    arrange(machine) {
      const task = processOn(machine, 0);
      const file = machine.files.create('file', 'data', 1);
      const vma = mapShared(machine, task, file, START);
      file.sizePages = 0;
      return first(machine, task, vma);
    },
  },
  {
    ...{
      says: 'bus error: beyond the end of a shared object',
      outcome: SIGBUS,
      counter: 'fault_sigbus',
      isWrite: true,
    },
    arrange(machine) {
      const task = processOn(machine, 0);
      const object = machine.files.create('shmem', 'shared', 1);
      const vma = mapShared(machine, task, object, START);
      object.sizePages = 0;
      return first(machine, task, vma);
    },
  },
  {
    ...{
      says: 'no access: a write where only reading is allowed',
      outcome: SIGSEGV,
      counter: 'fault_segv',
      isWrite: true,
    },
    arrange(machine) {
      const task = processOn(machine, 0);
      return first(machine, task, machine.memory.mmap(task.space, START, 1, { flags: VM_READ }, task.cpu));
    },
  },
  {
    ...{ says: 'no access: no area', outcome: SIGSEGV, counter: 'fault_segv', isWrite: false },
    arrange(machine) {
      const { task, vma } = processWithPages(machine, 0, START, 2);
      machine.memory.munmap(vma.space, START, 1, task.cpu);
      return { task, page: pageOf(machine, vma, START) };
    },
  },
];

describe('FP-2: how a fault ends', () => {
  it('is covered by eight rows, with every outcome but the one that is tried again', () => {
    expect(OUTCOMES).toHaveLength(8);
    expect(new Set(OUTCOMES.map(({ outcome }) => outcome))).toEqual(new Set([MINOR, MAJOR, OOM, SIGBUS, SIGSEGV]));
  });

  it.each(OUTCOMES)('$says', ({ arrange, outcome, counter, isWrite }) => {
    const machine = tinyMachine({ swapPages: 64, writesAtOnce: true });
    const { task, page } = arrange(machine);
    const [before, counters] = [memorySnapshot(machine), machine.counters.snapshot()];
    expect(machine.handleMmFault(task, page, isWrite)).toBe(outcome);
    // what has no area or may not be accessed is turned away before it is a fault (recorded: no minflt)
    expect(machine.counters.get('pgfault') - (counters.pgfault ?? 0)).toBe(outcome === SIGSEGV ? 0 : 1);
    if (counter !== null) expect(machine.counters.get(counter) - (counters[counter] ?? 0)).toBe(1);
    if (outcome !== MINOR && outcome !== MAJOR) expect(memorySnapshot(machine)).toEqual(before);
  });
});

describe('first touch', () => {
  it('FP-10: a page that overflowed to another node stays there, and no later access looks at it again', () => {
    const machine = tinyMachine();
    const pins = fillNode(machine, 1);
    const { task } = processWithPages(machine, 1, START, 1);
    expect(nodeAt(machine, task, START)).toBe(2);
    for (const pfn of pins.keys()) machine.lru.put(pfn);
    const faults = machine.counters.get('pgfault');
    machine.touch(task, START, true);
    expect(nodeAt(machine, task, START)).toBe(2);
    expect(machine.counters.get('pgfault')).toBe(faults);
    expect(machine.counters.get('mof_migrate_tried')).toBe(0);
  });

  it('FP-11: a first read decides nothing, the first write does', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 3);
    mapAnon(machine, task, START, 1);
    expect(machine.touch(task, START, false)).toBe(machine.zeroPage);
    moveTo(machine, task, 2);
    machine.touch(task, START, true);
    expect(nodeAt(machine, task, START)).toBe(2);
  });

  it('FP-11: the policy is that of the thread that faults, on the CPU it runs on', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 1);
    mapAnon(machine, task, START, 2);
    const thread = machine.process.newThread(task, cpuOf(machine, 2));
    setPolicy(machine, thread, POLICIES.preferred, 3);
    machine.touch(thread, START, true);
    machine.touch(task, START + 1, true);
    expect([nodeAt(machine, task, START), nodeAt(machine, task, START + 1)]).toEqual([3, 1]);
  });
});

describe('copy on write', () => {
  it('FP-20, FP-21: the copy is placed by policy, and the original is neither checked nor moved', () => {
    const machine = tinyMachine();
    const { task } = processWithPages(machine, 1, START, 1);
    const original = frameAt(machine, task, START);
    const child = machine.process.fork(task, cpuOf(machine, 3));
    machine.contents?.set(original, 42);
    machine.touch(child, START, true);
    const copy = frameAt(machine, child, START);
    expect(machine.frames.nodeOf(copy)).toBe(3);
    expect(frameAt(machine, task, START)).toBe(original);
    expect(machine.contents?.get(copy)).toBe(42);
    expect(Object.keys(machine.counters.snapshot()).filter((name) => name.startsWith('mof_'))).toEqual([]);
    checkMachine(machine);
  });

  it('FP-20: the last owner writes in place: no copy, no move', () => {
    const machine = tinyMachine();
    const { task } = processWithPages(machine, 1, START, 1);
    const original = frameAt(machine, task, START);
    const child = machine.process.fork(task, cpuOf(machine, 3));
    machine.process.exit(task);
    machine.touch(child, START, true);
    expect(frameAt(machine, child, START)).toBe(original);
    expect(machine.counters.get('fault_write_in_place')).toBe(1);
    expect(machine.counters.get('fault_cow')).toBe(0);
  });

  it('a page whose lock is taken is copied even by its only owner', () => {
    const machine = tinyMachine();
    const { task, vma } = processWithPages(machine, 1, START, 1);
    const original = frameAt(machine, task, START);
    const child = machine.process.fork(task, task.cpu);
    machine.process.exit(child);
    machine.frames.get(original);
    machine.frames.tryLock(original);
    machine.handleMmFault(task, pageOf(machine, vma, START), true);
    expect(frameAt(machine, task, START)).not.toBe(original);
    expect(machine.frames.count(original)).toBe(1);
    machine.frames.unlock(original);
    machine.lru.put(original);
    checkMachine(machine);
  });

  it('the first write where the zero page is mapped takes a cleared page by policy', () => {
    const machine = tinyMachine();
    const task = processOn(machine, 2);
    const vma = mapAnon(machine, task, START, 1);
    machine.touch(task, START, false);
    machine.touch(task, START, true);
    const pfn = frameAt(machine, task, START);
    expect(machine.frames.nodeOf(pfn)).toBe(2);
    expect(machine.contents?.get(pfn)).toBe(0);
    expect(machine.tables.bits[pageOf(machine, vma, START)] & PTE_WRITE).toBe(PTE_WRITE);
    expect(machine.zones.free(asNodeId(2))).toBe(63);
  });
});
