import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { machineNamed, parseMachineCatalogue, type MachineDescription } from '../../../src/hardware/index.js';
import { remoteShare, type RunResult } from '../../../src/stats/index.js';
import { tinyDescription } from '../../support/tiny-machine.js';
import { pathOf, replay } from './replays.js';

const catalogue = new URL('../../../src/data/machines.json', import.meta.url);
/** Row at which thread 0 of stream-serial-8t creates the other seven. */
const THREADS_START = 14348;

const machines: Record<string, MachineDescription> = {};
beforeAll(async () => {
  machines.tiny = tinyDescription({ framesPerNode: 16_384, cpusPerNode: 2 });
  machines.opteron = machineNamed(parseMachineCatalogue(await readFile(catalogue, 'utf8')), 'opteron-8347he-quad');
});

/** Time from one output to another as thread 0 saw it, without what went into moving pages. */
function timeBetween({ marks }: RunResult, from: string, until: string): number {
  const [start, end] = [from, until].map((text) => marks.find((mark) => mark.text === text));
  if (start === undefined || end === undefined) throw new Error(`no outputs ${from}, ${until}`);
  return end.atNs - end.movingNs - (start.atNs - start.movingNs);
}

describe.each(['tiny', 'opteron'])('one thread initialises, eight use, on four nodes (%s)', (name) => {
  const run = (trace: 'stream-serial-8t' | 'stream-parallel-8t', word: string) =>
    replay(pathOf(trace), word, { machine: machines[name] });

  it('first touch puts everything on the node of thread 0: three quarters of the misses are remote', async () => {
    const { region } = await run('stream-serial-8t', 'default');
    expect(region.rows.from).toBe(THREADS_START);
    expect(remoteShare(region)).toBeCloseTo(0.75, 4);
  });

  it('lazy unmapping when the threads are created lets each page follow its user', async () => {
    const lazy = await run('stream-serial-8t', 'default+lazy@threads');
    expect(lazy.actions).toMatchObject([
      { action: 'lazy@threads', row: THREADS_START, process: 0, pagesTouched: 6152 },
    ]);
    const after = lazy.phases[1];
    expect(after).toMatchObject({ name: 'after lazy@threads', rows: { from: THREADS_START } });
    expect(remoteShare(after)).toBeLessThan(0.001);
    // Of three arrays of 2,049 pages and some others, the quarter of node 0 stays and the rest is moved, each page once.
    expect(after.migration).toEqual({ tried: 4612, done: 4612, failed: { c6_well_placed: 1537 } });
    expect(after.faults).toEqual({ swap: 4612 + 1537 });
    expect(lazy.region.pagesPerNode).toEqual([1540, 1536, 1536, 1540]);
  });

  it('from then on the program is as fast as one whose threads initialise their own parts', async () => {
    const lazy = await run('stream-serial-8t', 'default+lazy@threads');
    const parallel = await run('stream-parallel-8t', 'default');
    const ratio = timeBetween(lazy, 'init done', 'repeat 2 done') / timeBetween(parallel, 'init done', 'repeat 2 done');
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(1.05);
  });

  it('lists apart what the moving cost', async () => {
    const { actions, region, marks } = await run('stream-serial-8t', 'default+lazy@threads');
    const [before, , , after] = marks;
    expect(before.movingNs).toBe(0);
    expect(after.movingNs).toBeGreaterThan(0);
    expect(actions[0].ownNs).toBeGreaterThan(0);
    expect(region.refaultNs).toBeCloseTo(region.faultNs, 3); // every fault of the region is one taken again
    expect(region.migrationNs).toBeGreaterThan(actions[0].ownNs); // unmapping, and the copies on the way
  });
});

describe('a file written by one process, mapped by a second and read by a third', () => {
  const run = (word: string) => replay(pathOf('filecache-3p'), word);

  it('stays where the writer touched it without hooks', async () => {
    const { pagesPerNode, region, whole } = await run('default');
    expect(pagesPerNode).toEqual([10_241, 0, 84, 246]); // before the last processes end
    expect(whole.pagesPerNode).toEqual(pagesPerNode);
    expect(region.migration).toEqual({ tried: 0, done: 0, failed: {} });
  });

  it('moves to the node of the process that maps it with hooks on (FP-80)', async () => {
    const [stays, moves] = [await run('default'), await run('default+hooks=on')];
    const { tried, done, failed } = moves.region.migration;
    expect([tried, done + (failed.m1_isolate ?? 0)]).toEqual([7681, tried]);
    expect(done).toBeGreaterThan(7600);
    // Of the second process's eight counting threads two sit on node 0, four on node 1 and two on node 2.
    expect(moves.pagesPerNode[0]).toBeLessThan(2600);
    expect(moves.pagesPerNode[1]).toBe(5120);
    expect(moves.pagesPerNode.reduce((a, b) => a + b)).toBeLessThanOrEqual(stays.pagesPerNode.reduce((a, b) => a + b));
    expect(remoteShare(stays.region)).toBeCloseTo(0.4807, 4);
    expect(remoteShare(moves.region)).toBeLessThan(0.12);
    expect(moves.attainable).toBe(false); // no mainline kernel does that
    expect(stays.attainable).toBe(true);
  });

  it('stays with the hook for files off: nothing else is unmapped here', async () => {
    const [stays, off] = [await run('default'), await run('default+hooks=on+hook-file=off')];
    expect(off.whole.migration).toEqual({ tried: 0, done: 0, failed: {} });
    expect({ ...off, run: stays.run }).toEqual(stays);
  });

  it('is unmapped by a lazy action of the process that maps it, and follows whoever faults next', async () => {
    const { actions, region } = await run('default+lazy=file@50%');
    expect(actions.map(({ process, pagesTouched }) => [process, pagesTouched])).toEqual([
      [0, 1],
      [1, 10_241],
      [2, 1],
    ]);
    expect(region.migration.done).toBeGreaterThan(7600);
  });
});
