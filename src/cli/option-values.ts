import { MmError } from '../errors.js';
import { parseMemorySize } from '../hardware/index.js';
import type { MemoryLimit, ReplayOptions } from '../run/index.js';

/** Readers of option values: each throws MmError BAD_OPTION, one line, for what it cannot read. */

export function wholeNumber(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    return refuse(option, text, `a whole number, at least ${String(least)}`);
  };
}

export function decimalNumber(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value >= least) return value;
    return refuse(option, text, `a number, at least ${String(least)}`);
  };
}

export function fileName(option: string): (text: string) => string {
  return (text) => (text === '' ? refuse(option, text, 'the name of a file, or - for standard output') : text);
}

export function oneOf<Word extends string>(option: string, words: readonly Word[]): (text: string) => Word {
  return (text) => words.find((word) => word === text) ?? refuse(option, text, words.join(' or '));
}

/** `3` times, or `10s` of virtual time. */
export function repeatOf(text: string): ReplayOptions['repeat'] {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(s?)$/.exec(text) ?? [];
  const value = Number(amount);
  if (unit === 's' && value > 0) return { seconds: value };
  if (unit === '' && Number.isSafeInteger(value) && value >= 1) return { times: value };
  return refuse('--repeat', text, 'a number of times such as 3, or seconds of virtual time such as 10s');
}

/** `1:512M` or `1:50%`, added to what earlier `--memory` options gave; for one node the last one holds. */
export function memoryOf(text: string, earlier: readonly MemoryLimit[]): MemoryLimit[] {
  const [, nodeText, amount] = /^(\d{1,4}):(.+)$/.exec(text) ?? [];
  if (amount === undefined) return refuseMemory(text);
  const node = Number(nodeText);
  const limit = amount.endsWith('%') ? { node, share: shareOf(amount, text) } : { node, pages: pagesOf(amount, text) };
  return [...earlier.filter((other) => other.node !== node), limit];
}

function shareOf(amount: string, text: string): number {
  const percent = Number(amount.slice(0, -1));
  return /^\d+(\.\d+)?%$/.test(amount) && percent > 0 ? percent / 100 : refuseMemory(text);
}

function pagesOf(amount: string, text: string): number {
  const pages = parseMemorySize(amount);
  return pages !== undefined && pages >= 1 ? pages : refuseMemory(text);
}

function refuseMemory(text: string): never {
  return refuse(
    '--memory',
    text,
    "NODE:SIZE such as 1:512M, or NODE:SHARE% of the trace's touched pages such as 1:50%",
  );
}

function refuse(option: string, text: string, expected: string): never {
  throw new MmError('BAD_OPTION', `${option} is "${text}"; expected ${expected}`);
}
