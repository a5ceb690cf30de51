import { z } from 'zod';
import { MmError, nearestName } from '../errors.js';
import { firstMistake } from '../schema-mistake.js';

/**
 * The form of a machine file: JSON, one object. Only `name` and `nodes` must be there; what is left out is filled by
 * the rules of machine-values.ts, and each filled value is listed as an assumption of every run on that machine.
 *
 * ```json
 * {
 *   "name": "my-server",
 *   "title": "2 x something, bought 2023",
 *   "nodes": [
 *     { "cpus": 16, "memory": "64GiB" },
 *     { "cpus": "16-31", "memory": "64GiB" },
 *     { "cpus": 0, "memory": "128GiB", "movable": true }
 *   ],
 *   "distance": [[10, 21, 17], [21, 10, 28], [17, 28, 10]],
 *   "latencyNs": [[80, 140, 250], [140, 80, 350], null],
 *   "bandwidthGbs": { "local": 110, "remote": 55 },
 *   "faults": { "minorNs": 2000, "majorNs": 90000, "writebackNs": 90000 },
 *   "device": { "atOnce": 32, "nextPageNs": 90000 },
 *   "copyGbs": 8,
 *   "migrate": { "baseUs": 60, "perPageUs": 1, "perFolioUs": 0.5, "copySpeedup": 3 },
 *   "ipiNs": 2700,
 *   "ipiFurtherNs": 1300,
 *   "walkNs": 25,
 *   "pageBytes": 4096,
 *   "sources": { "latencyNs": "read: Intel MLC on this machine", "copyGbs": "estimated: a like machine" }
 * }
 * ```
 *
 * | field | meaning |
 * | --- | --- |
 * | `nodes[].cpus` | how many (they take the lowest numbers no list names, in node order), a list `[0, 2]`, or `"0-7,16"`; 0: a memory-only node |
 * | `nodes[].memory` | `"16GiB"`, `"512MiB"`, `"8GB"` (10⁹), or a number of 4 KiB pages; 0: a node without memory |
 * | `nodes[].movable` | its memory is ZONE_MOVABLE |
 * | `nodes[].repeat` | so many nodes alike |
 * | `distance` | SLIT, row = from: 10 on the diagonal, 10 to 254 elsewhere |
 * | `latencyNs` | idle latency of a load that reaches memory, [CPU's node][memory's node]; or `{ "local", "remote" }`. The row of a node without CPUs may be `null` |
 * | `bandwidthGbs` | peak read bandwidth, 10⁹ bytes/s, in the same two forms; the diagonal is what a node's memory delivers |
 * | `faults` | `minorNs`: anonymous first touch, zeroing included; `majorNs`: a whole fault that reads a page from swap or disk; `writebackNs`: a page written there |
 * | `device` | what swap and files are on. `atOnce`: reads and writes served at the same time, the others wait; `nextPageNs`: a page that waits behind its neighbour, without a seek |
 * | `copyGbs` | one thread copying pages from node to node |
 * | `migrate` | `baseUs` per migration call, `perPageUs` per page besides the copy, `perFolioUs` per huge page; `copySpeedup`: how many times as fast eight threads copy |
 * | `ipiNs`, `ipiFurtherNs` | a TLB shootdown: the first CPU told and each further one; 0 where the hardware broadcasts |
 * | `walkNs` | a page-table walk after a TLB miss |
 * | `pageBytes` | the machine's own base page; the model uses 4096 and says so |
 * | `sources` | per field, how it is known: `read`, `derived`, `recalled`, `estimated` or `assumed`, a colon, and from where |
 */
export const SOURCE_FIELDS = [
  'nodes.cpus',
  'nodes.memory',
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
  'migrate.copySpeedup',
  'ipiNs',
  'ipiFurtherNs',
  'walkNs',
  'pageBytes',
] as const;
export type SourceField = (typeof SOURCE_FIELDS)[number];

const positive = z.number('a number above 0').positive('a number above 0');
const notNegative = z.number('a number, at least 0').nonnegative('a number, at least 0');
const count = z.int('a whole number, at least 0').nonnegative('a whole number, at least 0');
const DISTANCE = 'a whole number from 10 to 254';
const TABLE = 'a table [[…], …] in ns or GB/s, one row per node, or { "local": …, "remote": … }';

const node = z.strictObject({
  cpus: z.union([count, z.array(count), z.string()], 'how many CPUs, a list of their numbers, or a text like "0-7"'),
  memory: z.union([count, z.string()], 'a size like "16GiB", or a number of 4 KiB pages'),
  movable: z.boolean('true or false').optional(),
  repeat: z.int('a whole number, at least 1').positive('a whole number, at least 1').optional(),
});
const uniform = z.strictObject({ local: positive, remote: positive.optional() });
const table = z.union([z.array(z.array(positive).nullable()), uniform], TABLE);
const faults = z.strictObject(
  { minorNs: positive.optional(), majorNs: positive.optional(), writebackNs: positive.optional() },
  'an object with minorNs, majorNs and writebackNs',
);
const device = z.strictObject(
  {
    atOnce: z.int('a whole number, at least 1').positive('a whole number, at least 1').optional(),
    nextPageNs: positive.optional(),
  },
  'an object with atOnce and nextPageNs',
);
const migrate = z.strictObject(
  {
    baseUs: notNegative.optional(),
    perPageUs: notNegative.optional(),
    perFolioUs: notNegative.optional(),
    copySpeedup: z.number('a number, 1 to 8').min(1, 'a number, 1 to 8').max(8, 'a number, 1 to 8').optional(),
  },
  'an object with baseUs, perPageUs, perFolioUs and copySpeedup',
);
const source = z
  .string('a text like "read: where from"')
  .regex(
    /^(read|derived|recalled|estimated|assumed): \S/,
    '"read:", "derived:", "recalled:", "estimated:" or "assumed:" and from where',
  );
const sources = z.strictObject(
  Object.fromEntries(SOURCE_FIELDS.map((field) => [field, source.optional()])) as Record<
    SourceField,
    z.ZodOptional<typeof source>
  >,
  'an object from field names to texts',
);
const machineFile = z.strictObject(
  {
    name: z.string('a name').regex(/^\S+$/, 'a name without spaces'),
    title: z.string('a text').optional(),
    nodes: z.array(node, 'a list of nodes').min(1, 'at least one node'),
    distance: z
      .array(z.array(z.int(DISTANCE).min(10, DISTANCE).max(254, DISTANCE), 'a row [10, …]'), 'a table [[10, …], …]')
      .optional(),
    latencyNs: table.optional(),
    bandwidthGbs: table.optional(),
    faults: faults.optional(),
    device: device.optional(),
    copyGbs: positive.optional(),
    migrate: migrate.optional(),
    ipiNs: notNegative.optional(),
    ipiFurtherNs: notNegative.optional(),
    walkNs: notNegative.optional(),
    pageBytes: z.int('a size in bytes, at least 4096').min(4096, 'a size in bytes, at least 4096').optional(),
    sources: sources.optional(),
  },
  'an object with at least "name" and "nodes"',
);
const catalogue = z.strictObject({
  about: z.string('a text'),
  sources: z.record(z.string(), z.string('a text'), 'an object from ids to texts'),
  machines: z.array(z.unknown(), 'a list of machines').min(1, 'at least one machine'),
});

export type MachineFile = z.infer<typeof machineFile>;
export type MachineFileNode = MachineFile['nodes'][number];
export type MachineFileTable = NonNullable<MachineFile['latencyNs']>;
export type CatalogueFile = z.infer<typeof catalogue>;

/** Names of the keys at each place of a machine file, for "did you mean". */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  nodes: Object.keys(node.shape),
  faults: Object.keys(faults.shape),
  device: Object.keys(device.shape),
  migrate: Object.keys(migrate.shape),
  sources: SOURCE_FIELDS,
  latencyNs: Object.keys(uniform.shape),
  bandwidthGbs: Object.keys(uniform.shape),
};

/** Parses JSON. @throws MmError BAD_MACHINE naming `where` */
export function readJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = (error as Error).message.replace(/\s+/g, ' ');
    throw new MmError('BAD_MACHINE', `${where} is not JSON: ${why}`);
  }
}

/** Checks the form. What depends on several fields together is machine-file.ts's. @throws MmError BAD_MACHINE */
export function checkForm(raw: unknown, where: string): MachineFile {
  const result = machineFile.safeParse(raw);
  if (result.success) return result.data;
  throw badForm(result.error, raw, where, Object.keys(machineFile.shape));
}

/** Checks the frame around the machines; each machine is checked by `checkForm`. @throws MmError BAD_MACHINE */
export function checkCatalogue(raw: unknown, where: string): CatalogueFile {
  const result = catalogue.safeParse(raw);
  if (result.success) return result.data;
  throw badForm(result.error, raw, where, Object.keys(catalogue.shape));
}

/** The first mistake as one line: where, which field, what came, what was expected. */
function badForm(error: z.ZodError, raw: unknown, where: string, topKeys: readonly string[]): MmError {
  const { issue, path, field, came } = firstMistake(error, raw);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0];
    const known = path.length === 0 ? topKeys : (KEYS[String(path[0])] ?? []);
    const near = nearestName(key, known);
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`;
    return new MmError(
      'BAD_MACHINE',
      `${where}: ${field === '' ? '' : `${field} has an `}unknown key "${key}"; ${hint}`,
    );
  }
  return new MmError(
    'BAD_MACHINE',
    `${where}: ${field === '' ? 'the file' : field} ${came}: expected ${issue.message}`,
  );
}
