import type { MachineDescription } from '../../hardware/index.js';
import { MmError } from '../../errors.js';
import { bad, type Figure } from './figure-file.js';
import { cannot, type Kind, type Uncomputable } from './kind.js';
import { kindNamed, nearestKind } from './kinds/index.js';
import { setUpRow, type UsedValue } from './parameters.js';
import type { FigureNamed } from './references.js';
import { baseOf, ghzOf, wordsOfRow, type RowWords } from './row-words.js';
import { readUnit, UNIT_EXAMPLES, type Dimension } from './units.js';

/** Where predictions take their values. */
export interface Sources {
  readonly machine: MachineDescription | null;
  readonly figureNamed: FigureNamed;
}

export interface Prediction {
  /** In the unit of the row. */
  readonly model: number;
  readonly used: readonly UsedValue[];
}

/** What the model says of a row. Never reads its y. @throws MmError BAD_FIGURE */
export async function predict(figure: Figure, row: number, sources: Sources): Promise<Prediction | Uncomputable> {
  const words = wordsOfRow(figure, row);
  if (words.skip !== null) return cannot(words.skip);
  const kind = kindOf(words);
  if ('because' in kind) return kind;
  const { dimension, scale } = readUnit(words.unit, ghzOf(figure));
  const base = baseOf(figure);
  if (base !== null) {
    if (dimension !== 'ratio') return cannot(`rows that are relative to another have a unit like ratio or %`);
    const [own, other] = [
      await rawOf(figure, row, kind, kind.y[0], sources),
      await rawOfRow(figure, base.row, sources),
    ];
    if ('because' in own) return own;
    if ('because' in other) return cannot(`row ${String(base.row)}, to which it is relative, is not: ${other.because}`);
    return { model: finite(figure, row, own.model / other.model - (base.isChange ? 1 : 0)) / scale, used: own.used };
  }
  if (!kind.y.includes(dimension)) {
    const units = kind.y.map((one) => UNIT_EXAMPLES[one]).join('; ');
    return cannot(`the unit is "${words.unit}", and ${kind.name} gives ${units}`);
  }
  const own = await rawOf(figure, row, kind, dimension, sources);
  return 'because' in own ? own : { ...own, model: own.model / scale };
}

function kindOf({ kind: name }: RowWords): Kind | Uncomputable {
  if (name === undefined) return cannot('it has no kind (mof validate --kinds lists them)');
  const kind = kindNamed(name);
  if (kind !== undefined) return kind;
  const near = nearestKind(name);
  const hint = near === undefined ? 'mof validate --kinds lists those there are' : `did you mean "${near}"?`;
  return cannot(`there is no kind "${name}"; ${hint}`);
}

async function rawOfRow(figure: Figure, row: number, sources: Sources): Promise<Prediction | Uncomputable> {
  const words = wordsOfRow(figure, row);
  const kind = words.skip === null ? kindOf(words) : cannot(words.skip);
  return 'because' in kind ? kind : rawOf(figure, row, kind, kind.y[0], sources);
}

/** In base units. */
async function rawOf(
  figure: Figure,
  row: number,
  kind: Kind,
  dimension: Dimension,
  { machine, figureNamed }: Sources,
): Promise<Prediction | Uncomputable> {
  const setup = setUpRow(kind, figure, row, wordsOfRow(figure, row), machine, figureNamed);
  if ('because' in setup) return setup;
  try {
    const computed = await kind.compute(setup.values, dimension);
    if (typeof computed !== 'number') return computed;
    return { model: finite(figure, row, computed), used: setup.used() };
  } catch (error) {
    // A kind makes a machine of the parameters, which says what it does not take.
    if (error instanceof MmError && error.code === 'BAD_MACHINE')
      throw bad(`${figure.where}: row ${String(row)}: ${error.message}`);
    throw error;
  }
}

function finite(figure: Figure, row: number, value: number): number {
  if (Number.isFinite(value)) return value;
  throw bad(`${figure.where}: row ${String(row)} comes to no number: one of its parameters is 0 that cannot be`);
}
