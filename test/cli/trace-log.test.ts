import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mof } from '../support/built-mof.js';

const dir = mkdtempSync(join(tmpdir(), 'mof-trace-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe('--trace', () => {
  it('puts the logs of all runs into one file, in their order, and leaves nothing else behind', async () => {
    const path = join(dir, 'two.jsonl');
    const { code, err } = await mof('compare', '--demo', 'default', 'default+lazy@threads', '--trace', path);
    expect([code, err]).toEqual([0, '']);
    const events = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { run: number; name: string });
    expect(events.filter(({ run }) => run === 0)[0].name).toBe('default');
    const second = events.findIndex(({ run }) => run === 1);
    expect(events[second].name).toBe('default+lazy@threads');
    expect(events.slice(second).every(({ run }) => run === 1)).toBe(true);
    expect(events.filter(({ name }) => name === 'M9').length).toBeGreaterThan(10);
    expect(readdirSync(dir)).toEqual(['two.jsonl']);
  });

  it('is another file than that of --json', async () => {
    const path = join(dir, 'both.json');
    const same = `${dir}/./both.json`;
    const { code, err } = await mof('run', '--demo', 'default', '--trace', path, '--json', same);
    expect([code, err]).toEqual([2, `mof: --json and --trace both name ${same}; give each a file of its own\n`]);
    expect(readdirSync(dir)).not.toContain('both.json');
  });

  it('of conformance has a section per recorded case, and changes no answer', async () => {
    const path = join(dir, 'cases.jsonl');
    const recording = 'test/fixtures/recordings/linux-6.12-onenode.json';
    const alone = await mof('conformance', recording);
    const told = await mof('conformance', recording, '--trace', path);
    expect(told).toEqual(alone);
    const { cases } = JSON.parse(readFileSync(recording, 'utf8')) as { cases: { name: string }[] };
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { kind?: string; name: string });
    const heads = events.filter(({ kind }) => kind === undefined).map(({ name }) => name);
    expect(heads).toEqual(cases.map(({ name }) => `linux-6.12-onenode.json: ${name}`));
    expect(events.filter(({ name }) => name === 'A4').length).toBeGreaterThan(0);
    rmSync(path);
  });

  it('says which endings there are', async () => {
    const { code, err } = await mof('run', '--demo', '--trace', join(dir, 'log.csv'));
    expect(code).toBe(2);
    expect(err).toMatch(
      /^mof: --trace .*log\.csv: its ending .* \.txt, \.log, \.jsonl, \.json; see docs\/trace-log\.md\n$/,
    );
  });
});

describe('mof explain', () => {
  it('tells the life of a page as text and as JSON', async () => {
    const text = await mof('explain', '--demo', 'default+lazy@threads', '--page', '60');
    expect([text.code, text.err]).toEqual([0, '']);
    expect(text.out).toContain('moved to node 1, where its policy wants it');
    const json = await mof('explain', '--demo', 'default+lazy@threads', '--page', '60', '--json', '-');
    const life = JSON.parse(json.out) as { page: number; rows: number; lastNode: number; uses: unknown[] };
    expect([life.page, life.rows, life.lastNode, life.uses.length]).toEqual([60, 5120, 1, 3]);
  });

  it.each([
    [['--page', '4711'], /^mof: --page 4711: trace mini-stream-4t has pages 0 to 101; see: mof trace info\n$/],
    [['defualt', '--page', '6'], /^mof: .*defualt.*\n$/],
    [['default', 'bind=0', '--page', '6'], /^mof: explain takes one RUN, not 2\n$/],
    [['default'], /^mof: required option .*--page.*\n$/],
    [['default', '--page', '6', '--trace', 'x.log'], /^mof: unknown option "--trace"/],
  ] as const)('%j is one line about what is wrong', async (words, line) => {
    const { code, err } = await mof('explain', '--demo', ...words);
    expect(code).toBe(2);
    expect(err).toMatch(line);
  });
});
