import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { FaultState } from '../../src/fault/index.js';
import { HOOK } from '../../src/fault/swap.js';
import {
  type FileObject,
  type MigrateOperation,
  PG_PRIVATE,
  PG_UPTODATE,
  type Task,
  type Vma,
} from '../../src/mm/index.js';
import { COUNTER_NAMES, type CounterName } from '../../src/stats/index.js';
import { asNodeId, type Pfn, type SwapSlot } from '../../src/units.js';
import {
  cacheOn,
  fillNode,
  intoVector,
  mapShared,
  moveTo,
  type PinMap,
  processWithPages,
  pageOf,
  startWriteback,
  unmapEverywhere,
} from '../support/arrange.js';
import { countedSince, listNameOf, lruLists, memorySnapshot } from '../support/snapshot.js';
import { frameAt, POLICIES, processOn, setPolicy, tinyMachine, type TinyOptions } from '../support/tiny-machine.js';

// Every way in which checkMigrateMisplacedPage and migrateMisplacedPage leave a page where it is. Each must leave it as it
// was found (FP-70): flags, counts, caches, free pages, lists. A page that was off its list for a while stands where newly
// added pages of its kind go, once the vectors are drained.

const START = 1000;
const HOME = 1;
const TARGET = 2;

/** A page that is about to be checked for a task on TARGET, and what belongs to it. */
interface Case {
  readonly machine: Machine;
  readonly task: Task;
  readonly vma: Vma;
  readonly pfn: Pfn;
  readonly file: FileObject | null;
  readonly pins: PinMap;
}

interface Exit {
  readonly says: string;
  readonly counter: CounterName;
  readonly options?: Partial<TinyOptions>;
  /** A page of a file with this operation, not an anonymous one. */
  readonly file?: MigrateOperation;
  readonly arrange?: (c: Case) => void;
  /** What happens to the page between M3 and M5; undone before states are compared. */
  readonly tamper?: (c: Case) => () => void;
  /** The page was isolated before it turned out that it stays. */
  readonly putBack?: true;
  /** Pages that are lost. */
  readonly leaks?: 1;
  /** Other counters of migrate-on-fault that must have grown. */
  readonly also?: Partial<Record<CounterName, number>>;
}

const TRIED = { mof_migrate_tried: 1 } as const;

const CHECKS: readonly Exit[] = [
  {
    says: 'C1: somebody maps it',
    counter: 'mof_stay_c1_mapped',
    arrange({ machine, task, vma }) {
      moveTo(machine, task, HOME);
      machine.handleMmFault(task, pageOf(machine, vma, START), false);
      moveTo(machine, task, TARGET);
    },
  },
  {
    says: 'C2: it is being written',
    counter: 'mof_stay_c2_writeback',
    arrange: ({ machine, pfn }) => startWriteback(machine, pfn),
  },
  {
    says: 'C3: its contents are not there yet',
    counter: 'mof_stay_c3_not_uptodate',
    arrange: ({ machine, pfn }) => machine.frames.clear(pfn, PG_UPTODATE),
  },
  { says: 'C4: its mapping cannot move pages', counter: 'mof_stay_c4_no_operation', file: 'none' },
  {
    says: 'C5: only marked policies count, and this one is not marked',
    counter: 'mof_stay_c5_no_flag',
    options: { rules: { misplacedGate: 'marked-only' } },
    arrange: ({ machine, task }) => setPolicy(machine, task, POLICIES.default),
  },
  {
    says: 'C5: only marked policies count, and there is none',
    counter: 'mof_stay_c5_no_flag',
    options: { rules: { misplacedGate: 'marked-only' } },
  },
  {
    says: 'C6: the policy wants it where it is',
    counter: 'mof_stay_c6_well_placed',
    arrange: ({ machine, task }) => setPolicy(machine, task, POLICIES.preferred, HOME),
  },
];

const holdIt = ({ machine, pfn, pins }: Case): void => {
  machine.frames.get(pfn);
  pins.set(pfn, 1);
};

const MOVES: readonly Exit[] = [
  {
    says: 'M1: it is in a vector, not on a list',
    counter: 'mof_fail_m1_isolate',
    arrange: ({ machine, task, pfn }) => intoVector(machine, task.cpu, pfn),
  },
  {
    says: 'M2: the target node has no page',
    counter: 'mof_fail_m2_no_page',
    arrange: ({ machine, pins }) => fillNode(machine, TARGET).forEach((n, pfn) => pins.set(pfn, n)),
    putBack: true,
  },
  {
    says: 'M2: the target node is down at its low mark, and no reserve is used',
    counter: 'mof_fail_m2_no_page',
    options: { minFreeKbytes: 64 },
    arrange({ machine, pins }) {
      const low = machine.zones.mark(asNodeId(TARGET), 2);
      fillNode(machine, TARGET, low).forEach((n, pfn) => pins.set(pfn, n));
    },
    putBack: true,
  },
  {
    says: 'M2: the task may not use the target node (MP-44)',
    counter: 'mof_fail_m2_no_page',
    arrange: ({ machine }) => machine.rootCpuset.setNodes([0, 1, 3].map(asNodeId)),
    putBack: true,
  },
  {
    says: 'M4: the move is refused',
    counter: 'mof_fail_m4_refused',
    options: { refuseMove: () => true },
    putBack: true,
  },
  {
    says: 'M4: the move of an active page is refused',
    counter: 'mof_fail_m4_refused',
    options: { refuseMove: () => true },
    arrange: ({ machine, pfn }) => machine.lru.activate(pfn),
    putBack: true,
  },
  {
    says: 'M4: the move of a page with buffers is refused',
    counter: 'mof_fail_m4_refused',
    file: 'buffers',
    options: { refuseMove: () => true },
    arrange: attachBuffers,
    putBack: true,
  },
  {
    says: 'M5: its mapping cannot move pages, which is found out late',
    counter: 'mof_fail_m5_no_operation',
    file: 'none',
    options: { rules: { operationTest: 'late' } },
    putBack: true,
  },
  {
    says: 'M5: the same in the posted form, which loses the new page',
    counter: 'mof_fail_m5_no_operation',
    file: 'none',
    options: { rules: { operationTest: 'late-leaking' } },
    also: { mof_leaked_pages: 1 },
    putBack: true,
    leaks: 1,
  },
  {
    says: 'M5: the operation of its mapping always fails',
    counter: 'mof_fail_m5_no_operation',
    file: 'fail',
    putBack: true,
  },
  {
    says: 'M5a: it was truncated meanwhile',
    counter: 'mof_fail_m5a_mapping',
    file: 'simple',
    putBack: true,
    tamper({ machine, pfn, file }) {
      const index = machine.frames.index(pfn);
      machine.pageCache.remove(pfn);
      return () => {
        machine.frames.drop(pfn);
        machine.pageCache.add(file!, index, pfn);
      };
    },
  },
  { says: 'M5a: somebody else holds it', counter: 'mof_fail_m5a_count', arrange: holdIt, putBack: true },
  {
    says: 'M5a: somebody took a reference meanwhile',
    counter: 'mof_fail_m5a_count',
    tamper({ machine, pfn }) {
      machine.frames.get(pfn);
      return () => void machine.frames.drop(pfn);
    },
    putBack: true,
  },
  {
    says: 'M5a: its buffers are its own reference, and somebody else holds it too',
    counter: 'mof_fail_m5a_count',
    file: 'buffers',
    arrange(c) {
      attachBuffers(c);
      holdIt(c);
    },
    putBack: true,
  },
  {
    says: 'M5a: its swap slot shows another page',
    counter: 'mof_fail_m5a_slot',
    tamper({ machine, pfn }) {
      const slot = machine.frames.private_(pfn) as SwapSlot;
      machine.swap.replace(slot, machine.zeroPage);
      return () => machine.swap.replace(slot, pfn);
    },
    putBack: true,
  },
  {
    says: 'M5a: its place in the file shows another page',
    counter: 'mof_fail_m5a_slot',
    file: 'simple',
    tamper({ machine, pfn, file }) {
      const index = machine.frames.index(pfn);
      machine.pageCache.replace(file!, index, machine.zeroPage);
      return () => machine.pageCache.replace(file!, index, pfn);
    },
    putBack: true,
  },
];

function attachBuffers({ machine, pfn }: Case): void {
  machine.frames.set(pfn, PG_PRIVATE);
  machine.frames.get(pfn);
}

/** Three pages on HOME, unmapped; the middle one of its list is the one that is checked. */
function prepare(exit: Exit): { c: Case; undo: () => void } {
  let tampering: (() => void) | null = null;
  const undone: (() => void)[] = [];
  const machine = tinyMachine({
    ...exit.options,
    ...(exit.tamper === undefined ? {} : { refuseMove: () => (tampering?.(), false) }),
  });
  const c = exit.file === undefined ? anonCase(machine) : fileCase(machine, exit.file);
  moveTo(machine, c.task, TARGET);
  exit.arrange?.(c);
  const { tamper } = exit;
  if (tamper !== undefined) tampering = () => undone.push(tamper(c));
  return { c, undo: () => undone.forEach((step) => step()) };
}

function anonCase(machine: Machine): Case {
  const { task, vma } = processWithPages(machine, HOME, START, 3);
  const frames = [1, 0, 2].map((page) => frameAt(machine, task, START + page));
  for (const pfn of frames) unmapEverywhere(machine, task, pfn);
  return { machine, task, vma, pfn: frames[1], file: null, pins: new Map() };
}

function fileCase(machine: Machine, migrate: MigrateOperation): Case {
  const file = machine.files.create('file', 'data', 3, { migrate });
  const pages = cacheOn(machine, HOME, file);
  const task = processOn(machine, TARGET);
  const vma = mapShared(machine, task, file, START);
  return { machine, task, vma, pfn: pages[1], file, pins: new Map() };
}

/** Checks the page as a fault would: locked, with a reference of its own. @returns what came back */
function check({ machine, task, vma, pfn, file }: Case): Pfn {
  machine.frames.get(pfn);
  machine.frames.tryLock(pfn);
  const offset = file === null ? 0 : machine.frames.index(pfn);
  const kept = machine.misplaced.check(task, file === null ? vma : null, offset, pfn, false);
  machine.frames.unlock(kept);
  machine.frames.drop(kept);
  return kept;
}

/** The page first on its list, where the put-back page of `lists` goes. */
function withPageFirst(lists: Record<string, number[]>, name: string, pfn: Pfn): Record<string, number[]> {
  return { ...lists, [name]: [pfn, ...lists[name].filter((other) => other !== pfn)] };
}

describe('each exit of the check and of the migration', () => {
  const covered = [...CHECKS, ...MOVES].map(({ counter }) => counter);

  it('is counted by a name of its own, and each of these is reached here', () => {
    const known = COUNTER_NAMES.filter((name) => /^mof_(stay|fail)_/.test(name));
    expect(known).toHaveLength(15);
    expect(new Set([...covered, 'mof_stay_would_copy', 'mof_stay_lock_busy'])).toEqual(new Set(known));
  });

  it('is reached in 23 ways', () => {
    expect([CHECKS.length, MOVES.length]).toEqual([7, 16]);
  });

  it.each([...CHECKS, ...MOVES])('$says: the page is left as found', (exit) => {
    const { c, undo } = prepare(exit);
    const { machine, pfn, pins } = c;
    const list = listNameOf(machine, pfn);
    const [before, counters] = [memorySnapshot(machine), machine.counters.snapshot()];

    expect(check(c)).toBe(pfn);
    undo();

    const isMove = exit.counter.startsWith('mof_fail_');
    expect(countedSince(machine, counters, 'mof_')).toEqual({
      ...{ [exit.counter]: 1 },
      ...(isMove ? TRIED : {}),
      ...exit.also,
    });
    expect(countedSince(machine, counters, 'pgmigrate')).toEqual(isMove ? { pgmigrate_fail: 1 } : {});
    if (exit.putBack === true) {
      expect(machine.frames.isOnLru(pfn)).toBe(false); // in a vector, with its reference
      machine.lru.drainAll();
      before.lists = withPageFirst(before.lists, list, pfn);
    }
    const after = memorySnapshot(machine);
    if (exit.leaks === 1) forgetLeaked(after, machine);
    expect(after).toEqual(before);
    machine.block.completeAll();
    if (exit.file !== 'none' || exit.leaks !== 1) checkSane(machine, exit, pins);
  });

  /** The lost page: on TARGET, locked, with one reference, known to nobody. */
  function forgetLeaked(after: ReturnType<typeof memorySnapshot>, machine: Machine): void {
    const [lost] = Object.entries(after.used).filter(([, page]) => page.flags === 'locked');
    expect(lost[1]).toMatchObject({ count: 1, mapcount: 0 });
    expect(machine.frames.nodeOf(Number(lost[0]) as Pfn)).toBe(TARGET);
    after.used = Object.fromEntries(Object.entries(after.used).filter(([pfn]) => pfn !== lost[0]));
    after.free[TARGET]++;
  }

  function checkSane(machine: Machine, exit: Exit, pins: PinMap): void {
    if (exit.counter === 'mof_stay_c3_not_uptodate') return; // no fault in flight leaves such a page
    checkMachine(machine, pins);
  }

  it('M5 of the posted form is what the machine check finds as a leak', () => {
    const { c } = prepare(MOVES.find(({ leaks }) => leaks === 1)!);
    check(c);
    expect(() => checkMachine(c.machine)).toThrow(/INV-/);
  });

  it('would copy: a write to a shared page leaves it as found', () => {
    const machine = tinyMachine();
    const { task, vma } = processWithPages(machine, HOME, START, 1);
    machine.process.fork(task, task.cpu);
    const pfn = frameAt(machine, task, START);
    unmapEverywhere(machine, task, pfn);
    moveTo(machine, task, TARGET);
    const f = new FaultState(task, vma);
    f.page = pageOf(machine, vma, START);
    f.isWrite = true;
    f.pfn = pfn;
    machine.frames.get(pfn);
    machine.frames.tryLock(pfn);
    const before = memorySnapshot(machine);
    machine.swapFault.step(f, HOOK);
    expect(f.pfn).toBe(pfn);
    expect(memorySnapshot(machine)).toEqual(before);
    expect(machine.counters.get('mof_stay_would_copy')).toBe(1);
  });

  it('lock busy: a fault on a locked page of a file ends as it does without the hook', () => {
    const states = [true, false].map((hookFile) => {
      const machine = tinyMachine({
        switches: {
          ...{ hookSwap: true, hookFile, hookShmem: true },
          ...{ pageCluster: 0, readahead: false, faultAround: false },
        },
      });
      const { task, vma, pfn } = fileCase(machine, 'simple');
      machine.frames.tryLock(pfn);
      machine.handleMmFault(task, pageOf(machine, vma, START + 1), false);
      expect(frameAt(machine, task, START + 1)).toBe(pfn);
      expect(machine.frames.isLocked(pfn)).toBe(true);
      expect(machine.counters.get('mof_stay_lock_busy')).toBe(hookFile ? 1 : 0);
      expect(lruLists(machine)[listNameOf(machine, pfn)]).toHaveLength(3);
      return memorySnapshot(machine);
    });
    expect(states[0]).toEqual(states[1]);
  });
});
