import { cameAs } from '../../schema-mistake.js';
import type { RecordedCase, RecordedMachine, Step } from './recording.js';
import { MAX_FRAMES } from './schema.js';

/** A mistake between fields: which one, what it is, and what was expected. */
export interface Conflict {
  /** Of which step; null: of the machine. */
  readonly step: number | null;
  readonly field: string;
  /** `is 3`, `is missing`. */
  readonly came: string;
  readonly expected: string;
}

/** Does a case of the right form agree with itself? @returns the first field that does not, or null */
export function conflictIn({ machine, steps }: RecordedCase): Conflict | null {
  const wrong = conflictInMachine(machine);
  if (wrong !== null) return { step: null, ...wrong };
  const known = new Set<string>();
  for (const [i, step] of steps.entries()) {
    const found = conflictInStep(step, machine) ?? unknownName(step, known);
    if (found !== null) return { step: i, ...found };
  }
  return null;
}

type Found = Omit<Conflict, 'step'> | null;

function conflictInMachine({ nodes, distance, possibleNodes }: RecordedMachine): Found {
  const count = nodes.length;
  const cpus = nodes.flatMap((node) => node.cpus);
  const total = nodes.reduce((sum, { pages }) => sum + pages, 0);
  const rows = `${String(count)} for ${String(count)} nodes`;
  const found = (field: string, is: unknown, expected: string): Found => ({
    ...{ field: `machine.${field}`, came: cameAs(is), expected },
  });
  const moved = nodes.findIndex(({ id }, i) => id !== i);
  if (moved >= 0)
    return found(`nodes[${String(moved)}].id`, nodes[moved].id, `${String(moved)}, its place in the list`);
  if (cpus.length === 0 || new Set(cpus).size < cpus.length) return found('nodes[].cpus', cpus, 'CPUs, each once');
  if (total === 0 || total > MAX_FRAMES) return found('nodes[].pages', total, `1 to ${String(MAX_FRAMES)} in all`);
  if (distance.length !== count) return found('distance', distance, `as many rows as nodes: ${rows}`);
  const uneven = distance.findIndex((row) => row.length !== count);
  if (uneven >= 0) return found(`distance[${String(uneven)}]`, distance[uneven], `as many distances as nodes: ${rows}`);
  if (possibleNodes < count)
    return found('possibleNodes', possibleNodes, `at least the number of nodes, ${String(count)}`);
  return null;
}

function conflictInStep(step: Step, { nodes }: RecordedMachine): Found {
  const { op, cpu, node, kind, object, mems, memoryMigrate, indices, nodes: to } = step;
  const cpus = nodes.flatMap((one) => one.cpus);
  if (op === 'task' && !cpus.includes(cpu as number))
    return { field: 'cpu', came: cameAs(cpu), expected: `a CPU of the machine: ${cpus.join(', ')}` };
  if (op === 'fill' && (node as number) >= nodes.length)
    return { field: 'node', came: cameAs(node), expected: `a node of the machine, 0 to ${String(nodes.length - 1)}` };
  if (op === 'mmap' && kind === 'object' && object === undefined)
    return { field: 'object', came: cameAs(object), expected: 'the object that is mapped' };
  if (op === 'cpuset_set' && (mems === undefined) === (memoryMigrate === undefined))
    return { field: 'mems', came: cameAs(mems), expected: 'either mems or memoryMigrate' };
  if (op === 'move_pages' && Array.isArray(to) && to.length !== (indices as unknown[]).length)
    return {
      field: 'nodes',
      came: cameAs(to),
      expected: `as many as indices: ${String((indices as unknown[]).length)}`,
    };
  return null;
}

/** What a step makes: operation, the field with the name, and what kind of thing it names. */
const MAKES: Readonly<Record<string, readonly [field: string, kind: string]>> = {
  task: ['task', 'task'],
  fork: ['child', 'task'],
  object: ['object', 'object'],
  mmap: ['region', 'region'],
  cpuset_create: ['cpuset', 'cpuset'],
};
/** Fields that name a thing. */
const NAMES: Readonly<Record<string, string>> = {
  ...{ task: 'task', target: 'task', object: 'object', region: 'region', cpuset: 'cpuset' },
};

/** A name that neither this step nor one before it makes. */
function unknownName(step: Step, known: Set<string>): Found {
  const [made, madeKind] = MAKES[step.op] ?? [];
  for (const [field, kind] of Object.entries(NAMES)) {
    const is = step[field];
    if (typeof is !== 'string' || field === made || known.has(`${kind} ${is}`)) continue;
    return { field, came: cameAs(is), expected: `the ${kind} of an earlier step` };
  }
  if (made !== undefined) known.add(`${madeKind} ${String(step[made])}`);
  return null;
}
