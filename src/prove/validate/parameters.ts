import type { MachineDescription, SourceField } from '../../hardware/index.js';
import { bugOn, nearestName } from '../../errors.js';
import { bad, type Figure } from './figure-file.js';
import { FORMS, type ParameterValue, type Reference } from './form.js';
import { cannot, type Kind, type Parameter, type Uncomputable, type Values } from './kind.js';
import { readUnit } from './units.js';

/** What a prediction was made from: for the report. */
export interface UsedValue {
  readonly parameter: string;
  readonly value: number | string | readonly number[];
  /** `given`, `default`, `x`, `row 2 of ID`, or `machine NAME`. */
  readonly from: string;
  /** The field of the machine's profile. */
  readonly field?: SourceField;
}

export interface RowSetup {
  readonly values: Values;
  readonly used: readonly UsedValue[];
}

/** Keys of `parameters` that speak of rows and not of the kind. */
const ROW_KEYS = ['x', 'xScale', 'rows', 'skip'];
/** Keys of one of `rows` beside the parameters. */
const KEYS_OF_ROW = ['kind', 'unit', 'skip'];

/** What a row says itself: its kind and unit where the figure's do not hold, parameters, or why it is left out. */
export interface RowWords {
  readonly kind: string | undefined;
  readonly unit: string;
  readonly skip: string | null;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** @throws MmError BAD_FIGURE for what has not the form of parameters */
export function wordsOfRow(figure: Figure, row: number): RowWords {
  const { where, parameters: { rows, skip: all, ...common } = {}, y } = figure;
  if (rows !== undefined && (!Array.isArray(rows) || rows.length !== y.length))
    throw bad(`${where}: parameters.rows: expected a list of ${String(y.length)}, one for each row`);
  const raw: unknown = (rows as readonly unknown[] | undefined)?.[row] ?? {};
  const at = `${where}: parameters.rows[${String(row)}]`;
  const own = FORMS.rowParameters.safeParse(raw);
  if (!own.success) throw bad(`${at}: expected an object from names to values, or null`);
  const { kind, unit, skip = all, ...rest } = own.data;
  for (const [name, word] of Object.entries({ kind, unit, skip }))
    if (word !== undefined && typeof word !== 'string') throw bad(`${at}.${name}: expected a text`);
  const entries = Object.entries({ ...common, ...rest }).filter(([name]) => !ROW_KEYS.includes(name));
  const parameters = entries.map(([name, value]) => [name, checkedValue(value, `${where}: parameters.${name}`)]);
  return {
    kind: (kind as string | undefined) ?? figure.kind,
    unit: (unit as string | undefined) ?? figure.unit,
    skip: (skip as string | undefined) ?? null,
    parameters: Object.fromEntries(parameters) as Record<string, ParameterValue>,
  };
}

function checkedValue(value: unknown, where: string): ParameterValue {
  const result = FORMS.value.safeParse(value);
  if (result.success) return result.data;
  throw bad(`${where} is ${JSON.stringify(value)}; expected a number, a text, a list, or { "row": … }`);
}

/** Finds the figures that references name. */
export type FigureNamed = (id: string) => Figure | undefined;

/**
 * The parameters of a row: its own, those of all rows, x, the machine's, the kind's; in this order.
 *
 * @throws MmError BAD_FIGURE for a parameter that the kind does not have, and for one taken from a row that validates
 */
export function setUpRow(
  kind: Kind,
  figure: Figure,
  row: number,
  words: RowWords,
  machine: MachineDescription | null,
  figureNamed: FigureNamed,
): RowSetup | Uncomputable {
  const given: Record<string, ParameterValue> = { ...words.parameters };
  checkNames(kind, Object.keys(given), figure);
  const used: UsedValue[] = [];
  const found = new Map<string, number | string | readonly number[]>();
  const take = (parameter: string, value: number | string | readonly number[], from: string, field?: SourceField) => {
    found.set(parameter, value);
    used.push({ parameter, value, from, ...(field !== undefined && { field }) });
  };
  const ofX = xOf(kind, figure, row);
  const cpuNode = machine === null ? 0 : cpuNodeOf(machine, given.cpuNode, figure);
  for (const [name, parameter] of Object.entries(kind.parameters)) {
    const { machine: place, initial } = parameter;
    const ofMachine = machine === null ? undefined : place?.read(machine, cpuNode);
    if (name in given) {
      const { value, from } = valueOf(name, parameter, given[name], figure, figureNamed);
      take(name, value, from);
    } else if (name === ofX?.name) take(name, ofX.value, 'x');
    else if (ofMachine !== undefined) take(name, ofMachine, `machine ${String(machine?.name)}`, place?.field);
    else if (initial !== undefined) take(name, initial, 'default');
    else if (parameter.isRequired) return cannot(missing(name, parameter, figure));
  }
  const get = (name: string) => {
    bugOn(!found.has(name), `a kind asks for ${name}, which is not there`);
    return found.get(name);
  };
  const values: Values = {
    number: (name) => get(name) as number,
    numbers: (name) => get(name) as readonly number[],
    text: (name) => get(name) as string,
    has: (name) => found.has(name),
  };
  return { values, used };
}

/** The node whose row of the profile counts. */
function cpuNodeOf({ name, nodes }: MachineDescription, given: ParameterValue | undefined, { where }: Figure): number {
  if (given === undefined) return nodes.findIndex(({ cpus }) => cpus.length > 0);
  if (typeof given === 'number' && given in nodes) return given;
  throw bad(
    `${where}: parameters.cpuNode is ${JSON.stringify(given)}; expected a node of ${name}, 0 to ${String(nodes.length - 1)}`,
  );
}

function missing(name: string, { unit, machine }: Parameter, { machine_id: id }: Figure): string {
  const what = `the parameter ${name}${unit === '' ? '' : ` (${unit})`} is not given`;
  if (machine === undefined) return what;
  return id === null || id === undefined
    ? `${what}, and there is no machine that has it`
    : `${what}, and machine ${id} is not known`;
}

function checkNames(kind: Kind, names: readonly string[], { where }: Figure): void {
  const known = Object.keys(kind.parameters);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearestName(unknown, [...known, ...ROW_KEYS, ...KEYS_OF_ROW]);
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`;
  throw bad(`${where}: parameters.${unknown} is no parameter of the kind ${kind.name}; ${hint}`);
}

/** What x says of a row: the value of a parameter. */
function xOf(kind: Kind, figure: Figure, row: number): { name: string; value: number } | null {
  const { parameters = {}, where } = figure;
  const { x: said, xScale: scale = 1 } = parameters;
  if (said !== undefined && said !== null && (typeof said !== 'string' || kind.parameters[said]?.form !== 'number'))
    throw bad(
      `${where}: parameters.x is ${JSON.stringify(said)}; expected the name of a parameter that is a number, or null`,
    );
  if (typeof scale !== 'number')
    throw bad(`${where}: parameters.xScale is ${JSON.stringify(scale)}; expected a number`);
  const name = said === undefined ? kind.x : said;
  const value = figure.x[row];
  return name === null || typeof value !== 'number' ? null : { name, value: value * scale };
}

function valueOf(
  name: string,
  { form, words, unit }: Parameter,
  value: ParameterValue,
  figure: Figure,
  figureNamed: FigureNamed,
): { value: number | string | readonly number[]; from: string } {
  const refuse = (expected: string): never => {
    throw bad(`${figure.where}: parameters.${name} is ${JSON.stringify(value)}; expected ${expected}`);
  };
  const number = (one: unknown): number =>
    typeof one === 'number'
      ? one
      : typeof one === 'object' && one !== null && 'row' in one
        ? referred(one as Reference, name, unit, figure, figureNamed)
        : refuse(unit === '' ? 'a number' : `a number of ${unit}`);
  if (form === 'text') {
    const isKnown = typeof value === 'string' && (words?.includes(value) ?? true);
    return isKnown ? { value, from: 'given' } : refuse(words === undefined ? 'a text' : words.join(' or '));
  }
  if (form === 'number') return { value: number(value), from: fromOf(value, figure) };
  if (!Array.isArray(value)) return refuse('a list');
  const list: readonly unknown[] = value;
  return {
    value: list.map(number),
    from: fromOf(
      list.find((one) => typeof one === 'object'),
      figure,
    ),
  };
}

function fromOf(value: unknown, { id }: Figure): string {
  if (typeof value !== 'object' || value === null) return 'given';
  const { figure = id, row, over } = value as Reference;
  return `row ${String(row)}${over === undefined ? '' : ` over row ${String(over)}`} of ${figure}`;
}

/** The published value of a row that calibrates, in the unit of the parameter. */
function referred(reference: Reference, name: string, unit: string, from: Figure, figureNamed: FigureNamed): number {
  const { figure: id = from.id, row, over, less } = reference;
  const at = `${from.where}: parameters.${name}`;
  const figure = id === from.id ? from : figureNamed(id);
  if (figure === undefined) throw bad(`${at}: there is no figure "${id}"`);
  const value = (index: number): number => {
    if (index >= figure.y.length)
      throw bad(`${at}: ${id} has no row ${String(index)}; expected 0 to ${String(figure.y.length - 1)}`);
    if (figure.use !== 'calibrate' && !(figure.calibrates ?? []).includes(index))
      throw bad(
        `${at}: row ${String(index)} of ${id} validates; expected one that calibrates ("use": "calibrate", or listed in "calibrates")`,
      );
    return figure.y[index];
  };
  const amount = value(row) - (less === undefined ? 0 : value(less));
  if (over !== undefined) return amount / value(over);
  if (unit === '') return amount;
  const [theirs, ours] = [readUnit(wordsOfRow(figure, row).unit), readUnit(unit)];
  const base = amount * theirs.scale;
  if (theirs.dimension === ours.dimension) return base / ours.scale;
  if (theirs.dimension === 'rate' && ours.dimension === 'time') return 1e9 / base / ours.scale; // of one thread: the time of one
  throw bad(
    `${at}: row ${String(row)} of ${id} is in ${figure.unit}; expected a value that can be turned into ${unit}`,
  );
}
