import { bad, type Figure } from './figure-file.js';
import type { Reference } from './form.js';
import { ghzOf, wordsOfRow } from './row-words.js';
import { readUnit } from './units.js';

/** Finds the figures that references name. */
export type FigureNamed = (id: string) => Figure | undefined;

export function fromOf(value: unknown, { id }: Figure): string {
  if (typeof value !== 'object' || value === null) return 'given';
  const { figure = id, row, over } = value as Reference;
  return `row ${String(row)}${over === undefined ? '' : ` over row ${String(over)}`} of ${figure}`;
}

/**
 * The published value of a row that calibrates, in the unit of the parameter `name`.
 *
 * @throws MmError BAD_FIGURE if there is no such row, if it validates, or if its unit is of another kind
 */
export function referred(
  reference: Reference,
  name: string,
  unit: string,
  from: Figure,
  figureNamed: FigureNamed,
): number {
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
  const [theirs, ours] = [readUnit(wordsOfRow(figure, row).unit, ghzOf(figure)), readUnit(unit)];
  const base = amount * theirs.scale;
  if (theirs.dimension === ours.dimension) return base / ours.scale;
  if (theirs.dimension === 'rate' && ours.dimension === 'time') return 1e9 / base / ours.scale; // of one thread: the time of one
  throw bad(
    `${at}: row ${String(row)} of ${id} is in ${figure.unit}; expected a value that can be turned into ${unit}`,
  );
}
