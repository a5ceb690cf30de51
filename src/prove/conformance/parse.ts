import { MmError } from '../../errors.js';
import { OPERATIONS, type RecordedCase, type Recording } from './recording.js';

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

/** @throws MmError BAD_TRACE if the text is no recording, or has an operation nobody knows: what, and where */
export function parseRecording(text: string, where: string): Recording {
  const bad = (what: string): never => {
    throw new MmError('BAD_TRACE', `${where} ${what}`);
  };
  if (text.trim() === '') bad('is empty; expected a recording (JSON)');
  let recording: unknown;
  try {
    recording = JSON.parse(text);
  } catch (error) {
    bad(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { format, cases, kernel } = (isRecord(recording) ? recording : {}) as Partial<Recording>;
  if (format !== FORMAT || !Array.isArray(cases) || !isRecord(kernel) || typeof kernel.version !== 'string') {
    bad(`is no recording: expected "format": "${FORMAT}", a kernel with its version, and cases`);
  }
  (cases as readonly unknown[]).forEach((recorded, i) => {
    const wrong = wrongCase(recorded);
    if (wrong !== null) bad(`has a bad case: ${nameOf(recorded, i)}: ${wrong}`);
  });
  return recording as Recording;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const nameOf = (recorded: unknown, i: number): string =>
  isRecord(recorded) && typeof recorded.name === 'string' ? recorded.name : `cases[${String(i)}]`;

/** @returns what is wrong with a case, or null */
function wrongCase(recorded: unknown): string | null {
  const { name, category, machine, steps } = (isRecord(recorded) ? recorded : {}) as Partial<RecordedCase>;
  if (typeof name !== 'string' || typeof category !== 'string') return 'expected a name and a category';
  if (!isRecord(machine) || !Array.isArray(machine.nodes) || !Array.isArray(machine.distance)) {
    return 'expected a machine with nodes and distance';
  }
  if (!Array.isArray(steps)) return 'expected steps';
  return (steps as readonly unknown[]).map(wrongStep).find((wrong) => wrong !== null) ?? null;
}

function wrongStep(step: unknown, i: number): string | null {
  const at = `step ${String(i)}`;
  if (!isRecord(step) || typeof step.op !== 'string') return `${at}: expected a call: "op" and its arguments`;
  if (!OPERATIONS.has(step.op)) return `${at}: unknown operation ${JSON.stringify(step.op)}; known: ${known}`;
  const { result } = step;
  if (!isRecord(result) || typeof result.ret !== 'number') return `${at}: expected a result with "ret"`;
  return null;
}
const known = [...OPERATIONS].join(', ');
