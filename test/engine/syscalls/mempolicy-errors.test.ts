import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../../src/engine/index.js';
import { EFAULT, EINVAL, EIO, ENOENT, EOPNOTSUPP, EPERM } from '../../../src/errors.js';
import { asNodeId } from '../../../src/units.js';
import type { NodeMaskArgument } from '../../../src/engine/syscalls/node-mask.js';
import {
  BIND,
  bytes,
  callsBed,
  DEFAULT,
  F_ADDR,
  F_BALANCING,
  F_MEMS_ALLOWED,
  F_NODE,
  F_RELATIVE,
  F_STATIC,
  INTERLEAVE,
  LAZY,
  LOCAL,
  MAXNODE,
  mbind,
  MOVE,
  MOVE_ALL,
  PREFERRED,
  PREFERRED_MANY,
  STRICT,
  WEIGHTED,
} from '../../support/calls.js';
import { mapAnon, nodeAt, processOn, touchAll } from '../../support/tiny-machine.js';

// Arguments of the policy calls, checked in the order of mempolicy section 8. Later checks never hide an earlier one: each row
// breaks one rule, or two where it says which comes first.

type Profile = 'mof' | 'mof-2006' | 'linux-6.1' | 'linux-6.12';
const NEW: readonly Profile[] = ['mof', 'linux-6.1', 'linux-6.12'];
const OLD: readonly Profile[] = ['mof-2006'];
const ALL: readonly Profile[] = [...NEW, ...OLD];
const START = 1000;

const perProfile = <Row extends { readonly in: readonly Profile[] }>(rows: readonly Row[]) =>
  rows.flatMap((row) => row.in.map((profile) => ({ ...row, profile })));

interface MaskRow {
  readonly says: string;
  readonly mask: NodeMaskArgument;
  readonly maxnode: number;
  readonly result: number;
}
/** Given as the mask of set_mempolicy(PREFERRED): an empty set is fine there. */
const MASKS: readonly MaskRow[] = [
  { says: 'maxnode 1 means no bits', mask: [3], maxnode: 1, result: 0 },
  { says: 'no pointer means no nodes', mask: null, maxnode: MAXNODE, result: 0 },
  { says: 'no pointer, however many bits', mask: null, maxnode: 1_000_000, result: 0 },
  { says: 'maxnode 0 means very many', mask: [1], maxnode: 0, result: -EINVAL },
  { says: 'a page of bits', mask: [1], maxnode: 32769, result: 0 },
  { says: 'one more than a page of bits', mask: [1], maxnode: 32770, result: -EINVAL },
  { says: 'a node beyond the supported ones', mask: [1024], maxnode: 2000, result: -EINVAL },
  { says: 'a bit beyond maxnode is not seen', mask: [1, 5], maxnode: 3, result: 0 },
  { says: 'a pointer that cannot be read', mask: 'bad', maxnode: MAXNODE, result: -EFAULT },
  { says: 'too many bits behind a bad pointer', mask: 'bad', maxnode: 40000, result: -EINVAL },
];

describe('the node mask argument', () => {
  it('is told by ten rows', () => {
    expect(MASKS).toHaveLength(10);
  });

  it.each(ALL.flatMap((profile) => MASKS.map((row) => ({ ...row, profile }))))(
    'section 8 [$profile] $says',
    ({ profile, mask, maxnode, result }) => {
      const { calls, task } = callsBed({ profile });
      expect(calls.policy.setMempolicy(task, PREFERRED, mask, maxnode)).toBe(result);
    },
  );
});

interface SetRow {
  readonly in: readonly Profile[];
  readonly says: string;
  readonly mode: number;
  readonly mask?: NodeMaskArgument;
  /** Nodes of the task's cpuset; all, if left out. */
  readonly mems?: readonly number[];
  readonly result: number;
}
const SET: readonly SetRow[] = [
  { in: ALL, says: 'a negative mode', mode: -1, result: -EINVAL },
  { in: OLD, says: 'mode 3 is the last', mode: INTERLEAVE, mask: [0], result: 0 },
  { in: OLD, says: 'mode 4 does not exist', mode: LOCAL, result: -EINVAL },
  { in: OLD, says: 'mode flags do not exist', mode: BIND | F_STATIC, mask: [0], result: -EINVAL },
  { in: ALL, says: 'mode before mask', mode: 99, mask: 'bad', result: -EINVAL },
  { in: ALL, says: 'mask before what fits', mode: DEFAULT, mask: 'bad', result: -EFAULT },
  { in: OLD, says: 'a node outside the cpuset', mode: BIND, mask: [1, 3], mems: [0, 1], result: -EINVAL },
  { in: OLD, says: 'PREFERRED outside the cpuset', mode: PREFERRED, mask: [3], mems: [0, 1], result: -EINVAL },
  { in: NEW, says: 'a node outside the cpuset is left out', mode: BIND, mask: [1, 3], mems: [0, 1], result: 0 },
  { in: NEW, says: 'nothing left of the nodes', mode: BIND, mask: [2, 3], mems: [0, 1], result: -EINVAL },
  { in: ALL, says: 'DEFAULT with nodes', mode: DEFAULT, mask: [0], result: -EINVAL },
  { in: ALL, says: 'DEFAULT without', mode: DEFAULT, mask: [], result: 0 },
  { in: ALL, says: 'BIND without nodes', mode: BIND, mask: [], result: -EINVAL },
  { in: ALL, says: 'INTERLEAVE without nodes', mode: INTERLEAVE, mask: [], result: -EINVAL },
  { in: ALL, says: 'PREFERRED without nodes is local', mode: PREFERRED, mask: [], result: 0 },
  { in: ALL, says: 'a node that is not online', mode: INTERLEAVE, mask: [40], result: -EINVAL },
  { in: NEW, says: 'STATIC with RELATIVE', mode: BIND | F_STATIC | F_RELATIVE, mask: [0], result: -EINVAL },
  { in: NEW, says: 'NUMA_BALANCING with BIND', mode: BIND | F_BALANCING, mask: [0], result: 0 },
  { in: NEW, says: 'NUMA_BALANCING with PREFERRED', mode: PREFERRED | F_BALANCING, mask: [0], result: -EINVAL },
  { in: NEW, says: 'NUMA_BALANCING with INTERLEAVE', mode: INTERLEAVE | F_BALANCING, mask: [0], result: -EINVAL },
  {
    in: ['mof', 'linux-6.12'],
    says: 'NUMA_BALANCING with PREFERRED_MANY',
    mode: PREFERRED_MANY | F_BALANCING,
    mask: [0],
    result: 0,
  },
  {
    in: ['linux-6.1'],
    says: 'NUMA_BALANCING with PREFERRED_MANY',
    mode: PREFERRED_MANY | F_BALANCING,
    mask: [0],
    result: -EINVAL,
  },
  { in: NEW, says: 'PREFERRED, empty, STATIC', mode: PREFERRED | F_STATIC, mask: [], result: -EINVAL },
  { in: NEW, says: 'PREFERRED, empty, RELATIVE', mode: PREFERRED | F_RELATIVE, mask: [], result: -EINVAL },
  { in: NEW, says: 'LOCAL', mode: LOCAL, mask: [], result: 0 },
  { in: NEW, says: 'LOCAL with nodes', mode: LOCAL, mask: [0], result: -EINVAL },
  { in: NEW, says: 'LOCAL with STATIC', mode: LOCAL | F_STATIC, mask: [], result: -EINVAL },
  { in: NEW, says: 'LOCAL with RELATIVE', mode: LOCAL | F_RELATIVE, mask: [], result: -EINVAL },
  { in: NEW, says: 'PREFERRED_MANY without nodes', mode: PREFERRED_MANY, mask: [], result: -EINVAL },
  { in: ['mof', 'linux-6.12'], says: 'WEIGHTED_INTERLEAVE', mode: WEIGHTED, mask: [0, 1], result: 0 },
  { in: ['linux-6.1'], says: 'WEIGHTED_INTERLEAVE, too early', mode: WEIGHTED, mask: [0, 1], result: -EINVAL },
  {
    in: ['mof', 'linux-6.12'],
    says: 'mode 7 is behind the last, also where mbind takes it',
    mode: 7,
    mask: [],
    result: -EINVAL,
  },
];

describe('set_mempolicy', () => {
  it('is told by 32 rows', () => {
    expect(SET).toHaveLength(32);
  });

  it.each(perProfile(SET))('section 8 [$profile] $says', ({ profile, mode, mask = null, mems, result }) => {
    const { machine, calls, task } = callsBed({ profile });
    if (mems !== undefined) {
      expect(calls.cpusets.create('some', { cpus: [0], mems })).toBe(0);
      expect(calls.cpusets.attach('some', task)).toBe(0);
    }
    const before = task.policy;
    expect(calls.policy.setMempolicy(task, mode, mask, MAXNODE)).toBe(result);
    if (result !== 0) expect(task.policy).toBe(before);
    checkMachine(machine);
  });
});

interface MbindRow {
  readonly step: number | '6.x' | 'fate';
  readonly in: readonly Profile[];
  readonly says: string;
  readonly start?: bigint;
  readonly length?: bigint;
  readonly mode?: number;
  readonly mask?: NodeMaskArgument;
  readonly flags?: number;
  readonly uid?: number;
  readonly mems?: readonly number[];
  readonly result: number;
  /** Mode that the first page has afterwards; 2 if the call did it. */
  readonly installed?: number | null;
}

/** A task on node 0 with pages 1000..1007 on node 0, a hole 1008..1009, and 1010..1011 untouched. The call: BIND to 1, 4 pages. */
const MBIND: readonly MbindRow[] = [
  { step: 1, in: ALL, says: 'a mask that cannot be read', mask: 'bad', result: -EFAULT },
  { step: 1, in: OLD, says: 'the mask comes before an unknown mode', mask: 'bad', mode: 99, result: -EFAULT },
  { step: 1, in: NEW, says: 'an unknown mode comes before the mask', mask: 'bad', mode: 99, result: -EINVAL },
  { step: 1, in: ALL, says: 'the mask comes before an unknown flag', mask: 'bad', flags: 1 << 6, result: -EFAULT },
  { step: 2, in: ALL, says: 'an unknown flag', flags: 1 << 6, result: -EINVAL },
  {
    step: 2,
    in: ALL,
    says: 'an unknown flag comes before what is not permitted',
    flags: (1 << 6) | MOVE_ALL,
    uid: 7,
    result: -EINVAL,
  },
  { step: 2, in: ALL, says: 'mode above the last', mode: 99, result: -EINVAL },
  { step: 3, in: ALL, says: 'MOVE_ALL without the capability', flags: MOVE_ALL, uid: 7, result: -EPERM },
  {
    step: 3,
    in: ALL,
    says: 'what is not permitted comes before the address',
    flags: MOVE_ALL,
    uid: 7,
    start: 1n,
    result: -EPERM,
  },
  { step: 3, in: ALL, says: 'MOVE needs no capability', flags: MOVE, uid: 7, result: 0, installed: BIND },
  { step: 4, in: ALL, says: 'start within a page', start: bytes(START) + 1n, result: -EINVAL },
  {
    step: 5,
    in: ALL,
    says: 'DEFAULT clears STRICT',
    mode: DEFAULT,
    mask: [],
    flags: STRICT,
    result: 0,
    installed: null,
  },
  { step: 6, in: ALL, says: 'a length that wraps around', length: 2n ** 64n - bytes(4), result: -EINVAL },
  { step: 7, in: ALL, says: 'length 0, whatever the nodes are', length: 0n, mask: [], result: 0, installed: null },
  { step: 7, in: ALL, says: 'a length is rounded up', length: 1n, result: 0, installed: BIND },
  { step: 8, in: ALL, says: 'BIND without nodes', mask: [], result: -EINVAL },
  { step: 8, in: ALL, says: 'nodes that do not fit come before a hole', mask: [], length: bytes(20), result: -EINVAL },
  { step: 8, in: OLD, says: 'no test against the cpuset', mems: [0, 2], result: 0, installed: BIND },
  { step: 8, in: NEW, says: 'no node of the cpuset', mems: [0, 2], result: -EINVAL },
  {
    step: 9,
    in: ALL,
    says: 'DEFAULT allows holes',
    mode: DEFAULT,
    mask: [],
    length: bytes(11),
    result: 0,
    installed: null,
  },
  { step: 11, in: ALL, says: 'a hole inside', length: bytes(11), result: -EFAULT },
  { step: 11, in: ALL, says: 'a hole behind', length: bytes(9), result: -EFAULT },
  { step: 11, in: ALL, says: 'begins in a hole', start: bytes(START + 8), length: bytes(3), result: -EFAULT },
  { step: 11, in: ALL, says: 'nothing mapped at or after start', start: bytes(START + 50), result: -EFAULT },
  {
    step: 11,
    in: ALL,
    says: 'the same with DEFAULT',
    mode: DEFAULT,
    mask: [],
    start: bytes(START + 50),
    result: -EFAULT,
  },
  {
    step: 11,
    in: OLD,
    says: 'DEFAULT over a hole, something mapped behind it',
    mode: DEFAULT,
    mask: [],
    start: bytes(START + 8),
    length: bytes(2),
    result: 0,
  },
  {
    step: 11,
    in: NEW,
    says: 'DEFAULT over nothing but a hole',
    mode: DEFAULT,
    mask: [],
    start: bytes(START + 8),
    length: bytes(2),
    result: -EFAULT,
  },
  { step: 12, in: ALL, says: 'STRICT and a page outside the set', flags: STRICT, result: -EIO },
  { step: 12, in: ALL, says: 'STRICT and all pages in the set', mask: [0], flags: STRICT, result: 0, installed: BIND },
  { step: 13, in: ALL, says: 'the policy is installed', result: 0, installed: BIND },
  {
    step: '6.x',
    in: ['linux-6.1', 'linux-6.12'],
    says: 'LAZY is an unknown flag',
    flags: MOVE | LAZY,
    result: -EINVAL,
  },
  { step: '6.x', in: NEW, says: 'STATIC with RELATIVE', mode: BIND | F_STATIC | F_RELATIVE, result: -EINVAL },
  { step: 'fate', in: ['linux-6.12'], says: 'NOOP is no mode', mode: 7, mask: [], flags: MOVE, result: -EINVAL },
  { step: 'fate', in: ['linux-6.1'], says: 'NOOP is no mode', mode: 6, mask: [], flags: MOVE, result: -EINVAL },
  { step: 'fate', in: ['mof', 'mof-2006'], says: 'LAZY is taken', flags: MOVE | LAZY, result: 0, installed: BIND },
  { step: 'fate', in: ['mof'], says: 'NOOP is taken', mode: 7, mask: [], flags: MOVE, result: 0, installed: null },
  { step: 'fate', in: ['mof-2006'], says: 'NOOP is taken', mode: 4, mask: [], flags: MOVE, result: 0, installed: null },
  { step: 'fate', in: ['mof'], says: 'NOOP with nodes', mode: 7, flags: MOVE, result: -EINVAL },
  { step: 'fate', in: ['mof-2006'], says: 'NOOP with nodes', mode: 4, flags: MOVE, result: -EINVAL },
  {
    step: 'fate',
    in: ['mof'],
    says: 'NOOP allows holes',
    mode: 7,
    mask: [],
    length: bytes(11),
    flags: MOVE,
    result: 0,
  },
  { step: 'fate', in: ['mof'], says: 'NOOP clears STRICT', mode: 7, mask: [], flags: STRICT, result: 0 },
];

describe('mbind', () => {
  it('is told by 41 rows, for each step of the table that a call alone can show', () => {
    expect(MBIND).toHaveLength(41);
    const steps = new Set(MBIND.map(({ step }) => step));
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13].filter((step) => !steps.has(step))).toEqual([]);
  });

  it.each(perProfile(MBIND))('section 8 step $step [$profile] $says', (row) => {
    const { profile, start = bytes(START), length = bytes(4), mode = BIND, mask = [1], flags = 0, mems } = row;
    const { machine, calls, task } = callsBed({ profile, writesAtOnce: true });
    mapAnon(machine, task, START, 8);
    mapAnon(machine, task, START + 10, 2);
    touchAll(machine, task, START, 8, true);
    if (row.uid !== undefined) task.uid = row.uid;
    if (mems !== undefined) {
      expect(calls.cpusets.create('some', { cpus: [0], mems })).toBe(0);
      expect(calls.cpusets.attach('some', task)).toBe(0);
    }
    expect(calls.policy.mbind(task, start, length, mode, mask, MAXNODE, flags)).toBe(row.result);
    const installed = task.space.find(START)?.policy?.definition.mode?.number ?? null;
    expect(installed).toBe(row.result === 0 ? (row.installed ?? null) : null);
    checkMachine(machine);
  });

  it.each(ALL)('section 8 step 14 [%s] STRICT and a page that cannot move: EIO, and the policy stays', (profile) => {
    const bed = callsBed({ profile, writesAtOnce: true });
    const { machine, task } = bed;
    const vma = mapAnon(machine, task, START, 2);
    touchAll(machine, task, START, 2, true);
    machine.lru.drainAll();
    const pfn = machine.touch(task, START, false);
    machine.frames.get(pfn); // somebody unknown
    expect(mbind(bed, START, 2, BIND, [1], STRICT | MOVE)).toBe(-EIO);
    expect(vma.policy?.nodes).toEqual([1]);
    expect([nodeAt(machine, task, START), nodeAt(machine, task, START + 1)]).toEqual([0, 1]);
    checkMachine(machine, new Map([[pfn, 1]]));
  });

  it('section 8 step 13: areas are cut at the ends of the range', () => {
    const bed = callsBed({ profile: 'mof-2006' });
    mapAnon(bed.machine, bed.task, START, 8);
    expect(mbind(bed, START + 2, 3, INTERLEAVE, [0, 1])).toBe(0);
    expect(
      Array.from(bed.task.space.vmas, ({ start, pages, policy }) => [start - START, pages, policy?.nodes ?? null]),
    ).toEqual([
      [0, 2, null],
      [2, 3, [0, 1]],
      [5, 3, null],
    ]);
  });

  it('MP-23, MP-24 [2.6.16] a set outside the cpuset is kept, and used once the cpuset allows it', () => {
    const bed = callsBed({ profile: 'mof-2006' });
    const { machine, calls, task } = bed;
    expect(calls.cpusets.create('some', { cpus: [0], mems: [0, 2] })).toBe(0);
    expect(calls.cpusets.attach('some', task)).toBe(0);
    mapAnon(machine, task, START, 2);
    expect(mbind(bed, START, 2, BIND, [1, 3])).toBe(0);
    machine.touch(task, START, true);
    expect(nodeAt(machine, task, START)).toBe(0);
    expect(calls.cpusets.setMems('some', [0, 1, 2])).toBe(0);
    machine.touch(task, START + 1, true);
    expect(nodeAt(machine, task, START + 1)).toBe(1);
  });

  it('section 8 [before 14 March 2006] MOVE_ALL wants CAP_SYS_RESOURCE', () => {
    const bed = callsBed({ profile: 'mof-2006', rules: { privileges: 'before-2.6.16' } });
    mapAnon(bed.machine, bed.task, START, 1);
    const { credentials } = bed.task;
    const all = credentials.capabilities;
    credentials.capabilities = all & ~(1 << 1);
    expect(mbind(bed, START, 1, BIND, [1], MOVE_ALL)).toBe(-EPERM);
    credentials.capabilities = 1 << 1;
    expect(mbind(bed, START, 1, BIND, [1], MOVE_ALL)).toBe(0);
  });
});

interface GetRow {
  readonly in: readonly Profile[];
  readonly says: string;
  readonly flags: number;
  readonly page?: number;
  readonly maxnode?: number;
  readonly mask?: boolean;
  /** Policy of the task, or of page 1001 with `F_ADDR`. */
  readonly policy?: readonly [number, ...number[]];
  readonly result: number | { readonly value: number; readonly nodes: readonly number[] };
}
const GET: readonly GetRow[] = [
  { in: ALL, says: 'a mask that is too short', flags: 0, maxnode: 3, result: -EINVAL },
  { in: ALL, says: 'no mask, however short', flags: 0, maxnode: 0, mask: false, result: { value: 0, nodes: [] } },
  { in: ALL, says: 'a short mask comes before an unknown flag', flags: 64, maxnode: 3, result: -EINVAL },
  { in: ALL, says: 'an unknown flag', flags: 64, result: -EINVAL },
  { in: OLD, says: 'MEMS_ALLOWED does not exist', flags: F_MEMS_ALLOWED, result: -EINVAL },
  { in: NEW, says: 'MEMS_ALLOWED', flags: F_MEMS_ALLOWED, result: { value: 0, nodes: [0, 1, 2, 3] } },
  { in: NEW, says: 'MEMS_ALLOWED with NODE', flags: F_MEMS_ALLOWED | F_NODE, result: -EINVAL },
  { in: NEW, says: 'MEMS_ALLOWED with ADDR', flags: F_MEMS_ALLOWED | F_ADDR, page: START, result: -EINVAL },
  { in: ALL, says: 'ADDR where nothing is mapped', flags: F_ADDR, page: START + 100, result: -EFAULT },
  { in: ALL, says: 'an address without ADDR', flags: 0, page: START, result: -EINVAL },
  { in: ALL, says: 'NODE under BIND', flags: F_NODE, policy: [BIND, 1], result: -EINVAL },
  { in: ALL, says: 'NODE under DEFAULT', flags: F_NODE, result: -EINVAL },
  {
    in: ALL,
    says: 'NODE under INTERLEAVE: the next node',
    flags: F_NODE,
    policy: [INTERLEAVE, 1, 3],
    result: { value: 1, nodes: [1, 3] },
  },
  {
    in: ['mof', 'linux-6.12'],
    says: 'NODE under WEIGHTED_INTERLEAVE',
    flags: F_NODE,
    policy: [WEIGHTED, 2, 3],
    result: { value: 2, nodes: [2, 3] },
  },
  { in: ALL, says: 'BIND', flags: 0, policy: [BIND, 1, 2], result: { value: BIND, nodes: [1, 2] } },
  { in: ALL, says: 'PREFERRED: its node', flags: 0, policy: [PREFERRED, 2], result: { value: PREFERRED, nodes: [2] } },
  {
    in: ALL,
    says: 'PREFERRED of several: the lowest',
    flags: 0,
    policy: [PREFERRED, 2, 3],
    result: { value: PREFERRED, nodes: [2] },
  },
  {
    in: OLD,
    says: 'PREFERRED without: all online nodes',
    flags: 0,
    policy: [PREFERRED],
    result: { value: PREFERRED, nodes: [0, 1, 2, 3] },
  },
  {
    in: NEW,
    says: 'PREFERRED without is LOCAL, and empty',
    flags: 0,
    policy: [PREFERRED],
    result: { value: LOCAL, nodes: [] },
  },
  { in: ALL, says: 'DEFAULT is empty', flags: 0, result: { value: DEFAULT, nodes: [] } },
  {
    in: ALL,
    says: 'ADDR: the policy of the area',
    flags: F_ADDR,
    page: START + 1,
    policy: [BIND, 3],
    result: { value: BIND, nodes: [3] },
  },
  {
    in: ALL,
    says: 'ADDR without a policy: DEFAULT, never the task’s',
    flags: F_ADDR,
    page: START,
    policy: [BIND, 3],
    result: { value: DEFAULT, nodes: [] },
  },
  {
    in: NEW,
    says: 'STATIC: the nodes as given',
    flags: 0,
    policy: [INTERLEAVE | F_STATIC, 1, 3],
    result: { value: INTERLEAVE | F_STATIC, nodes: [1, 3] },
  },
  {
    in: NEW,
    says: 'RELATIVE: the nodes as given',
    flags: 0,
    policy: [INTERLEAVE | F_RELATIVE, 1, 6],
    result: { value: INTERLEAVE | F_RELATIVE, nodes: [1, 6] },
  },
];

describe('get_mempolicy', () => {
  it('is told by 24 rows', () => {
    expect(GET).toHaveLength(24);
  });

  it.each(perProfile(GET))('section 8 [$profile] $says', (row) => {
    const bed = callsBed({ profile: row.profile });
    const { machine, calls, task } = bed;
    mapAnon(machine, task, START, 2);
    if (row.policy !== undefined) {
      const [mode, ...nodes] = row.policy;
      expect(
        calls.policy.setMempolicy(
          task,
          (row.flags & F_ADDR) !== 0 ? DEFAULT : mode,
          (row.flags & F_ADDR) !== 0 ? [] : nodes,
          MAXNODE,
        ),
      ).toBe(0);
      if ((row.flags & F_ADDR) !== 0) expect(mbind(bed, START + 1, 1, mode, nodes)).toBe(0);
    }
    const { page = 0, maxnode = 64, mask = true } = row;
    const answer = calls.policy.getMempolicy(task, bytes(page), maxnode, row.flags, mask, true);
    if (typeof row.result === 'number')
      expect(answer).toEqual({ ret: row.result, value: null, nodes: null, words: null });
    else
      expect([answer.ret, answer.value, answer.nodes ?? []]).toEqual([
        0,
        row.result.value,
        mask ? row.result.nodes : [],
      ]);
  });

  it.each(ALL)('section 8 [%s] NODE with ADDR faults the page in for reading and names its node', (profile) => {
    const { machine, calls, task } = callsBed({ profile });
    const file = machine.files.create('shmem', 'shared', 1);
    machine.memory.mmap(task.space, START, 1, { flags: 0b1011, file }, task.cpu);
    const answer = calls.policy.getMempolicy(task, bytes(START), 64, F_NODE | F_ADDR, false, true);
    expect([answer.ret, answer.value, nodeAt(machine, task, START)]).toEqual([0, 0, 0]);
    expect(machine.counters.get('pgfault')).toBe(1);
  });

  it.each(ALL)('section 8 [%s] NODE with ADDR where a read would be a signal: EFAULT', (profile) => {
    const { machine, calls, task } = callsBed({ profile });
    machine.memory.mmap(task.space, START, 1, { flags: 0 }, task.cpu);
    expect(calls.policy.getMempolicy(task, bytes(START), 64, F_NODE | F_ADDR, false, true).ret).toBe(-EFAULT);
    const file = machine.files.create('file', 'short', 1);
    machine.memory.mmap(task.space, START + 5, 2, { flags: 1, file }, task.cpu);
    expect(calls.policy.getMempolicy(task, bytes(START + 6), 64, F_NODE | F_ADDR, false, true).ret).toBe(-EFAULT);
  });

  it.each([
    ...NEW.map((profile) => ({ profile, mapped: true, faults: 1 })),
    ...OLD.map((profile) => ({ profile, mapped: false, faults: 0 })),
  ])(
    'MP-90, FP-91 [$profile] an untouched private page is the zero page: mapped $mapped',
    ({ profile, mapped, faults }) => {
      const { machine, calls } = callsBed({ profile });
      const task = processOn(machine, 2);
      mapAnon(machine, task, START, 1);
      const answer = calls.policy.getMempolicy(task, bytes(START), 64, F_NODE | F_ADDR, false, true);
      expect([answer.ret, answer.value]).toEqual([0, 0]); // the zero page lies on the lowest node with memory
      const page = machine.tables.walk(task.space.root, START);
      expect([page >= 0 && machine.tables.isPresent(page), machine.counters.get('pgfault')]).toEqual([mapped, faults]);
    },
  );
});

interface HomeRow {
  readonly says: string;
  readonly start?: bigint;
  readonly pages?: number;
  readonly node?: number;
  readonly flags?: number;
  readonly result: number;
  /** Home nodes of pages 1000 (BIND), 1002 (PREFERRED_MANY), 1004 (INTERLEAVE), 1006 (none). */
  readonly homes?: readonly number[];
}
const HOME: readonly HomeRow[] = [
  { says: 'flags', flags: 1, result: -EINVAL },
  { says: 'start within a page', start: bytes(START) + 8n, result: -EINVAL },
  { says: 'a node that is not there', node: 4, result: -EINVAL },
  { says: 'a negative node', node: -1, result: -EINVAL },
  { says: 'a length that wraps around', pages: -8, result: -EINVAL },
  { says: 'length 0', pages: 0, result: 0 },
  { says: 'no policy in the range', start: bytes(START + 6), result: -ENOENT },
  { says: 'nothing mapped in the range', start: bytes(START + 90), result: -ENOENT },
  { says: 'BIND', result: 0, homes: [3, -1, -1, -1] },
  { says: 'PREFERRED_MANY', start: bytes(START + 2), result: 0, homes: [-1, 3, -1, -1] },
  { says: 'another mode', start: bytes(START + 4), result: -EOPNOTSUPP },
  { says: 'another mode after two that fit: those keep it', pages: 8, result: -EOPNOTSUPP, homes: [3, 3, -1, -1] },
];

describe('set_mempolicy_home_node', () => {
  it('is told by twelve rows', () => {
    expect(HOME).toHaveLength(12);
  });

  it.each(['mof', 'linux-6.12'].flatMap((profile) => HOME.map((row) => ({ ...row, profile }))))(
    'section 8 [$profile] $says',
    (row) => {
      const { profile, start = bytes(START), pages = 2, node = 3, flags = 0 } = row;
      const bed = callsBed({ profile });
      const { machine, calls, task } = bed;
      mapAnon(machine, task, START, 8);
      expect([
        mbind(bed, START, 2, BIND, [0, 1]),
        mbind(bed, START + 2, 2, PREFERRED_MANY, [0, 1]),
        mbind(bed, START + 4, 2, INTERLEAVE, [0, 1]),
      ]).toEqual([0, 0, 0]);
      const length = pages < 0 ? 2n ** 64n - bytes(-pages) : bytes(pages);
      expect(calls.policy.setHomeNode(task, start, length, node, flags)).toBe(row.result);
      const homes = [0, 2, 4, 6].map((page) => task.space.find(START + page)?.policy?.homeNode ?? asNodeId(-1));
      expect(homes).toEqual(row.homes ?? [-1, -1, -1, -1]);
      checkMachine(machine);
    },
  );
});
