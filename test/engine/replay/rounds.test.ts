import { describe, expect, it } from 'vitest';
import { Rounds } from '../../../src/engine/replay/rounds.js';

/** Threads of successive quanta, one letter each: "aab" is two quanta of a and one of b. @returns whom each waited for */
function waits(letters: string, threads = 4): string[] {
  const rounds = new Rounds(threads);
  return Array.from({ length: letters.length }, (_, quantum) => {
    const waitedFor = rounds.next(letters.charCodeAt(quantum) - 97, quantum);
    return waitedFor === null ? '' : waitedFor.map((thread) => String.fromCharCode(97 + thread)).join('');
  });
}

describe('waiting, by the order of the rows', () => {
  it.each([
    // Nobody waits while the threads take turns, or for one turn only.
    ['abababab', []],
    ['abcabcabc', []],
    ['aaaa', []],
    ['aab', []], // b has just begun
    ['abaca', []],
    // Another thread has begun two quanta since: a whole round has gone by.
    ['baab', [[3, 'a']]],
    ['baaab', [[4, 'a']]],
    ['abbba', [[4, 'b']]],
    ['abcbca', [[5, 'bc']]],
    [
      'acbbcba',
      [
        [4, 'b'],
        [6, 'bc'],
      ],
    ],
    // Only those count that had rows meanwhile.
    ['cabba', [[4, 'b']]],
    [
      'cabbabac',
      [
        [4, 'b'],
        [7, 'ab'],
      ],
    ],
    // After it has waited a thread is like any other.
    ['abbbabab', [[4, 'b']]],
  ] as const)('%s', (letters, expected) => {
    const found = waits(letters).flatMap((whom, quantum) => (whom === '' ? [] : [[quantum, whom]]));
    expect(found).toEqual(expected);
  });

  it('a quantum that comes in pieces is one quantum: nobody waited for it', () => {
    const rounds = new Rounds(2);
    expect([rounds.next(0, 0), rounds.next(1, 1), rounds.next(1, 1), rounds.next(1, 1), rounds.next(0, 2)]).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});
