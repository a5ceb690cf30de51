import type { z } from 'zod';
import { parseMachine, type MachineDescription } from '../../hardware/index.js';
import { MmError, nearestName } from '../../errors.js';
import { firstMistake } from '../../schema-mistake.js';
import { FIGURE_FIELDS, FORMS, type FigureForm } from './form.js';

/** A published figure as its file gives it, checked against the form. */
export interface Figure extends FigureForm {
  /** What errors call it: file and id. */
  readonly where: string;
  /** Machines that its file brings along. */
  readonly machines: readonly MachineDescription[];
}

/** @throws MmError BAD_FIGURE: one line with the file, the figure, the field, what it holds and what was expected */
export function parseFigures(content: string, path: string): Figure[] {
  const raw = readFigureJson(content, path);
  const isOne = isRecord(raw) && 'id' in raw && !('figures' in raw);
  const { figures, machines } = checked(
    FORMS.file,
    Array.isArray(raw) ? { figures: raw } : isOne ? { figures: [raw] } : raw,
    path,
  );
  const own = (machines ?? []).map((machine, i) => machineIn(machine, `${path}: machines[${String(i)}]`));
  const parsed = figures.map((figure, i) => checkFigure(figure, `${path}: ${nameOf(figure, i)}`, own));
  const ids = parsed.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw bad(`${path}: figure ${twice}: id is there twice; expected a name of its own`);
  return parsed;
}

function readFigureJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content) as unknown;
  } catch (error) {
    throw bad(
      `${path} is not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}; expected figures (docs/figures.md)`,
    );
  }
}

function checkFigure(raw: unknown, where: string, machines: readonly MachineDescription[]): Figure {
  const figure = checked(FORMS.figure, raw, where);
  const { x, y, use, calibrates = [], spread, machine_file: file } = figure;
  if (x.length !== y.length)
    throw bad(`${where}: y has ${String(y.length)} values; expected ${String(x.length)}, one for each of x`);
  if (spread && spread.length !== y.length)
    throw bad(`${where}: spread has ${String(spread.length)} values; expected ${String(y.length)}, one for each of y`);
  const beyond = calibrates.find((row) => row >= y.length);
  if (beyond !== undefined)
    throw bad(`${where}: calibrates names row ${String(beyond)}; expected 0 to ${String(y.length - 1)}`);
  if (use === 'calibrate' && calibrates.length > 0)
    throw bad(`${where}: calibrates is of no use with "use": "calibrate", which means all rows; leave one of them out`);
  const own = file === undefined ? [] : [machineIn(file, `${where}: machine_file`)];
  return { ...figure, where, machines: [...own, ...machines] };
}

function machineIn(raw: unknown, where: string): MachineDescription {
  return parseMachine(JSON.stringify(raw), where);
}

function checked<T extends z.ZodType>(form: T, raw: unknown, where: string): z.infer<T> {
  const result = form.safeParse(raw);
  if (result.success) return result.data;
  const { issue, field, came } = firstMistake(result.error, raw);
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    const near = nearestName(key, FIGURE_FIELDS);
    const hint = near === undefined ? 'docs/figures.md lists the fields' : `did you mean "${near}"?`;
    throw bad(`${where}: ${field === '' ? '' : `${field} has an `}unknown field "${key}"; ${hint}`);
  }
  throw bad(`${where}: ${field === '' ? 'it' : field} ${came}; expected ${issue.message}`);
}

export const bad = (line: string): MmError => new MmError('BAD_FIGURE', line);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const nameOf = (figure: unknown, i: number): string =>
  `figure ${isRecord(figure) && typeof figure.id === 'string' ? figure.id : String(i)}`;
