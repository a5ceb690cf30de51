import { certaintyOf, rangeOf, type Published } from './ranges.js';
import { meanRemoteShare, meanRemoteRatio, withCost, withRemoteBandwidth, withRemoteLatency } from './vary.js';
import type { CostDescription } from '../hardware/index.js';
import type { RunRequest } from '../run/index.js';
import type { RunResult } from '../stats/index.js';

/** Something that was assumed, and how to assume something else. */
export interface Constant {
  readonly name: string;
  readonly unit: string;
  readonly used: number;
  readonly from: number;
  readonly until: number;
  readonly basis: string;
  /** The same run where the constant has another value. */
  vary(request: RunRequest, value: number): RunRequest;
  /** Whether it enters the time of this run: if not, the run is the same whatever the value. */
  enters(result: RunResult): boolean;
  /** Said if it enters none. */
  readonly otherwise: string;
}

/** The constants behind a run, in the order in which they are reported. */
export function constantsOf(request: RunRequest): Constant[] {
  return [missesOf(request), hitOf(request), mlpOf(request), ...distancesOf(request), ...pricesOf(request)];
}

const always = () => true;

function missesOf({ missFactor = 1 }: RunRequest): Constant {
  return {
    name: 'misses',
    unit: '× the trace',
    used: missFactor,
    from: missFactor / 2,
    until: missFactor * 2,
    basis: 'a private cache model of the trace stands for real caches: half and twice its misses, at most all accesses',
    vary: (run, value) => ({ ...run, missFactor: value }),
    enters: always,
    otherwise: '',
  };
}

function hitOf({ options: { hitNs } }: RunRequest): Constant {
  return {
    name: '--hit-ns',
    unit: 'ns',
    used: hitNs,
    from: hitNs / 4,
    until: hitNs === 0 ? 1 : hitNs * 4,
    basis: 'an assumption of the command: from hits that other work hides to hits of the second level',
    vary: (run, value) => ({ ...run, options: { ...run.options, hitNs: value } }),
    enters: always,
    otherwise: '',
  };
}

/** The line buffers of a core: more misses than that are not in flight. */
const LINE_BUFFERS = 10;

function mlpOf({ options: { mlp } }: RunRequest): Constant {
  return {
    name: '--mlp',
    unit: '',
    used: mlp,
    from: 1,
    until: Math.max(LINE_BUFFERS, mlp),
    basis: 'an assumption of the command: from one miss after the other to all line buffers of a core in use',
    vary: (run, value) => ({ ...run, options: { ...run.options, mlp: value } }),
    enters: always,
    otherwise: '',
  };
}

const LATENCY: Published = { from: 1.5, until: 1.9, what: 'measured between two sockets: 1.54 to 1.84' };
const REMOTE_BANDWIDTH: Published = { from: 0.43, until: 0.56, what: 'measured between two sockets: 0.43 to 0.56' };

/** How far away other nodes are: nothing to vary where there are none, or none that is any further. */
function distancesOf({ machine }: RunRequest): Constant[] {
  const ratio = meanRemoteRatio(machine);
  if (!(ratio > 1)) return [];
  const share = meanRemoteShare(machine);
  const isKnown = certaintyOf(machine, 'latencyNs');
  // What is uncertain of a ratio is what remote memory costs more.
  const { from, until, basis } = rangeOf(ratio - 1, isKnown, {
    ...LATENCY,
    from: LATENCY.from - 1,
    until: LATENCY.until - 1,
  });
  const bandwidth = rangeOf(share, certaintyOf(machine, 'bandwidthGbs'), REMOTE_BANDWIDTH);
  return [
    {
      name: 'remote / local latency',
      unit: '',
      used: ratio,
      from: from + 1,
      until: until + 1,
      basis,
      vary: (run, value) => withRemoteLatency(run, value),
      enters: always,
      otherwise: '',
    },
    {
      name: 'remote / local bandwidth',
      unit: '',
      used: share,
      from: bandwidth.from,
      until: Math.max(share, Math.min(1, bandwidth.until)),
      basis: bandwidth.basis,
      vary: (run, value) => withRemoteBandwidth(run, value),
      enters: always,
      otherwise: '',
    },
  ];
}

type Scalar = Exclude<keyof CostDescription, 'latencyNs' | 'bandwidthGbs' | 'copySpeedup'>;

interface Price {
  readonly name: string;
  readonly unit: string;
  /** Of the machine description: the first is what is named, the others change in proportion. */
  readonly fields: readonly Scalar[];
  /** In the machine file. */
  readonly source: string;
  /** What one of the unit is, in that of the field. */
  readonly per: number;
  readonly published: Published | null;
  enters(result: RunResult): boolean;
  readonly otherwise: string;
}

const hasFaults = ({ whole }: RunResult): boolean => whole.faultNs > 0;
const moves = ({ whole, actions }: RunResult): boolean => whole.migrationNs > 0 || actions.some((a) => a.ownNs > 0);
const hasIo = ({ whole: { faults, swap } }: RunResult): boolean =>
  swap.written + swap.read > 0 || Object.keys(faults).some((kind) => kind.endsWith('_major'));
const NO_MOVES = 'no run moves pages';

const PRICES: readonly Price[] = [
  {
    name: 'fault',
    unit: 'ns',
    fields: ['minorFaultNs'],
    source: 'faults.minorNs',
    per: 1,
    published: null,
    enters: hasFaults,
    otherwise: 'no run takes a fault',
  },
  {
    name: 'page-table walk',
    unit: 'ns',
    fields: ['walkNs'],
    source: 'walkNs',
    per: 1,
    published: null,
    enters: always,
    otherwise: '',
  },
  {
    name: 'migration, per page',
    unit: 'µs',
    fields: ['migratePerPageNs', 'migratePerFolioNs'],
    source: 'migrate.perPageUs',
    per: 1000,
    published: { from: 0.6, until: 7, what: 'fitted to published timings: 0.6 to 7 µs' },
    enters: moves,
    otherwise: NO_MOVES,
  },
  {
    name: 'migration, per call',
    unit: 'µs',
    fields: ['migrateBaseNs'],
    source: 'migrate.baseUs',
    per: 1000,
    published: { from: 40, until: 400, what: 'fitted to published timings, or remembered: 40 to 400 µs' },
    enters: moves,
    otherwise: NO_MOVES,
  },
  {
    name: 'page copy',
    unit: 'GB/s',
    fields: ['pageCopyGbs'],
    source: 'copyGbs',
    per: 1,
    published: { from: 3.5, until: 10.7, what: 'fitted to published timings: 3.5 to 10.7 GB/s' },
    enters: moves,
    otherwise: NO_MOVES,
  },
  {
    name: 'TLB interrupt',
    unit: 'µs',
    fields: ['ipiNs', 'ipiFurtherNs'],
    source: 'ipiNs',
    per: 1000,
    published: { from: 1.3, until: 6.6, what: 'published: 1.3 to 6.6 µs' },
    enters: ({ counters }) => (counters.nr_tlb_remote_flush_received ?? 0) > 0,
    otherwise: 'no run tells another CPU to flush its TLB',
  },
  {
    name: 'swap and disk',
    unit: 'µs',
    fields: ['majorFaultNs', 'writebackNs', 'deviceNextNs'],
    source: 'faults.majorNs',
    per: 1000,
    published: null,
    enters: hasIo,
    otherwise: 'no run reads from swap or disk, or writes there',
  },
];

function pricesOf({ machine }: RunRequest): Constant[] {
  const bandwidth = machine.cost.bandwidthGbs[0][0];
  const ofMemory: Constant = {
    name: 'memory bandwidth',
    unit: 'GB/s',
    used: bandwidth,
    ...rangeOf(bandwidth, certaintyOf(machine, 'bandwidthGbs'), null),
    vary: (run, value) =>
      withCost(run, ({ bandwidthGbs }) => ({
        bandwidthGbs: bandwidthGbs.map((row) => row.map((gbs) => (gbs * value) / bandwidth)),
      })),
    enters: always,
    otherwise: '',
  };
  return [ofMemory, ...PRICES.filter((price) => machine.cost[price.fields[0]] > 0).map(constantOf)];

  function constantOf({ fields, per, published, source, ...said }: Price): Constant {
    const used = machine.cost[fields[0]];
    const range = rangeOf(used / per, certaintyOf(machine, source), published);
    return {
      ...said,
      used: used / per,
      ...range,
      vary: (run, value) =>
        withCost(run, (cost) => Object.fromEntries(fields.map((field) => [field, (cost[field] * value * per) / used]))),
    };
  }
}
