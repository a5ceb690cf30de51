import { readFileSync } from 'node:fs';
import { parseMachineCatalogue } from '../../../src/hardware/index.js';
import {
  parseFigures,
  validateFigures,
  type Figure,
  type FigureResult,
  type RowResult,
  type ValidationReport,
} from '../../../src/prove/index.js';

const data = (name: string): string => readFileSync(new URL(`../../../src/data/${name}`, import.meta.url), 'utf8');

export const FIGURES: readonly Figure[] = parseFigures(data('figures.json'), 'figures.json');
export const MACHINES_TEXT = data('machines.json');
export const MACHINES = parseMachineCatalogue(MACHINES_TEXT).machines;

export const validateBundled = (figures = FIGURES): Promise<ValidationReport> =>
  validateFigures(figures, FIGURES, MACHINES);

/** What a user's file comes to; it may refer to the bundled figures. */
export async function validateFile(document: unknown): Promise<ValidationReport> {
  return validateFigures(parseFigures(JSON.stringify(document), 'mine.json'), FIGURES, MACHINES);
}

/** Rows that were predicted and are not taken for constants. */
export const judged = ({ rows }: FigureResult): readonly RowResult[] =>
  rows.filter(({ status }) => status !== 'calibration' && status !== 'not computed');

/** |model − published| / published. */
export const errorOf = ({ error }: RowResult): number => Math.abs(error ?? Infinity);
