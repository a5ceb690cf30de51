import { MmError, type MmErrorCode } from '../errors.js';

/** Where a piece of text comes from, for error lines: `cannot read run "…": at character 9: …`. */
export interface Source {
  /** `run` or the name of an option. */
  readonly what: string;
  readonly code: MmErrorCode;
  readonly text: string;
}

/** Stands in `shape` for a character between quotes: it is text, never punctuation. */
const QUOTED = '\0';

/**
 * A stretch of the text a person typed, quotes resolved, that still knows where each character stood.
 * Punctuation is searched outside quotes only; inside them `\"` and `\\` stand for `"` and `\`.
 */
export class Piece {
  private constructor(
    readonly source: Source,
    readonly value: string,
    /** Like `value`, with every quoted character masked. */
    private readonly shape: string,
    /** Place in the source of each character, and of the end. */
    private readonly places: readonly number[],
  ) {}

  static scan(source: Source): Piece {
    const { text } = source;
    const places: number[] = [];
    let value = '';
    let shape = '';
    let openedAt = -1;
    for (let at = 0; at < text.length; at++) {
      if (text[at] === '"') {
        openedAt = openedAt < 0 ? at : -1;
        continue;
      }
      const isQuoted = openedAt >= 0;
      if (isQuoted && text[at] === '\\' && '"\\'.includes(text[at + 1] ?? ' ')) at++;
      value += text[at];
      shape += isQuoted ? QUOTED : text[at];
      places.push(at);
    }
    places.push(openedAt < 0 ? text.length : openedAt);
    const whole = new Piece(source, value, shape, places);
    if (openedAt >= 0) whole.fail('this quote is never closed', value.length);
    return whole;
  }

  get length(): number {
    return this.value.length;
  }

  /** As it was typed, quotes included. */
  get typed(): string {
    return this.source.text.slice(this.places[0], this.places[this.value.length]);
  }

  slice(from: number, until = this.value.length): Piece {
    return new Piece(
      this.source,
      this.value.slice(from, until),
      this.shape.slice(from, until),
      this.places.slice(from, until + 1),
    );
  }

  /** Place of the first unquoted character of `punctuation`, or -1. */
  find(punctuation: string, from = 0): number {
    for (let i = from; i < this.shape.length; i++) if (punctuation.includes(this.shape[i])) return i;
    return -1;
  }

  /** Splits at the first of `punctuation`; the second half is null without one and excludes the mark itself. */
  cut(punctuation: string): readonly [Piece, Piece | null] {
    const at = this.find(punctuation);
    return at < 0 ? [this, null] : [this.slice(0, at), this.slice(at + 1)];
  }

  /** Splits at every unquoted `mark` that `isMark` does not excuse. */
  split(mark: string, isMark: (shape: string, at: number) => boolean = () => true): Piece[] {
    const pieces: Piece[] = [];
    let from = 0;
    for (let at = this.find(mark); at >= 0; at = this.find(mark, at + 1)) {
      if (!isMark(this.shape, at)) continue;
      pieces.push(this.slice(from, at));
      from = at + 1;
    }
    return [...pieces, this.slice(from)];
  }

  /** Stops with the place and the reason. `at` counts within this piece. */
  fail(reason: string, at = 0, code = this.source.code): never {
    const place = this.places[Math.min(at, this.places.length - 1)] + 1;
    throw new MmError(
      code,
      `cannot read ${this.source.what} "${this.source.text}": at character ${String(place)}: ${reason}`,
    );
  }
}

/** `value` as it must be written inside a RUN word: quoted if it holds punctuation of the grammar. */
export function quoteIfNeeded(value: string): string {
  return /^!|[+:@="\\\s]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value;
}
