import { nearestName } from '../errors.js';
import { Piece } from './piece.js';
import type { Moment } from './run-spec.js';

const EXPECTED = 'expected start, threads, row:N, N% or event:TEXT';

/** MOMENT of an action, or of `--from` and `--until`: `start`, `threads`, `row:N`, `N%`, `event:TEXT`. */
export function parseMoment(piece: Piece): Moment {
  const { value } = piece;
  if (value === 'start' || value === 'threads') return { kind: value };
  const [head, tail] = piece.cut(':');
  if (!tail && value.endsWith('%')) return { kind: 'percent', percent: percentOf(piece) };
  if (head.value === 'row' && tail) return { kind: 'row', row: rowOf(tail) };
  if (head.value === 'event' && tail) {
    if (tail.value.trim() === '') tail.fail('the text of the event is missing: event:TEXT');
    return { kind: 'event', text: tail.value };
  }
  if (value === '') piece.fail(`the moment is missing; ${EXPECTED}`);
  const near = nearestName(head.value, ['start', 'threads', 'row', 'event']);
  return piece.fail(
    `unknown moment "${value}"; ${near === undefined ? EXPECTED : `did you mean "${near}"? ${EXPECTED}`}`,
  );
}

function percentOf(piece: Piece): number {
  const digits = piece.value.slice(0, -1);
  const percent = Number(digits);
  if (!/^\d{1,3}(\.\d{1,4})?$/.test(digits) || percent > 100) {
    piece.fail(`"${piece.value}" is not a percentage from 0% to 100%`);
  }
  return percent;
}

function rowOf(piece: Piece): number {
  const row = Number(piece.value);
  if (!/^\d+$/.test(piece.value) || !Number.isSafeInteger(row))
    piece.fail(`"${piece.value}" is not a row number; rows count from 0`);
  return row;
}
