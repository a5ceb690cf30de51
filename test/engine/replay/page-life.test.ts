import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTraceLog, replayTrace, watchPage, type PageLife } from '../../../src/engine/index.js';
import { pageLifeReport, plain } from '../../../src/report/index.js';
import { file, writeTrace, type Row } from '../../support/write-trace.js';
import { requestFor } from './replays.js';

// The life of a page that others move: each move is an episode with a name, whoever makes it and by whichever mover.

const dir = mkdtempSync(join(tmpdir(), 'mof-page-life-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

// Thread 0, on node 0, writes both pages; what moves them comes at row 2; then thread 0 writes page 0 again.
const ROWS: readonly Row[] = [
  [0, 0, 0, 1, 10, 4],
  [0, 0, 1, 1, 10, 4],
  [1, 0, 0, 1, 7, 3],
  [2, 0, 0, 0, 5, 2],
];

let path = '';
let filePath = '';
beforeAll(async () => {
  path = await writeTrace(dir, 'one-thread', { rows: ROWS });
  const region = file({ id: 0, first_page: 0, pages: 2 });
  const rows: readonly Row[] = [
    [0, 0, 0, 1, 10, 4],
    [0, 0, 0, 0, 10, 4],
  ];
  filePath = await writeTrace(dir, 'one-file', { rows, sidecar: { regions: [region] } });
});

async function lifeIn(run: string, trace = path): Promise<PageLife> {
  const watcher = watchPage(0);
  await replayTrace(requestFor(trace, run, { tiny: { nodes: 2, framesPerNode: 64 } }), () => undefined, watcher);
  return watcher.life();
}

const episodesOf = async (run: string) =>
  (await lifeIn(run)).episodes.map(({ what, by }) => `${what} by ${by === 'another process' ? 'another' : by}`);

/** The verdict on each episode, as the report gives it. */
async function verdictsOf(run: string): Promise<string[]> {
  const text = pageLifeReport(await lifeIn(run), run, plain);
  return [...text.matchAll(/^ {2}\S.* on CPU \d+[^:]*: (.*)$/gm)].map(([, verdict]) => verdict);
}

const FIRST = 'mapped on node 0 (minor fault)';
const MOVED = 'moved from node 0 to node 1';

/** Run, what happened, and the verdicts. */
const LIVES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['default+move@row:2', ['mbind by thread'], ['moved to another frame of node 0']],
  ['default+task=all:1@row:2+automigrate=direct', ['auto-migration by thread'], [MOVED]],
  [
    'default+task=all:1@row:2+automigrate=lazy',
    ['auto-migration by thread', 'fault by thread'],
    ['unmapped, to follow whoever touches it next', 'moved to node 1, where its policy wants it (minor fault)'],
  ],
  ['default+migrate=0:1@row:2', ['migrate_pages by another'], [MOVED]],
  [
    'default+migrate=0:1@row:2+profile=mof-2006',
    ['migrate_pages by another', 'fault by thread'],
    [MOVED, 'made writable for its owner where it is (minor fault)'],
  ],
  [
    'default+migrate=0:1@row:2+profile=direct-2005',
    ['migrate_pages by another', 'fault by thread'],
    [MOVED, 'mapped on node 1 (minor fault)'],
  ],
  [
    'default+migrate=0:1@row:2+profile=swap-2006',
    ['migrate_pages by another', 'fault by thread'],
    ['out of memory: its contents are in swap or in its file', 'mapped on node 0 (major fault)'],
  ],
  ['default+cpuset=1@row:2', ['cpuset, migrate process by thread'], [MOVED]],
  ['default+offline=0@row:2', ['offline by another'], [MOVED]],
  [
    'default+swapout@row:2',
    ['swapout by another', 'fault by thread'],
    ['thrown out of memory', 'mapped on node 0 (major fault)'],
  ],
];

describe('the life of a page that is moved', () => {
  it.each(LIVES)('%s', async (run, happened, verdicts) => {
    expect(await episodesOf(run)).toEqual(['fault by thread', ...happened]);
    expect(await verdictsOf(run)).toEqual([FIRST, ...verdicts]);
  });

  it('says whose clock a time is on, and leaves a line before what happened', async () => {
    const run = 'default+swapout@row:2';
    const text = pageLifeReport(await lifeIn(run), run, plain);
    expect(text).toMatch(/\n\nWhat happened to it, in this order; times are on the clock of whoever did it\n/);
    expect(text).toContain('swapout by another process, on its own clock, on CPU');
  });

  it('DM-13: a step of the 2006 mover names the frame that the page goes to, to its very end', async () => {
    const { episodes } = await lifeIn('default+migrate=0:1@row:2+profile=mof-2006');
    const steps = episodes[1].steps.filter(({ name }) => /^P-[RC]\d$/.test(name));
    expect(steps.map(({ name }) => name)).toEqual(['P-R1', 'P-R2', 'P-R3', 'P-C1', 'P-C2', 'P-C3', 'P-C4']);
    expect(steps.map(({ detailNode }) => detailNode)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });
});

describe('the life of a page that only calls use', () => {
  it('MP-13: the call that brought it in is an episode, and at the end the page cache has it', async () => {
    const life = await lifeIn('default', filePath);
    expect(life.episodes.map(({ what, steps }) => [what, steps.map(({ name }) => name)])).toEqual([
      ['write', ['F-add']],
    ]);
    expect(life.uses.map(({ pageNode }) => pageNode)).toEqual([0]);
    expect(life.cached).toMatchObject({ node: 0, isMapped: false });
    const text = pageLifeReport(life, 'default', plain);
    expect(text).toMatch(
      /mapped nowhere, 2 rows, in the page cache at the end: frame \d+ on node 0, which nobody maps\n/,
    );
    expect(text).toContain('write of thread 0 on CPU 0');
    expect(text).toContain('into the page cache, on node 0\n');
  });
});

describe('the trace log of moves that no fault makes', () => {
  it.each([
    ['default+move@row:2', 'mbind'],
    ['default+task=all:1@row:2+automigrate=direct', 'auto-migration'],
    ['default+swapout@row:2', 'swapout'],
    ['default+cpuset=1@row:2', 'cpuset'],
  ])('%s: stands between its begin and end, and each page is named by its own address', async (run, name) => {
    const part = { path: join(dir, `${name}.jsonl`), format: 'jsonl', index: 0, name: run };
    const watcher = openTraceLog(part);
    await replayTrace(requestFor(path, run, { tiny: { nodes: 2, framesPerNode: 64 } }), () => undefined, watcher);
    watcher.close();
    const [, ...events] = readFileSync(part.path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; name: string; vpn: number });
    const began = events.findLastIndex((event) => event.kind === 'enter' && event.name === name);
    const ended = events.findLastIndex((event) => event.kind === 'leave' && event.name === name);
    expect(began).toBeGreaterThan(0);
    const inside = events.slice(began, ended).filter((event) => /^(D-isolate|RC-write)$/.test(event.name));
    const touched = events.slice(0, began).filter((event) => event.name === 'A4');
    expect(inside.map(({ vpn }) => vpn).sort()).toEqual(touched.map(({ vpn }) => vpn).sort());
    expect(inside.length).toBe(2);
  });
});
