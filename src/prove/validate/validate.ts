import type { MachineDescription, ValueOrigin } from '../../hardware/index.js';
import type { Figure } from './figure-file.js';
import { allowanceOf, isWithin, relativeError, type Allowance } from './judge.js';
import { ASSUMED, type UsedValue } from './parameters.js';
import { predict, type Sources } from './predict.js';
import type { FigureNamed } from './references.js';
import { ghzOf, wordsOfRow } from './row-words.js';
import { readUnit } from './units.js';

/**
 * `calibration`: constants were taken from the row, so it proves nothing. `reported`: grade C, not judged.
 */
export type RowStatus = 'ok' | 'outside' | 'reported' | 'calibration' | 'not computed';

export interface RowResult {
  readonly x: number | string;
  /** In the unit of the row. */
  readonly unit: string;
  readonly published: number;
  readonly model: number | null;
  /** (model − published) / published. */
  readonly error: number | null;
  readonly status: RowStatus;
  /** Why there is no model value; null otherwise. */
  readonly because: string | null;
  readonly used: readonly UsedValue[];
}

export interface FigureResult {
  readonly id: string;
  readonly kind: string | null;
  readonly source: string;
  readonly grade: string;
  readonly use: string;
  readonly quantity: string;
  readonly unit: string;
  readonly tolerance: string | null;
  readonly rows: readonly RowResult[];
  /** Mean and greatest error of the rows that validate, without their signs; null if there is none. */
  readonly meanError: number | null;
  readonly greatestError: number | null;
  readonly status: RowStatus;
}

/** A value of a machine that predictions used and that is not known for it, or one that a kind assumes. */
export interface AssumedValue extends ValueOrigin {
  /** Null: a parameter of the kind. */
  readonly machine: string | null;
  readonly kind: string | null;
  readonly figures: readonly string[];
}

export interface ValidationReport {
  readonly figures: readonly FigureResult[];
  readonly assumed: readonly AssumedValue[];
  readonly counts: Readonly<Record<RowStatus, { readonly figures: number; readonly rows: number }>>;
  /** Figures of grade A that validate and are outside their tolerance. */
  readonly failed: readonly string[];
}

/**
 * Recomputes figures and compares.
 *
 * @param figures to be computed
 * @param known further ones, which may calibrate; one without a kind is set up as the known one of its id
 * @param machines bundled
 * @throws MmError BAD_FIGURE, BAD_MACHINE
 */
export async function validateFigures(
  figures: readonly Figure[],
  known: readonly Figure[],
  machines: readonly MachineDescription[],
): Promise<ValidationReport> {
  const own = figures.map((figure) => asKnown(figure, known));
  const figureNamed: FigureNamed = (id) => own.find((figure) => figure.id === id) ?? known.find((one) => one.id === id);
  const results: FigureResult[] = [];
  const assumed = new Map<string, AssumedValue>();
  for (const figure of own) {
    const machine = machineOf(figure, machines);
    const result = await computeFigure(figure, { machine, figureNamed });
    results.push(result);
    noteAssumed(assumed, machine, result);
  }
  return {
    figures: results,
    assumed: [...assumed.values()],
    counts: countsOf(results),
    failed: results.filter(({ grade, status }) => grade === 'A' && status === 'outside').map(({ id }) => id),
  };
}

/** A figure that says nothing of its kind and has the id of one that is known is set up as that one is. */
function asKnown(figure: Figure, known: readonly Figure[]): Figure {
  if (figure.kind !== undefined) return figure;
  const same = known.find(({ id, y }) => id === figure.id && y.length === figure.y.length);
  if (same === undefined) return figure;
  const { kind, parameters, tolerance, calibrates, use, machine_id } = same;
  return {
    ...figure,
    ...{ use, machine_id },
    ...(kind !== undefined && { kind }),
    ...(parameters !== undefined && { parameters }),
    ...(tolerance !== undefined && { tolerance }),
    ...(calibrates !== undefined && { calibrates }),
  };
}

function machineOf(figure: Figure, bundled: readonly MachineDescription[]): MachineDescription | null {
  const { machine_id: id, machine_file: file, machines } = figure;
  if (file !== undefined) return machines[0];
  if (id === null || id === undefined) return null;
  return [...machines, ...bundled].find(({ name }) => name === id) ?? null;
}

async function computeFigure(figure: Figure, sources: Sources): Promise<FigureResult> {
  const rows: RowResult[] = [];
  for (let row = 0; row < figure.y.length; row++) rows.push(await computeRow(figure, row, sources));
  const judged = rows.filter(({ model, status }) => model !== null && status !== 'calibration');
  const errors = judged.map(({ error }) => (error === null ? Infinity : Math.abs(error)));
  const mean = errors.length === 0 ? null : errors.reduce((a, b) => a + b, 0) / errors.length;
  const allowance = allowanceOf(figure, readUnit(figure.unit, ghzOf(figure)).dimension);
  const settled =
    allowance?.form === 'mean' && mean !== null
      ? rows.map((one) =>
          judged.includes(one) ? ({ ...one, status: mean <= allowance.value ? 'ok' : 'outside' } as const) : one,
        )
      : rows;
  const { id, kind = null, source, grade, use, quantity, unit } = figure;
  return {
    ...{ id, kind, source, grade, use, quantity, unit },
    tolerance: allowance?.text ?? null,
    rows: settled,
    meanError: mean,
    greatestError: errors.length === 0 ? null : Math.max(...errors),
    status: statusOf(settled),
  };
}

/** The worst of its rows. */
function statusOf(rows: readonly RowResult[]): RowStatus {
  const order: readonly RowStatus[] = ['outside', 'ok', 'reported', 'calibration'];
  return order.find((status) => rows.some((row) => row.status === status)) ?? 'not computed';
}

async function computeRow(figure: Figure, row: number, sources: Sources): Promise<RowResult> {
  const { unit } = wordsOfRow(figure, row);
  const { x, y, use, calibrates = [] } = figure;
  const published = y[row];
  const head = { x: x[row], unit, published };
  const found = await predict(figure, row, sources);
  if ('because' in found)
    return { ...head, model: null, error: null, status: 'not computed', because: found.because, used: [] };
  const { model, used } = found;
  const error = relativeError(model, published);
  const isCalibration = use === 'calibrate' || calibrates.includes(row);
  const allowance = allowanceOf(figure, readUnit(unit, ghzOf(figure)).dimension);
  const status = isCalibration ? 'calibration' : judge(allowance, model, published);
  return { ...head, model, error, status, because: null, used };
}

function judge(allowance: Allowance | null, model: number, published: number): RowStatus {
  if (allowance === null) return 'reported';
  return isWithin(allowance, model, published) ? 'ok' : 'outside';
}

function noteAssumed(
  assumed: Map<string, AssumedValue>,
  machine: MachineDescription | null,
  result: FigureResult,
): void {
  const note = (key: string, value: Omit<AssumedValue, 'figures'>) => {
    const figures = assumed.get(key)?.figures ?? [];
    if (!figures.includes(result.id)) assumed.set(key, { ...value, figures: [...figures, result.id] });
  };
  for (const { parameter, value, from, field } of result.rows.flatMap(({ used }) => used)) {
    const origin = machine?.origins?.find((one) => one.field === field);
    if (machine !== null && origin !== undefined && ['recalled', 'estimated', 'assumed'].includes(origin.mark))
      note(`${machine.name} ${origin.field}`, { ...origin, machine: machine.name, kind: null });
    if (from === ASSUMED) {
      const own = { field: parameter, value: String(value), mark: 'assumed', source: 'no source gives it' } as const;
      note(`${String(result.kind)} ${parameter}`, { ...own, machine: null, kind: result.kind });
    }
  }
}

function countsOf(results: readonly FigureResult[]): ValidationReport['counts'] {
  const count = (status: RowStatus) => ({
    figures: results.filter((figure) => figure.status === status).length,
    rows: results.flatMap(({ rows }) => rows).filter((row) => row.status === status).length,
  });
  return {
    ok: count('ok'),
    outside: count('outside'),
    reported: count('reported'),
    calibration: count('calibration'),
    'not computed': count('not computed'),
  };
}
