import { describe, expect, test } from 'vitest';
import { parseMachine } from '../../src/hardware/machine-file.js';
import { formatPages, parseMemorySize } from '../../src/memory-size.js';
import { errorOf } from '../support/error-of.js';

const two = [
  { cpus: 2, memory: '1GiB' },
  { cpus: 2, memory: '1GiB' },
];
const file = (fields: object) => JSON.stringify({ name: 'm', nodes: two, ...fields });
const parse = (fields: object) => parseMachine(file(fields), 'm.json');
const slit = (other: number) => [
  [10, other],
  [other, 10],
];

const REFUSED: readonly (readonly [what: string, text: string, message: string | RegExp])[] = [
  ['not JSON', '{"name": ', /^m\.json is not JSON: [^\n]+$/],
  ['no object', '[]', 'm.json: the file is []: expected an object with at least "name" and "nodes"'],
  ['no name', '{"nodes": []}', 'm.json: name is missing: expected a name'],
  ['no nodes', '{"name": "m"}', 'm.json: nodes is missing: expected a list of nodes'],
  ['an empty list of nodes', '{"name": "m", "nodes": []}', 'm.json: nodes is []: expected at least one node'],
  ['an unknown key', file({ distnace: [] }), 'm.json: unknown key "distnace"; did you mean "distance"?'],
  [
    'an unknown key of a node',
    file({ nodes: [{ cpus: 1, memroy: '1GiB', memory: 1 }] }),
    'm.json: nodes[0] has an unknown key "memroy"; did you mean "memory"?',
  ],
  [
    'an unknown key of a table',
    file({ latencyNs: { local: 1, remoat: 2 } }),
    'm.json: latencyNs has an unknown key "remoat"; did you mean "remote"?',
  ],
  [
    'an unknown key of faults',
    file({ faults: { zeroing: 1 } }),
    'm.json: faults has an unknown key "zeroing"; known are minorNs, majorNs, writebackNs',
  ],
  [
    'a distance table with too few rows',
    file({ distance: [[10, 20]] }),
    'm.json: distance has 1 row: there are 2 nodes, so 2 rows of 2 are needed',
  ],
  [
    'a distance table with too many rows',
    file({
      distance: [
        [10, 20],
        [20, 10],
        [20, 20],
      ],
    }),
    'm.json: distance has 3 rows: there are 2 nodes, so 2 rows of 2 are needed',
  ],
  [
    'a distance row with too few columns',
    file({ distance: [[10, 20], [20]] }),
    'm.json: distance[1] has 1 column: there are 2 nodes, so 2 rows of 2 are needed',
  ],
  [
    'a diagonal that is not 10',
    file({
      distance: [
        [10, 20],
        [20, 12],
      ],
    }),
    'm.json: distance[1][1] is 12: the distance of a node to itself is 10',
  ],
  [
    'a distance below 10',
    file({ distance: slit(9) }),
    'm.json: distance[0][1] is 9: expected a whole number from 10 to 254',
  ],
  [
    'a distance above 254',
    file({ distance: slit(255) }),
    'm.json: distance[0][1] is 255: expected a whole number from 10 to 254',
  ],
  [
    'a distance that is no whole number',
    file({ distance: slit(10.5) }),
    'm.json: distance[0][1] is 10.5: expected a whole number from 10 to 254',
  ],
  [
    'a distance that is text',
    file({
      distance: [
        [10, '20'],
        [20, 10],
      ],
    }),
    'm.json: distance[0][1] is "20": expected a whole number from 10 to 254',
  ],
  ['a distance that is no table', file({ distance: 20 }), 'm.json: distance is 20: expected a table [[10, …], …]'],
  [
    'no memory on any node',
    file({
      nodes: [
        { cpus: 1, memory: 0 },
        { cpus: 1, memory: '3KiB' },
      ],
    }),
    'm.json: no node has memory: at least one must',
  ],
  [
    'no CPU on any node',
    file({
      nodes: [
        { cpus: 0, memory: 9 },
        { cpus: [], memory: 9 },
      ],
    }),
    'm.json: no node has a CPU: at least one must',
  ],
  [
    'a CPU on two nodes',
    file({
      nodes: [
        { cpus: '0-3', memory: 9 },
        { cpus: [3, 4], memory: 9 },
      ],
    }),
    'm.json: nodes[1].cpus: CPU 3 is on node 0 too; a CPU belongs to one node',
  ],
  [
    'a CPU listed twice',
    file({ nodes: [{ cpus: '0-3,2', memory: 9 }] }),
    'm.json: nodes[0].cpus: CPU 2 is listed twice; a CPU belongs to one node',
  ],
  [
    'a CPU list that does not parse',
    file({ nodes: [{ cpus: '0-', memory: 9 }] }),
    'm.json: nodes[0].cpus is "0-": "0-" where a number or a range A-B belongs; CPUs are listed like "0-7,16"',
  ],
  [
    'listed CPUs of a repeated node',
    file({ nodes: [{ cpus: [0], memory: 9, repeat: 2 }] }),
    'm.json: nodes[0].repeat is 2, but its CPUs are listed: give their number',
  ],
  [
    'a negative number of CPUs',
    file({ nodes: [{ cpus: -1, memory: 9 }] }),
    'm.json: nodes[0].cpus is -1: expected a whole number, at least 0',
  ],
  [
    'CPUs of the wrong type',
    file({ nodes: [{ cpus: true, memory: 9 }] }),
    'm.json: nodes[0].cpus is true: expected how many CPUs, a list of their numbers, or a text like "0-7"',
  ],
  [
    'CPUs left out',
    file({ nodes: [{ memory: 9 }] }),
    'm.json: nodes[0].cpus is missing: expected how many CPUs, a list of their numbers, or a text like "0-7"',
  ],
  [
    'negative memory',
    file({ nodes: [{ cpus: 1, memory: -5 }] }),
    'm.json: nodes[0].memory is -5: expected a whole number, at least 0',
  ],
  [
    'negative memory as text',
    file({ nodes: [{ cpus: 1, memory: '-5GiB' }] }),
    'm.json: nodes[0].memory is "-5GiB": expected a size like "16GiB", or a number of 4 KiB pages',
  ],
  [
    'memory that is no number',
    file({ nodes: [{ cpus: 1, memory: 'NaN' }] }),
    'm.json: nodes[0].memory is "NaN": expected a size like "16GiB", or a number of 4 KiB pages',
  ],
  [
    'memory without a unit',
    file({ nodes: [{ cpus: 1, memory: '16' }] }),
    'm.json: nodes[0].memory is "16": expected a size like "16GiB", or a number of 4 KiB pages',
  ],
  [
    'a page size below 4 KiB',
    file({ pageBytes: 512 }),
    'm.json: pageBytes is 512: expected a size in bytes, at least 4096',
  ],
  ['a latency of zero', file({ latencyNs: { local: 0 } }), 'm.json: latencyNs.local is 0: expected a number above 0'],
  [
    'an infinite bandwidth',
    '{"name":"m","nodes":[{"cpus":1,"memory":9}],"bandwidthGbs":{"local":1e999}}',
    'm.json: bandwidthGbs.local is Infinity: expected a number above 0',
  ],
  [
    'a latency table of text',
    file({ latencyNs: 'fast' }),
    'm.json: latencyNs is "fast": expected a table [[…], …] in ns or GB/s, one row per node, or { "local": …, "remote": … }',
  ],
  [
    'a latency row of the wrong length',
    file({ latencyNs: [[80, 140], [140]] }),
    'm.json: latencyNs[1] has 1 column: there are 2 nodes, so 2 rows of 2 are needed',
  ],
  [
    'a negative latency in a table',
    file({
      latencyNs: [
        [80, -1],
        [140, 80],
      ],
    }),
    'm.json: latencyNs[0][1] is -1: expected a number above 0',
  ],
  [
    'an open row of a node with CPUs',
    file({ latencyNs: [[80, 140], null] }),
    'm.json: latencyNs[1] is null, but node 1 has CPUs: only a node without them can leave it open',
  ],
  ['a negative cost', file({ ipiNs: -1 }), 'm.json: ipiNs is -1: expected a number, at least 0'],
  [
    'a source without its mark',
    file({ copyGbs: 5, sources: { copyGbs: 'a book' } }),
    'm.json: sources.copyGbs is "a book": expected "read:", "derived:", "recalled:", "estimated:" or "assumed:" and from where',
  ],
  [
    'a source of an unknown field',
    file({ sources: { copyGb: 'read: x' } }),
    'm.json: sources has an unknown key "copyGb"; did you mean "copyGbs"?',
  ],
  [
    'a source of a value that is not there',
    file({ sources: { 'migrate.baseUs': 'read: x' } }),
    'm.json: sources names migrate.baseUs, but the file gives no migrate.baseUs',
  ],
  ['257 nodes', file({ nodes: [{ cpus: 1, memory: 9, repeat: 257 }] }), 'm.json: 257 nodes: the model takes up to 256'],
  [
    '1025 CPUs on a node',
    file({ nodes: [{ cpus: 1025, memory: 9 }] }),
    "m.json: nodes[0].cpus: 1025 is above the model's limit of 1024 CPUs",
  ],
  [
    '1280 CPUs in all',
    file({ nodes: [{ cpus: 5, memory: 9, repeat: 256 }] }),
    'm.json: 1280 CPUs: the model takes up to 1024',
  ],
  [
    'CPU number 1024',
    file({ nodes: [{ cpus: '0-1024', memory: 9 }] }),
    "m.json: nodes[0].cpus: 1024 is above the model's limit of 1024 CPUs",
  ],
  [
    'more than a terabyte',
    file({ nodes: [{ cpus: 1, memory: '512GiB', repeat: 3 }] }),
    'm.json: 1.5 TiB of memory in all: the model holds up to 1 TiB, give the nodes less',
  ],
];

describe('a machine file with a mistake is refused in one line that names file and field', () => {
  test.each(REFUSED)('%s', (_, text, message) => {
    const error = errorOf(() => parseMachine(text, 'm.json'));
    expect(error.code).toBe('BAD_MACHINE');
    expect(error.message).toMatch(typeof message === 'string' ? new RegExp(`^${escaped(message)}$`) : message);
  });
  test('the table has 47 rows', () => {
    expect(REFUSED).toHaveLength(47);
  });
});

describe('a machine file becomes a machine', () => {
  test('counted CPUs take the lowest numbers that no list names', () => {
    const { nodes } = parse({
      nodes: [
        { cpus: 2, memory: 9 },
        { cpus: '1,4', memory: 9 },
        { cpus: 2, memory: 9 },
      ],
    });
    expect(nodes.map((node) => node.cpus)).toEqual([
      [0, 2],
      [1, 4],
      [3, 5],
    ]);
  });

  test('repeat makes so many nodes alike, movable is kept', () => {
    const { nodes } = parse({
      nodes: [
        { cpus: 1, memory: 9, repeat: 2 },
        { cpus: 0, memory: 5, movable: true },
      ],
    });
    expect(nodes).toEqual([
      { cpus: [0], pages: 9 },
      { cpus: [1], pages: 9 },
      { cpus: [], pages: 5, movable: true },
    ]);
  });

  test('a file that says everything has no assumption', () => {
    const machine = parse({
      title: 'all known',
      distance: slit(21),
      latencyNs: { local: 80, remote: 140 },
      bandwidthGbs: [
        [100, 50],
        [40, 90],
      ],
      faults: { minorNs: 1000, majorNs: 50_000, writebackNs: 40_000 },
      device: { atOnce: 4, nextPageNs: 9000 },
      copyGbs: 4,
      migrate: { baseUs: 10, perPageUs: 0.5, perFolioUs: 0.25, copySpeedup: 2 },
      ipiNs: 0,
      ipiFurtherNs: 0,
      walkNs: 30,
      pageBytes: 4096,
      sources: { latencyNs: 'read: MLC' },
    });
    expect(machine.assumed).toEqual([]);
    expect(machine.title).toBe('all known');
    expect(machine.distance).toEqual(slit(21));
    expect(machine.cost).toEqual({
      latencyNs: [
        [80, 140],
        [140, 80],
      ],
      bandwidthGbs: [
        [100, 50],
        [40, 90],
      ],
      minorFaultNs: 1000,
      majorFaultNs: 50_000,
      writebackNs: 40_000,
      deviceAtOnce: 4,
      deviceNextNs: 9000,
      pageCopyGbs: 4,
      copySpeedup: 2,
      migrateBaseNs: 10_000,
      migratePerPageNs: 500,
      migratePerFolioNs: 250,
      ipiNs: 0,
      ipiFurtherNs: 0,
      walkNs: 30,
    });
    expect(machine.origins?.find((origin) => origin.field === 'latencyNs')).toEqual({
      field: 'latencyNs',
      value: '80 140 / 140 80 ns',
      mark: 'read',
      source: 'MLC',
    });
    expect(machine.origins?.find((origin) => origin.field === 'walkNs')?.mark).toBe('given');
  });

  test('what a file leaves out is filled by the rules, one sentence each', () => {
    const machine = parse({});
    expect(machine.title).toBe('m');
    expect(machine.distance).toEqual(slit(20));
    expect(machine.cost).toMatchObject({
      latencyNs: [
        [90, 153],
        [153, 90],
      ],
      bandwidthGbs: [
        [100, 50],
        [50, 100],
      ],
      walkNs: 23,
    });
    const filled = [
      'distance',
      'latencyNs',
      'bandwidthGbs',
      'faults.minorNs',
      'faults.majorNs',
      'faults.writebackNs',
      'device.atOnce',
      'device.nextPageNs',
      'copyGbs',
      'migrate.baseUs',
      'migrate.perPageUs',
      'migrate.perFolioUs',
      'ipiNs',
      'ipiFurtherNs',
      'walkNs',
    ];
    expect(machine.assumed.map((sentence) => sentence.split(':')[0])).toEqual(filled);
    expect(machine.origins?.filter((origin) => origin.mark === 'assumed').map((origin) => origin.field)).toEqual(
      filled,
    );
  });

  test('estimated, recalled and assumed values of a file are assumptions, read and derived ones are not', () => {
    const marks = ['read', 'derived', 'recalled', 'estimated', 'assumed'];
    const sentences = marks.map((mark) =>
      parse({ ipiNs: 7, sources: { ipiNs: `${mark}: somewhere` } }).assumed.find((s) => s.startsWith('ipiNs')),
    );
    expect(sentences).toEqual([
      undefined,
      undefined,
      'ipiNs: 7 ns (recalled: somewhere).',
      'ipiNs: 7 ns (estimated: somewhere).',
      'ipiNs: 7 ns (assumed: somewhere).',
    ]);
  });

  test('a remote part that is missing is filled from the local one', () => {
    const machine = parse({ latencyNs: { local: 100 }, bandwidthGbs: { local: 80 } });
    expect(machine.cost).toMatchObject({
      latencyNs: [
        [100, 170],
        [170, 100],
      ],
      bandwidthGbs: [
        [80, 40],
        [40, 80],
      ],
    });
    expect(machine.assumed).toContain('latencyNs: remote 1.7 times local, as between two sockets (assumed).');
  });

  test('open rows of nodes without CPUs are filled from the columns', () => {
    const nodes = [
      { cpus: 1, memory: 9 },
      { cpus: 0, memory: 9 },
      { cpus: 1, memory: 9 },
      { cpus: 0, memory: 9 },
    ];
    const latencyNs = [[80, 250, 140, 300], null, [150, 350, 90, 280], null];
    const bandwidthGbs = [[100, 30, 50, 20], null, [45, 25, 90, 22], null];
    const { cost, assumed } = parse({ nodes, latencyNs, bandwidthGbs });
    expect(cost.latencyNs[1]).toEqual([250, 250, 350, 280]);
    expect(cost.latencyNs[3]).toEqual([300, 280, 280, 280]);
    expect(cost.bandwidthGbs[1]).toEqual([30, 30, 25, 22]);
    expect(assumed.filter((sentence) => sentence.includes('rows of nodes without CPUs'))).toHaveLength(2);
  });

  test('another page size is taken as 4 KiB and said to be', () => {
    expect(parse({ pageBytes: 65536 }).assumed).toContain(
      'pageBytes: this machine has pages of 65536 bytes, the model uses 4096.',
    );
  });

  test('a machine with the greatest numbers of nodes and CPUs is taken', () => {
    const { nodes } = parse({ nodes: [{ cpus: 4, memory: '4GiB', repeat: 256 }] });
    expect(nodes).toHaveLength(256);
    expect(nodes[255].cpus).toEqual([1020, 1021, 1022, 1023]);
  });
});

test.each([
  ['16GiB', 4_194_304],
  ['16 gib', 4_194_304],
  ['1.5M', 384],
  ['512MiB', 131_072],
  ['8GB', 1_953_125],
  ['4096B', 1],
  ['4095B', 0],
  ['12 pages', 12],
  ['1TiB', 268_435_456],
  ['16', undefined],
  ['GiB', undefined],
  ['-1GiB', undefined],
  ['1e3GiB', undefined],
  ['5XiB', undefined],
])('a memory size of %s is %s pages', (text, pages) => {
  expect(parseMemorySize(text)).toBe(pages);
});

test('sizes are written in the largest binary unit', () => {
  expect([0, 1, 384, 131_072, 4_194_304, 2 ** 28].map(formatPages)).toEqual([
    '0 B',
    '4 KiB',
    '1.5 MiB',
    '512 MiB',
    '16 GiB',
    '1 TiB',
  ]);
});

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
