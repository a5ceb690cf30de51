import type { MachineDescription, SourceField } from '../../hardware/index.js';
import { bug, nearestName } from '../../errors.js';
import { cameAs } from '../../schema-mistake.js';
import { bad, type Figure } from './figure-file.js';
import type { ParameterValue, Reference } from './form.js';
import { cannot, type Kind, type Parameter, type Uncomputable, type Values } from './kind.js';
import { fromOf, referred, type FigureNamed } from './references.js';
import { KEYS_OF_ROW, ROW_KEYS, type RowWords } from './row-words.js';

/** `from` of a value that the kind assumes. */
export const ASSUMED = 'assumed';

/** What a prediction was made from: for the report. */
export interface UsedValue {
  readonly parameter: string;
  readonly value: number | string | readonly number[];
  /** `given`, `default`, `assumed`, `x`, `greatest x`, `row 2 of ID`, or `machine NAME`. */
  readonly from: string;
  /** The field of the machine's profile. */
  readonly field?: SourceField;
}

export interface RowSetup {
  readonly values: Values;
  /** What the kind has asked for so far. */
  readonly used: () => readonly UsedValue[];
}

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
  const found = new Map<string, UsedValue>();
  const take = (parameter: string, value: UsedValue['value'], from: string, field?: SourceField) => {
    checkValue(parameter, kind.parameters[parameter], value, figure);
    found.set(parameter, { parameter, value, from, ...(field !== undefined && { field }) });
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
    else if (parameter.isGreatestX && figure.x.every((x) => typeof x === 'number'))
      take(name, Math.max(...figure.x) * xScaleOf(figure), 'greatest x');
    else if (initial !== undefined) take(name, initial, parameter.isAssumed ? ASSUMED : 'default');
    else if (parameter.isRequired) return cannot(missing(name, parameter, figure));
  }
  const asked = new Set<UsedValue>();
  const get = (name: string) => {
    const used = found.get(name);
    if (used === undefined) return bug(`a kind asks for ${name}, which is not there`);
    asked.add(used);
    return used.value;
  };
  const values: Values = {
    number: (name) => get(name) as number,
    numbers: (name) => get(name) as readonly number[],
    text: (name) => get(name) as string,
    has: (name) => found.has(name),
  };
  return { values, used: () => [...asked] };
}

/** Sizes and times are not negative, and what is counted is whole. */
function checkValue(name: string, { form, whole }: Parameter, value: UsedValue['value'], { where }: Figure): void {
  if (form === 'text') return;
  const numbers = (typeof value === 'number' ? [value] : value) as readonly number[];
  const expected =
    whole === undefined ? 'a number, at least 0' : `a whole number, ${String(whole[0])} to ${String(whole[1])}`;
  const isFine = (n: number) =>
    whole === undefined ? n >= 0 && n < Infinity : Number.isInteger(n) && n >= whole[0] && n <= whole[1];
  const wrong = numbers.find((number) => !isFine(number));
  if (wrong !== undefined) throw bad(`${where}: ${name} is ${String(wrong)}; expected ${expected}`);
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
  const { x: said } = parameters;
  if (said !== undefined && said !== null && (typeof said !== 'string' || kind.parameters[said]?.form !== 'number'))
    throw bad(
      `${where}: parameters.x is ${JSON.stringify(said)}; expected the name of a parameter that is a number, or null`,
    );
  const name = said === undefined ? kind.x : said;
  const value = figure.x[row];
  return name === null || typeof value !== 'number' ? null : { name, value: value * xScaleOf(figure) };
}

function xScaleOf({ parameters: { xScale = 1 } = {}, where }: Figure): number {
  if (typeof xScale === 'number') return xScale;
  throw bad(`${where}: parameters.xScale is ${JSON.stringify(xScale)}; expected a number`);
}

function valueOf(
  name: string,
  { form, words, unit }: Parameter,
  value: ParameterValue,
  figure: Figure,
  figureNamed: FigureNamed,
): { value: number | string | readonly number[]; from: string } {
  const refuse = (expected: string): never => {
    throw bad(`${figure.where}: parameters.${name} ${cameAs(value)}; expected ${expected}`);
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
