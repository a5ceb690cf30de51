import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../../src/engine/index.js';
import { EACCES, EAGAIN, EBUSY, EFAULT, EINVAL, ENODEV, ENOENT, ENOMEM, EPERM, ESRCH } from '../../../src/errors.js';
import { CAP_SYS_ADMIN, CAP_SYS_NICE, type Task } from '../../../src/mm/index.js';
import { cpuOf, frameAt, mapAnon, nodeAt, touchAll } from '../../support/tiny-machine.js';
import { fillNode, mapPrivate } from '../../support/arrange.js';
import { callsBed, MAXNODE, MOVE, MOVE_ALL, STRICT, type CallsBed } from '../../support/calls.js';

// Arguments of migrate_pages(2) and move_pages(2) in the order in which they are checked (DM sections 6 and 7).

const START = 1000;
const NEW = ['mof', 'linux-6.1', 'linux-6.12'] as const;

interface Who {
  /** 'none': no such process; 'gone': one that has exited; else another process. */
  readonly target?: 'none' | 'gone' | 'other' | 'self';
  readonly uid?: number;
  /** Nodes of the target's cpuset, and of the caller's. */
  readonly theirs?: readonly number[];
  readonly mine?: readonly number[];
}

function confine({ calls }: CallsBed, task: Task, name: string, mems: readonly number[] | undefined): void {
  if (mems === undefined) return;
  expect(calls.cpusets.create(name, { cpus: [0, 1, 2, 3], mems })).toBe(0);
  expect(calls.cpusets.attach(name, task)).toBe(0);
}

function callerAndTarget(
  bed: CallsBed,
  { target = 'other', uid, theirs, mine }: Who,
): { caller: Task; who: Task | null } {
  const { machine, task } = bed;
  const caller = target === 'self' ? task : machine.process.newProcess(cpuOf(machine, 0));
  confine(bed, task, 'theirs', theirs);
  confine(bed, caller, 'mine', mine);
  if (uid !== undefined) caller.uid = uid;
  if (target === 'gone') machine.process.exit(task);
  return { caller, who: target === 'none' ? null : task };
}

interface MigrateRow extends Who {
  readonly says: string;
  readonly from?: readonly number[] | 'bad';
  readonly to?: readonly number[] | 'bad';
  readonly result: number;
}
const MIGRATE: readonly MigrateRow[] = [
  { says: 'a mask that cannot be read', from: 'bad', result: -EFAULT },
  { says: 'the second mask too', to: 'bad', result: -EFAULT },
  { says: 'masks come before the process', to: 'bad', target: 'none', result: -EFAULT },
  { says: 'no such process', target: 'none', result: -ESRCH },
  { says: 'a process that has exited', target: 'gone', result: -EINVAL },
  { says: 'it has exited: before who may', target: 'gone', uid: 7, result: -EINVAL },
  { says: "another user's process", uid: 7, result: -EPERM },
  { says: 'one’s own, to nodes it may use', target: 'self', uid: 7, result: 0 },
  { says: 'one’s own, to a node it may not use', target: 'self', uid: 7, theirs: [0, 2], result: -EPERM },
  { says: 'with the capability', theirs: [0, 2], result: 0 },
  { says: 'no node of the caller left', mine: [0, 2], result: -EINVAL },
  { says: 'an empty destination', to: [], result: -EINVAL },
  { says: 'an empty source', from: [], result: 0 },
];

describe('migrate_pages', () => {
  it('is told by 13 rows', () => {
    expect(MIGRATE).toHaveLength(13);
  });

  it.each(NEW.flatMap((profile) => MIGRATE.map((row) => ({ ...row, profile }))))(
    'DM section 6 [$profile] $says',
    (row) => {
      const bed = callsBed({ profile: row.profile });
      const { machine, task } = bed;
      mapAnon(machine, task, START, 1);
      touchAll(machine, task, START, 1, true);
      const { caller, who } = callerAndTarget(bed, row);
      const { from = [0], to = [1] } = row;
      expect(bed.calls.pages.migratePages(caller, who, from, to, MAXNODE)).toBe(row.result);
      const isMoved = row.result === 0 && from.length > 0;
      if (row.target !== 'gone') expect(nodeAt(machine, task, START)).toBe(isMoved ? 1 : 0);
      machine.lru.drainAll();
      checkMachine(machine);
    },
  );

  it('DM section 6 [before 14 March 2006] the capability was CAP_SYS_ADMIN', () => {
    for (const [capabilities, variant, result] of [
      [CAP_SYS_NICE, 'nice', 0],
      [CAP_SYS_ADMIN, 'nice', -EPERM],
      [CAP_SYS_ADMIN, 'before-2.6.16', 0],
      [CAP_SYS_NICE, 'before-2.6.16', -EPERM],
    ] as const) {
      const bed = callsBed({ rules: { privileges: variant } });
      confine(bed, bed.task, 'theirs', [0, 2]);
      bed.task.credentials.capabilities = capabilities;
      bed.machine.rootCpuset.setNodes(bed.machine.topology.nodesWithMemory());
      expect(bed.calls.pages.migratePages(bed.task, bed.task, [0], [1, 2], MAXNODE)).toBe(result);
    }
  });
});

interface MoveRow extends Who {
  readonly says: string;
  readonly flags?: number;
  readonly nodes?: readonly number[];
  readonly result: number;
  readonly status?: readonly (number | null)[];
  /** The same under the variant of 2.6.18, where it differs. */
  readonly at2618?: { readonly result: number; readonly status?: readonly (number | null)[] };
}
/** Pages: 0 and 1 on node 0, 2 untouched, 3 the zero page, 4 shared with a child, 5 not mapped. */
const ALL_PAGES = [0, 1, 2, 3, 4, 5];
const MOVES: readonly MoveRow[] = [
  { says: 'an unknown flag', flags: 64, result: -EINVAL },
  { says: 'STRICT is none of its flags', flags: STRICT | MOVE, result: -EINVAL },
  { says: 'flags come before permission', flags: 64 | MOVE_ALL, uid: 7, result: -EINVAL },
  { says: 'MOVE_ALL without the capability', flags: MOVE_ALL, uid: 7, result: -EPERM },
  { says: 'permission comes before the process', flags: MOVE_ALL, uid: 7, target: 'none', result: -EPERM },
  { says: 'no such process', target: 'none', result: -ESRCH },
  { says: 'a process that has exited', target: 'gone', result: -EINVAL },
  { says: "another user's process", uid: 7, result: -EPERM },
  {
    ...{ says: 'to node 1', nodes: [1, 1, 1, 1, 1, 1], result: 0, status: [1, 1, -ENOENT, -EFAULT, -EACCES, -EFAULT] },
    at2618: { result: 0, status: [1, 1, -ENOENT, -ENOENT, -EACCES, -EFAULT] },
  },
  {
    ...{ says: 'MOVE_ALL: the shared one too', flags: MOVE_ALL, nodes: [1, 1, 1, 1, 1, 1], result: 0 },
    ...{
      status: [1, 1, -ENOENT, -EFAULT, 1, -EFAULT],
      at2618: { result: 0, status: [1, 1, -ENOENT, -ENOENT, 1, -EFAULT] },
    },
  },
  {
    ...{
      says: 'all there already',
      nodes: [0, 0, 0, 0, 0, 0],
      result: 0,
      status: [0, 0, -ENOENT, -EFAULT, 0, -EFAULT],
    },
    at2618: { result: -ENOENT, status: [0, 0, -ENOENT, -ENOENT, 0, -EFAULT] },
  },
  {
    ...{ says: 'a node that does not exist, third', nodes: [1, 0, 9, 1, 1, 1], result: -ENODEV },
    ...{
      status: [1, 0, null, null, null, null],
      at2618: { result: -ENODEV, status: [null, null, null, null, null, null] },
    },
  },
  {
    ...{ says: 'a node the target may not use, second', nodes: [1, 3, 1, 1, 1, 1], theirs: [0, 1], result: -EACCES },
    ...{
      status: [1, null, null, null, null, null],
      at2618: { result: -EACCES, status: [null, null, null, null, null, null] },
    },
  },
];

describe('move_pages', () => {
  it('is told by 13 rows', () => {
    expect(MOVES).toHaveLength(13);
  });

  function moved(row: MoveRow, options: Parameters<typeof callsBed>[0]) {
    const bed = callsBed(options);
    const { machine, task } = bed;
    mapAnon(machine, task, START, 5);
    for (const page of [0, 1, 4]) machine.touch(task, START + page, true);
    const child = machine.process.fork(task, task.cpu);
    for (const page of [0, 1]) machine.touch(child, START + page, true);
    machine.touch(task, START + 3, false);
    const { caller, who } = callerAndTarget(bed, row);
    const status: (number | null)[] = ALL_PAGES.map(() => null);
    const vpns = ALL_PAGES.map((page) => START + page);
    const result = bed.calls.pages.movePages(
      caller,
      who,
      vpns,
      row.nodes ?? ALL_PAGES.map(() => 1),
      row.flags ?? MOVE,
      status,
    );
    machine.lru.drainAll();
    checkMachine(machine);
    return { result, status };
  }

  it.each(['mof', 'linux-6.12'].flatMap((profile) => MOVES.map((row) => ({ ...row, profile }))))(
    'DM section 7 [$profile] $says',
    (row) => {
      const { result, status } = moved(row, { profile: row.profile });
      expect(result).toBe(row.result);
      expect(status).toEqual(row.status ?? ALL_PAGES.map(() => null));
    },
  );

  it.each(MOVES)('DM section 7 [movePages=2.6.18] $says', (row) => {
    const { result, status } = moved(row, { rules: { movePages: '2.6.18' } });
    const expected = row.at2618 ?? row;
    expect(result).toBe(expected.result);
    expect(status).toEqual(expected.status ?? ALL_PAGES.map(() => null));
  });

  it('DM section 7 [movePages=2.6.18] a page in no list is EBUSY, a full node ENOMEM, one with an unknown reference EAGAIN', () => {
    const bed = callsBed({ rules: { movePages: '2.6.18' } });
    const { machine, calls, task } = bed;
    mapAnon(machine, task, START, 3);
    touchAll(machine, task, START, 3, true);
    machine.lru.drainAll();
    const [away, held] = [0, 1].map((page) => frameAt(machine, task, START + page));
    expect(machine.lru.isolate(away)).toBe(true);
    machine.frames.get(held);
    const status: (number | null)[] = [null, null, null];
    expect(calls.pages.movePages(task, task, [START, START + 1, START + 2], [1, 1, 1], MOVE, status)).toBe(0);
    expect(status).toEqual([-EBUSY, -EAGAIN, 1]);
    machine.frames.drop(held);
    machine.lru.putback(task.cpu, away);
    const pins = fillNode(machine, 2);
    machine.lru.drainAll();
    expect(calls.pages.movePages(task, task, [START + 2], [2], MOVE, status)).toBe(0);
    expect(status[0]).toBe(-ENOMEM);
    machine.lru.drainAll();
    checkMachine(machine, pins);
  });

  it('DM section 7 only the list counts, not the policy; without nodes it reports', () => {
    for (const movePages of ['6.x', '2.6.18']) {
      const bed = callsBed({ rules: { movePages } });
      const { machine, calls, task } = bed;
      mapPrivate(machine, task, machine.files.create('file', 'data', 1), START);
      touchAll(machine, task, START, 1, true);
      const status: (number | null)[] = [null];
      expect(calls.policy.setMempolicy(task, 2, [0], MAXNODE)).toBe(0);
      expect(calls.pages.movePages(task, task, [START], [3], MOVE, status)).toBe(0);
      expect(calls.pages.movePages(task, task, [START], null, 0, status)).toBe(0);
      expect(status).toEqual([3]);
    }
  });
});
