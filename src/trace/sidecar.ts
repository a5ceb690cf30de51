import * as z from 'zod';
import { checkSidecar } from './check-sidecar.js';
import { sidecarSchema, type RegionKind, type Sidecar } from './sidecar-schema.js';
import { MmError } from '../errors.js';
import { PAGE_SHIFT } from '../units.js';

/**
 * The sidecar in `text`, checked against its schema and against itself.
 *
 * @param file what to call it in an error
 * @throws MmError BAD_SIDECAR: one line with the file, the field, what it holds and what was expected
 */
export function parseSidecar(text: string, file: string): Sidecar {
  const document = parseJson(text, file);
  const result = sidecarSchema.safeParse(document);
  if (!result.success) throw new MmError('BAD_SIDECAR', `${file}: ${describe(result.error.issues[0], document)}`);
  checkSidecar(result.data, file);
  return result.data;
}

/** Pages of the page cache rather than of a process? */
export const isFile = (kind: RegionKind): boolean => kind === 'file';

/** Page numbers of the trace: one more than the highest that a region covers. */
export function pageCount(sidecar: Sidecar): number {
  return sidecar.regions.reduce((end, region) => Math.max(end, region.first_page + region.pages), 0);
}

/** Virtual page number of a "vaddr" of the sidecar: 36 bits, so a double and not a small integer. */
export function vpnOf(vaddr: string): number {
  return Number(BigInt(vaddr) >> BigInt(PAGE_SHIFT));
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new MmError('BAD_SIDECAR', `${file} is not JSON: ${jsonProblem(error as SyntaxError, text)}`);
  }
}

/** The parser's complaint on one line, with line and column, whichever of its wordings this JavaScript engine uses. */
function jsonProblem(error: SyntaxError, text: string): string {
  const [complaint] = error.message.split(/[\r\n]/);
  const position = /at position (\d+)/.exec(error.message)?.[1];
  if (position === undefined) return complaint;
  const before = text.slice(0, Number(position)).split('\n');
  const where = `line ${String(before.length)}, column ${String(before[before.length - 1].length + 1)}`;
  return `${complaint.replace(/ ?(in JSON )?at position.*$/, '')} at ${where}`;
}

/** What the schema found, with the value that it leaves out. */
function describe(issue: z.core.$ZodIssue, document: unknown): string {
  const path = issue.path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${String(key)}]` : `${text}.${String(key)}`),
    '',
  );
  const field = path === '' ? 'the document' : path.replace(/^\./, '');
  const received = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    document,
  );
  const expected = `expected ${expectation(issue)}`;
  return received === undefined ? `${field} is missing; ${expected}` : `${field} is ${shown(received)}; ${expected}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a whole number', // no field takes fractions
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return (issue.values.length > 1 ? 'one of ' : '') + issue.values.map((value) => shown(value)).join(', ');
    case 'too_small':
      return `at least ${String(issue.minimum)}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `at most ${String(issue.maximum)}${UNITS[issue.origin] ?? ''}`;
    default:
      return issue.message; // the schema's own words
  }
}

const UNITS: Readonly<Record<string, string>> = { array: ' element', string: ' character' };

/** A value as JSON, cut to a length that fits on a line. */
function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
