import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadMachine } from '../../src/cli/load-machine.js';
import { remoteShare, type RunResult } from '../../src/stats/index.js';
import { pathOf, replay } from '../engine/replay/replays.js';
import { claimsIn, resultsOf, tableOf } from './claims.js';

const PATH = fileURLToPath(new URL('../../docs/claims.md', import.meta.url));
const document = await readFile(PATH, 'utf8');
const claims = claimsIn(document);
const results = await Promise.all(claims.map(resultsOf));
if (process.env.CLAIMS === 'write') {
  let text = document;
  claims.forEach(({ table }, i) => (text = text.replace(table, () => tableOf(results[i]))));
  await writeFile(PATH, text);
}

/** The run of a table whose word ends so. */
function row(table: number, end: string): RunResult {
  const found = results[table].find(({ run }) => run.endsWith(end));
  if (found === undefined) throw new Error(`no run of table ${table} ends with ${end}`);
  return found;
}
const lastPhase = ({ phases }: RunResult) => phases[phases.length - 1];
/** Pages on nodes 0 and 1 at the end; the others have none. */
const pagesOf = (result: RunResult) => lastPhase(result).pagesPerNode.slice(0, 2);

describe('docs/claims.md', () => {
  it('has five commands, and every run ends well', () => {
    expect(claims.map(({ runs }) => runs.length)).toEqual([11, 5, 4, 6, 6]);
    expect(results.flat().map(({ outcome }) => outcome.kind)).toEqual(Array(32).fill('done'));
  });

  it.each([0, 1, 2, 3, 4])('table %i is what its command comes to', (table) => {
    expect(claims[table].table).toBe(tableOf(results[table]));
  });
});

// Pages the program maps when it is moved, and those it touches afterwards.
const MAPPED = 102;
const USED = 100;

describe('the claims of the mails', () => {
  const LEFT = row(0, '+task=all:1@40%');
  const SWAP = row(0, '+profile=swap-2006');
  const movers = [
    '+move@40%',
    '+migrate=0:1@40%',
    '+profile=direct-2005',
    '+profile=mof-2006',
    '+automigrate=direct',
    '+cpuset=1:migrate@40%',
  ];
  const lazies = ['+lazy@40%', '+automigrate=lazy'];

  it.each([...movers, ...lazies])('%s beats swap: done sooner, less lost, no I/O', (end) => {
    const [direct, swap] = [lastPhase(row(0, end)), lastPhase(SWAP)];
    expect(direct.settledNs).toBeGreaterThan(0);
    expect(direct.settledNs).toBeLessThan(swap.settledNs / 4);
    expect(direct.lostNs).toBeLessThan(swap.lostNs / 4);
    expect(direct.timeNs).toBeLessThan(swap.timeNs / 2);
    expect([direct.swap.written, direct.swap.read]).toEqual([0, 0]);
    expect([swap.swap.written, swap.swap.read]).toEqual([MAPPED - 1, USED]);
  });

  it.each([...movers, ...lazies, '+profile=swap-2006'])(
    '%s makes remote accesses local, and faster than left behind',
    (end) => {
      const moved = lastPhase(row(0, end));
      expect(remoteShare(lastPhase(LEFT))).toBe(1);
      expect(remoteShare(moved)).toBe(0);
      expect(moved.accessNs).toBeLessThan(lastPhase(LEFT).accessNs / 1.5);
    },
  );

  it('a task moved to another node pulls its pages along: all of them directly, those it touches lazily', () => {
    expect(pagesOf(row(0, '+automigrate=direct'))).toEqual([0, MAPPED]);
    expect(pagesOf(row(0, '+automigrate=lazy'))).toEqual([MAPPED - USED, USED]);
    expect(pagesOf(LEFT)).toEqual([MAPPED, 0]);
  });

  it('DM-61: STREAM recovers its best times after a disturbance with automigrate=lazy, and stays degraded without', async () => {
    const machine = await loadMachine('hp-rx8620');
    const lastSweep = async (word: string): Promise<number> => {
      const { marks } = await replay(pathOf('mini-stream-4t'), `default+cpus=pack${word}`, { machine });
      const at = (text: string) => marks.find((mark) => mark.text === text)?.atNs ?? NaN;
      return at('repeat 2 done') - at('repeat 1 done');
    };
    const best = await lastSweep('');
    expect((await lastSweep('+task=all:1@40%+automigrate=lazy')) / best).toBeCloseTo(1, 1);
    expect((await lastSweep('+task=all:1@40%')) / best).toBeGreaterThan(1.5);
  });

  it('a moved cpuset keeps its speed only with memory_migrate', () => {
    const [along, stay] = [row(0, '+cpuset=1:migrate@40%'), row(0, '+cpuset=1:stay@40%')];
    expect([along, stay].map((run) => remoteShare(lastPhase(run)))).toEqual([0, 1]);
    expect(lastPhase(stay).accessNs).toBeCloseTo(lastPhase(LEFT).accessNs, 3);
    expect([along, stay].map(pagesOf)).toEqual([
      [0, MAPPED],
      [MAPPED, 0],
    ]);
  });

  it('only swap depends on the policy: the destination is reached if the policy was set first', () => {
    for (const end of ['+migrate=0:1@40%', '+profile=direct-2005', '+profile=mof-2006']) {
      expect(pagesOf(row(1, end))).toEqual([0, MAPPED]);
    }
    expect(pagesOf(row(1, '+migrate=0:1@40%+profile=swap-2006'))).toEqual([USED, 0]);
    expect(pagesOf(row(1, '+cpuset=1:migrate@40%+profile=swap-2006'))).toEqual([0, USED]);
  });

  it('by another process costs the program no call of its own, and shows the mover its numa_maps', () => {
    const [action] = row(1, '+migrate=0:1@40%').actions;
    expect(action.numaMaps?.before.join(' ')).toContain('N0=');
    expect(action.numaMaps?.before.join(' ')).not.toContain('N1=');
    expect(action.numaMaps?.after.join(' ')).not.toContain('N0=');
  });

  it.each([
    [3, 'opteron-8347he-quad'], // a disk
    [4, 'cascadelake-8269cy'], // flash
  ] as const)(
    'swap of table %i, on %s, costs a major fault more per page, and every mover beats it',
    async (table, name) => {
      const { cost } = await loadMachine(name);
      const [swap, ...direct] = results[table].map(lastPhase);
      expect(swap.swap.read).toBe(USED);
      for (const mover of direct) {
        const work = ({ faultNs, migrationNs }: typeof mover) => faultNs + migrationNs;
        expect(work(swap)).toBeGreaterThan(work(mover) - mover.migrationNs + USED * cost.majorFaultNs * 0.95);
        expect(mover.lostNs).toBeLessThan(swap.lostNs / 1.5);
        expect(mover.timeNs).toBeLessThan(swap.timeNs / 1.5);
        expect(mover.settledNs).toBeLessThan(swap.settledNs / 1.5);
      }
    },
  );

  it.each([0, 1, 2, 3])('a whole process goes to swap on one node: run %i', (i) => {
    const { actions, phases } = results[2][i];
    expect(actions[0].moved).toEqual({ moved: 0, unmapped: 0, gone: MAPPED, failed: 0, left: 0 });
    expect(actions[0].swap).toEqual({ slots: MAPPED - 1, written: MAPPED - 1, read: 0 });
    expect(phases[1]).toMatchObject({ pagesPerNode: [USED], swap: { read: USED } });
  });
});
