import type { z } from 'zod';
import { MmError } from '../../errors.js';
import { firstMistake } from '../../schema-mistake.js';
import { conflictIn } from './check-case.js';
import type { RecordedCase, Recording, Step } from './recording.js';
import { CASE, STEPS } from './schema.js';

const FORMAT = 'numa-placement-conformance-1';

/** Kernels whose recordings can be replayed, oldest first: 6.1 has its own profile, later ones equal 6.12 (K section 7). */
const KERNELS = [
  { from: [6, 1], until: [6, 1], profile: 'linux-6.1' },
  { from: [6, 12], until: [6, 18], profile: 'linux-6.12' },
] as const;
const KNOWN = KERNELS.map(({ from, until, profile }) => {
  const [first, last] = [from.join('.'), until.join('.')];
  return `${first === last ? first : `${first} to ${last}`} (${profile})`;
}).join(', ');

/** The profile that stands for a kernel. @throws MmError BAD_TRACE if there is none */
export function profileOf(version: string, where: string): string {
  const [, major, minor] = /^(\d+)\.(\d+)(?=[.\-+ ]|$)/.exec(version) ?? [];
  const number = Number(major) * 1000 + Number(minor);
  const at = ([a, b]: readonly [number, number]) => a * 1000 + b;
  const kernel = KERNELS.find(({ from, until }) => number >= at(from) && number <= at(until));
  if (kernel !== undefined) return kernel.profile;
  throw new MmError(
    'BAD_TRACE',
    `${where} is of kernel ${JSON.stringify(version)}, for which there is no profile. Known: ${KNOWN}; --profile NAME replays it under one of them`,
  );
}

/**
 * The recording in `text`, checked against the form of its operations and against itself.
 *
 * @param where what to call it in an error
 * @throws MmError BAD_TRACE: one line with the file, the case, the step, the field, what it holds and what was expected
 */
export function parseRecording(text: string, where: string): Recording {
  const bad = (what: string): never => {
    throw new MmError('BAD_TRACE', `${where}${what}`);
  };
  if (text.trim() === '') bad(' is empty; expected a recording (JSON)');
  let recording: unknown;
  try {
    recording = JSON.parse(text);
  } catch (error) {
    bad(` is not JSON: ${error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error)}`);
  }
  const { format, cases, kernel } = (isRecord(recording) ? recording : {}) as Partial<Recording>;
  if (format !== FORMAT || !Array.isArray(cases) || !isRecord(kernel) || typeof kernel.version !== 'string') {
    bad(` is no recording: expected "format": "${FORMAT}", a kernel with its version, and cases`);
  }
  const list = cases as readonly unknown[];
  if (list.length === 0) bad(' has no cases; expected at least one');
  list.forEach((recorded, i) => {
    const wrong = wrongCase(recorded);
    if (wrong !== null) bad(`: case ${nameOf(recorded, i)}${wrong}`);
  });
  return recording as Recording;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const nameOf = (recorded: unknown, i: number): string =>
  isRecord(recorded) && typeof recorded.name === 'string' ? recorded.name : String(i);

/** @returns what is wrong with a case, or null */
function wrongCase(recorded: unknown): string | null {
  const form = wrongForm(CASE, recorded);
  if (form !== null) return `: ${form}`;
  const { steps } = recorded as RecordedCase;
  const at = (i: number) => `, step ${String(i)} (${String((steps[i] as Partial<Step> | null)?.op)})`;
  for (const [i, step] of (steps as readonly unknown[]).entries()) {
    const { op } = (isRecord(step) ? step : {}) as Partial<Step>;
    if (typeof op !== 'string') return `, step ${String(i)}: expected a call: "op" and its arguments`;
    const schema = STEPS.get(op);
    if (schema === undefined) return `, step ${String(i)}: unknown operation ${JSON.stringify(op)}; known: ${known}`;
    const wrong = wrongForm(schema, step);
    if (wrong !== null) return `${at(i)}: ${wrong}`;
  }
  const conflict = conflictIn(recorded as RecordedCase);
  if (conflict === null) return null;
  const { step, field, came, expected } = conflict;
  return `${step === null ? '' : at(step)}: ${field} ${came}; expected ${expected}`;
}

function wrongForm(schema: z.ZodType, value: unknown): string | null {
  const { error } = schema.safeParse(value);
  if (error === undefined) return null;
  const { field, came, issue } = firstMistake(error, value);
  return `${field === '' ? 'it' : field} ${came}; expected ${issue.message}`;
}
const known = [...STEPS.keys()].join(', ');
