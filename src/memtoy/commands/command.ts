import type { Toy } from '../toy.js';
import type { Words } from '../words.js';

/**
 * Where a long command lets go for a moment: `working`, so that signals can come in; `pause`, until one has come.
 */
export type Wait = 'working' | 'pause';
export type Waiting = Generator<Wait, void, undefined>;

/** A command of the language. To add one: an entry in the list of the file it belongs to. */
export type Command = About & (Short | Long);

interface About {
  readonly name: string;
  /** Its arguments, as help shows them. */
  readonly usage: string;
  readonly about: string;
  /** More lines of help. */
  readonly more?: string;
}

/** Does it at once; a mistake is thrown. */
interface Short {
  readonly run: (toy: Toy, words: Words) => void;
  readonly runLong?: undefined;
}

/** Does it, and lets go now and then. */
interface Long {
  readonly runLong: (toy: Toy, words: Words) => Waiting;
  readonly run?: undefined;
}

/** What `help` prints of one command. */
export function detailsOf({ name, usage, about, more }: About): string {
  const lines = [
    `${name} ${usage}`.trimEnd(),
    `    ${about}`,
    ...(more ?? '').split('\n').filter((line) => line !== ''),
  ];
  return lines.join('\n');
}
