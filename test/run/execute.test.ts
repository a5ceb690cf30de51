import { fileURLToPath } from 'node:url';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { replayTrace } from '../../src/engine/index.js';
import { DEFAULT_MACHINE, machineNamed, parseMachineCatalogue } from '../../src/hardware/machine-file.js';
import type { MachineDescription } from '../../src/hardware/machine-description.js';
import { DEFAULT_OPTIONS, parseRun, type RunRequest } from '../../src/run/index.js';
import { builtExecuteRuns } from '../support/built-mof.js';

const data = (path: string): string => fileURLToPath(new URL(`../../src/data/${path}`, import.meta.url));
const NEVER = new AbortController().signal;
const silent = () => undefined;

let machine: MachineDescription;
let executeRuns: Awaited<ReturnType<typeof builtExecuteRuns>>;
beforeAll(async () => {
  machine = machineNamed(parseMachineCatalogue(await readFile(data('machines.json'), 'utf8')), DEFAULT_MACHINE);
  executeRuns = await builtExecuteRuns();
});

const request = (run: string, options: Partial<RunRequest['options']> = {}): RunRequest => ({
  tracePath: data('traces/mini-stream-4t.parquet'),
  spec: parseRun(run),
  machine,
  seed: 1,
  options: { ...DEFAULT_OPTIONS, ...options },
});

describe('runs in worker threads', () => {
  it('equal the same run in the main thread, and come in the order asked for', async () => {
    const words = ['interleave=all', 'default', 'default+lazy@threads'];
    const results = await executeRuns(
      words.map((word) => request(word)),
      silent,
      NEVER,
    );
    expect(results.map(({ run }) => run)).toEqual(words);
    for (const result of results) expect(result).toEqual(await replayTrace(request(result.run), silent));
  });

  it('report the rows that each of them has behind it', async () => {
    const rows = [0, 0];
    await executeRuns([request('default'), request('bind=0')], (run, rowsDone) => (rows[run] = rowsDone), NEVER);
    expect(rows).toEqual([540746, 540746]);
  });

  it('all stop at the first that was given something wrong, and its mistake is thrown', async () => {
    const runs = [request('default', { repeat: { times: 100_000 } }), request('bind=7')];
    await expect(executeRuns(runs, silent, NEVER)).rejects.toMatchObject({ name: 'MmError', code: 'BAD_NODES' });
  });

  it('all stop when they are aborted, with the reason given', async () => {
    const abort = new AbortController();
    const runs = [
      request('default', { repeat: { times: 100_000 } }),
      request('bind=0', { repeat: { times: 100_000 } }),
      request('default'),
    ];
    const reason = new Error('enough');
    const stopped = executeRuns(
      runs,
      () => {
        abort.abort(reason);
      },
      abort.signal,
    );
    await expect(stopped).rejects.toBe(reason);
    await expect(executeRuns(runs, silent, abort.signal)).rejects.toBe(reason);
  });
});
