import { beforeAll, describe, expect, it } from 'vitest';
import type { executeRuns as ExecuteRuns, RunRequest } from '../../src/run/index.js';
import type { replayTrace as ReplayTrace } from '../../src/engine/index.js';
import type { RunResult } from '../../src/stats/index.js';
import { builtExecuteRuns, builtReplayTrace } from '../support/built-mof.js';
import { pathOf, replay, requestFor, type ReplayOf } from './replay/replays.js';

// Runs as they are built: workers need JavaScript, and what people use is that.
let executeRuns: typeof ExecuteRuns;
let replayTrace: typeof ReplayTrace;
/** Each run in a worker of its own, as bytes. */
let apart: string[];
beforeAll(async () => {
  [executeRuns, replayTrace] = await Promise.all([builtExecuteRuns(), builtReplayTrace()]);
  apart = await inWorkers(all());
});

const NEVER = new AbortController().signal;
const silent = () => undefined;
const bytes = (result: RunResult): string => JSON.stringify(result);

async function inWorkers(requests: readonly RunRequest[]): Promise<string[]> {
  return (await executeRuns(requests, silent, NEVER)).map(bytes);
}

/** Runs that together use every part: hooks, lazy, pressure on memory, both orders, read-ahead, the oldest profile. */
const WORDS: readonly (readonly [string, ReplayOf])[] = [
  ['default', {}],
  ['interleave=all+hooks=on', {}],
  ['oracle', { options: { order: 'clocks' } }],
  ['default+lazy@threads+cpus=spread', { options: { order: 'clocks' } }],
  ['bind=0', { options: { memory: [{ node: 0, share: 0.6 }] } }],
  ['preferred=1+lazy@50%+readahead=on+fault-around=on+page-cluster=3', { options: { repeat: { times: 2 } } }],
  ['default+lazy@threads+profile=mof-2006', {}],
];
const TRACE = pathOf('stream-serial-8t');
const all = () => WORDS.map(([word, of]) => requestFor(TRACE, word, of));

describe('the same input and seed', () => {
  it.each(WORDS)('%s: two runs give the same bytes', async (word, of) => {
    const [first, second] = [await replay(TRACE, word, of), await replay(TRACE, word, of)];
    expect(first.outcome).toEqual({ kind: 'done' });
    expect(bytes(second)).toBe(bytes(first));
  });

  it('give the same bytes in a worker and in the main thread, one after the other', async () => {
    for (const [i, request] of all().entries()) expect(bytes(await replayTrace(request, silent))).toBe(apart[i]);
  });

  it('give the same bytes built and from the sources', async () => {
    for (const [i, [word, of]] of WORDS.entries()) expect(bytes(await replay(TRACE, word, of))).toBe(apart[i]);
  });

  it('give the same bytes whatever ran before', async () => {
    expect((await inWorkers(all().reverse())).reverse()).toEqual(apart);
  });
});

describe('another seed', () => {
  it('is noted in the result; the bundled policies do not draw', async () => {
    const [first, second] = await Promise.all([replay(TRACE, 'default'), replay(TRACE, 'default', { seed: 2 })]);
    expect([first.seed, second.seed]).toEqual([1, 2]);
    expect({ ...second, seed: 1 }).toEqual(first);
  });
});
