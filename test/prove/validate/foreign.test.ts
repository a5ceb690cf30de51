import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KINDS } from '../../../src/prove/index.js';
import { validateFile } from './bundled.js';

/** The fields that say where a figure comes from; what a test is about stands beside them. */
const CREDIT = { source: 'A. Author, a paper, 2024', year: 2024, grade: 'B', use: 'validate', quantity: 'as its kind' };

/** Per kind a figure as somebody adds it: a dozen lines of data, and what must come out, by hand. */
const FOREIGN: Readonly<
  Record<string, { readonly figure: Record<string, unknown>; readonly model: readonly number[] }>
> = {
  'interleave-pages': {
    figure: {
      ...{ x: ['node 0', 'node 1', 'node 2'], y: [600, 200, 200], unit: 'pages' },
      parameters: { weights: [3, 1, 1], ranges: [1000], rows: [{ node: 0 }, { node: 1 }, { node: 2 }] },
    },
    model: [600, 200, 200],
  },
  'interleaved-bandwidth': {
    figure: {
      ...{ x: ['1:1', '3:1'], y: [60, 110], unit: 'GB/s' },
      parameters: { nodeGbs: [200, 30], nodeNs: [100, 250], rows: [{ weights: [1, 1] }, { weights: [3, 1] }] },
    },
    model: [60, 120],
  },
  'thread-bandwidth': {
    figure: { x: ['local'], y: [8], unit: 'GB/s', parameters: { latencyNs: 80, inFlight: 10 } },
    model: [8],
  },
  'loaded-latency': {
    figure: { x: [0, 50, 80], y: [100, 125, 155], unit: 'ns', parameters: { idleNs: 100, peakGbs: 100 } },
    model: [100, 100 * (1 + 0.25 + 0.75 / 256), 100 * (1 + 0.4 + 0.75 * 0.8 ** 8)],
  },
  'idle-latency': {
    figure: { x: ['interleaved'], y: [112], unit: 'ns', parameters: { nodeNs: [80, 140] } },
    model: [110],
  },
  'latency-ratio': {
    figure: { x: ['remote'], y: [1.8], unit: 'ratio', parameters: { localNs: 80, remoteNs: 140 } },
    model: [1.75],
  },
  'placement-time': {
    figure: {
      ...{ x: [0, 25, 100], y: [100, 120, 180], unit: 's', calibrates: [0, 2], x_label: 'remote accesses, %' },
      parameters: { xScale: 0.01, localS: { row: 0 }, remoteS: { row: 2 } },
    },
    model: [100, 120, 180],
  },
  'migration-time': {
    figure: {
      ...{ x: [1, 512], y: [62, 1900], unit: 'us' },
      parameters: { callUs: 58, folioUs: 2.5, copyGbs: 4.096 },
    },
    model: [61.5, 58 + 512 * 3.5],
  },
  'migration-throughput': {
    figure: {
      ...{ x: [4, 64, 2048], y: [2, 3, 4], unit: 'GB/s' },
      parameters: { totalMiB: 512, callUs: 0, folioUs: 0.5, entryUs: 0.5, copyGbs: 4.096 },
    },
    model: [2.048, 65.536 / (0.5 + 16 * 1.5), 2097.152 / 512.5],
  },
  'copy-share': {
    figure: {
      ...{ x: [1, 512], y: [2, 30], unit: '%' },
      parameters: { callUs: 98, folioUs: 1, copyGbs: 4.096 },
    },
    model: [1, 100 * (512 / (98 + 1024))],
  },
  'flush-ipis': {
    figure: { x: [16, 512], y: [-94, -99], unit: '%', parameters: { pages: 1024, cpus: 4 } },
    model: [-93.75, -99.8046875],
  },
  shootdown: {
    figure: { x: [1, 2, 16], y: [1, 4, 40], unit: 'us', parameters: { ownUs: 1, ipiNs: 2000, ipiFurtherNs: 1000 } },
    model: [1, 3, 17],
  },
  'minor-fault': {
    figure: {
      ...{ x: ['first touch', 'zero page'], y: [1000, 500], unit: 'ns', calibrates: [0] },
      parameters: { minorNs: { row: 0 }, rows: [{}, { fault: 'zeroPage' }] },
    },
    model: [1000, (1000 * 638) / 1353],
  },
  'major-fault': {
    figure: { x: ['flash'], y: [90], unit: 'us', machine_id: 'cascadelake-8269cy' },
    model: [90],
  },
  'fault-rate': {
    figure: {
      ...{ x: [1, 4], y: [1e6, 4e6], unit: 'faults/s', calibrates: [0] },
      parameters: { minorNs: { row: 0 }, waiterNs: 100, lockedShare: 0 },
    },
    model: [1e6, 4e6],
  },
  'system-time': {
    figure: { x: ['on'], y: [12], unit: '%', parameters: { baseS: 50, areasScanned: 10_000, perAreaUs: 500 } },
    model: [10],
  },
  'autonuma-cost': {
    figure: {
      ...{ x: ['run'], y: [5.026], unit: 'count' },
      parameters: { pteUpdates: 1000, hintFaults: 1000, pagesMigrated: 1000 },
    },
    model: [5.026],
  },
};

describe('a figure from elsewhere', () => {
  it.each(Object.entries(FOREIGN))(
    'of the kind %s is computed from its dozen lines',
    async (kind, { figure, model }) => {
      const { figures } = await validateFile({ ...CREDIT, id: `foreign-${kind}`, kind, ...figure });
      const { rows } = figures[0];
      expect(rows.map(({ because }) => because)).toEqual(model.map(() => null));
      rows.forEach((row, i) => {
        expect((row.model ?? NaN) - model[i]).toBeCloseTo(0, 4);
      });
    },
  );

  it.each([
    [
      'relative to a row',
      {
        kind: 'migration-time',
        x: [1, 513],
        y: [1, 10],
        unit: 'ratio',
        parameters: { relativeTo: 0, callUs: 0, folioUs: 1, copyGbs: 1 },
      },
      [1, 513],
    ],
    [
      'as a change from a row',
      {
        kind: 'migration-throughput',
        x: [4, 64],
        y: [0, 50],
        unit: '%',
        parameters: { changeFrom: 0, totalMiB: 1, callUs: 0, folioUs: 1, copyGbs: 4.096 },
      },
      [0, 100 * (65.536 / 17 / 2.048 - 1)],
    ],
    [
      'in cycles',
      { kind: 'idle-latency', x: ['local'], y: [300], unit: 'cycles', parameters: { ghz: 3, nodeNs: [100] } },
      [300],
    ],
    [
      'against load, up to the greatest x',
      {
        kind: 'loaded-latency',
        x: [50_000, 100_000],
        y: [125, 330],
        unit: 'ns',
        parameters: { xScale: 0.001, idleNs: 100, inFlight: 515.625 },
      },
      [100 * (1 + 0.25 + 0.75 / 256), 330],
    ],
    [
      'from bandwidths of a machine',
      {
        kind: 'placement-time',
        x: [50],
        y: [1.6],
        unit: 'ratio',
        machine_id: 'cascadelake-8269cy',
        parameters: { x: 'localShare', xScale: 0.01, boundBy: 'bandwidth' },
      },
      [1 + 0.5 * (113.2 / 50.9 - 1)],
    ],
    [
      'read by the CPUs of all nodes',
      {
        kind: 'interleaved-bandwidth',
        x: ['all'],
        y: [190],
        unit: 'GB/s',
        parameters: { readers: 'all', nodeGbs: [110, 40], nodeNs: [80, 140], inFlight: 2000 },
      },
      [160],
    ],
    [
      'with flushes of other CPUs',
      {
        kind: 'migration-time',
        x: [513],
        y: [1],
        unit: 'us',
        parameters: { callUs: 0, folioUs: 1, copyGbs: 4.096, otherCpus: 3, ipiNs: 2000, ipiFurtherNs: 1000 },
      },
      [513 * 2 + 2 * 4],
    ],
    [
      'of a huge page',
      {
        kind: 'minor-fault',
        x: [512],
        y: [1],
        unit: 'us',
        parameters: { x: 'clearedPages', minorNs: 1000, clearGbs: 8.192 },
      },
      [1 + 511 * 0.5],
    ],
    [
      'as CPU time of waiters',
      { kind: 'fault-rate', x: [1], y: [1], unit: 's', parameters: { minorNs: 1000, waiterNs: 100, faults: 1e6 } },
      [1],
    ],
  ] as const)('is computed %s', async (_, fields, model) => {
    const { figures } = await validateFile({ ...CREDIT, id: 'mine', ...fields });
    const { rows } = figures[0];
    expect(rows.map(({ because }) => because)).toEqual(model.map(() => null));
    rows.forEach((row, i) => {
      expect((row.model ?? NaN) - model[i]).toBeCloseTo(0, 3);
    });
  });

  it('has an example of each kind but the one that nothing computes', () => {
    expect([...Object.keys(FOREIGN), 'promotions'].sort()).toEqual(KINDS.map(({ name }) => name).sort());
  });

  it('may bring its own machine, in the figure or beside it', async () => {
    const nodes = [{ cpus: 4, memory: '16GiB', repeat: 2 }];
    const machine = { name: 'mine', nodes, copyGbs: 4.096, migrate: { baseUs: 10, perPageUs: 1 } };
    const figure = { ...CREDIT, kind: 'migration-time', x: [8], y: [26], unit: 'us' };
    const { figures, assumed } = await validateFile({
      machines: [machine],
      figures: [
        { ...figure, id: 'a', machine_id: 'mine' },
        { ...figure, id: 'b', machine_file: machine },
        { ...figure, id: 'c', machine_file: { name: 'bare', nodes } },
      ],
    });
    expect(figures.slice(0, 2).map(({ rows }) => rows[0].model)).toEqual([26, 26]);
    expect(assumed.map(({ machine: name, field }) => `${name} ${field}`)).toEqual(
      expect.arrayContaining(['bare migrate.baseUs', 'bare copyGbs']),
    );
  });

  it('is set up as the bundled one of its id if it says nothing of its kind', async () => {
    const y = [40_000, 44_781.6, 48_600.7, 48_727.5];
    const raw = { ...CREDIT, id: 'price2024-stream-interleave', grade: 'A', x: ['a', 'b', 'c', 'd'], y, unit: 'MB/s' };
    const { figures, failed } = await validateFile([raw]);
    expect(figures[0].rows.map(({ status }) => status)).toEqual(['outside', 'ok', 'ok', 'ok']);
    expect(failed).toEqual(['price2024-stream-interleave']);
  });
});

it('the examples of docs/figures.md are computed, within their tolerance', async () => {
  const text = readFileSync(new URL('../../../docs/figures.md', import.meta.url), 'utf8');
  const [whole, short] = [...text.matchAll(/```json\n([^`]*)```/g)].map(([, json]) => JSON.parse(json) as unknown);
  const others = (short as Record<string, unknown>[]).map((one, i) => ({
    ...CREDIT,
    id: `example-${String(i)}`,
    ...one,
  }));
  const { figures } = await validateFile([whole, ...others]);
  expect(
    figures.flatMap(({ rows }) => rows.map(({ because }) => because)).filter((because) => because !== null),
  ).toEqual([]);
  expect(figures.map(({ status }) => status)).toEqual(figures.map(() => 'ok'));
});

describe('a figure that cannot be computed', () => {
  const figure = { ...CREDIT, id: 'mine', x: [1], y: [60], unit: 'us' };
  it.each([
    ['it has no kind', {}],
    ['there is no kind "migration-tme"; did you mean "migration-time"?', { kind: 'migration-tme' }],
    ['the parameter callUs (us) is not given, and there is no machine that has it', { kind: 'migration-time' }],
    [
      'the parameter callUs (us) is not given, and machine none is not known',
      { kind: 'migration-time', machine_id: 'none' },
    ],
    ['the unit is "GB/s", and migration-time gives ns, us, ms or s', { kind: 'migration-time', unit: 'GB/s' }],
    ['balancers do not demote yet', { kind: 'promotions', unit: 'pages' }],
    [
      'how much faster 4 threads copy is not known',
      { kind: 'migration-time', parameters: { callUs: 1, folioUs: 1, copyGbs: 1, copyThreads: 4 } },
    ],
    ['because I say so', { kind: 'migration-time', parameters: { skip: 'because I say so' } }],
    ['at 95 % of the peak', { kind: 'loaded-latency', x: [95], parameters: { idleNs: 80, peakGbs: 100 } }],
  ])('says why: %s', async (why, fields) => {
    const { figures, failed } = await validateFile({ ...figure, ...fields });
    expect(figures[0].rows[0].because).toContain(why);
    expect([figures[0].status, failed]).toEqual(['not computed', []]);
  });
});

describe('a bad figure file', () => {
  const good = { ...CREDIT, id: 'mine', kind: 'migration-time', x: [1], y: [60], unit: 'us' };
  it.each([
    ['mine.json: figure mine: grade is "D"; expected "A", "B" or "C"', { grade: 'D' }],
    ['mine.json: figure mine: y has 2 values; expected 1, one for each of x', { y: [1, 2] }],
    ['mine.json: figure mine: y[0] is "60"; expected a number', { y: ['60'] }],
    ['mine.json: figure mine: unknown field "tolerence"; did you mean "tolerance"?', { tolerence: 0.1 }],
    ['mine.json: figure mine: source is missing; expected a text', { source: undefined }],
    ['mine.json: figure mine: calibrates names row 3; expected 0 to 0', { calibrates: [3] }],
    [
      'mine.json: figure mine: parameters.folioKB is no parameter of the kind migration-time; did you mean "folioKiB"?',
      { parameters: { folioKB: 4 } },
    ],
    ['mine.json: figure mine: parameters.callUs is "60"; expected a number of us', { parameters: { callUs: '60' } }],
    [
      'mine.json: figure mine: parameters.callUs: there is no figure "nobody"',
      { parameters: { callUs: { figure: 'nobody', row: 0 } } },
    ],
    ['mine.json: figure mine: parameters.rows: expected a list of 1, one for each row', { parameters: { rows: [] } }],
    [
      'mine.json: figure mine: machine_file: nodes is missing: expected a list of nodes',
      { machine_file: { name: 'm' } },
    ],
    [
      'mine.json: figure mine: folios is -1; expected a number, at least 0',
      { x: [-1], parameters: { callUs: 1, folioUs: 1, copyGbs: 1 } },
    ],
    ['mine.json: figure mine: threads is 1.5; expected a whole number, 1 to 4096', { kind: 'fault-rate', x: [1.5] }],
    ['mine.json: figure mine: parameters.relativeTo is 1; expected a row, 0 to 0', { parameters: { relativeTo: 1 } }],
    ['mine.json: figure mine: row 0 comes to no number', { parameters: { callUs: 1, folioUs: 1, copyGbs: 0 } }],
    ['mine.json: figure mine: row 0: latencies and bandwidths', { kind: 'idle-latency', parameters: { nodeNs: [0] } }],
    ['mine.json: figure mine: tolerance is "10 %"; expected a share like 0.1', { tolerance: '10 %' }],
  ])('is refused with one line: %s', async (line, fields) => {
    const refused = validateFile({ ...good, ...fields });
    await expect(refused).rejects.toThrow(line);
    await expect(refused).rejects.not.toThrow('\n');
  });

  it('is refused where it is no file of figures, or has a name twice', async () => {
    await expect(validateFile({ figure: [] })).rejects.toThrow(
      'mine.json: figures is missing; expected a list of figures',
    );
    await expect(validateFile([good, good])).rejects.toThrow('mine.json: figure mine: id is there twice');
  });
});
