import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../../src/engine/index.js';
import { EIO } from '../../../src/errors.js';
import { cachedFrame, type MigrateOperation, type Task } from '../../../src/mm/index.js';
import { mapShared, moveTo, startWriteback } from '../../support/arrange.js';
import {
  BIND,
  bytes,
  callsBed,
  DEFAULT,
  F_ADDR,
  F_NODE,
  INTERLEAVE,
  LAZY,
  mbind,
  MOVE,
  MOVE_ALL,
  PREFERRED,
  STRICT,
  type CallsBed,
} from '../../support/calls.js';
import {
  frameAt,
  mapAnon,
  nodeAt,
  processOn,
  tinyMachine,
  touchAll,
  type TinyOptions,
} from '../../support/tiny-machine.js';

// mbind with MPOL_MF_LAZY and MPOL_NOOP: pages are unmapped, and follow whoever touches them next (DM section 8, DM-40..DM-43).

const START = 1000;
const ERAS = ['mof', 'mof-2006'] as const;
const NOOP = { mof: 7, 'mof-2006': 4 };

/** Pages of the task on `nodes`, one after the other, each written there. */
function pagesOn(options: TinyOptions, nodes: readonly number[]): CallsBed {
  const bed = callsBed({ writesAtOnce: true, ...options });
  mapAnon(bed.machine, bed.task, START, nodes.length);
  nodes.forEach((node, i) => {
    moveTo(bed.machine, bed.task, node);
    touchAll(bed.machine, bed.task, START + i, 1, true);
  });
  moveTo(bed.machine, bed.task, 0);
  bed.machine.lru.drainAll();
  return bed;
}

const nodesOf = ({ machine, task }: CallsBed, pages: number) =>
  Array.from({ length: pages }, (_, i) => nodeAt(machine, task, START + i));

const FLAGS: readonly {
  readonly flags: number;
  readonly says: string;
  readonly unmapped: readonly number[];
  readonly moved: readonly number[];
}[] = [
  { flags: 0, says: 'none: nothing', unmapped: [], moved: [] },
  { flags: MOVE, says: 'MOVE: moved now', unmapped: [], moved: [0, 2] },
  { flags: MOVE | LAZY, says: 'LAZY with MOVE: the same pages, unmapped only', unmapped: [0, 2], moved: [] },
  { flags: MOVE_ALL | LAZY, says: 'LAZY with MOVE_ALL', unmapped: [0, 2, 3], moved: [] },
  { flags: MOVE_ALL, says: 'MOVE_ALL: shared ones too', unmapped: [], moved: [0, 2, 3] },
  { flags: LAZY, says: 'LAZY alone: accepted, does nothing', unmapped: [], moved: [] },
  { flags: STRICT | MOVE, says: 'MOVE with STRICT', unmapped: [], moved: [0, 2] },
];

describe('flags of mbind and pages that are there (table of section 8)', () => {
  it('is told by seven rows', () => {
    expect(FLAGS).toHaveLength(7);
  });

  it.each(ERAS.flatMap((profile) => FLAGS.map((row) => ({ ...row, profile }))))('section 8 [$profile] $says', (row) => {
    const bed = pagesOn({ profile: row.profile }, [0, 1, 2, 3]);
    const { machine, task } = bed;
    const child = machine.process.fork(task, task.cpu);
    for (const page of [0, 1, 2]) machine.touch(child, START + page, true); // page 3 stays shared
    for (const page of [0, 1, 2]) expect(machine.frames.mapcount(frameAt(machine, task, START + page))).toBe(1);
    machine.lru.drainAll();
    expect(mbind(bed, START, 4, BIND, [1], row.flags)).toBe(0);
    const expected = [0, 1, 2, 3].map((node, i) => (row.unmapped.includes(i) ? -1 : row.moved.includes(i) ? 1 : node));
    expect(nodesOf(bed, 4)).toEqual(expected);
    checkMachine(machine);
  });
});

describe('MPOL_MF_LAZY', () => {
  it.each(ERAS)('DM section 8 [%s] the policy is installed, and the next touch moves each page by it', (profile) => {
    const bed = pagesOn({ profile }, [1, 1, 1, 1]);
    expect(mbind(bed, START, 4, INTERLEAVE, [2, 3], MOVE | LAZY)).toBe(0);
    expect(nodesOf(bed, 4)).toEqual([-1, -1, -1, -1]);
    touchAll(bed.machine, bed.task, START, 4, false);
    expect(nodesOf(bed, 4)).toEqual([2, 3, 2, 3]);
    expect(bed.machine.counters.get('mof_pages_unmapped')).toBe(4);
    checkMachine(bed.machine);
  });

  it.each(ERAS)('DM-40 [%s] MOVE_ALL with LAZY unmaps from every mapper; the first toucher decides', (profile) => {
    const bed = pagesOn({ profile }, [1]);
    const { machine, task } = bed;
    const child = machine.process.fork(task, task.cpu);
    moveTo(machine, child, 2);
    expect(mbind(bed, START, 1, DEFAULT, [], MOVE_ALL | LAZY)).toBe(0);
    expect([nodeAt(machine, task, START), nodeAt(machine, child, START)]).toEqual([-1, -1]);
    machine.touch(child, START, false);
    machine.touch(task, START, false);
    expect([nodeAt(machine, child, START), nodeAt(machine, task, START)]).toEqual([2, 2]);
    checkMachine(machine);
  });

  it.each(ERAS)('DM-4 [%s] DEFAULT has no nodes: every page is outside it', (profile) => {
    const bed = pagesOn({ profile }, [0, 1, 2]);
    expect(mbind(bed, START, 3, DEFAULT, [], MOVE | LAZY)).toBe(0);
    expect(nodesOf(bed, 3)).toEqual([-1, -1, -1]);
  });

  it.each(ERAS)(
    '[%s] a page with an unknown reference is tried and stays mapped: EIO with STRICT, and the policy stays',
    (profile) => {
      for (const flags of [MOVE | LAZY, STRICT | MOVE | LAZY]) {
        const bed = pagesOn({ profile }, [0, 0]);
        const pfn = frameAt(bed.machine, bed.task, START);
        bed.machine.frames.get(pfn);
        expect(mbind(bed, START, 2, BIND, [1], flags)).toBe((flags & STRICT) !== 0 ? -EIO : 0);
        expect(nodesOf(bed, 2)).toEqual([0, -1]);
        expect(bed.task.space.find(START)?.policy?.nodes).toEqual([1]);
        checkMachine(bed.machine, new Map([[pfn, 1]]));
      }
    },
  );

  it.each(ERAS)('[%s] a page that is locked, or being written, is skipped and no failure', (profile) => {
    const bed = pagesOn({ profile, writesAtOnce: false }, [0, 0, 0]);
    const { machine, task } = bed;
    const [locked, written] = [0, 1].map((page) => frameAt(machine, task, START + page));
    machine.frames.tryLock(locked);
    machine.swapOut.addToSwap(written);
    startWriteback(machine, written);
    expect(mbind(bed, START, 3, BIND, [1], STRICT | MOVE | LAZY)).toBe(0);
    expect(nodesOf(bed, 3)).toEqual([0, 0, -1]);
    machine.frames.unlock(locked);
    checkMachine(machine);
  });

  it.each([
    { profile: 'mof', result: -EIO },
    { profile: 'mof-2006', result: 0 },
  ])('DM-41 [$profile] no slot for an anonymous page: with STRICT $result', ({ profile, result }) => {
    const bed = pagesOn({ profile, swapPages: 1 }, [0, 0]);
    expect(mbind(bed, START, 2, BIND, [1], STRICT | MOVE | LAZY)).toBe(result);
    expect(nodesOf(bed, 2)).toEqual([-1, 0]);
    checkMachine(bed.machine);
  });

  it.each([
    { profile: 'mof', operation: 'none', node: 0 },
    { profile: 'mof', operation: 'simple', node: -1 },
    { profile: 'mof-2006', operation: 'none', node: -1 },
  ] as const)('DM-41 [$profile] a file page whose mapping has operation $operation', ({ profile, operation, node }) => {
    const bed = callsBed({ profile });
    const { machine, task } = bed;
    const file = machine.files.create('file', 'data', 1, { migrate: operation as MigrateOperation });
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 1, false);
    expect(mbind(bed, START, 1, BIND, [1], MOVE | LAZY)).toBe(0);
    expect([nodeAt(machine, task, START), cachedFrame(file, 0) > 0]).toEqual([node, true]);
    checkMachine(machine);
  });

  it.each([
    { profile: 'mof', held: 1 },
    { profile: 'mof-2006', held: 0 },
  ])('DM-41 [$profile] afterwards the vectors of other CPUs hold what they held: $held', ({ profile, held }) => {
    const bed = pagesOn({ profile }, [0]);
    const { machine } = bed;
    const other = processOn(machine, 1);
    mapAnon(machine, other, START, 1);
    expect(mbind(bed, START, 1, BIND, [1], MOVE | LAZY)).toBe(0); // drains all before it selects
    machine.touch(other, START, true);
    mapAnon(machine, bed.task, START + 9, 1);
    machine.lazy.unmapPages(bed.task, isolated(machine, bed.task));
    let count = 0;
    machine.lru.forEachHeld(() => count++);
    expect(count).toBe(held);
  });

  /** A page of the task, isolated; the vector of its own CPU is empty. */
  function isolated(machine: Machine, task: Task) {
    machine.touch(task, START + 9, true);
    machine.lru.drain(task.cpu);
    const pfn = frameAt(machine, task, START + 9);
    if (!machine.lru.isolate(pfn)) throw new Error('not isolated');
    return [pfn];
  }

  it('DM-41, MP-61: under marked-only the lazy call marks its policy, and only then pages are looked at', () => {
    for (const [flags, node] of [
      [MOVE | LAZY, 3],
      [0, 1],
    ] as const) {
      const bed = pagesOn({ rules: { misplacedGate: 'marked-only' } }, [1]);
      expect(mbind(bed, START, 1, PREFERRED, [3], flags)).toBe(0);
      expect(bed.task.space.find(START)?.policy?.isMof).toBe(flags !== 0);
      if (flags === 0) bed.machine.policy.unmapLazily(bed.task, [...bed.task.space.vmas], null);
      bed.machine.touch(bed.task, START, false);
      expect(nodeAt(bed.machine, bed.task, START)).toBe(node);
      checkMachine(bed.machine);
    }
  });

  it('DM-41: the same policy, now lazily: it is installed anew with its mark', () => {
    const bed = pagesOn({ rules: { misplacedGate: 'marked-only' } }, [1]);
    expect(mbind(bed, START, 1, PREFERRED, [3])).toBe(0);
    expect(mbind(bed, START, 1, PREFERRED, [3], MOVE | LAZY)).toBe(0);
    expect(bed.task.space.find(START)?.policy?.isMof).toBe(true);
  });
});

describe('MPOL_NOOP', () => {
  it.each(ERAS)(
    'DM-43 [%s] kicks a range: no policy is installed, and pages follow the threads that touch them next',
    (profile) => {
      const bed = pagesOn({ profile }, [1, 1, 1, 1]);
      const { machine, task } = bed;
      expect(mbind(bed, START, 4, NOOP[profile], [], MOVE | LAZY)).toBe(0);
      expect(task.space.find(START)?.policy ?? null).toBeNull();
      const thread = machine.process.newThread(task, task.cpu);
      moveTo(machine, thread, 3);
      touchAll(machine, task, START, 2, false);
      touchAll(machine, thread, START + 2, 2, false);
      expect(nodesOf(bed, 4)).toEqual([0, 0, 3, 3]);
      checkMachine(machine);
    },
  );

  it.each(ERAS)('section 8 [%s] leaves the policy that is there, and unmaps only, also without LAZY', (profile) => {
    const bed = pagesOn({ profile }, [0, 1]);
    expect(mbind(bed, START, 2, BIND, [1])).toBe(0);
    expect(mbind(bed, START, 2, NOOP[profile], [], MOVE)).toBe(0);
    expect(nodesOf(bed, 2)).toEqual([-1, -1]); // an empty set, turned round: every page
    expect(bed.task.space.find(START)?.policy?.nodes).toEqual([1]);
    touchAll(bed.machine, bed.task, START, 2, false);
    expect(nodesOf(bed, 2)).toEqual([1, 1]);
    expect(mbind(bed, START, 2, NOOP[profile], [])).toBe(0);
    expect(nodesOf(bed, 2)).toEqual([1, 1]);
    checkMachine(bed.machine);
  });
});

describe('V15', () => {
  it.each(ERAS)(
    'FP-90 [%s] get_mempolicy(NODE|ADDR) of a lazily unmapped page moves it to its caller first',
    (profile) => {
      const bed = pagesOn({ profile }, [1]);
      const { machine, calls, task } = bed;
      expect(mbind(bed, START, 1, DEFAULT, [], MOVE | LAZY)).toBe(0);
      moveTo(machine, task, 2);
      const answer = calls.policy.getMempolicy(task, bytes(START), 64, F_NODE | F_ADDR, false, true);
      expect([answer.ret, answer.value, nodeAt(machine, task, START)]).toEqual([0, 2, 2]);
      expect(machine.counters.get('mof_migrate_done')).toBe(1);
      checkMachine(machine);
    },
  );

  it('without the hooks the page stays, and the answer says where', () => {
    const switches = {
      ...{ hookSwap: false, hookFile: false, hookShmem: false },
      readahead: false,
      faultAround: false,
    };
    const bed = pagesOn({ switches: { ...switches, pageCluster: 0 } }, [1]);
    expect(mbind(bed, START, 1, DEFAULT, [], MOVE | LAZY)).toBe(0);
    moveTo(bed.machine, bed.task, 2);
    const answer = bed.calls.policy.getMempolicy(bed.task, bytes(START), 64, F_NODE | F_ADDR, false, true);
    expect(answer.value).toBe(1);
  });
});

describe('mainline', () => {
  it.each(['linux-6.1', 'linux-6.12'])('"Fate of LAZY" [%s] the machine itself never marks a policy', (profile) => {
    expect(tinyMachine({ profile }).rules.lazyUnmap).toMatchObject({ isAccepted: false, marksPolicy: false });
  });
});
