import type { MachineDescription } from '../hardware/index.js';

/** What publications span, and what they are. */
export interface Published {
  readonly from: number;
  readonly until: number;
  readonly what: string;
}

export interface ConstantRange {
  readonly from: number;
  readonly until: number;
  readonly basis: string;
}

/** Of a value that was measured on the machine, or follows from what was: what figures of one thing differ by. */
const KNOWN = 1.2;
/** Of one that was not. */
const UNKNOWN = 2;

/**
 * The range of a constant. Measured: what publications span if that holds it, else a fifth more or less. Not measured on
 * this machine: half and twice, and what publications span besides.
 */
export function rangeOf(used: number, certainty: Certainty, published: Published | null): ConstantRange {
  const spans = published !== null && published.from <= used && used <= published.until;
  if (certainty.isKnown && published !== null && spans) {
    return { from: published.from, until: published.until, basis: `${certainty.text}; ${published.what}` };
  }
  if (certainty.isKnown)
    return { from: used / KNOWN, until: used * KNOWN, basis: `${certainty.text}: a fifth either way` };
  const from = Math.min(used / UNKNOWN, published?.from ?? Infinity);
  const until = Math.max(used * UNKNOWN, published?.until ?? 0);
  const basis = `${certainty.text}: half and twice`;
  return { from, until, basis: published === null ? basis : `${basis}, and what was ${published.what}` };
}

export interface Certainty {
  readonly isKnown: boolean;
  readonly text: string;
}

/** How well a machine's value is known, `field` as in its file. */
export function certaintyOf({ origins = [], assumed }: MachineDescription, field: string): Certainty {
  const mark = origins.find((origin) => origin.field === field)?.mark ?? 'given';
  const isFilled = assumed.some((sentence) => sentence.startsWith(`${field}: remote `));
  const isKnown = !isFilled && (mark === 'given' || mark === 'read' || mark === 'derived');
  return { isKnown, text: isFilled ? 'the remote part is assumed' : TEXTS[mark] };
}

const TEXTS = {
  given: 'given for this machine',
  read: 'measured on this machine',
  derived: 'follows from what was measured on this machine',
  recalled: 'remembered, not looked up',
  estimated: 'estimated for this machine',
  assumed: 'assumed for this machine',
} as const;
