import { describe, expect, test } from 'vitest';
import { Topology } from '../../src/hardware/topology.js';
import { asCpuId, asNodeId, NO_NODE } from '../../src/units.js';

const mixed = new Topology({
  nodes: [
    { cpus: [0], pages: 0 },
    { cpus: [1, 3], pages: 64 },
    { cpus: [], pages: 32 },
  ],
  distance: [
    [10, 15, 20],
    [16, 10, 254],
    [20, 30, 10],
  ],
});

describe('MP-40: a topology holds what the firmware says', () => {
  test('each CPU belongs to the node that lists it, gaps in the numbering included', () => {
    expect(mixed.cpuCount).toBe(4);
    expect([0, 1, 3].map((cpu) => mixed.nodeOfCpu[cpu])).toEqual([0, 1, 1]);
    expect(mixed.cpusOf(asNodeId(1))).toEqual([asCpuId(1), asCpuId(3)]);
  });

  test('a memory-only node has no CPU, a node without memory is not among those with memory', () => {
    expect(mixed.cpusOf(asNodeId(2))).toEqual([]);
    expect(mixed.hasMemory(asNodeId(0))).toBe(false);
    expect(mixed.nodesWithMemory()).toEqual([1, 2]);
    expect(mixed.lowestNodeWithMemory()).toBe(1);
  });

  test('distances need not be symmetric and reach 254', () => {
    expect(mixed.distance(asNodeId(0), asNodeId(1))).toBe(15);
    expect(mixed.distance(asNodeId(1), asNodeId(0))).toBe(16);
    expect(mixed.distance(asNodeId(1), asNodeId(2))).toBe(254);
  });

  test('without any memory there is no lowest node', () => {
    const empty = new Topology({ nodes: [{ cpus: [0], pages: 0 }], distance: [[10]] });
    expect(empty.lowestNodeWithMemory()).toBe(NO_NODE);
  });

  test('256 nodes with 1024 CPUs and a terabyte fit', () => {
    const nodes = Array.from({ length: 256 }, (_, id) => ({
      cpus: [4 * id, 4 * id + 1, 4 * id + 2, 4 * id + 3],
      pages: 2 ** 20,
    }));
    const distance = nodes.map((_, i) => nodes.map((_, j) => (i === j ? 10 : 10 + (Math.abs(i - j) % 245))));
    const large = new Topology({ nodes, distance });
    expect(large.cpuCount).toBe(1024);
    expect(large.nodeOfCpu[1023]).toBe(255);
    expect(large.distance(asNodeId(255), asNodeId(11))).toBe(254);
    expect(large.pagesOfNode.reduce((a, b) => a + b, 0)).toBe(2 ** 28);
  });
});
