import { describe, expect, it } from 'vitest';
import { parseRecording } from '../../src/prove/index.js';
import { errorOf } from '../support/error-of.js';

const result = { ret: 0, errno: null };
const MACHINE = {
  ...{ name: 'dual', possibleNodes: 2 },
  nodes: [
    { id: 0, cpus: [0, 1], pages: 1000 },
    { id: 1, cpus: [2], pages: 1000 },
  ],
  distance: [
    [10, 20],
    [20, 10],
  ],
};
/** A step of each kind that the mistakes below need. */
const STEPS = {
  task: { op: 'task', task: 't0', cpu: 0, result },
  mmap: {
    ...{ op: 'mmap', task: 't0', region: 'a', vpn: 1073741833, length: 8, kind: 'anon', share: 'private', result },
    ...{ pages: { 't0.a': [-2, -2, -2, -2, -2, -2, -2, -2] } },
  },
  touch: { op: 'touch', task: 't0', region: 'a', page: 0, count: 2, access: 'w', result: { ...result, ret: 2 } },
  fill: { op: 'fill', node: 1, result },
  mbind: { op: 'mbind', task: 't0', region: 'a', page: 0, count: 8, mode: 'bind', nodes: [1], flags: ['move'], result },
  move_pages: {
    ...{ op: 'move_pages', task: 't0', target: 't0', region: 'a', indices: [0, 1], nodes: [1, 1], flags: ['move'] },
    result: { ...result, status: [1, null] },
  },
  get_mempolicy: { op: 'get_mempolicy', task: 't0', flags: ['addr'], region: 'a', page: 0, result },
  object: { op: 'object', object: 'f', kind: 'tmpfs', length: 8, result },
  cpuset_create: { op: 'cpuset_create', cpuset: 's', cpus: '0-1', mems: [0], result },
  cpuset_set: { op: 'cpuset_set', cpuset: 's', mems: '0', result },
};
type Op = keyof typeof STEPS;
const OPS = Object.keys(STEPS) as Op[];

const fileWith = (...cases: unknown[]) =>
  JSON.stringify({ format: 'numa-placement-conformance-1', kernel: { version: '6.1.0' }, cases });
const good = () => structuredClone({ name: 'c', category: 'x', machine: MACHINE, steps: OPS.map((op) => STEPS[op]) });
const withMachine = (change: object) => fileWith({ ...good(), machine: { ...good().machine, ...change } });
const withStep = (op: Op, change: object) =>
  fileWith({ ...good(), steps: OPS.map((each) => ({ ...STEPS[each], ...(each === op && change) })) });
const lineOf = (text: string) => errorOf(() => parseRecording(text, 'a.json'));

const [NODE_0, NODE_1] = MACHINE.nodes;
const MISTAKES_OF_MACHINES: readonly (readonly [change: object, line: string])[] = [
  [{ distance: [[10]] }, 'machine.distance is [[10]]; expected as many rows as nodes: 2 for 2 nodes'],
  [{ distance: [[10, 20], [20]] }, 'machine.distance[1] is [20]; expected as many distances as nodes: 2 for 2 nodes'],
  [
    {
      distance: [
        [10, 20],
        [5, 10],
      ],
    },
    'machine.distance[1][0] is 5; expected a distance from 10 to 255',
  ],
  [{ distance: undefined }, 'machine.distance is missing; expected a table [[10, …], …]'],
  [{ nodes: [] }, 'machine.nodes is []; expected at least one node'],
  [{ nodes: [NODE_0, 7] }, 'machine.nodes[1] is 7; expected an object with "id", "cpus" and "pages"'],
  [
    { nodes: [{ ...NODE_0, pages: -1 }, NODE_1] },
    'machine.nodes[0].pages is -1; expected a number of pages from 0 to 268435456',
  ],
  [
    { nodes: [{ ...NODE_0, pages: 2 ** 28 }, NODE_1] },
    'machine.nodes[].pages is 268436456; expected 1 to 268435456 in all',
  ],
  [{ nodes: [NODE_0, { ...NODE_1, cpus: [1] }] }, 'machine.nodes[].cpus is [0,1,1]; expected CPUs, each once'],
  [{ nodes: [NODE_0, { ...NODE_1, id: 5 }] }, 'machine.nodes[1].id is 5; expected 1, its place in the list'],
  [{ possibleNodes: 1 }, 'machine.possibleNodes is 1; expected at least the number of nodes, 2'],
];

const MISTAKES_OF_STEPS: readonly (readonly [op: Op, change: object, line: string])[] = [
  ['task', { cpu: 99 }, 'cpu is 99; expected a CPU of the machine: 0, 1, 2'],
  ['task', { task: undefined }, 'task is missing; expected a name'],
  ['mmap', { vpn: -3 }, 'vpn is -3; expected a page number from 0 to 34359738367'],
  ['mmap', { length: 'eight' }, 'length is "eight"; expected a number of pages from 0 to 1048576'],
  ['mmap', { kind: 'weird' }, 'kind is "weird"; expected one of "anon", "object"'],
  ['mmap', { kind: 'object' }, 'object is missing; expected the object that is mapped'],
  ['mmap', { kind: 'object', object: 'g' }, 'object is "g"; expected the object of an earlier step'],
  ['mmap', { share: 1 }, 'share is 1; expected one of "private", "shared"'],
  ['mmap', { prot: 'rwx' }, 'prot is "rwx"; expected one of "rw", "r", "none", "rx"'],
  ['mmap', { populate: 'yes' }, 'populate is "yes"; expected true or false'],
  ['mmap', { pages: { 't0.a': [0, 'x'] } }, 'pages.t0.a[1] is "x"; expected a whole number'],
  ['mmap', { pages: [] }, 'pages is []; expected an object'],
  ['touch', { access: 'q' }, 'access is "q"; expected one of "r", "w"'],
  ['touch', { count: 1e15 }, 'count is 1000000000000000; expected a number of pages from 0 to 1048576'],
  ['touch', { count: 1.5 }, 'count is 1.5; expected a number of pages from 0 to 1048576'],
  ['touch', { region: 'b' }, 'region is "b"; expected the region of an earlier step'],
  ['touch', { task: 't9' }, 'task is "t9"; expected the task of an earlier step'],
  ['touch', { stride: 0 }, 'stride is 0; expected a whole number from 1 to 1048576'],
  ['touch', { counters: { pgfault: '2' } }, 'counters.pgfault is "2"; expected a whole number'],
  ['touch', { op: 'teleport' }, 'unknown operation "teleport"; known: task, fork'],
  ['touch', { op: 7 }, 'expected a call: "op" and its arguments'],
  ['touch', { result: undefined }, 'result is missing; expected an object with "ret" and "errno"'],
  ['touch', { result: { ret: 'x', errno: null } }, 'result.ret is "x"; expected a whole number'],
  ['touch', { result: { ret: -1, errno: 22 } }, 'result.errno is 22; expected null or a name like "EINVAL"'],
  ['touch', { result: { ...result, signal: 'HUP' } }, 'result.signal is "HUP"; expected one of "SIGSEGV", "SIGBUS"'],
  ['fill', { node: 2 }, 'node is 2; expected a node of the machine, 0 to 1'],
  ['mbind', { mode: 'strongly' }, 'mode is "strongly"; expected a number or one of default, preferred, bind'],
  ['mbind', { nodes: [-1] }, 'nodes[0] is -1; expected a node from 0 to 65535'],
  ['mbind', { nodes: 'worse' }, 'nodes is "worse"; expected a list of nodes, null or "bad"'],
  ['mbind', { flags: ['fast'] }, 'flags[0] is "fast"; expected a number or one of strict, move, move_all, lazy'],
  ['mbind', { byteLen: '12' }, 'byteLen is "12"; expected a number of bytes, or one in hexadecimal'],
  ['move_pages', { nodes: [1] }, 'nodes is [1]; expected as many as indices: 2'],
  ['move_pages', { indices: null }, 'indices is null; expected a list of pages'],
  ['move_pages', { target: 't7' }, 'target is "t7"; expected the task of an earlier step'],
  ['get_mempolicy', { flags: 'addr' }, 'flags is "addr"; expected a list of numbers or of node, addr, mems_allowed'],
  ['object', { kind: 'nfs' }, 'kind is "nfs"; expected one of "memfd", "tmpfs", "ext4"'],
  ['cpuset_create', { mems: 3 }, 'mems is 3; expected a list of nodes or a text'],
  ['cpuset_set', { mems: undefined }, 'mems is missing; expected either mems or memoryMigrate'],
];

describe('reading a recording', () => {
  it('the one that the mistakes are made in is good, and may say more than the format has', () => {
    expect(parseRecording(fileWith(good()), 'a.json').cases).toHaveLength(1);
    expect(parseRecording(withStep('touch', { weather: 'fine' }), 'a.json').cases[0].steps).toHaveLength(OPS.length);
  });

  it.each([
    ['no JSON', '{', 'a.json is not JSON'],
    ['another format', '{"format":"x"}', 'a.json is no recording'],
    ['empty', ' \n', 'a.json is empty'],
    ['a list', '[]', 'a.json is no recording'],
    ['without cases', fileWith(), 'a.json has no cases; expected at least one'],
    ['a case that is a number', fileWith(7), 'a.json: case 0: it is 7; expected an object with a name'],
    [
      'a case without a category',
      fileWith({ ...good(), category: 1 }),
      'a.json: case c: category is 1; expected a name',
    ],
    ['a case without steps', fileWith({ ...good(), steps: [] }), 'a.json: case c: steps is []; expected at least one'],
    ['an old cgroup', fileWith({ ...good(), cgroup: 3 }), 'a.json: case c: cgroup is 3; expected 1 or 2'],
  ])('%s is one clear line', (_, text, line) => {
    const { message, code } = lineOf(text);
    expect([message.startsWith(line), message.includes('\n'), code]).toEqual([true, false, 'BAD_TRACE']);
  });

  it('49 mistakes in machines and steps', () => {
    expect([MISTAKES_OF_MACHINES.length, MISTAKES_OF_STEPS.length]).toEqual([11, 38]);
  });

  it.each(MISTAKES_OF_MACHINES)('a machine with %j', (change, line) => {
    const { message, code } = lineOf(withMachine(change));
    expect([message, code]).toEqual([`a.json: case c: ${line}`, 'BAD_TRACE']);
  });

  it.each(MISTAKES_OF_STEPS)('%s with %j', (op, change, line) => {
    const { message, code } = lineOf(withStep(op, change));
    expect(message).toContain(`a.json: case c, step ${String(OPS.indexOf(op))}`);
    expect(message).toContain(`: ${line}`);
    expect([message.includes('\n'), code]).toEqual([false, 'BAD_TRACE']);
  });
});
