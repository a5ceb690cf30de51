import { readdirSync } from 'node:fs';
import { GCProfiler } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { bundledPolicies, checkMachine } from '../../src/engine/index.js';
import { fallbackRows, Topology } from '../../src/hardware/index.js';
import { bindNearestFirst, makeWorld, Query } from '../../src/mm/index.js';
import { definePolicy, NO_NODE, type Fault, type PolicyDefinition, type World } from '../../src/policy/index.js';
import { asNodeId, type NodeId } from '../../src/units.js';
import { frameAt, mapAnon, nodeAt, processOn, setPolicy, tinyMachine, unmapLazily } from '../support/tiny-machine.js';

// Every policy of policies/ keeps the contract of src/policy/contract.ts. A new file there is tested at once.

const policies = await bundledPolicies();
const files = readdirSync(new URL('../../policies/', import.meta.url)).filter((file) => file.endsWith('.ts'));

const PAIRS = [
  [10, 16, 22, 22],
  [16, 10, 22, 22],
  [22, 22, 10, 16],
  [22, 22, 16, 10],
];

function worldOf(distance: readonly (readonly number[])[], pages: (node: number) => number = () => 8): World {
  const topology = new Topology({
    nodes: distance.map((_, node) => ({ cpus: [node], pages: pages(node) })),
    distance,
  });
  return makeWorld(topology, fallbackRows(topology), bindNearestFirst, 1, new Uint8Array(64));
}

const WORLDS: readonly { says: string; world: World }[] = [
  { says: 'one node', world: worldOf([[10]]) },
  { says: 'two pairs of near nodes', world: worldOf(PAIRS) },
  { says: 'two pairs, node 0 without memory', world: worldOf(PAIRS, (node) => (node === 0 ? 0 : 8)) },
];

/** The sets of nodes that a policy can be given on a machine. */
function nodeSets({ nodes }: PolicyDefinition, world: World): NodeId[][] {
  const all = Array.from({ length: world.nodeCount }, (_, node) => asNodeId(node)).filter((n) => world.hasMemory(n));
  if (nodes === 'none') return [[]];
  if (nodes === 'optional') return [[], ...all.map((node) => [node])];
  const sets = Array.from({ length: 2 ** all.length - 1 }, (_, bits) => all.filter((__, i) => ((bits + 1) >> i) & 1));
  return sets;
}

/** Faults of every CPU on pages of every node, with and without an address, of small and of large index. */
function faults(nodes: readonly NodeId[], world: World): Fault[] {
  const all = Array.from({ length: world.nodeCount }, (_, node) => asNodeId(node));
  const rotors = nodes.length > 0 ? nodes : all;
  return all.flatMap((cpuNode) =>
    [0, 1, 2, 1001, 2 ** 31 + 1, 2 ** 36 - 1].flatMap((index) =>
      [true, false].map((hasAddress, i) =>
        Object.assign(new Query(), {
          ...{ index, hasAddress, cpuNode, rotor: rotors[(index + i) % rotors.length] },
          ...{ isWrite: index % 2 === 0, thread: 1, page: index === 2 ? -1 : index % 16 },
        }),
      ),
    ),
  );
}

const foundOn = (fault: Fault, pageNode: NodeId): Fault => Object.assign(new Query(), fault, { pageNode });
const instanceOf = (definition: PolicyDefinition, nodes: readonly NodeId[], world: World) => {
  const options = Object.fromEntries(Object.entries(definition.options ?? {}).map(([name, o]) => [name, o.initial]));
  const bestNodes =
    definition.prepass === undefined
      ? {}
      : { bestNodes: Int16Array.from({ length: 16 }, (_, i) => (i % (world.nodeCount + 1)) - 1) };
  return definition.create({ nodes, options, world, ...bestNodes });
};

/** Where the allocation that `start` begins ends if nothing is full. */
function reached(definition: PolicyDefinition, nodes: readonly NodeId[], world: World, start: NodeId): NodeId {
  return definition.fallback === 'any' || nodes.length === 0 ? start : world.firstOf(nodes, start);
}

/** Everything that is wrong with a policy on a machine, in words. */
function offences(definition: PolicyDefinition, world: World): string[] {
  const found = new Set<string>();
  const mustBe = (holds: boolean, what: string): void => {
    if (!holds) found.add(what);
  };
  const isNode = (node: number) => Number.isInteger(node) && node >= 0 && node < world.nodeCount;
  const pageNodes = Array.from({ length: world.nodeCount }, (_, node) => asNodeId(node));
  for (const nodes of nodeSets(definition, world)) {
    const policy = instanceOf(definition, Object.freeze(nodes), world);
    const twin = instanceOf(definition, nodes, world);
    const asked = faults(nodes, world);
    const unasked = JSON.stringify(asked);
    const places = asked.map((fault) => policy.place(fault));
    mustBe(JSON.stringify(asked) === unasked, 'place changes the fault');
    asked.forEach((fault, i) => {
      mustBe(isNode(places[i]), 'place answers with no node');
      const home = reached(definition, nodes, world, places[i]);
      mustBe(definition.nodes !== 'some' || nodes.includes(home), 'place leaves the nodes of the policy');
      for (const pageNode of pageNodes) {
        const answer = policy.misplaced(foundOn(fault, pageNode));
        mustBe(answer === NO_NODE || isNode(answer), 'misplaced answers with no node');
        mustBe(answer !== pageNode, 'misplaced names the node where the page is');
        mustBe(answer === NO_NODE || answer === home, 'misplaced and place differ');
        mustBe(policy.misplaced(foundOn(fault, pageNode)) === answer, 'misplaced is not pure');
      }
      mustBe(policy.misplaced(foundOn(fault, home)) === NO_NODE, 'a page just placed is misplaced');
    });
    asked.toReversed().forEach((fault, i) => {
      mustBe(policy.place(fault) === places[asked.length - 1 - i], 'place is not pure');
      const isSame = (found: Fault) => twin.misplaced(found) === policy.misplaced(found);
      mustBe(
        pageNodes.map((node) => isSame(foundOn(fault, node))).every(Boolean),
        'misplaced depends on what was asked',
      );
    });
  }
  return [...found];
}

/** Garbage collections during two million answers, once the code is compiled: none if no answer takes memory. */
function collections(definition: PolicyDefinition, world: World): number {
  const nodes = nodeSets(definition, world).at(-1) ?? [];
  const policy = instanceOf(definition, nodes, world);
  const query = new Query(); // refilled, as the machine does it
  let sum = 0;
  const ask = (times: number): void => {
    for (let i = 0; i < times; i++) {
      query.index = i * 4099 + 0.5 - 0.5;
      query.hasAddress = (i & 7) !== 0;
      query.rotor = nodes.length === 0 ? asNodeId(0) : nodes[i % nodes.length];
      query.cpuNode = asNodeId(i % world.nodeCount);
      query.pageNode = asNodeId((i >> 4) % world.nodeCount);
      query.page = i & 15;
      sum += policy.place(query) + policy.misplaced(query);
    }
  };
  const counts = Array.from({ length: 5 }, () => {
    const profiler = new GCProfiler();
    profiler.start();
    ask(1_000_000);
    return profiler.stop().statistics.length;
  });
  return Number.isFinite(sum) ? Math.min(...counts) : NaN;
}

const nodesOfPlanted = { about: 'wrong', nodes: 'some', fallback: 'any', rebind: 'remap' } as const;
let turn = 0;
const PLANTED: readonly { definition: PolicyDefinition; finds: string }[] = [
  {
    finds: 'place changes the fault',
    definition: definePolicy({
      ...{ name: 'writing', ...nodesOfPlanted },
      create: ({ nodes }) => ({
        place(fault: Fault) {
          (fault as { isWrite: boolean }).isWrite = true;
          return nodes[0];
        },
        misplaced: () => NO_NODE,
      }),
    }),
  },
  {
    finds: 'place answers with no node',
    definition: definePolicy({
      ...{ name: 'outside', ...nodesOfPlanted },
      create: () => ({ place: () => asNodeId(99), misplaced: () => NO_NODE }),
    }),
  },
  {
    finds: 'place leaves the nodes of the policy',
    definition: definePolicy({
      ...{ name: 'leaves', ...nodesOfPlanted },
      create: () => ({ place: (fault) => fault.cpuNode, misplaced: () => NO_NODE }),
    }),
  },
  {
    finds: 'place is not pure',
    definition: definePolicy({
      ...{ name: 'turning', ...nodesOfPlanted },
      create: ({ nodes }) => ({ place: () => nodes[turn++ % nodes.length], misplaced: () => NO_NODE }),
    }),
  },
  {
    finds: 'misplaced names the node where the page is',
    definition: definePolicy({
      ...{ name: 'naming', ...nodesOfPlanted },
      create: ({ nodes }) => ({ place: () => nodes[0], misplaced: () => nodes[0] }),
    }),
  },
  {
    finds: 'misplaced and place differ',
    definition: definePolicy({
      ...{ name: 'differing', ...nodesOfPlanted },
      create: ({ nodes }) => ({
        place: () => nodes[0],
        misplaced: (fault) => (fault.pageNode === nodes[0] ? NO_NODE : nodes[nodes.length - 1]),
      }),
    }),
  },
  {
    finds: 'a page just placed is misplaced',
    definition: definePolicy({
      ...{ name: 'restless', ...nodesOfPlanted },
      create: ({ nodes }) => ({
        place: () => nodes[0],
        misplaced: (fault) => nodes.find((node) => node !== fault.pageNode) ?? NO_NODE,
      }),
    }),
  },
  {
    finds: 'misplaced depends on what was asked',
    definition: definePolicy({
      ...{ name: 'remembering', ...nodesOfPlanted },
      create({ nodes }) {
        const seen = new Set<number>();
        return {
          place: () => nodes[0],
          misplaced(fault) {
            if (fault.cpuNode === 0) seen.add(fault.index);
            return seen.size > 2 && nodes[0] !== fault.pageNode ? nodes[0] : NO_NODE;
          },
        };
      },
    }),
  },
];

describe('the contract finds what is planted', () => {
  it.each(PLANTED)('$definition.name: $finds', ({ definition, finds }) => {
    expect(offences(definition, WORLDS[1].world)).toContain(finds);
  });

  it('a policy that takes memory while answering is seen', () => {
    const kept: { first: NodeId[] } = { first: [] };
    const create: PolicyDefinition['create'] = ({ nodes }) => ({
      place: () => (kept.first = [...nodes])[0],
      misplaced: () => NO_NODE,
    });
    expect(collections(definePolicy({ name: 'greedy', ...nodesOfPlanted, create }), WORLDS[1].world)).toBeGreaterThan(
      3,
    );
  });
});

describe('the folder policies/', () => {
  it('has the policies of the kernel, and what they are compared with', () => {
    const names = policies.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['bind', 'default', 'interleave', 'oracle', 'preferred', 'stay']));
  });

  it('has one policy per file, by the name of the file', () => {
    expect(policies.map(({ name }) => `${name}.ts`).sort()).toEqual([...files].sort());
  });
});

describe.each(policies)('policy $name', (definition) => {
  it('says in one line what it does', () => {
    expect(definition.about).toMatch(/^\S.{10,90}$/);
    for (const option of Object.values(definition.options ?? {})) expect(option.about).toMatch(/^\S.+$/);
  });

  it.each(WORLDS)('keeps the contract on $says', ({ world }) => {
    expect(offences(definition, world)).toEqual([]);
  });

  it('takes no memory while it answers', () => {
    expect(collections(definition, WORLDS[1].world)).toBe(0);
  });

  it('drives a machine: pages are placed within its nodes, and after the first fault nothing is misplaced', () => {
    const nodes = definition.nodes === 'none' ? [] : definition.nodes === 'optional' ? [1] : [1, 3];
    const machine = tinyMachine();
    const task = processOn(machine, 2);
    setPolicy(machine, task, definition, ...nodes);
    const vma = mapAnon(machine, task, 1000, 8);
    for (let vpn = 1000; vpn < 1008; vpn++) {
      const pfn = machine.touch(task, vpn, true);
      if (definition.nodes === 'some') expect(nodes).toContain(nodeAt(machine, task, vpn));
      expect(machine.misplaced.mpolMisplaced(task, vma, vpn - 1000, pfn, false)).toBe(NO_NODE);
    }
    unmapLazily(machine, task);
    for (let vpn = 1000; vpn < 1008; vpn++) machine.touch(task, vpn, false);
    expect(machine.counters.get('mof_migrate_done')).toBe(0);
    expect(frameAt(machine, task, 1000)).toBeGreaterThan(0);
    machine.lru.drainAll();
    checkMachine(machine);
  });
});
