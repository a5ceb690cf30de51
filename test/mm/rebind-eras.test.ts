import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { cachedFrame } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import {
  BIND,
  callsBed,
  F_NODE,
  F_RELATIVE,
  F_STATIC,
  INTERLEAVE,
  LOCAL,
  MAXNODE,
  mbind,
  PREFERRED,
  PREFERRED_MANY,
  type CallsBed,
} from '../support/calls.js';
import { mapAnon, type TinyOptions } from '../support/tiny-machine.js';

// What becomes of a policy when a cpuset gets other nodes, era by era (mempolicy section 7). Six nodes; the cpuset has 0, 1, 2 at first.

const START = 1000;
const NEW = ['mof', 'linux-6.1', 'linux-6.12'] as const;
const ALL = [...NEW, 'mof-2006'] as const;
type Profile = (typeof ALL)[number];

function confined(options: TinyOptions, mems: readonly number[] = [0, 1, 2]): CallsBed {
  const bed = callsBed({ nodes: 6, ...options });
  expect(bed.calls.cpusets.create('some', { cpus: [0, 1, 2, 3, 4, 5], mems })).toBe(0);
  expect(bed.calls.cpusets.attach('some', bed.task)).toBe(0);
  return bed;
}

const set = ({ calls, task }: CallsBed, mode: number, nodes: readonly number[]) =>
  calls.policy.setMempolicy(task, mode, nodes, MAXNODE);

interface Row {
  readonly id: string;
  readonly in: readonly Profile[];
  readonly mode: number;
  readonly nodes: readonly number[];
  readonly after: readonly number[];
  readonly inForce: readonly number[];
}
const ROWS: readonly Row[] = [
  { id: 'MP-81', in: ALL, mode: INTERLEAVE, nodes: [0, 2], after: [3, 4, 5], inForce: [3, 5] },
  { id: 'MP-81', in: ALL, mode: BIND, nodes: [1, 2], after: [3, 4, 5], inForce: [4, 5] },
  { id: 'MP-81', in: ALL, mode: BIND, nodes: [0, 2], after: [4, 5], inForce: [4] },
  { id: 'MP-81', in: ALL, mode: INTERLEAVE, nodes: [0, 1], after: [0, 1, 2, 3], inForce: [0, 1] },
  { id: 'MP-81', in: ['mof-2006'], mode: PREFERRED, nodes: [1], after: [3, 4, 5], inForce: [4] },
  { id: 'MP-84', in: NEW, mode: PREFERRED, nodes: [1], after: [3, 4, 5], inForce: [1] },
  { id: 'MP-84', in: NEW, mode: PREFERRED_MANY, nodes: [0, 1], after: [3, 4, 5], inForce: [0, 1] },
  { id: 'MP-84', in: NEW, mode: LOCAL, nodes: [], after: [3, 4, 5], inForce: [] },
  { id: 'MP-84', in: NEW, mode: INTERLEAVE | F_STATIC, nodes: [1, 2], after: [2, 3, 4], inForce: [2] },
  { id: 'MP-84', in: NEW, mode: BIND | F_STATIC, nodes: [0, 1], after: [3, 4], inForce: [3, 4] },
  { id: 'MP-84', in: NEW, mode: BIND | F_RELATIVE, nodes: [0, 4], after: [1, 3, 5], inForce: [1, 3] },
  {
    id: 'MP-85',
    in: NEW,
    mode: INTERLEAVE | F_RELATIVE,
    nodes: [2, 3, 4, 5],
    after: [2, 3, 4, 5],
    inForce: [2, 3, 4, 5],
  },
  {
    id: 'MP-85',
    in: NEW,
    mode: INTERLEAVE | F_RELATIVE,
    nodes: [2, 3, 4, 5],
    after: [1, 2, 3, 4, 5],
    inForce: [1, 3, 4, 5],
  },
  {
    id: 'MP-85',
    in: NEW,
    mode: INTERLEAVE | F_RELATIVE,
    nodes: [2, 3, 4, 5],
    after: [0, 2, 3, 5],
    inForce: [0, 2, 3, 5],
  },
  { id: 'MP-85', in: NEW, mode: INTERLEAVE | F_RELATIVE, nodes: [0, 2, 4], after: [2, 3, 4, 5], inForce: [2, 4] },
  { id: 'MP-85', in: NEW, mode: INTERLEAVE | F_STATIC, nodes: [1, 2, 3], after: [3, 4, 5], inForce: [3] },
  { id: 'MP-83', in: ['mof-2006'], mode: PREFERRED, nodes: [], after: [3, 4, 5], inForce: [] },
];

describe('a cpuset gets other nodes', () => {
  it('is told by 17 rows', () => {
    expect(ROWS).toHaveLength(17);
  });

  it.each(ROWS.flatMap((row) => row.in.map((profile) => ({ ...row, profile }))))(
    '$id [$profile] mode $mode over $nodes, then $after: $inForce',
    ({ profile, mode, nodes, after, inForce }) => {
      const bed = confined({ profile });
      const { machine, calls, task } = bed;
      mapAnon(machine, task, START, 1);
      expect(set(bed, mode, nodes)).toBe(0);
      expect(mbind(bed, START, 1, mode, nodes)).toBe(0);
      expect(calls.cpusets.setMems('some', after)).toBe(0);
      expect(task.space.find(START)?.policy?.nodes).toEqual(inForce); // areas at once
      calls.policy.getMempolicy(task, 0n, 64, 0, false, true); // the task at its next policy call, in 2006 (MP-80)
      expect(task.policy?.nodes).toEqual(inForce);
      checkMachine(machine);
    },
  );

  it.each(NEW)('MP-84 [%s] static and relative sets come back when the nodes do', (profile) => {
    const bed = confined({ profile });
    expect(set(bed, INTERLEAVE | F_STATIC, [0, 2])).toBe(0);
    for (const [mems, nodes] of [
      [
        [3, 4],
        [3, 4],
      ],
      [[2, 3], [2]],
      [
        [0, 1, 2],
        [0, 2],
      ],
    ]) {
      expect(bed.calls.cpusets.setMems('some', mems)).toBe(0);
      expect(bed.task.policy?.nodes).toEqual(nodes);
    }
  });
});

describe('MP-80: when a task notices', () => {
  /** Interleave over both nodes of {0, 1}; then {2}; then {2, 3}. */
  function twice(profile: Profile, between: (bed: CallsBed) => void): readonly number[] {
    const bed = confined({ profile }, [0, 1]);
    expect(set(bed, INTERLEAVE, [0, 1])).toBe(0);
    expect(bed.calls.cpusets.setMems('some', [2])).toBe(0);
    between(bed);
    expect(bed.calls.cpusets.setMems('some', [2, 3])).toBe(0);
    mapAnon(bed.machine, bed.task, START + 9, 1);
    bed.machine.touch(bed.task, START + 9, true);
    return bed.task.policy?.nodes ?? [];
  }

  it.each(NEW)('[%s] at once: both changes, one after the other', (profile) => {
    expect(twice(profile, () => undefined)).toEqual([2]);
  });

  it('[mof-2006] at the next allocation: one change, from the first nodes to the last', () => {
    expect(twice('mof-2006', () => undefined)).toEqual([2, 3]);
  });

  it('[mof-2006] what notices: an allocation, a call, a fork; not a page that is there', () => {
    const allocates = (bed: CallsBed, file = bed.machine.files.create('file', 'data', 1)) =>
      bed.machine.file.access(bed.task, file, 0, false);
    const notice: readonly ((bed: CallsBed) => void)[] = [
      (bed) => {
        allocates(bed);
      },
      (bed) => {
        bed.calls.policy.getMempolicy(bed.task, 0n, 64, 0, false, true);
      },
      (bed) => {
        bed.machine.process.fork(bed.task, bed.task.cpu);
      },
    ];
    for (const act of notice) expect(twice('mof-2006', act)).toEqual([2]);
    const reads = (bed: CallsBed) => {
      mapAnon(bed.machine, bed.task, START, 1);
      bed.machine.touch(bed.task, START, false); // the zero page
    };
    expect(twice('mof-2006', reads)).toEqual([2, 3]);
  });
});

describe('MP-81, MP-82: the rotor', () => {
  const readNode = ({ machine, task }: CallsBed, name: string): number => {
    const file = machine.files.create('file', name, 1);
    machine.file.access(task, file, 0, false);
    return machine.frames.nodeOf(cachedFrame(file, 0));
  };
  const nextNode = ({ calls, task }: CallsBed) => calls.policy.getMempolicy(task, 0n, 64, F_NODE, false, true).value;

  function afterChange(options: TinyOptions): { next: number | null; nodes: number[] } {
    const bed = confined(options);
    expect(set(bed, INTERLEAVE, [0, 1, 2])).toBe(0);
    readNode(bed, 'first'); // node 0: 1 comes next
    expect(nextNode(bed)).toBe(1);
    expect(bed.calls.cpusets.setMems('some', [3, 4, 5])).toBe(0);
    const next = nextNode(bed);
    return { next, nodes: [readNode(bed, 'a'), readNode(bed, 'b')] };
  }

  it('MP-82 [mof-2006] il_next is left as it was: outside the set, for one page', () => {
    // Node 1 is not allowed any more: the first allowed node of its row; then the next higher node of the set.
    expect(afterChange({ profile: 'mof-2006' })).toEqual({ next: 1, nodes: [3, 3] });
  });

  it('MP-81 [rebind=as-meant] il_next mapped along', () => {
    expect(afterChange({ profile: 'mof-2006', rules: { rebind: 'as-meant' } })).toEqual({ next: 4, nodes: [4, 5] });
  });

  it.each(NEW)('[%s] the next higher node of the new set', (profile) => {
    expect(afterChange({ profile })).toEqual({ next: 3, nodes: [3, 4] });
  });

  it.each(ALL)('MP-3 [%s] set_mempolicy starts it at the lowest node, an area policy leaves it alone', (profile) => {
    const bed = confined({ profile });
    mapAnon(bed.machine, bed.task, START, 1);
    expect(set(bed, INTERLEAVE, [1, 2])).toBe(0);
    readNode(bed, 'first');
    expect(mbind(bed, START, 1, INTERLEAVE, [0, 1])).toBe(0);
    expect(nextNode(bed)).toBe(2);
    expect(set(bed, INTERLEAVE, [1, 2])).toBe(0);
    expect(nextNode(bed)).toBe(1);
  });

  it.each(ALL)('MP-26 [%s] after the highest node comes the lowest', (profile) => {
    const bed = confined({ profile });
    expect(set(bed, INTERLEAVE, [0, 2])).toBe(0);
    expect(['a', 'b', 'c'].map((name) => readNode(bed, name))).toEqual([0, 2, 0]);
    expect(nextNode(bed)).toBe(2);
  });
});

describe('MP-86: fork while a cpuset is being rebound', () => {
  it.each(ALL)('[%s] the child’s policies are those for the new nodes', (profile) => {
    const bed = confined({ profile });
    const { machine, calls, task } = bed;
    mapAnon(machine, task, START, 1);
    expect(set(bed, INTERLEAVE, [0, 1])).toBe(0);
    expect(mbind(bed, START, 1, BIND, [2])).toBe(0);
    expect(calls.cpusets.setMems('some', [3, 4, 5])).toBe(0);
    const child = machine.process.fork(task, task.cpu); // the parent has not noticed yet, in 2006
    expect(child.policy?.nodes).toEqual([3, 4]);
    expect(child.space.find(START)?.policy?.nodes).toEqual([5]);
    expect(task.policy?.nodes).toEqual([3, 4]);
    expect(child.policy?.definedFor).toEqual([3, 4, 5].map(asNodeId));
    expect(calls.cpusets.setMems('some', [0, 1, 2])).toBe(0);
    calls.policy.getMempolicy(child, 0n, 64, 0, false, true);
    expect(child.policy?.nodes).toEqual([0, 1]);
    checkMachine(machine);
  });
});
