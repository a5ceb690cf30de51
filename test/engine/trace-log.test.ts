import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, openTraceLog, replayTrace, tracedBy, watchPage, type Watcher } from '../../src/engine/index.js';
import { runScript, startMemtoy } from '../../src/memtoy/index.js';
import { pageLifeReport, plain } from '../../src/report/index.js';
import { LOG_FORMATS, STEP_NAMES, wordsOf } from '../../src/stats/trace-log/index.js';
import { tinyDescription, tinyMachine } from '../support/tiny-machine.js';
import { writeTrace, type Row } from '../support/write-trace.js';
import { requestFor } from './replay/replays.js';

// The trace log: every named step with time, CPU, task, page and state, in three forms; and the life of one page.

const dir = mkdtempSync(join(tmpdir(), 'mof-trace-log-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const DOCS = new URL('../../docs/', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, DOCS), 'utf8');
const SCRIPT = 'scripts/anon-8p-direct+lazy.mt';

/** The log of a script of memtoy, in one of the forms. */
async function logOfScript(format: string): Promise<string> {
  const path = join(dir, `script.${format}`);
  const watcher = openTraceLog({ path, format, index: 0, name: SCRIPT });
  const host = { out: () => undefined, err: () => undefined, findFile: () => 'ENOENT' };
  const session = await startMemtoy(
    { machine: tinyDescription({ framesPerNode: 2 ** 12 }), profile: 'mof', watcher },
    host,
  );
  const running = runScript(session, textOf(SCRIPT), { isVerbose: false });
  let turn = running.next();
  while (turn.done !== true) turn = running.next();
  expect(turn.value).toBe(0);
  watcher.close();
  const { head, tail } = LOG_FORMATS[format];
  return head + readFileSync(path, 'utf8') + tail;
}

/** The lines of one page, without what it was before the program began; and the frames of the tiny machine by node alone. */
function linesOfPage(log: string, vpn: string): string {
  return log
    .split('\n')
    .filter((line) => line.includes(vpn) || / D-flush | L7 | mbind /.test(line) || line.startsWith('#      time'))
    .map((line) => line.trimEnd())
    .join('\n');
}

describe('the trace of an anonymous segment of 8 pages, direct and lazy', () => {
  let log = '';
  beforeAll(async () => {
    log = await logOfScript('log');
  });

  it('is what docs/trace-log.md shows of its first page', () => {
    const [, shown] = /```\n(#      time[^]*?)```/.exec(textOf('trace-log.md')) ?? [];
    expect(shown.trimEnd()).toBe(linesOfPage(log, '0x7ffff7ff1'));
  });

  it('shows the steps of a direct move of each page, all unmapped before the one flush and copied behind it', () => {
    const names = log.split('\n').map((line) => / (D-[a-z-]+) /.exec(line)?.[1] ?? '');
    const count = (name: string): number => names.filter((each) => each === name).length;
    for (const name of ['D-isolate', 'D-lock', 'D-allocate', 'D-replace', 'D-copy', 'D-putback'])
      expect(count(name)).toBe(8);
    expect(count('D-flush')).toBe(1);
    expect(names.lastIndexOf('D-unmap')).toBeLessThan(names.indexOf('D-flush'));
    expect(names.indexOf('D-flush')).toBeLessThan(names.indexOf('D-copy'));
  });

  it('shows the steps of a lazy move: unmapped by the call, moved by the fault of each page', () => {
    const steps = log.split('\n').map((line) => / (L[1-7]|M\d[a-d]?|S\d+|C\d|HOOK) /.exec(line)?.[1] ?? '');
    const count = (name: string): number => steps.filter((each) => each === name).length;
    for (const name of ['L1', 'L3', 'L4', 'L6', 'C6', 'M1', 'M2', 'M5b', 'M5d', 'M9', 'S8'])
      expect([name, count(name)]).toEqual([name, 8]);
    expect(steps.lastIndexOf('L6')).toBeLessThan(steps.indexOf('S2'));
  });
});

describe('the forms of the log', () => {
  it('JSON lines hold every field of each event', async () => {
    const [first, ...events] = (await logOfScript('jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toEqual({ run: 0, name: SCRIPT });
    const fields = [
      'run',
      'ns',
      'cpu',
      'task',
      'kind',
      'name',
      'vpn',
      'pfn',
      'node',
      'flags',
      'count',
      'mapcount',
      'detail',
    ];
    for (const event of events) expect(Object.keys(event)).toEqual(fields);
    const moved = events.filter((event) => event['name'] === 'M9');
    expect(moved.map((event) => [event['node'], event['detail']])).toEqual(Array.from({ length: 8 }, () => [3, 3]));
    for (const event of events) if (event['kind'] === 'step') expect(STEP_NAMES).toContain(event['name']);
  });

  it('Perfetto’s form parses, has one track per CPU and node, and its slices nest', async () => {
    const { traceEvents } = JSON.parse(await logOfScript('json')) as { traceEvents: PerfettoEvent[] };
    const tracks = traceEvents.filter((e) => e.name === 'thread_name').map((e) => e.args?.name);
    const each = [0, 1, 2, 3];
    expect(tracks).toEqual([...each.map((n) => `CPU ${n}`), ...each.map((n) => `node ${n}`)]);
    const open = new Map<string, number>();
    const last = new Map<string, number>();
    for (const { ph, pid, tid, ts } of traceEvents) {
      if (ph !== 'B' && ph !== 'E') continue;
      const track = `${pid}/${tid}`;
      expect(ts).toBeGreaterThanOrEqual(last.get(track) ?? 0);
      last.set(track, ts);
      const depth = (open.get(track) ?? 0) + (ph === 'B' ? 1 : -1);
      expect(depth).toBeGreaterThanOrEqual(0);
      open.set(track, depth);
    }
    expect([...open.values()].every((depth) => depth === 0)).toBe(true);
    const arrivals = traceEvents.filter((e) => e.ph === 'i').map((e) => e.tid);
    expect([1, 2, 3].map((node) => arrivals.filter((tid) => tid === node).length)).toEqual([8, 8, 8]);
  });

  it('every step has words', () => {
    for (const name of STEP_NAMES) expect(wordsOf(name).length).toBeGreaterThan(3);
  });
});

interface PerfettoEvent {
  readonly ph: string;
  readonly name?: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly args?: { readonly name?: string };
}

describe('a machine that nobody watches', () => {
  it('has no tracer: null, which is all that the hot path tests', () => {
    expect(tinyMachine().tracer).toBeNull();
    const { tracer } = watchPage(0);
    expect(tinyMachine({ rebind: tracedBy(tracer) }).tracer).toBe(tracer);
    expect(compose).toBeTypeOf('function');
  });
});

// Thread 0, on node 0, writes both pages. Then thread 1, on node 1, uses page 0, and thread 0 page 1 again.
const ROWS: readonly Row[] = [
  [0, 0, 0, 1, 10, 4],
  [0, 0, 1, 1, 10, 4],
  [1, 1, 0, 0, 7, 3],
  [1, 1, 0, 0, 5, 2],
  [2, 0, 1, 0, 3, 1],
];

describe('the life of one page', () => {
  let path = '';
  beforeAll(async () => {
    path = await writeTrace(dir, 'two-pages', { rows: ROWS });
  });

  async function lifeIn(run: string, page: number) {
    const watcher: Watcher & ReturnType<typeof watchPage> = watchPage(page);
    const request = requestFor(path, run, { tiny: { nodes: 2, framesPerNode: 64 } });
    const watched = await replayTrace(request, () => undefined, watcher);
    const alone = await replayTrace(request, () => undefined);
    expect(watched.counters).toEqual(alone.counters); // watching changes nothing
    return watcher.life();
  }

  it('tells who used it, by thread and by the node it lay on', async () => {
    const life = await lifeIn('default+lazy@row:2', 0);
    expect(
      life.uses.map(({ tid, cpuNode, pageNode, rows, accesses, misses }) => [
        tid,
        cpuNode,
        pageNode,
        rows,
        accesses,
        misses,
      ]),
    ).toEqual([
      [0, 0, 0, 1, 10, 4],
      [1, 1, 1, 2, 12, 5],
    ]);
    expect([life.rows, life.lastNode]).toEqual([3, 1]);
  });

  it('tells in words why it moved', async () => {
    const text = pageLifeReport(await lifeIn('default+lazy@row:2', 0), 'default+lazy@row:2', plain);
    expect(text).toContain('mapped on node 0 (minor fault)');
    expect(text).toContain('unmapped, to follow whoever touches it next');
    expect(text).toContain('moved to node 1, where its policy wants it (minor fault)');
    expect(text).toContain('the policy is asked (C6) – wanted on node 1');
  });

  it('tells in words why it stayed', async () => {
    const life = await lifeIn('default+lazy@row:2', 1);
    const text = pageLifeReport(life, 'default+lazy@row:2', plain);
    expect(text).toContain('unmapped, to follow whoever touches it next');
    expect(text).toContain('stays: its policy says that it is where it should be (C6) (minor fault)');
    expect(text).not.toContain('moved to node');
    expect(life.lastNode).toBe(0);
  });

  it('tells what each thing cost', async () => {
    const { episodes } = await lifeIn('default+lazy@row:2', 0);
    expect(episodes.map(({ what, outcome }) => [what, outcome])).toEqual([
      ['fault', 0],
      ['mbind lazy', 2],
      ['fault', 0],
    ]);
    for (const { beganNs, endedNs } of episodes) expect(endedNs).toBeGreaterThan(beganNs);
  });
});
