import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong with a document that a schema describes, as far as one line goes. */
export interface Mistake {
  readonly issue: Issue;
  readonly path: readonly PropertyKey[];
  /** Where it is, as one writes it: `nodes[0].pages`; empty for the document itself. */
  readonly field: string;
  /** What came: `is -1`, or `is missing`. */
  readonly came: string;
}

/** The first mistake of a document. The schema's messages say what was expected. */
export function firstMistake(error: z.ZodError, raw: unknown): Mistake {
  const { issue, path } = sharpest(error.issues[0], raw);
  return { issue, path, field: fieldName(path), came: cameAs(valueAt(raw, path)) };
}

/** A value on one line: `is -1`, or `is missing`. */
export function cameAs(value: unknown): string {
  return value === undefined ? 'is missing' : `is ${short(value)}`;
}

/** Of a value with several forms, the mistake within the form that was meant: the one that got furthest into it. */
function sharpest(
  issue: Issue,
  raw: unknown,
  above: readonly PropertyKey[] = [],
): { issue: Issue; path: PropertyKey[] } {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union') return { issue, path };
  const meant = issue.errors
    .map((form) => form[0])
    .find((first) => first.path.length > 0 || !['invalid_type', 'invalid_union'].includes(first.code));
  return meant === undefined ? { issue, path } : sharpest(meant, raw, path);
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${String(step)}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined,
    raw,
  );
}

function short(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
