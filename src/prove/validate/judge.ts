import type { Figure } from './figure-file.js';
import type { Dimension } from './units.js';

/** How far a prediction may be off. All in the unit of the figure. */
export interface Allowance {
  readonly form: 'exact' | 'relative' | 'absolute' | 'factor' | 'mean';
  readonly value: number;
  /** As the report gives it: `5 %`. */
  readonly text: string;
}

const GRADE_A = 0.05;
const GRADE_B = 0.2;
/** A count is exact but for the last bit of the arithmetic. */
const LAST_BIT = 1e-9;

/** The figure's own tolerance, else its grade's; null: grade C is reported and not judged. */
export function allowanceOf({ tolerance, grade }: Figure, dimension: Dimension): Allowance | null {
  if (tolerance !== undefined) {
    if (typeof tolerance === 'number') return relative(tolerance);
    const [form, value] = Object.entries(tolerance)[0] as [Allowance['form'], number];
    if (form === 'relative') return relative(value);
    const text = {
      exact: '',
      relative: '',
      absolute: `±${String(value)}`,
      factor: `× ${String(value)}`,
      mean: `mean ${percent(value)}`,
    };
    return { form, value, text: text[form] };
  }
  if (grade === 'C') return null;
  if (grade === 'A' && dimension === 'count') return { form: 'exact', value: 0, text: 'exact' };
  return relative(grade === 'A' ? GRADE_A : GRADE_B);
}

function relative(value: number): Allowance {
  return { form: 'relative', value, text: percent(value) };
}

/** Error of one row; of a mean, that each row alone is within it says nothing. */
export function isWithin({ form, value }: Allowance, model: number, published: number): boolean {
  const off = Math.abs(model - published);
  const slack = LAST_BIT * Math.abs(published);
  switch (form) {
    case 'factor':
      return model * value >= published && model <= published * value;
    case 'absolute':
      return off <= value + slack;
    case 'exact':
      return off <= slack;
    case 'relative':
    case 'mean':
      return off <= value * Math.abs(published) + slack;
  }
}

/** (model − published) / published; null where nothing was published to divide by. */
export function relativeError(model: number, published: number): number | null {
  return published === 0 ? (model === 0 ? 0 : null) : (model - published) / published;
}

const percent = (share: number): string => `${String(Math.round(share * 1000) / 10)} %`;
