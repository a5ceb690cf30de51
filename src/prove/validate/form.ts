import { z } from 'zod';

/**
 * The form of a figure file; docs/figures.md describes it for those who write one. Every message says what is expected. What
 * depends on the kind is parameters.ts's.
 */

const text = z.string('a text');
const id = z.string('a name without spaces').regex(/^\S+$/, 'a name without spaces');
const number = z.number('a number');
const INDICES = 'a list of rows, counted from 0';
const row = z.int('a row, counted from 0').nonnegative('a row, counted from 0');
const positive = z.number('a number above 0').positive('a number above 0');

const reference = z.strictObject(
  { figure: id.optional(), row, over: row.optional(), less: row.optional() },
  '{ "row": 2 }, perhaps with "figure", "over" or "less"',
);
const value = z.union(
  [number, text, z.boolean(), reference, z.array(z.union([number, reference], 'a number or { "row": … }'))],
  'a number, a text, true or false, a list, or { "row": … }',
);
const parameters = z.record(z.string(), z.unknown(), 'an object from names to values');
const TOLERANCE = 'a share like 0.1, or { "relative": … }, { "absolute": … }, { "factor": … } or { "mean": … }';
const tolerance = z.union(
  [
    z.number(TOLERANCE).nonnegative(TOLERANCE),
    z.strictObject({ relative: positive }),
    z.strictObject({ absolute: z.number(TOLERANCE).nonnegative(TOLERANCE) }),
    z.strictObject({ factor: z.number('a factor above 1').gt(1, 'a factor above 1') }),
    z.strictObject({ mean: positive }),
  ],
  TOLERANCE,
);

const figure = z.strictObject(
  {
    id,
    kind: text.optional(),
    parameters: parameters.optional(),
    tolerance: tolerance.optional(),
    source: text,
    year: z.int('a year').nullish(),
    machine: text.nullish(),
    machine_id: id.nullish(),
    machine_file: z.record(z.string(), z.unknown(), 'a machine, in the form of a machine file').optional(),
    quantity: text,
    x_label: text.nullish(),
    x: z.array(z.union([number, text], 'a number or a text'), 'a list of numbers or texts').min(1, 'at least one row'),
    y: z.array(number, 'a list of numbers').min(1, 'at least one row'),
    unit: text,
    conditions: text.nullish(),
    how_sure: text.nullish(),
    grade: z.enum(['A', 'B', 'C'], '"A", "B" or "C"'),
    use: z.enum(['calibrate', 'validate'], '"calibrate" or "validate"'),
    calibrates: z.array(row, INDICES).optional(),
    spread: z
      .array(z.union([number, z.array(number), z.null()], 'a number or a pair'), 'a list of numbers or pairs')
      .nullish(),
    notes: text.nullish(),
  },
  'an object with at least id, source, quantity, x, y, unit, grade and use',
);
/** Beside `figures` and `machines` a file may say what it likes. */
const file = z.looseObject(
  {
    figures: z.array(z.unknown(), 'a list of figures').min(1, 'at least one figure'),
    machines: z.array(z.unknown(), 'a list of machines').optional(),
  },
  'a figure, a list of figures, or { "figures": […] }',
);
const rowParameters = z.record(z.string(), z.unknown(), 'an object from names to values');

export const FORMS = { figure, file, value, rowParameters } as const;
export const FIGURE_FIELDS: readonly string[] = Object.keys(figure.shape);

export type FigureForm = z.infer<typeof figure>;
export type Reference = z.infer<typeof reference>;
export type ParameterValue = z.infer<typeof value>;
