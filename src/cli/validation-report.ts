import { KINDS, type FigureResult, type Kind, type RowResult, type ValidationReport } from '../prove/index.js';
import { tableText, type Paint } from '../report/index.js';

/** What `mof validate` prints: what validates, what calibrates, what is not computed, what was assumed, and the counts. */
export function validationText(report: ValidationReport, isVerbose: boolean, paint: Paint): string {
  const { figures, assumed } = report;
  const judged = figures.filter(({ status }) => ['ok', 'outside', 'reported'].includes(status));
  const calibrating = figures.filter(({ rows }) => rows.some(({ status }) => status === 'calibration'));
  const table = (title: string, of: readonly FigureResult[], statuses: readonly RowResult['status'][]) =>
    of.length === 0 ? [] : [figureTable(title, of, statuses, isVerbose, paint)];
  const sections = [
    ...table('Validation: predicted, and compared', judged, ['ok', 'outside', 'reported']),
    ...table('Calibration: constants come from these, so they prove nothing', calibrating, ['calibration']),
    ...notComputed(figures, isVerbose, paint),
    ...assumedText(assumed, paint),
    summary(report),
  ];
  return `${sections.join('\n\n')}\n`;
}

function figureTable(
  title: string,
  figures: readonly FigureResult[],
  statuses: readonly RowResult['status'][],
  isVerbose: boolean,
  paint: Paint,
): string {
  const lines = figures.flatMap((figure) => {
    const rows = figure.rows.filter(({ status }) => statuses.includes(status));
    const shown = isVerbose ? rows : [worstOf(rows)];
    return shown.map((row) => ({ figure, row, count: rows.length }));
  });
  const isOutside = (i: number) => lines[i].row.status === 'outside';
  return tableText(
    {
      title,
      head: [
        'figure',
        'kind',
        'grade',
        isVerbose ? 'x' : 'rows, worst x',
        'model',
        'published',
        '',
        'error',
        'allowed',
        '',
      ],
      rows: lines.map(({ figure, row, count }) => [
        figure.id,
        figure.kind ?? '',
        figure.grade,
        isVerbose ? String(row.x) : count === 1 ? String(row.x) : `${String(count)}, ${String(row.x)}`,
        numberText(row.model ?? 0),
        numberText(row.published),
        row.unit,
        errorText(row.error),
        row.status === 'calibration' ? '' : (figure.tolerance ?? 'not judged'),
        row.status === 'calibration' || row.status === 'reported' ? '' : row.status,
      ]),
      wordColumns: [0, 1, 2, 3, 6, 9],
      styleOf: (i) => (isOutside(i) ? 'bad' : null),
    },
    paint,
  );
}

/** The row that decides: one that is outside, else the one with the greatest error. */
function worstOf(rows: readonly RowResult[]): RowResult {
  const weight = ({ status, error }: RowResult) =>
    (status === 'outside' ? 1e6 : 0) + Math.min(1e5, Math.abs(error ?? 1e5));
  return rows.reduce((worst, row) => (weight(row) > weight(worst) ? row : worst));
}

function notComputed(figures: readonly FigureResult[], isVerbose: boolean, paint: Paint): string[] {
  const lines = figures.flatMap(({ id, rows }) => {
    const reasons = new Map<string, RowResult[]>();
    for (const row of rows)
      if (row.because !== null) reasons.set(row.because, [...(reasons.get(row.because) ?? []), row]);
    return [...reasons].map(([because, missing]) => {
      const which =
        missing.length === rows.length
          ? ''
          : isVerbose || missing.length === 1
            ? `, ${missing.map(({ x }) => String(x)).join('; ')}`
            : `, ${String(missing.length)} of ${String(rows.length)} rows`;
      return `  ${id}${which}: cannot be computed, because ${because}`;
    });
  });
  return lines.length === 0 ? [] : [[paint('bold', 'Not computed'), ...lines].join('\n')];
}

function assumedText(assumed: ValidationReport['assumed'], paint: Paint): string[] {
  if (assumed.length === 0) return [];
  const lines = assumed.map(
    ({ machine, kind, field, value, mark, source, figures }) =>
      `  - ${machine ?? `kind ${String(kind)}`}, ${field}: ${value} (${mark}: ${source}); used by ${figures.join(', ')}`,
  );
  return [
    [paint('bold', 'Values that predictions used and that are not known: of machines, and of kinds'), ...lines].join(
      '\n',
    ),
  ];
}

function summary({ counts, figures, failed }: ValidationReport): string {
  const of = (status: keyof typeof counts) => String(counts[status].rows);
  const verdict =
    failed.length === 0
      ? 'No figure of grade A is outside its tolerance.'
      : `Outside, of grade A: ${failed.join(', ')}.`;
  return `${String(figures.length)} figure${figures.length === 1 ? '' : 's'}. Rows: ${of('ok')} ok, ${of('outside')} outside, ${of('reported')} reported, ${of('calibration')} calibrate, ${of('not computed')} not computed. ${verdict}`;
}

/** Four digits that count; whole numbers in full. */
function numberText(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1e4) return String(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

function errorText(error: number | null): string {
  return error === null ? '–' : `${error > 0 ? '+' : ''}${(100 * error).toFixed(1)} %`.replace(/^[+-]0\.0 %$/, '0.0 %');
}

/** `mof validate --kinds`. */
export function kindsText(paint: Paint): string {
  return `${KINDS.map((kind) => kindText(kind, paint)).join('\n\n')}\n`;
}

function kindText({ name, about, y, yMeans, x, parameters }: Kind, paint: Paint): string {
  const entries = Object.entries(parameters);
  const width = Math.max(0, ...entries.map(([parameter]) => parameter.length));
  const lines = entries.map(([parameter, { about: what, unit, form, isRequired, initial, machine, words, whole }]) => {
    const facts = [
      form === 'numbers' ? `a list${unit === '' ? '' : ` of ${unit}`}` : unit,
      words === undefined ? '' : words.join(' or '),
      whole === undefined ? '' : `whole, ${String(whole[0])} to ${String(whole[1])}`,
      machine === undefined ? '' : `from the machine: ${machine.field}`,
      initial === undefined ? (isRequired && machine === undefined ? 'required' : '') : `default ${String(initial)}`,
    ].filter((fact) => fact !== '');
    return `    ${parameter.padEnd(width)}  ${what}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`;
  });
  return [
    `${paint('bold', name)}: ${about}`,
    `  y: ${yMeans} (${y.join(', ')})`,
    `  x: ${x === null ? 'a name; nothing is computed from it unless "x" names a parameter' : `${x}, where it is a number`}`,
    ...lines,
  ].join('\n');
}
