import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { cachedFrame, effectiveNodes, remapNodes, type NodesFlag } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { mapShared } from '../support/arrange.js';
import {
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  request,
  setPolicy,
  tinyMachine,
  touchAll,
} from '../support/tiny-machine.js';

// What becomes of policies when the allowed nodes change (mempolicy section 7).

const START = 1000;
const nodes = (...list: number[]) => list.map(asNodeId);

const REMAPPED: readonly { set: number[]; before: number[]; after: number[]; mapped: number[] }[] = [
  { set: [0, 1], before: [0, 1], after: [2, 3], mapped: [2, 3] },
  { set: [1, 3], before: [0, 1, 2, 3], after: [4, 5], mapped: [5] }, // first and third: both the second of two
  { set: [0, 1, 2], before: [0, 1, 2], after: [5, 7], mapped: [5, 7] }, // the third starts again at the first
  { set: [1, 6], before: [0, 1], after: [2, 3], mapped: [3, 6] }, // 6 was not allowed before: it stays
  { set: [0, 1], before: [0, 1], after: [], mapped: [0, 1] }, // nothing to map to
  { set: [0, 2], before: [0, 1, 2], after: [0, 1, 2], mapped: [0, 2] },
  { set: [], before: [0, 1], after: [2, 3], mapped: [] },
];

describe('MP-81: the n-th node of the old set becomes the n-th of the new one, around', () => {
  it('is told by seven rows', () => {
    expect(REMAPPED).toHaveLength(7);
  });

  it.each(REMAPPED)('$set, allowed $before, then $after: $mapped', ({ set, before, after, mapped }) => {
    expect(remapNodes(nodes(...set), nodes(...before), nodes(...after))).toEqual(mapped);
  });
});

const EFFECTIVE: readonly { flag: NodesFlag; given: number[]; allowed: number[]; used: number[] }[] = [
  { flag: 'relative', given: [2, 3, 4, 5], allowed: [2, 3, 4, 5], used: [2, 3, 4, 5] },
  { flag: 'relative', given: [2, 3, 4, 5], allowed: [3, 4, 5, 6, 7], used: [3, 5, 6, 7] },
  { flag: 'relative', given: [2, 3, 4, 5], allowed: [0, 2, 3, 5], used: [0, 2, 3, 5] },
  { flag: 'relative', given: [0, 2, 4], allowed: [2, 3, 4, 5], used: [2, 4] },
  { flag: 'static', given: [1, 2, 3], allowed: [3, 4, 5], used: [3] },
  { flag: 'static', given: [1, 2], allowed: [3, 4], used: [3, 4] }, // nothing left: all that is allowed
  { flag: null, given: [1, 2, 3], allowed: [0, 1, 3], used: [1, 3] },
];

describe('MP-84, MP-85: which of the given nodes are used', () => {
  it('is told by seven rows', () => {
    expect(EFFECTIVE).toHaveLength(7);
  });

  it.each(EFFECTIVE)('$flag $given of $allowed: $used', ({ flag, given, allowed, used }) => {
    expect(effectiveNodes(nodes(...given), flag, nodes(...allowed))).toEqual(used);
  });
});

describe('a cpuset gets other nodes', () => {
  /** Page numbers are even: an interleaved page comes first in its set. */
  function afterChange(policy: keyof typeof POLICIES, set: number[], flag: NodesFlag, mems: number[]): number[] {
    const machine = tinyMachine({ nodes: 6 });
    const task = processOn(machine, 0);
    const made = machine.policy.newPolicy(task, { ...request(POLICIES[policy], ...set), flag });
    machine.policy.setMempolicy(task, made);
    made.refs--;
    machine.policy.cpusetSetMems(machine.rootCpuset, nodes(...mems));
    mapAnon(machine, task, START, 2);
    touchAll(machine, task, START, 2, true);
    checkMachine(machine);
    return [nodeAt(machine, task, START), nodeAt(machine, task, START + 1)];
  }

  it.each([
    { policy: 'interleave', set: [0, 1], flag: null, mems: [3, 4], placed: [3, 4] },
    { policy: 'interleave', set: [0, 5], flag: null, mems: [3, 4], placed: [3, 4] },
    { policy: 'interleave', set: [1, 4], flag: 'static', mems: [2, 3, 4], placed: [4, 4] },
    { policy: 'interleave', set: [0, 1], flag: 'relative', mems: [2, 3, 5], placed: [2, 3] },
    { policy: 'bind', set: [1], flag: null, mems: [4, 5], placed: [5, 5] },
    { policy: 'bind', set: [1, 2], flag: 'static', mems: [4, 5], placed: [4, 4] },
    { policy: 'default', set: [], flag: null, mems: [2, 3], placed: [2, 2] },
  ] as const)(
    'MP-81, MP-84: $policy=$set:$flag, then $mems: pages go to $placed',
    ({ policy, set, flag, mems, placed }) => {
      expect(afterChange(policy, [...set], flag, [...mems])).toEqual(placed);
    },
  );

  it.each([null, 'static', 'relative'] as const)(
    'MP-84: preferred keeps its node (%s), and while it is not allowed its row says where pages go',
    (flag) => {
      const machine = tinyMachine({ nodes: 4 });
      const task = processOn(machine, 0);
      const policy = machine.policy.newPolicy(task, { ...request(POLICIES.preferred, 2), flag });
      machine.policy.setMempolicy(task, policy);
      policy.refs--;
      machine.policy.cpusetSetMems(machine.rootCpuset, nodes(0, 3));
      expect(policy.nodes).toEqual([2]);
      mapAnon(machine, task, START, 2);
      machine.touch(task, START, true);
      machine.policy.cpusetSetMems(machine.rootCpuset, nodes(0, 1, 2, 3));
      machine.touch(task, START + 1, true);
      expect([nodeAt(machine, task, START), nodeAt(machine, task, START + 1)]).toEqual([3, 2]);
    },
  );

  it('MP-83: preferred without a node stays local', () => {
    expect(afterChange('preferred', [], null, [3, 4])).toEqual([3, 3]); // the first of node 0's row that is allowed
  });

  it('MP-82: the rotor keeps its place: the next higher node of the new set comes next', () => {
    const machine = tinyMachine({ nodes: 6 });
    const task = processOn(machine, 0);
    setPolicy(machine, task, POLICIES.interleave, 1, 3);
    const file = machine.files.create('file', 'data', 3);
    machine.file.access(task, file, 0, false);
    machine.file.access(task, file, 1, false); // 3 was last
    machine.policy.cpusetSetMems(machine.rootCpuset, nodes(2, 4, 5));
    expect(task.policy?.nodes).toEqual([2, 4]); // second and fourth of six: the second, and the first again
    machine.file.access(task, file, 2, false);
    expect(machine.frames.nodeOf(cachedFrame(file, 2))).toBe(4);
  });

  it('policies of areas are rebound, those of shared objects are not (K-C2)', () => {
    const machine = tinyMachine({ nodes: 4 });
    const task = processOn(machine, 0);
    const object = machine.files.create('shmem', 'shared', 1);
    mapAnon(machine, task, START, 1);
    mapShared(machine, task, object, START + 50);
    for (const start of [START, START + 50]) {
      const policy = machine.policy.newPolicy(task, request(POLICIES.interleave, 1));
      machine.policy.mbind(task.space, start, 1, policy);
      policy.refs--;
    }
    machine.policy.cpusetSetMems(machine.rootCpuset, nodes(2, 3));
    expect(task.space.find(START)?.policy?.nodes).toEqual([3]);
    expect(object.policyAt(0)?.nodes).toEqual([1]);
    checkMachine(machine);
  });

  it('pages stay where they are', () => {
    const machine = tinyMachine({ nodes: 4 });
    const task = processOn(machine, 0);
    mapAnon(machine, task, START, 2);
    touchAll(machine, task, START, 2, true);
    machine.policy.cpusetSetMems(machine.rootCpuset, nodes(2, 3));
    expect(nodeAt(machine, task, START)).toBe(0);
  });
});
