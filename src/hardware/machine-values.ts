import type { MachineFile, MachineFileTable, SourceField } from './machine-schema.js';
import { deviceOf, DEVICES } from './device.js';
import type { CostDescription, OriginMark, ValueOrigin } from './machine-description.js';

/**
 * What a machine file leaves open is filled by these rules; each value that is filled, estimated or only remembered
 * becomes a sentence among the assumptions.
 *
 * The figures behind the rules ([id] as in data/machines.json): latency ratios of 1.54 to 1.84 and bandwidth ratios of 0.45
 * to 0.56 between two sockets (MLC on Broadwell, Cascade Lake, Sapphire Rapids), 2.05 µs for a minor fault on x86 (pft, 2021),
 * one IPI of 2.7 µs (LATR, ASPLOS 2018) and 1.3 µs per further CPU (Milan, 2025), migration constants between those fitted
 * to E5-2640 v3 (2017) and EPYC Zen 3 (2025). For devices no table was found: a disk has one head and reads 70 MB/s
 * in a row, flash serves several pages at a time.
 */
const LOCAL_NS = 90;
const REMOTE_LATENCY = 1.7;
const LOCAL_GBS = 100;
const REMOTE_BANDWIDTH = 0.5;
const MINOR_NS = 2050;
const COPY_GBS = 8;
const BASE_US = 60;
const PER_PAGE_US = 1;
const IPI_NS = 2700;
const IPI_FURTHER_NS = 1300;
const WALK_SHARE = 0.25;

type Rows = readonly (readonly number[])[];

export interface MachineValues {
  readonly distance: Rows;
  readonly cost: CostDescription;
  readonly origins: readonly ValueOrigin[];
  readonly assumed: readonly string[];
}

/**
 * Takes the values of a checked file and fills the rest.
 *
 * @param cpuCounts CPUs per node; tables of the file already have the right size
 * @param pages memory per node as text, for the list of origins
 */
export function machineValues(file: MachineFile, cpuCounts: readonly number[], pages: string): MachineValues {
  const ledger = new Ledger(file);
  const nodes = cpuCounts.length;
  ledger.note(
    'nodes.cpus',
    cpuCounts.length > 8 ? `${String(sum(cpuCounts))} on ${String(nodes)} nodes` : cpuCounts.join(', '),
  );
  ledger.note('nodes.memory', pages);

  const distance = file.distance ?? square(nodes, (from, to) => (from === to ? 10 : 20));
  ledger.value(
    'distance',
    file.distance,
    rowsText(distance),
    '10 within a node, 20 between nodes, the default of the kernel',
  );

  const latencyNs = filledTable(file.latencyNs ?? { local: LOCAL_NS }, cpuCounts, REMOTE_LATENCY, Math.min, Math.max);
  ledger.table(
    'latencyNs',
    file.latencyNs,
    `${rowsText(latencyNs)} ns`,
    `${String(LOCAL_NS)} ns local`,
    REMOTE_LATENCY,
  );
  const bandwidthGbs = filledTable(
    file.bandwidthGbs ?? { local: LOCAL_GBS },
    cpuCounts,
    REMOTE_BANDWIDTH,
    Math.max,
    Math.min,
  );
  ledger.table(
    'bandwidthGbs',
    file.bandwidthGbs,
    `${rowsText(bandwidthGbs)} GB/s`,
    `${String(LOCAL_GBS)} GB/s local`,
    REMOTE_BANDWIDTH,
  );

  const scalar = (
    field: SourceField,
    given: number | undefined,
    filled: number,
    unit: string,
    rule: string,
  ): number => {
    const value = given ?? filled;
    ledger.value(field, given, `${String(value)} ${unit}`, rule);
    return value;
  };
  const { faults, device, migrate } = file;
  const majorFaultNs = faults?.majorNs ?? DEVICES.flash.majorFaultNs;
  const kind = deviceOf(majorFaultNs);
  const { atOnce, nextPageNs, why } = DEVICES[kind];
  const perPageUs = migrate?.perPageUs ?? PER_PAGE_US;
  const ipiNs = file.ipiNs ?? IPI_NS;
  const cost: CostDescription = {
    latencyNs,
    bandwidthGbs,
    minorFaultNs: scalar(
      'faults.minorNs',
      faults?.minorNs,
      MINOR_NS,
      'ns',
      'as on another x86 machine [pft-2021-x86-single]',
    ),
    majorFaultNs: scalar('faults.majorNs', faults?.majorNs, majorFaultNs, 'ns', DEVICES.flash.why.majorNs),
    writebackNs: scalar(
      'faults.writebackNs',
      faults?.writebackNs,
      majorFaultNs,
      'ns',
      'a page takes as long to write as a major fault to read',
    ),
    deviceAtOnce: scalar('device.atOnce', device?.atOnce, atOnce, 'at once', why.atOnce),
    deviceNextNs: scalar(
      'device.nextPageNs',
      device?.nextPageNs,
      kind === 'disk' ? nextPageNs : majorFaultNs,
      'ns',
      why.nextPageNs,
    ),
    pageCopyGbs: scalar(
      'copyGbs',
      file.copyGbs,
      COPY_GBS,
      'GB/s',
      'one thread of a present server, below [garg2025-movepages-foliosize]',
    ),
    ...(migrate?.copySpeedup !== undefined && {
      copySpeedup: scalar('migrate.copySpeedup', migrate.copySpeedup, 1, 'times with 8 threads', ''),
    }),
    migrateBaseNs:
      1000 *
      scalar(
        'migrate.baseUs',
        migrate?.baseUs,
        BASE_US,
        'µs',
        'as fitted to a two-socket Xeon E5-2640 v3 [yan2017-movepages-x86-time]',
      ),
    migratePerPageNs:
      1000 *
      scalar(
        'migrate.perPageUs',
        migrate?.perPageUs,
        perPageUs,
        'µs',
        'between a Xeon E5-2640 v3 [yan2017-movepages-x86-time] and an EPYC of Zen 3 [garg2025-movepages-foliosize]',
      ),
    migratePerFolioNs:
      1000 *
      scalar(
        'migrate.perFolioUs',
        migrate?.perFolioUs,
        perPageUs,
        'µs',
        'a huge page has one entry, like a page, as on [yan2017-movepages-x86-time]',
      ),
    ipiNs: scalar('ipiNs', file.ipiNs, ipiNs, 'ns', 'as published for 16 cores in two sockets [latr2018-ipi]'),
    ipiFurtherNs: scalar(
      'ipiFurtherNs',
      file.ipiFurtherNs,
      Math.min(ipiNs, IPI_FURTHER_NS),
      'ns',
      'as between 4 and 32 threads on [vanriel2025-tlbflush2-ipi], not more than the first',
    ),
    walkNs: scalar(
      'walkNs',
      file.walkNs,
      Math.round(latencyNs[firstWithCpus(cpuCounts)][firstWithCpus(cpuCounts)] * WALK_SHARE),
      'ns',
      'a quarter of the local latency: the upper levels are cached, the last one often',
    ),
  };
  if (file.pageBytes !== undefined) {
    ledger.value('pageBytes', file.pageBytes, `${String(file.pageBytes)} bytes`, '');
    if (file.pageBytes !== 4096)
      ledger.say(`pageBytes: this machine has pages of ${String(file.pageBytes)} bytes, the model uses 4096.`);
  }
  for (const field of ['latencyNs', 'bandwidthGbs'] as const) {
    const table = file[field];
    if (Array.isArray(table) && table.includes(null)) {
      ledger.say(`${field}: rows of nodes without CPUs are filled from the columns; they count in copies only.`);
    }
  }
  return { distance, cost, origins: ledger.origins, assumed: ledger.assumed };
}

/** Collects for each value where it comes from, and the sentences. */
class Ledger {
  readonly origins: ValueOrigin[] = [];
  readonly assumed: string[] = [];
  constructor(private readonly file: MachineFile) {}

  /** A value that every file holds. */
  note(field: SourceField, value: string): void {
    this.value(field, true, value, '');
  }

  value(field: SourceField, given: unknown, value: string, rule: string): void {
    const said = this.file.sources?.[field];
    const colon = said?.indexOf(':') ?? -1;
    const [mark, source]: [OriginMark, string] =
      given === undefined
        ? ['assumed', rule]
        : said === undefined
          ? ['given', '']
          : [said.slice(0, colon) as OriginMark, said.slice(colon + 1).trim()];
    this.origins.push({ field, value, mark, source });
    if (mark === 'recalled' || mark === 'estimated' || mark === 'assumed')
      this.say(`${field}: ${value} (${mark}: ${source}).`);
  }

  /** A table of a value per pair of nodes, of which the remote part alone may be missing. */
  table(field: SourceField, given: MachineFileTable | undefined, value: string, local: string, ratio: number): void {
    const remote = `remote ${String(ratio)} times local, as between two sockets`;
    this.value(field, given, value, `${local}, ${remote}`);
    if (given !== undefined && !Array.isArray(given) && given.remote === undefined)
      this.say(`${field}: ${remote} (assumed).`);
  }

  say(sentence: string): void {
    this.assumed.push(sentence);
  }
}

/**
 * A whole table from what the file gives. Rows of nodes without CPUs that it leaves out are filled: towards a node with
 * CPUs by the opposite direction, the diagonal by the best of the column, between two such nodes by the worse of both.
 */
function filledTable(
  given: MachineFileTable,
  cpuCounts: readonly number[],
  remoteRatio: number,
  best: (...values: number[]) => number,
  worst: (...values: number[]) => number,
): number[][] {
  const nodes = cpuCounts.length;
  if (!Array.isArray(given)) {
    const remote = given.remote ?? given.local * remoteRatio;
    return square(nodes, (from, to) => (from === to ? given.local : remote));
  }
  const known = given.filter((row) => row !== null);
  const bestOf = (node: number) => best(...known.map((row) => row[node]));
  return square(nodes, (from, to) => {
    const row = given[from];
    if (row !== null) return row[to];
    return given[to]?.[from] ?? (from === to ? bestOf(from) : worst(bestOf(from), bestOf(to)));
  });
}

function square(size: number, value: (row: number, column: number) => number): number[][] {
  return Array.from({ length: size }, (_, row) => Array.from({ length: size }, (_, column) => value(row, column)));
}

/** A table as one line: two numbers if it has only two values, else all rows up to 8 of them. */
function rowsText(rows: Rows): string {
  const [local, remote] = [rows[0][0], rows[0][1]];
  const uniform = rows.every((row, i) => row.every((value, j) => value === (i === j ? local : remote)));
  if (rows.length === 1) return String(local);
  if (uniform && rows.length > 2) return `${String(local)} local, ${String(remote)} remote`;
  if (rows.length > 8) return `${String(rows.length)} rows`;
  return rows.map((row) => row.join(' ')).join(' / ');
}

const firstWithCpus = (cpuCounts: readonly number[]): number => cpuCounts.findIndex((cpus) => cpus > 0);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
