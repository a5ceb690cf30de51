import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/stats/index.js';
import type { Sidecar } from '../../../src/trace/index.js';
import { replayOn } from '../../../src/engine/replay/replay-on.js';
import { batchFrom } from '../../../src/trace/batch.js';
import { openTrace } from '../../../src/trace/readers/index.js';
import { asCpuId } from '../../../src/units.js';
import { POLICIES, request, tinyMachine } from '../../support/tiny-machine.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, file, fileMapping, output, writeTrace, type Row } from '../../support/write-trace.js';
import { read, replayRows, write, type ReplayOf } from './replays.js';

const dir = await temporaryDirectory();
const run = (
  rows: readonly Row[],
  word: string,
  sidecar: Partial<Sidecar> = {},
  of: ReplayOf = {},
): Promise<RunResult> => replayRows(dir, { rows, sidecar }, word, { tiny: { nodes: 2 }, ...of });

/** Thread 0 writes so many pages, one per row. */
const writes = (pages: number): Row[] => Array.from({ length: pages }, (_, page) => write(0, 0, page));

describe('outcomes of a replay', () => {
  it('a policy that may not leave a full node, and no swap: OOM at the row, with the nodes it was kept to', async () => {
    const { outcome, pagesPerNode, whole } = await run(
      writes(500),
      'bind=1+swap=off',
      {},
      {
        tiny: { nodes: 2, framesPerNode: 400 },
      },
    );
    expect(outcome).toMatchObject({ kind: 'oom', thread: 0, nodes: '1' });
    const row = outcome.kind === 'oom' ? outcome.row : -1;
    expect(pagesPerNode).toEqual([0, row]); // every row before it got its page
    expect(row).toBeGreaterThan(300);
    expect(row).toBeLessThan(400);
    expect(whole.rows).toEqual({ from: 0, until: row }); // what is reported ends there
  });

  it('the same with swap: pages go out and everything is done', async () => {
    const { outcome, counters, pagesPerNode } = await run(
      writes(500),
      'bind=1',
      {},
      { tiny: { nodes: 2, framesPerNode: 400 } },
    );
    expect(outcome).toEqual({ kind: 'done' });
    expect(counters.pswpout).toBeGreaterThan(100);
    expect(pagesPerNode[0]).toBe(0);
  });

  it('OOM under the policy of a region names the nodes of that policy', async () => {
    const { outcome } = await run(
      [...writes(50), ...Array.from({ length: 450 }, (_, i) => write(1, 0, 50 + i))],
      'default+vma=table:bind=1+swap=off',
      { regions: [anonymous({ pages: 50 }), anonymous({ id: 1, first_page: 50, pages: 450, name: 'table' })] },
      { tiny: { nodes: 2, framesPerNode: 400 } },
    );
    expect(outcome).toMatchObject({ kind: 'oom', nodes: '1' });
  });

  it('OOM of a policy that only prefers its node names all of them', async () => {
    const { outcome } = await run(
      [...writes(300), ...writes(500)],
      'preferred=1',
      {},
      { tiny: { nodes: 2, framesPerNode: 96 } },
    );
    expect(outcome).toMatchObject({ kind: 'oom', nodes: '0,1' });
  });

  it('a page beyond the end of its file: SIGBUS at the row', async () => {
    // A trace has no such page: the file is cut while it is replayed, between the second row and the third.
    const rows = [read(0, 0, 0), read(0, 0, 1), read(0, 0, 2), read(0, 0, 3)];
    const sidecar = {
      regions: [file({ id: 1, first_page: 0, pages: 4 })],
      file_mappings: [fileMapping({ region: 1, pages: 4 })],
    };
    const source = await openTrace(await writeTrace(dir, 'cut', { rows, sidecar }));
    const machine = tinyMachine({ nodes: 2 });
    const replayed = await replayOn({
      ...{ machine, cpus: new Map([[0, asCpuId(0)]]), region: { from: 0, until: 4 }, actions: [], vmaPolicies: [] },
      ...{ runPolicy: request(POLICIES.default), order: 'rows', repeat: { times: 1 }, progress: () => undefined },
      source: {
        ...source,
        sidecar: source.sidecar,
        async *batches() {
          for await (const batch of source.batches()) {
            yield { ...batch, rows: 2 };
            machine.files.get(1).sizePages = 2;
            yield { ...batchFrom(batch, 2) };
          }
        },
      },
    });
    source.close();
    expect(replayed.outcome).toEqual({ kind: 'sigbus', row: 2, thread: 0 });
    expect(replayed.whole).toMatchObject({ accessesLocal: 2, faults: { file_major: 2, sigbus: 1 } });
  });

  it('after a failure nothing more is carried out, and the result has what was done until then', async () => {
    const rows = [...writes(500), write(1, 1, 0)];
    const { outcome, actions, marks, whole } = await run(
      rows,
      'bind=1+hooks=on+task=1:0@row:500+swap=off',
      { events: [output(500, 'written')] },
      { tiny: { nodes: 2, framesPerNode: [2000, 96] } },
    );
    expect(outcome).toMatchObject({ kind: 'oom', nodes: '1' });
    expect(actions).toEqual([]);
    expect(marks).toEqual([]);
    expect(whole.accessesLocal + whole.accessesRemote).toBe(outcome.kind === 'oom' ? outcome.row : -1);
    expect(whole.faults.oom).toBe(1);
  });
});

describe('what contradicts itself', () => {
  const rows = writes(10);

  it.each([
    ['default+lazy+swap=off', 'BAD_RUN', /lazy needs swap slots/],
    ['default+hooks=on+profile=linux-6.12', 'BAD_RUN', /profile linux-6\.12 is a mainline kernel/],
    ['default+lazy+profile=linux-6.12', 'BAD_RUN', /linux-6\.12/],
    ['default+lazy+profile=linux-6.1', 'BAD_RUN', /linux-6\.1 /],
    ['default+hook-file=on+profile=linux-6.1', 'BAD_RUN', /linux-6\.1 /],
    ['interleave', 'BAD_RUN', /policy "interleave" needs nodes/],
    ['default=0', 'BAD_RUN', /policy "default" takes no nodes/],
    ['interleaf=all', 'BAD_POLICY', /did you mean "interleave"/],
    ['bind=5', 'BAD_NODES', /5/],
    ['interleave=all:stride=2', 'BAD_RUN', /policy "interleave" has no option "stride"/],
    ['default+cpus=9', 'BAD_RUN', /CPU 9 is not on this machine/],
  ])('%s is a mistake of the run', async (word, code, message) => {
    await expect(run(rows, word)).rejects.toMatchObject({
      name: 'MmError',
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it.each(['mof', 'mof-2006', 'linux-6.1', 'linux-6.12'])('profile=%s replays a plain run', async (profile) => {
    const result = await run(rows, `default+profile=${profile}`);
    expect(result).toMatchObject({ profile, outcome: { kind: 'done' }, pagesPerNode: [10, 0] });
  });

  it('a trace that does not fit into memory with swap off is said beforehand: needs, has, and what to do', async () => {
    await expect(
      run(writes(500), 'default+swap=off', {}, { tiny: { nodes: 2, framesPerNode: 200 } }),
    ).rejects.toMatchObject({
      code: 'NO_ROOM',
      message: expect.stringMatching(
        /needs .* at once, machine tiny has .*, and swap is off; use swap=on or a larger machine/,
      ) as unknown,
    });
  });

  it('but one that gives memory back in time fits', async () => {
    // Three times 150 pages, one after the other at the same address, on 300 frames.
    const rows = Array.from({ length: 450 }, (_, page) => write(0, 0, page));
    const part = (i: number) =>
      anonymous({
        ...{ id: i, first_page: 150 * i, pages: 150, vaddr: '0x7f0000000000' },
        ...{ map_row: 150 * i, unmap_row: 150 * (i + 1) },
      });
    const events = [0, 1].map((i) => ({
      row: 150 * (i + 1),
      kind: 'unmap' as const,
      tid: 0,
      first_page: 150 * i,
      pages: 150,
    }));
    const regions = [0, 1, 2].map(part);
    const fits = await run(rows, 'default+swap=off', { regions, events }, { tiny: { nodes: 2, framesPerNode: 150 } });
    expect(fits.outcome).toEqual({ kind: 'done' });
  });
});
