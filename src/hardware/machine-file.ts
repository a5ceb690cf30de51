import type { MachineDescription, NodeDescription } from './machine-description.js';
import { checkCatalogue, checkForm, readJson, type MachineFile, type MachineFileNode } from './machine-schema.js';
import { machineValues } from './machine-values.js';
import { formatPages, parseMemorySize } from '../memory-size.js';
import { readList } from './node-list.js';
import { MmError, nearestName } from '../errors.js';

/** The bundled machine that a command uses unless told otherwise: two nodes, latencies and bandwidths as measured. */
export const DEFAULT_MACHINE = 'cascadelake-8269cy';

/** Limits of the model. */
const MAX_NODES = 256;
const MAX_CPUS = 1024;
/** 1 TiB: frame numbers have 28 bits. */
const MAX_PAGES = 2 ** 28;

/** The bundled machines: what data/machines.json holds after checking and filling. */
export interface MachineCatalogue {
  readonly about: string;
  /** Id → publication, as `[id]` in the origins of a value refers to it. */
  readonly sources: Readonly<Record<string, string>>;
  readonly machines: readonly MachineDescription[];
}

/**
 * A machine file (form: machine-schema.ts) as a machine. A bundled machine takes the same way.
 *
 * @param where what the errors call the file
 * @throws MmError BAD_MACHINE: one line with the file, the field, what came and what was expected
 */
export function parseMachine(text: string, where: string): MachineDescription {
  return describe(readJson(text, where), where);
}

/** The file of bundled machines. @throws MmError BAD_MACHINE, as `parseMachine`; also for two of one name */
export function parseMachineCatalogue(text: string, where = 'machines.json'): MachineCatalogue {
  const { about, sources, machines } = checkCatalogue(readJson(text, where), where);
  const described = machines.map((raw, i) => describe(raw, `${where}, machine ${nameIn(raw) ?? String(i)}`));
  const names = described.map((machine) => machine.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new MmError('BAD_MACHINE', `${where}: two machines are called "${twice}"`);
  return { about, sources, machines: described };
}

/** The bundled machine `name`. @throws MmError BAD_MACHINE with the nearest name */
export function machineNamed(catalogue: MachineCatalogue, name: string): MachineDescription {
  const machine = catalogue.machines.find((candidate) => candidate.name === name);
  if (machine !== undefined) return machine;
  const names = catalogue.machines.map((candidate) => candidate.name);
  const near = nearestName(name, names);
  const hint = near === undefined ? '.' : `; did you mean "${near}"?`;
  throw new MmError(
    'BAD_MACHINE',
    `no machine "${name}"${hint} See: mof machine list (a file of your own needs its path)`,
  );
}

function describe(raw: unknown, where: string): MachineDescription {
  const file = checkForm(raw, where);
  const refuse = (problem: string): never => {
    throw new MmError('BAD_MACHINE', `${where}: ${problem}`);
  };
  const nodes = expandNodes(file, refuse);
  checkTables(file, nodes, refuse);
  checkSources(file, refuse);
  const cpuCounts = nodes.map((node) => node.cpus.length);
  const { distance, cost, origins, assumed } = machineValues(file, cpuCounts, memoryText(nodes));
  return { name: file.name, title: file.title ?? file.name, nodes, distance, cost, assumed, origins };
}

type Refuse = (problem: string) => never;

/** Nodes with their CPU numbers and pages. Counted CPUs take the lowest numbers that no list names, in node order. */
function expandNodes(file: MachineFile, refuse: Refuse): NodeDescription[] {
  const total = file.nodes.reduce((nodes, node) => nodes + (node.repeat ?? 1), 0);
  if (total > MAX_NODES) refuse(`${String(total)} nodes: the model takes up to ${String(MAX_NODES)}`);
  const taken = new Map<number, number>();
  const expanded = file.nodes.flatMap((node, i) => {
    const field = `nodes[${String(i)}]`;
    const [cpus, pages] = [cpusOf(node, field, refuse), pagesIn(node, field, refuse)];
    if (typeof cpus !== 'number' && cpus.length > 0 && (node.repeat ?? 1) > 1) {
      refuse(`${field}.repeat is ${String(node.repeat)}, but its CPUs are listed: give their number`);
    }
    return Array.from({ length: node.repeat ?? 1 }, () => ({ field, cpus, pages, movable: node.movable }));
  });
  expanded.forEach(({ field, cpus }, id) => {
    for (const cpu of typeof cpus === 'number' ? [] : cpus) {
      const other = taken.get(cpu);
      if (other !== undefined) {
        const whose = other === id ? 'listed twice' : `on node ${String(other)} too`;
        refuse(`${field}.cpus: CPU ${String(cpu)} is ${whose}; a CPU belongs to one node`);
      }
      taken.set(cpu, id);
    }
  });
  let next = 0;
  const nodes = expanded.map(({ cpus, pages, movable }, id): NodeDescription => {
    const numbers = typeof cpus === 'number' ? [] : [...cpus].sort((a, b) => a - b);
    for (let left = typeof cpus === 'number' ? cpus : 0; left > 0; left--) {
      while (taken.has(next)) next++;
      taken.set(next, id);
      numbers.push(next);
    }
    return { cpus: numbers, pages, ...(movable === undefined ? {} : { movable }) };
  });
  const pages = nodes.reduce((sum, node) => sum + node.pages, 0);
  if (taken.size === 0) refuse('no node has a CPU: at least one must');
  if (Math.max(...taken.keys()) >= MAX_CPUS)
    refuse(`${String(taken.size)} CPUs: the model takes up to ${String(MAX_CPUS)}`);
  if (pages === 0) refuse('no node has memory: at least one must');
  if (pages > MAX_PAGES)
    refuse(`${formatPages(pages)} of memory in all: the model holds up to 1 TiB, give the nodes less`);
  return nodes;
}

function cpusOf({ cpus }: MachineFileNode, field: string, refuse: Refuse): number | readonly number[] {
  const tooMany = (number: number) =>
    refuse(`${field}.cpus: ${String(number)} is above the model's limit of ${String(MAX_CPUS)} CPUs`);
  if (typeof cpus === 'number') return cpus > MAX_CPUS ? tooMany(cpus) : cpus;
  const list =
    typeof cpus === 'string' ? readList(cpus, 0) : { ranges: cpus.map((cpu) => ({ first: cpu, last: cpu })) };
  if ('problem' in list) {
    return refuse(`${field}.cpus is ${JSON.stringify(cpus)}: ${list.problem}; CPUs are listed like "0-7,16"`);
  }
  return list.ranges.flatMap(({ first, last }) => {
    if (last >= MAX_CPUS) tooMany(last);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

function pagesIn({ memory }: MachineFileNode, field: string, refuse: Refuse): number {
  if (typeof memory === 'number') return memory;
  return (
    parseMemorySize(memory) ??
    refuse(`${field}.memory is ${JSON.stringify(memory)}: expected a size like "16GiB", or a number of 4 KiB pages`)
  );
}

/** Sizes of the tables, the diagonal of the distances, and that each node with CPUs has its row. */
function checkTables(file: MachineFile, nodes: readonly NodeDescription[], refuse: Refuse): void {
  for (const field of ['distance', 'latencyNs', 'bandwidthGbs'] as const) {
    const table = file[field];
    if (table === undefined || !Array.isArray(table)) continue;
    const expected = `there are ${String(nodes.length)} nodes, so ${String(nodes.length)} rows of ${String(nodes.length)} are needed`;
    if (table.length !== nodes.length) refuse(`${field} has ${counted(table.length, 'row')}: ${expected}`);
    table.forEach((row, i) => {
      const name = `${field}[${String(i)}]`;
      if (row === null) {
        if (nodes[i].cpus.length > 0)
          refuse(`${name} is null, but node ${String(i)} has CPUs: only a node without them can leave it open`);
      } else if (row.length !== nodes.length) {
        refuse(`${name} has ${counted(row.length, 'column')}: ${expected}`);
      } else if (field === 'distance' && row[i] !== 10) {
        refuse(`distance[${String(i)}][${String(i)}] is ${String(row[i])}: the distance of a node to itself is 10`);
      }
    });
  }
}

/** A source can only speak of a value that is there. */
function checkSources(file: MachineFile, refuse: Refuse): void {
  for (const field of Object.keys(file.sources ?? {})) {
    if (field.startsWith('nodes.')) continue;
    const value = field
      .split('.')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], file);
    if (value === undefined) refuse(`sources names ${field}, but the file gives no ${field}`);
  }
}

function memoryText(nodes: readonly NodeDescription[]): string {
  const sizes = nodes.map((node) => formatPages(node.pages));
  return sizes.every((size) => size === sizes[0]) ? `${sizes[0]} per node` : sizes.join(', ');
}

function nameIn(raw: unknown): string | undefined {
  const name = typeof raw === 'object' && raw !== null && 'name' in raw ? raw.name : undefined;
  return typeof name === 'string' ? `"${name}"` : undefined;
}

const counted = (n: number, noun: string): string => `${String(n)} ${noun}${n === 1 ? '' : 's'}`;
