import { fileURLToPath } from 'node:url';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { replayTrace } from '../../src/engine/index.js';
import { DEFAULT_MACHINE, machineNamed, parseMachineCatalogue } from '../../src/hardware/machine-file.js';
import type { MachineDescription } from '../../src/hardware/machine-description.js';
import { DEFAULT_OPTIONS, parseRun, type RunRequest } from '../../src/run/index.js';
import { builtExecuteRuns } from '../support/built-mof.js';
import { temporaryDirectory } from '../support/tmp-dir.js';
import { writeTrace, type Row } from '../support/write-trace.js';

const data = (path: string): string => fileURLToPath(new URL(`../../src/data/${path}`, import.meta.url));
const NEVER = new AbortController().signal;
const dir = await temporaryDirectory();
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

  it.each([{ jobs: 1 }, { jobs: 2 }, { jobs: 4 }, { traceBytes: 0 }])(
    'give the same results with %j: together, in turn, and each with its own reading of the file',
    async (options) => {
      const words = ['default+lazy@threads', 'oracle', 'bind=0', 'default+automigrate=lazy+task=1:1@50%'];
      const requests = words.map((word) => request(word, { order: 'clocks' }));
      let tooLarge = 0;
      const results = await executeRuns(requests, silent, NEVER, { ...options, onTooLarge: () => tooLarge++ });
      expect(tooLarge).toBe('traceBytes' in options ? 1 : 0);
      for (const [i, result] of results.entries()) expect(result).toEqual(await replayTrace(requests[i], silent));
    },
  );

  it('whose plug-in does not return end with a line that names the question, and the others go on', async () => {
    const file = join(dir, 'loops.mjs');
    await writeFile(
      file,
      `export default { name: 'loops', about: 'never answers', nodes: 'none', fallback: 'any', rebind: 'keep',
        create: () => ({ place(fault) { while (fault.index % 64 === 63); return fault.cpuNode; }, misplaced: () => -1 }) };`,
    );
    const results = await executeRuns([request(file), request('default')], silent, NEVER, { answerMs: 1000 });
    const { outcome } = results[0];
    expect(outcome.kind).toBe('failed');
    expect('message' in outcome && outcome.message).toMatch(
      /^policy .*loops\.mjs: place of page \d+ \(index \d+, thread \d+ on node \d, a (write|read)\) does not return$/,
    );
    expect(results[1].outcome.kind).toBe('done');
  });

  it('all stop at a bad row of the trace that they share, and it is named', async () => {
    const rows: Row[] = Array.from({ length: 200 }, (_, i) => [i, 0, i % 7, 0, 1, i === 150 ? 2 : 1]);
    const tracePath = await writeTrace(dir, 'bad', { rows, groupRows: 50 });
    const runs = [request('default'), request('bind=0'), request('bind=1')].map((run) => ({ ...run, tracePath }));
    await expect(executeRuns(runs, silent, NEVER, { jobs: 1 })).rejects.toMatchObject({
      code: 'BAD_TRACE',
      message: expect.stringContaining('row 150: miss is 2') as string,
    });
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
