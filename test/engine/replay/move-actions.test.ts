import { describe, expect, it } from 'vitest';
import { planActions } from '../../../src/engine/replay/actions.js';
import { checkMachine, compose } from '../../../src/engine/index.js';
import { replayOn } from '../../../src/engine/replay/replay-on.js';
import { remoteShare, type RunResult } from '../../../src/stats/index.js';
import type { Sidecar } from '../../../src/trace/index.js';
import { openTrace } from '../../../src/trace/readers/index.js';
import { asNodeId } from '../../../src/units.js';
import { POLICIES, request, tinyDescription, type TinyOptions } from '../../support/tiny-machine.js';
import { temporaryDirectory } from '../../support/tmp-dir.js';
import { anonymous, file, fileMapping, output, sidecarFor, writeTrace, type Row } from '../../support/write-trace.js';
import { read, replayRows, requestFor, write, type ReplayOf } from './replays.js';

// Two nodes; thread 0 is on node 0, thread 1 on node 1. Thread 0 writes twelve pages, then reads them, then thread 1 does.
const dir = await temporaryDirectory();
const PAGES = 12;
const ROWS: readonly Row[] = [
  ...Array.from({ length: PAGES }, (_, page) => write(0, 0, page)),
  ...Array.from({ length: PAGES }, (_, page) => read(1, 0, page)),
  ...Array.from({ length: PAGES }, (_, page) => read(2, 1, page)),
];
const ONE_NODE: ReplayOf = { tiny: { nodes: 1 } };
const run = (word: string, sidecar: Partial<Sidecar> = {}, of: ReplayOf = {}, rows = ROWS): Promise<RunResult> =>
  replayRows(dir, { rows, sidecar }, word, { tiny: { nodes: 2 }, ...of });

describe('move', () => {
  it("is mbind(MOVE) with the run's policy: under default all pages come to the caller's node (DM-4)", async () => {
    const { actions, phases } = await run('default+task=0:1@row:12+move@row:12');
    expect(actions[1]).toMatchObject({
      pagesTouched: PAGES,
      moved: { moved: PAGES, unmapped: 0, gone: 0, failed: 0, left: 0 },
      swap: { slots: 0, written: 0, read: 0 },
      note: '12 pages moved',
    });
    expect(phases.at(-1)?.pagesPerNode).toEqual([0, PAGES]);
    expect(phases.map(({ name }) => name)).toEqual(['before', 'after task=0:1@row:12, move@row:12']);
    expect(phases.map(remoteShare)).toEqual([0, 0]);
  });

  it('moves only what lies outside the nodes of the policy, and installs it (MP-74)', async () => {
    const regions = [
      anonymous({ pages: 4, kind: 'heap', name: '[heap]' }),
      anonymous({ id: 5, first_page: 4, pages: 8 }),
    ];
    const { actions, phases } = await run('bind=1+vma=heap:bind=0+move@row:12', { regions });
    expect(phases[0].pagesPerNode).toEqual([4, 8]);
    expect(actions[0]).toMatchObject({ pagesTouched: 4, note: '4 pages moved' });
    expect(phases[1].pagesPerNode).toEqual([0, PAGES]);
    const one = await run('interleave=0-1+move=[heap]@row:12', { regions });
    expect(one.actions[0]).toMatchObject({ pagesTouched: 0, note: '0 pages moved' }); // each is on a node of the set
  });

  it('costs the caller its time, and the other threads of the process wait for the end of it', async () => {
    const sidecar = { events: [output(13, 'own'), output(13, 'other', 1)] };
    const { actions, marks } = await run('default+task=0:1@row:12+move@row:12', sidecar);
    const { ownNs } = actions[1];
    const { cost } = tinyDescription();
    expect(ownNs).toBeGreaterThan(cost.migrateBaseNs + PAGES * cost.migratePerPageNs);
    expect(marks.map(({ movingNs }) => movingNs)).toEqual([ownNs, ownNs]);
  });
});

describe('migrate=FROM:TO', () => {
  it('is migrate_pages by another process: pages go, threads and policies stay (DM-31)', async () => {
    const { actions, phases } = await run('default+migrate=0:1@row:12');
    expect(actions[0]).toMatchObject({ pagesTouched: PAGES, note: '12 pages moved' });
    expect(phases.map(({ pagesPerNode }) => pagesPerNode)).toEqual([
      [PAGES, 0],
      [0, PAGES],
    ]);
    expect(phases[1]).toMatchObject({ missesLocal: PAGES, missesRemote: PAGES });
  });

  it('shows the numa_maps of the process as the mover reads them', async () => {
    const { actions } = await run('interleave=0-1+migrate=0:1@row:12');
    expect(actions[0].numaMaps).toEqual({
      before: [
        expect.stringMatching(/^7f0\d+ interleave:0-1 anon=12 dirty=12 active=0 N0=6 N1=6 kernelpagesize_kB=4$/),
      ],
      after: [expect.stringMatching(/^7f0\d+ interleave:0-1 anon=12 dirty=12 active=0 N1=12 kernelpagesize_kB=4$/)],
    });
  });

  it('{0,1} to {1,0}: node pairs one at a time, as the table of section 6 says', async () => {
    const { phases } = await run('interleave=0-1+migrate=0-1:0-1@row:12');
    expect(phases[1].pagesPerNode).toEqual([6, 6]);
  });

  it('takes pages that two processes map along, as it has every capability', async () => {
    const { processes } = sidecarFor(ROWS);
    const rows = [read(0, 0, 0), read(1, 1, 0), read(2, 0, 0), read(3, 1, 0)];
    const sidecar = {
      processes: [
        { ...processes[0], last_row: 2, rows: 2 },
        { ...processes[0], pid: 1, first_row: 1, last_row: 3, rows: 2 },
      ],
      threads: [0, 1].map((tid) => ({ tid, process: tid, parent: null, start_row: tid, end_row: null })),
      regions: [file({ id: 1, first_page: 0, pages: 1 })],
      file_mappings: [0, 1].map((process) => fileMapping({ region: 1, pages: 1, process, map_row: process })),
    };
    const { actions } = await run('default+migrate=0:1@row:2', sidecar, {}, rows);
    expect(actions.map(({ note }) => note)).toEqual(['1 pages moved', '0 pages moved']);
    const own = await run('default+move@row:2', sidecar, {}, rows);
    expect(own.actions.map(({ note }) => note)).toEqual([
      '0 pages moved',
      '0 pages moved, 1 left (mapped more than once)',
    ]);
  });
});

describe('pages that stay', () => {
  const FULL: TinyOptions = { nodes: 2, framesPerNode: [256, 16] };
  const CASES: readonly (readonly [string, string, TinyOptions, RegExp])[] = [
    ['no room on the node', 'migrate=0:1', FULL, /^the call returned ENOMEM, \d+ pages moved, \d+ left \(no room\)$/],
    ['no room for a policy', 'move', FULL, /^\d+ pages moved, \d+ left \(no room\)$/],
    [
      'no swap, 2.6.16',
      'move+swap=off+profile=mof-2006',
      {},
      /^the call returned ENODEV, 0 pages moved, 40 left \(no free swap slot\)$/,
    ],
    [
      'no swap, and the call says nothing (DM-30)',
      'migrate=0:1+swap=off+profile=mof-2006',
      {},
      /^0 pages moved, 40 left \(no free swap slot\)$/,
    ],
  ];
  it.each(CASES)('are told with the reason: %s', async (_, word, tiny, note) => {
    const rows = [...Array.from({ length: 40 }, (_, page) => write(0, 0, page)), read(1, 1, 0)];
    const [action, ...switches] = word.split('+');
    const policy = action === 'move' ? 'bind=1+vma=mmap:bind=0' : 'default';
    const { actions } = await replayRows(dir, { rows }, [policy, `${action}@row:40`, ...switches].join('+'), {
      tiny: { nodes: 2, ...tiny },
    });
    expect(actions[0].note).toMatch(note);
    const { moved, failed, left } = actions[0].moved ?? { moved: 0, failed: 0, left: 0 };
    expect(moved + failed + left).toBe(40);
  });

  it.each(['direct-2005', 'mof-2006', 'mof'])('under %s a page that moved is counted once', async (profile) => {
    const { actions } = await run(`default+migrate=0:1@row:12+profile=${profile}`);
    expect(actions[0]).toMatchObject({ pagesTouched: PAGES, moved: { moved: PAGES, unmapped: 0, failed: 0, left: 0 } });
    expect(actions[0].note).not.toContain('unmapped');
  });
});

describe('swapout', () => {
  it.each([1, 2])('takes the whole process out to swap, on %i nodes', async (nodes) => {
    const { actions, phases, counters } = await run('default+swapout@row:12', {}, { tiny: { nodes } });
    expect(actions[0]).toMatchObject({
      pagesTouched: PAGES,
      moved: { moved: 0, unmapped: 0, gone: PAGES, failed: 0, left: 0 },
      swap: { slots: PAGES, written: PAGES, read: 0 },
      note: '12 pages out of memory, 12 swap slots taken, 12 written to swap',
    });
    expect(actions[0].ownNs).toBeGreaterThan(tinyDescription().cost.writebackNs);
    expect(phases[1].faults).toEqual({ swap_major: PAGES });
    expect(counters).toMatchObject({ pswpout: PAGES, pswpin: PAGES });
  });

  it.each(['swap-2006', 'mof-2006', 'direct-2005'])(
    '%s: the passes write, wait, and free in a later pass: all are out, and read again (sections 3 and 4)',
    async (profile) => {
      const { actions, phases, counters } = await run(`default+swapout@row:12+profile=${profile}`, {}, ONE_NODE);
      expect(actions[0]).toMatchObject({
        moved: { moved: 0, unmapped: 0, gone: PAGES, failed: 0, left: 0 },
        swap: { slots: PAGES, written: PAGES, read: 0 },
      });
      expect(actions[0].ownNs).toBeGreaterThan(tinyDescription().cost.writebackNs);
      expect(phases[1].faults).toEqual({ swap_major: PAGES });
      expect(counters).toMatchObject({ pswpout: PAGES, pswpin: PAGES });
    },
  );

  it('its pages come back where their toucher is, and reading them again is part of what it costs', async () => {
    const { phases, marks } = await run('default+task=0:1@row:12+swapout@row:12', { events: [output(36, 'end')] });
    expect(phases[1].pagesPerNode).toEqual([0, PAGES]);
    expect(phases[1].refaultNs).toBeGreaterThan(PAGES * tinyDescription().cost.majorFaultNs * 0.9);
    expect(marks[0].movingNs).toBeGreaterThan(0);
  });
});

describe('cpuset=NODES', () => {
  it('moves the pages along with the allowed nodes, and new ones come there', async () => {
    const rows = [
      ...ROWS.slice(0, PAGES),
      ...Array.from({ length: 4 }, (_, i) => write(1, 0, PAGES + i)),
      read(2, 1, 0),
    ];
    const { actions, phases } = await run('default+cpuset=1@row:12', {}, {}, rows);
    expect(actions[0]).toMatchObject({ pagesTouched: PAGES, note: 'nodes 1 from now on: 12 pages moved' });
    expect(phases[1].pagesPerNode).toEqual([0, PAGES + 4]);
  });

  it(':stay leaves them: only new pages come to the allowed nodes (memory_migrate off)', async () => {
    const rows = [
      ...ROWS.slice(0, PAGES),
      ...Array.from({ length: 4 }, (_, i) => write(1, 0, PAGES + i)),
      read(2, 1, 0),
    ];
    const { actions, phases } = await run('default+cpuset=1:stay@row:12', {}, {}, rows);
    expect(actions[0]).toMatchObject({ pagesTouched: 0, note: 'nodes 1 from now on; pages stay' });
    expect(phases[1].pagesPerNode).toEqual([PAGES, 4]);
  });

  it('rebinds policies, and keeps the relative place of pages (MP-81)', async () => {
    const word = 'interleave=0-1+cpuset=2-3@row:12';
    const { phases } = await run(word, {}, { tiny: { nodes: 4 } });
    expect(phases.map(({ pagesPerNode }) => pagesPerNode)).toEqual([
      [6, 6, 0, 0],
      [0, 0, 6, 6],
    ]);
  });

  it('twice: back again, without the pages', async () => {
    const { actions, phases } = await run('default+cpuset=1@row:12+cpuset=0-1:stay@row:20');
    expect(actions.map(({ pagesTouched }) => pagesTouched)).toEqual([PAGES, 0]);
    expect(phases.at(-1)?.pagesPerNode).toEqual([0, PAGES]);
  });
});

describe('automigrate', () => {
  it('direct: a relocated thread pulls the pages along when it runs again, and pays', async () => {
    const { actions, phases } = await run('default+task=0:1@row:12+automigrate=direct');
    expect(actions.map(({ action, row, pagesTouched, note }) => [action, row, pagesTouched, note])).toEqual([
      ['task=0:1@row:12', 12, 0, 'thread 0 from node 0 to node 1'],
      ['automigrate of thread 0', 12, PAGES, 'to node 1: 12 pages moved'],
    ]);
    expect(actions[1].ownNs).toBeGreaterThan(0);
    expect(phases[1]).toMatchObject({ pagesPerNode: [0, PAGES], missesRemote: 0 });
  });

  it('lazy: unmaps them, and each follows when it is touched (V18)', async () => {
    const half = ROWS.slice(0, PAGES + PAGES / 2).concat([write(9, 1, PAGES)]);
    const { actions, phases, attainable } = await run('default+task=0:1@row:12+automigrate=lazy', {}, {}, half);
    expect(actions[1]).toMatchObject({
      pagesTouched: PAGES,
      note: expect.stringContaining('12 pages unmapped') as unknown,
    });
    expect(phases[1]).toMatchObject({ pagesPerNode: [PAGES / 2, PAGES / 2 + 1], missesRemote: 0 });
    expect(attainable).toBe(false);
  });

  it('keeps a thread on its node until the interval is over: a second relocation is refused', async () => {
    const { actions } = await run('default+task=0:1@row:12+task=0:0@row:20+automigrate=direct:interval=5');
    expect(actions.at(-1)?.note).toMatch(/^thread 0 stays on node 1: /);
  });

  it('off leaves them behind', async () => {
    const { phases } = await run('default+task=0:1@row:12');
    expect(phases[1]).toMatchObject({ pagesPerNode: [PAGES, 0], missesRemote: PAGES * 2 });
  });

  it.each([
    ['default+automigrate=direct+profile=linux-6.12', /profile linux-6\.12 has no automatic migration/],
    ['default+automigrate=lazy+swap=off', /automigrate=lazy needs swap slots/],
  ])('%s is a mistake of the run', async (word, message) => {
    await expect(run(word)).rejects.toMatchObject({
      code: 'BAD_RUN',
      message: expect.stringMatching(message) as unknown,
    });
  });
});

describe('actions that move pages', () => {
  it('combine with each other, with lazy and with task, each at its row', async () => {
    const word = 'default+migrate=0:1@row:12+swapout@row:16+lazy@row:20+task=1:0@row:24+move@row:30';
    const { actions, outcome } = await run(word);
    expect(outcome).toEqual({ kind: 'done' });
    expect(actions.map(({ row, pagesTouched }) => [row, pagesTouched])).toEqual([
      [12, PAGES],
      [16, PAGES],
      [20, 4],
      [24, 0],
      [30, 10],
    ]);
  });

  it.each(['move', 'migrate=0:1', 'swapout', 'cpuset=1'])(
    '%s of a process that has ended does nothing',
    async (word) => {
      const { actions } = await run(`default+${word}@100%`, { events: [{ row: 36, kind: 'exit', process: 0 }] });
      expect(actions).toMatchObject([{ row: 36, pagesTouched: 0, note: 'the process has ended' }]);
    },
  );

  it.each([
    ['default+migrate=0:5', 'BAD_NODES', /node 5 is not on this machine/],
    ['default+move=nope', 'BAD_RUN', /the trace has no region "nope"\. Ids 0-0, /],
    ['default+cpuset=7', 'BAD_NODES', /node 7 is not on this machine/],
    ['default+swapout+swap=off', 'BAD_RUN', /swapout needs swap slots/],
  ])('%s: what trace or machine lack is a mistake of the run, in one line', async (word, code, message) => {
    await expect(run(word)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  it.each(['cpuset=2', 'migrate=0:2'])('%s without memory there is a mistake of the run', async (word) => {
    const machine = tinyDescription({ nodes: 3, framesPerNode: [64, 64, 0] });
    await expect(run(`default+${word}`, {}, { machine })).rejects.toMatchObject({
      code: 'BAD_RUN',
      message: `"${word}": no node of "2" has memory`,
    });
  });
});

describe('a machine on which pages were moved by every kind of action', () => {
  it.each([
    'default+migrate=0:1@row:12+swapout@row:16+lazy@row:20+task=1:0@row:24+move@row:30',
    'interleave=0-1+cpuset=1@row:12+lazy@row:14+cpuset=0-1:stay@row:20+swapout@row:22+migrate=0-1:1@row:30',
    'default+task=all:1@row:12+automigrate=direct+lazy@row:20+move@row:24',
    'default+task=all:1@row:12+automigrate=lazy:mapcount=2+migrate=1:0@row:18+swapout@row:30',
    'default+lazy@row:6+swapout@row:7+move@row:8+migrate=0:1@row:9+profile=mof-2006',
  ])('%s is whole: all invariants hold at the end', async (word) => {
    const source = await openTrace(await writeTrace(dir, 'whole', { rows: ROWS }));
    const { spec, options } = requestFor('whole', word);
    const machine = compose({
      ...{ machine: tinyDescription({ nodes: 2 }), profile: spec.switches.profile, switches: spec.switches },
      ...{ defaultPolicy: POLICIES.default, autoMigrate: spec.switches.autoMigrate, keepContents: true },
    });
    const { topology } = machine;
    const { outcome, actions } = await replayOn({
      ...{ machine, source, progress: () => undefined, vmaPolicies: [] },
      cpus: new Map([0, 1].map((tid) => [tid, topology.cpusOf(asNodeId(tid))[0]])),
      region: { from: 0, until: source.rows },
      actions: planActions(spec.actions, source.sidecar, machine),
      runPolicy: spec.policy.name === 'default' ? request(POLICIES.default) : request(POLICIES.interleave, 0, 1),
      ...{ order: options.order, repeat: options.repeat },
    });
    source.close();
    expect(outcome).toEqual({ kind: 'done' });
    expect(actions.some(({ pagesTouched }) => pagesTouched > 0)).toBe(true);
    checkMachine(machine);
  });
});
