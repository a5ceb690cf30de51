import { cameAs } from '../../schema-mistake.js';
import { bad, type Figure } from './figure-file.js';
import { FORMS, type ParameterValue } from './form.js';

/** Keys of `parameters` that speak of rows and not of the kind. */
export const ROW_KEYS = ['x', 'xScale', 'ghz', 'relativeTo', 'changeFrom', 'rows', 'skip'];
/** Keys of one of `rows` beside the parameters. */
export const KEYS_OF_ROW = ['kind', 'unit', 'skip'];

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
  throw bad(`${where} ${cameAs(value)}; expected a number, a text, a list, or { "row": … }`);
}

/** A row that the others are given against. */
export interface Base {
  readonly row: number;
  /** What is published is the change, and not the ratio. */
  readonly isChange: boolean;
}

/** `relativeTo` or `changeFrom`. @throws MmError BAD_FIGURE */
export function baseOf({ where, parameters = {}, y }: Figure): Base | null {
  for (const key of ['relativeTo', 'changeFrom']) {
    const row = parameters[key];
    if (row === undefined) continue;
    if (!(Number.isInteger(row) && Number(row) in y))
      throw bad(`${where}: parameters.${key} is ${JSON.stringify(row)}; expected a row, 0 to ${String(y.length - 1)}`);
    return { row: Number(row), isChange: key === 'changeFrom' };
  }
  return null;
}

/** Clock of the CPU, for values in cycles. @throws MmError BAD_FIGURE */
export function ghzOf({ where, parameters = {} }: Figure): number | null {
  const { ghz } = parameters;
  if (ghz === undefined) return null;
  if (typeof ghz === 'number' && ghz > 0) return ghz;
  throw bad(`${where}: parameters.ghz is ${JSON.stringify(ghz)}; expected a clock in GHz`);
}
