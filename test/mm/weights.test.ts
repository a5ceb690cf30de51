import { describe, expect, it } from 'vitest';
import { EINVAL, ENOENT } from '../../src/errors.js';
import { cachedFrame, weightsFromBandwidth } from '../../src/mm/index.js';
import { callsBed, F_NODE, MAXNODE, WEIGHTED, type CallsBed } from '../support/calls.js';
import {
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  request,
  tinyDescription,
  tinyMachine,
  touchAll,
} from '../support/tiny-machine.js';

// Weighted interleaving (MP-28, MP-53): weights by sysctl, by option, and from bandwidth.

const START = 1020; // a multiple of all totals used here

const REDUCED: readonly { readonly bandwidths: readonly number[]; readonly weights: readonly number[] }[] = [
  { bandwidths: [100, 100], weights: [1, 1] },
  { bandwidths: [300, 100], weights: [3, 1] }, // 24 and 8 of 32
  { bandwidths: [100, 50], weights: [21, 10] }, // rounded down, so 2 to 1 only roughly
  { bandwidths: [200, 200, 50], weights: [14, 14, 3] },
  { bandwidths: [1000, 1], weights: [31, 1] }, // at least 1
  { bandwidths: [256, 0, 256], weights: [1, 1, 1] }, // a node without memory
  { bandwidths: [0, 0], weights: [1, 1] },
  { bandwidths: [7], weights: [1] },
];

describe('weights from bandwidth', () => {
  it('are told by eight rows', () => {
    expect(REDUCED).toHaveLength(8);
  });

  it.each(REDUCED)('$bandwidths: $weights', ({ bandwidths, weights }) => {
    expect(weightsFromBandwidth(bandwidths)).toEqual(weights);
  });
});

const set = ({ calls, task }: CallsBed, ...nodes: number[]) =>
  calls.policy.setMempolicy(task, WEIGHTED, nodes, MAXNODE);
const placed = ({ machine, task }: CallsBed, pages: number, start = START) => {
  mapAnon(machine, task, start, pages);
  touchAll(machine, task, start, pages, true);
  return Array.from({ length: pages }, (_, i) => nodeAt(machine, task, start + i) as number);
};

describe('weights by sysctl', () => {
  it('MP-53: the golden row: weights 5 and 2', () => {
    const bed = callsBed();
    expect([
      bed.calls.sysctl('weighted_interleave/node0', 5),
      bed.calls.sysctl('weighted_interleave/node1', 2),
    ]).toEqual([0, 0]);
    expect(set(bed, 0, 1)).toBe(0);
    expect(placed(bed, 8, 1015)).toEqual([0, 0, 0, 0, 0, 1, 1, 0]); // 1015 is a multiple of 7
  });

  it('MP-53, K-I4: the weights in force at the time of the allocation count; 0 is the default again', () => {
    const bed = callsBed();
    expect(set(bed, 0, 1)).toBe(0);
    expect(placed(bed, 4)).toEqual([0, 1, 0, 1]);
    bed.calls.sysctl('weighted_interleave/node0', 3);
    expect(placed(bed, 4, START + 100)).toEqual([0, 0, 0, 1]);
    bed.calls.sysctl('weighted_interleave/node0', 0);
    expect(placed(bed, 4, START + 200)).toEqual([0, 1, 0, 1]);
  });

  it('MP-53, K-I5: the rotor stays on a node until its weight is used up', () => {
    const bed = callsBed();
    const { machine, calls, task } = bed;
    calls.sysctl('weighted_interleave/node1', 2);
    expect(set(bed, 1, 3)).toBe(0);
    const file = machine.files.create('file', 'data', 6);
    const next: (number | null)[] = [];
    for (let i = 0; i < 6; i++) {
      next.push(calls.policy.getMempolicy(task, 0n, 64, F_NODE, false, true).value);
      machine.file.access(task, file, i, false);
    }
    const nodes = Array.from({ length: 6 }, (_, i) => machine.frames.nodeOf(cachedFrame(file, i)) as number);
    expect([nodes, next]).toEqual([
      [1, 1, 3, 1, 1, 3],
      [1, 1, 3, 1, 1, 3],
    ]);
  });

  it.each([
    { name: 'weighted_interleave/node0', value: 256, result: -EINVAL },
    { name: 'weighted_interleave/node0', value: -1, result: -EINVAL },
    { name: 'weighted_interleave/node9', value: 1, result: -ENOENT },
    { name: 'weighted_interleave/auto', value: 2, result: -EINVAL },
    { name: 'weighted_interleave/auto', value: 0, result: 0 },
  ])('$name = $value: $result', ({ name, value, result }) => {
    expect(callsBed().calls.sysctl(name, value)).toBe(result);
  });

  it.each(['linux-6.1', 'mof-2006'])('%s has no weights', (profile) => {
    const { calls } = callsBed({ profile });
    expect([calls.sysctl('weighted_interleave/node0', 1), calls.sysctl('weighted_interleave/auto', 1)]).toEqual([
      -ENOENT,
      -ENOENT,
    ]);
  });
});

describe('weights from the bandwidths of the machine', () => {
  /** Nodes 0 and 1 deliver 300 and 100 GB/s. */
  const uneven = {
    nodes: 2,
    bandwidthGbs: [
      [300, 50],
      [50, 100],
    ],
  };

  it('auto on: by bandwidth; a weight written afterwards holds, and off keeps what is there', () => {
    const bed = callsBed(uneven);
    expect(set(bed, 0, 1)).toBe(0);
    expect(placed(bed, 4)).toEqual([0, 1, 0, 1]); // off until it is switched on
    expect(bed.calls.sysctl('weighted_interleave/auto', 1)).toBe(0);
    expect(placed(bed, 8, START + 100)).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
    expect(bed.calls.sysctl('weighted_interleave/auto', 0)).toBe(0);
    expect(placed(bed, 4, START + 200)).toEqual([0, 0, 0, 1]);
    bed.calls.sysctl('weighted_interleave/node0', 1);
    expect(placed(bed, 4, START + 300)).toEqual([0, 1, 0, 1]);
  });

  it('the option weights=auto takes them without any switch', () => {
    const machine = tinyMachine(uneven);
    const task = processOn(machine, 0);
    const policy = machine.policy.newPolicy(task, {
      ...request(POLICIES.weighted, 0, 1),
      options: { weights: 'auto' },
    });
    machine.policy.setMempolicy(task, policy);
    policy.refs--;
    mapAnon(machine, task, START, 4);
    touchAll(machine, task, START, 4, true);
    expect([0, 1, 2, 3].map((i) => nodeAt(machine, task, START + i))).toEqual([0, 0, 0, 1]);
    expect(tinyDescription(uneven).cost.bandwidthGbs[0][0]).toBe(300);
  });
});
