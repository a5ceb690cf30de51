import { mistake } from './mistake.js';

/** A word of a line, and the column of its first character, from 1. */
export interface Word {
  readonly text: string;
  readonly column: number;
}

/** What a command reads its arguments from: the words of one line, taken one after the other. */
export class Words {
  private readonly words: readonly Word[];
  private next = 0;
  /** What goes before the message if an argument is missing, and what follows it; set once the command is known. */
  command = { name: '', help: '' };

  /** @param line its number in the script, from 1 */
  constructor(
    private readonly text: string,
    readonly line: number,
  ) {
    this.words = [...text.matchAll(/[^ \t]+/g)].map((match) => ({ text: match[0], column: match.index + 1 }));
  }

  peek(): Word | undefined {
    return this.words.at(this.next);
  }

  take(): Word | undefined {
    const word = this.peek();
    if (word !== undefined) this.next++;
    return word;
  }

  /** The next word, which has to be there. */
  need(argument: string): Word {
    const word = this.take();
    if (word !== undefined) return word;
    throw mistake(`command '${this.command.name}' missing required argument: ${argument}\n${this.command.help}`);
  }

  /** All that is left of the line, as it was written. */
  rest(): string {
    const word = this.peek();
    this.next = this.words.length;
    return word === undefined ? '' : this.text.slice(word.column - 1).trimEnd();
  }

  /** The column behind what was taken last. */
  get columnAfter(): number {
    const last = this.words.at(this.next - 1);
    return this.next === 0 || last === undefined ? 1 : last.column + last.text.length;
  }

  /** Where a word stands, for the messages of commands that the real memtoy does not have. */
  placeOf(word: Word): string {
    return `line ${this.line}, column ${word.column}`;
  }

  /** Nothing may follow. For the same commands: the real ones ignore what follows. */
  end(): void {
    const word = this.peek();
    if (word !== undefined) throw mistake(`${this.placeOf(word)}: "${word.text}" is one word too many`);
  }
}

const BASE_PAGE = 4096;
const SCALES: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, p: BASE_PAGE };

/**
 * A size or an offset: a number as C reads it, and one letter k, m, g or p (base pages). What follows the letter is
 * ignored, and no digits are 0.
 *
 * @returns bytes
 */
export function parseSize(text: string): number {
  const [, digits = '', letter = ''] = /^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)?(.)?/.exec(text) ?? [];
  const isOctal = /^0[0-7]+$/.test(digits);
  const value = digits === '' ? 0 : isOctal ? Number.parseInt(digits, 8) : Number(digits);
  if (letter === '') return value;
  const scale = SCALES[letter.toLowerCase()];
  if (scale === undefined) throw mistake(`bad size:  ${text} (expected a number and k, m, g or p)`);
  return value * scale;
}

/** Pages of a segment: the first one, and how many. */
export interface PageRange {
  readonly first: number;
  readonly pages: number;
}

/**
 * A range if the next word begins with a digit: two words, offset and length; length 0 or `*` means to the end. The offset
 * rounds down and the length up to whole pages; what reaches beyond the end is cut off.
 *
 * @returns null if there is none
 */
export function readRange(words: Words, name: string, lengthBytes: number): PageRange | null {
  if (!/^\d/.test(words.peek()?.text ?? '')) return null;
  const offset = parseSize(words.need('offset').text);
  const lengthWord = words.need('length').text;
  const length = lengthWord === '*' ? 0 : parseSize(lengthWord);
  if (offset >= lengthBytes) throw mistake(`offset ${String(offset)} is past end of segment ${name}`);
  const first = Math.floor(offset / BASE_PAGE);
  const left = Math.ceil(lengthBytes / BASE_PAGE) - first;
  return { first, pages: length === 0 ? left : Math.min(left, Math.ceil(length / BASE_PAGE)) };
}

/** Comma-separated decimal numbers, each at most `highest`: nodes or CPUs. */
export function readIds(text: string, what: 'node' | 'cpu', highest: number): number[] {
  return text.split(',').map((item) => {
    if (!/^\d+$/.test(item)) throw mistake(`bad ${what} list:  ${text} (expected numbers with commas between them)`);
    const id = Number(item);
    if (id > highest) throw mistake(`${what} ${item} is not there:  the highest ${what} is ${highest}`);
    return id;
  });
}

/** `0x3` or `0x1,0x00000003`: words of 32 bits, the highest first. @returns the bits that are set */
export function readMask(text: string): number[] {
  const bits: number[] = [];
  text
    .split(',')
    .reverse()
    .forEach((word, i, { length }) => {
      if (!/^(0x)?[0-9a-f]+$/i.test(word)) throw mistake(`bad mask:  ${text} (expected 0x and hexadecimal digits)`);
      const value = BigInt(`0x${word.replace(/^0x/i, '')}`);
      if (length > 1 && value >= 1n << 32n) throw mistake(`bad mask:  ${text} (a word has 32 bits)`);
      for (let bit = 0n; value >> bit > 0n; bit++) if (((value >> bit) & 1n) === 1n) bits.push(i * 32 + Number(bit));
    });
  return bits;
}

/** Bits as words of 32, the highest first, leading zero words left out. */
export function maskWords(bits: readonly number[]): string[] {
  const words = Array.from({ length: Math.max(1, Math.ceil((Math.max(0, ...bits) + 1) / 32)) }, () => 0);
  for (const bit of bits) words[bit >> 5] = (words[bit >> 5] | (1 << (bit & 31))) >>> 0;
  return words.reverse().map((word) => `0x${word.toString(16).padStart(8, '0')}`);
}

/** Bits as one number: `0x5`. */
export function maskNumber(bits: readonly number[]): string {
  return `0x${bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n).toString(16)}`;
}

export const pagesOf = (bytes: number): number => Math.ceil(bytes / BASE_PAGE);
export const bytesOf = (pages: number): number => pages * BASE_PAGE;
