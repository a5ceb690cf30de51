import { describe, expect, it } from 'vitest';
import { placeThreads, type CpuPlacement } from '../../../src/engine/replay/cpu-placement.js';
import { Topology, type MachineDescription } from '../../../src/hardware/index.js';
import { errorOf } from '../../support/error-of.js';
import { tinyDescription } from '../../support/tiny-machine.js';

const machine = (nodes: number, cpusPerNode: number) => new Topology(tinyDescription({ nodes, cpusPerNode }));

/** Node 1 has memory only. */
function withMemoryNode(): Topology {
  const description: MachineDescription = tinyDescription({ nodes: 3, cpusPerNode: 2 });
  const nodes = description.nodes.map((node, i) => ({ ...node, cpus: [[0, 1], [], [2, 3]][i] }));
  return new Topology({ ...description, nodes });
}

/** Threads, placement, nodes × CPUs each (CPU c is on node floor(c / CPUs)) → CPU of each thread in order. */
const TABLE: readonly (readonly [number, CpuPlacement, number, number, readonly number[]])[] = [
  // Thread i of T sits on node floor(i * N / T); on its node threads take the CPUs in turn.
  [8, 'blocks', 4, 2, [0, 1, 2, 3, 4, 5, 6, 7]],
  [8, 'blocks', 2, 2, [0, 1, 0, 1, 2, 3, 2, 3]],
  [5, 'blocks', 4, 1, [0, 0, 1, 2, 3]],
  [15, 'blocks', 4, 1, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3]],
  [2, 'blocks', 4, 1, [0, 2]],
  [1, 'blocks', 4, 4, [0]],
  // Round robin over the nodes.
  [8, 'spread', 4, 2, [0, 2, 4, 6, 1, 3, 5, 7]],
  [5, 'spread', 2, 1, [0, 1, 0, 1, 0]],
  // Node after node; after the last CPU the first again.
  [5, 'pack', 4, 2, [0, 1, 2, 3, 4]],
  [5, 'pack', 2, 2, [0, 1, 2, 3, 0]],
  // A list is gone through in turn.
  [5, [6, 0], 4, 2, [6, 0, 6, 0, 6]],
  [3, [3, 3, 1], 2, 2, [3, 3, 1]],
];

describe('placing threads on CPUs', () => {
  it.each(TABLE)('%i threads, %j, on %i nodes of %i CPUs', (threads, placement, nodes, cpusPerNode, cpus) => {
    const tids = Array.from({ length: threads }, (_, i) => 10 * i + 3);
    const placed = placeThreads(tids, placement, machine(nodes, cpusPerNode));
    expect([...placed.keys()]).toEqual(tids);
    expect([...placed.values()]).toEqual(cpus);
  });

  it('the table has every kind of placement', () => {
    expect(TABLE).toHaveLength(12);
    expect(new Set(TABLE.map(([, placement]) => (typeof placement === 'string' ? placement : 'list')))).toEqual(
      new Set(['blocks', 'spread', 'pack', 'list']),
    );
  });

  it.each([
    ['blocks', [0, 1, 2, 3]],
    ['spread', [0, 2, 1, 3]],
    ['pack', [0, 1, 2, 3]],
  ] as const)('%s counts only nodes that have CPUs', (placement, cpus) => {
    expect([...placeThreads([0, 1, 2, 3], placement, withMemoryNode()).values()]).toEqual(cpus);
  });

  it('a CPU that the machine lacks is a mistake of the run, and the line names the list, the CPU and the range', () => {
    expect(errorOf(() => placeThreads([0, 1], [0, 8], machine(4, 2)))).toEqual({
      code: 'BAD_RUN',
      message: 'cpus=0,8: CPU 8 is not on this machine, which has CPUs 0-7',
    });
  });
});
