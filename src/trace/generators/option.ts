import { parseMemorySize } from '../../memory-size.js';

/** An option of a generator, declared once: for the parser, the help and the error line. */
export interface GeneratorOption<Value = unknown> {
  readonly about: string;
  /** What holds when it is not given, as it would be written. */
  readonly initial: string;
  readonly expected: string;
  /** @returns undefined if the text is no such value */
  read(text: string): Value | undefined;
}

export type GeneratorOptions = Readonly<Record<string, GeneratorOption>>;
export type ValuesOf<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends GeneratorOption<infer Value> ? Value : never;
};

/** A whole number; `1e9` is one too. */
export function whole(about: string, initial: string, least: number, most: number): GeneratorOption<number> {
  return {
    ...{ about, initial },
    expected: `a whole number from ${String(least)} to ${String(most)}`,
    read(text) {
      const value = /^\d+(\.\d+)?(e\d+)?$/i.test(text) ? Number(text) : NaN;
      return Number.isSafeInteger(value) && value >= least && value <= most ? value : undefined;
    },
  };
}

/** A number with decimals. */
export function decimal(about: string, initial: string, least: number, most: number): GeneratorOption<number> {
  return {
    ...{ about, initial },
    expected: `a number from ${String(least)} to ${String(most)}`,
    read(text) {
      const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** An amount of memory with its unit, in 4 KiB pages. */
export function pages(about: string, initial: string, most: number, mostText: string): GeneratorOption<number> {
  return {
    ...{ about, initial },
    expected: `a size with its unit such as ${initial}, from 4KiB to ${mostText}`,
    read(text) {
      const value = parseMemorySize(text);
      return value !== undefined && value >= 1 && value <= most ? value : undefined;
    },
  };
}

export function oneOf<Word extends string>(about: string, words: readonly [Word, ...Word[]]): GeneratorOption<Word> {
  return {
    ...{ about, initial: words[0], expected: words.join(' or ') },
    read: (text) => words.find((word) => word === text),
  };
}
