import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { mof, startMof } from '../support/built-mof.js';

const folder = mkdtempSync(join(tmpdir(), 'mof-generate-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('mof trace generate', () => {
  it.each([
    ['strem -o x.parquet', 'unknown command "strem"; did you mean "stream"? See: mof trace generate --help'],
    ['stream --sise 1GiB -o x.parquet', 'unknown option "--sise"; did you mean "--size"?'],
    ['stream --size 3 -o x.parquet', 'size is "3"; expected a size with its unit such as 64MiB'],
    ['stream', 'required option "-o, --out <FILE>" not specified'],
    ['stream -o x.csv', '-o is "x.csv"; expected NAME.parquet'],
    ['stream -o no-such-folder/x.parquet', 'cannot write no-such-folder/x.parquet: ENOENT'],
  ])('%s: one line', async (words, line) => {
    const { code, out, err } = await mof('trace', 'generate', ...words.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(line);
    expect(err.trimEnd()).not.toContain('\n');
  });

  it('lists its kinds and their options, and explains each with --help', async () => {
    const { out } = await mof('trace', 'generate', 'list', '--json');
    const kinds = JSON.parse(out) as { name: string; options: { name: string; initial: string }[] }[];
    const text = (await mof('trace', 'generate', 'list')).out;
    for (const { name, options } of kinds) {
      expect(text).toContain(`${name}: `);
      const help = (await mof('trace', 'generate', name, '--help')).out;
      for (const option of options) expect(help).toContain(`--${option.name} <VALUE>`);
    }
    expect(kinds).toHaveLength(8);
  });

  it('writes a trace of which every command makes the same as of the words for it', async () => {
    const path = join(folder, 'zipf.parquet');
    const { code, out } = await mof(...'trace generate zipf --size 4MiB --rows 90000 --theta 1.1 -o'.split(' '), path);
    const words = 'gen:zipf:rows=90000:theta=1.1:size=4MiB';
    expect(code).toBe(0);
    expect(out).toContain(`The same without a file: ${words}\n`);
    expect(readdirSync(folder).sort()).toEqual(['zipf.json', 'zipf.parquet']);
    for (const command of [
      ['trace', 'info', path, '--json'],
      ['compare', path, 'default', 'interleave=all', 'default+lazy@threads', 'oracle', '--json', '-'],
      ['run', path, 'bind=0', '--order', 'clocks', '--json', '-'],
      ['explain', path, 'default', '--page', '7', '--json', '-'],
    ]) {
      const [file, live] = [await mof(...command), await mof(...command.map((word) => (word === path ? words : word)))];
      expect(file.code).toBe(0);
      expect(live).toEqual(file);
    }
    const again = join(folder, 'again.parquet');
    await mof(...'trace generate zipf --size 4MiB --rows 90000 --theta 1.1 -o'.split(' '), again);
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
  });

  it.each([
    ['serial', 'default', 0.5],
    ['parallel', 'default', 0],
    ['serial', 'interleave=all', 0.5],
    ['serial', 'default+lazy@threads', 0],
  ])('of a stream, first touch %s, under %s: %f of the misses are remote on two nodes', async (first, run, share) => {
    const { out } = await mof('compare', `gen:stream:size=6MiB:first=${first}`, run, '--json', '-');
    const { runs } = JSON.parse(out) as { runs: { region: { missesLocal: number; missesRemote: number } }[] };
    const { missesLocal, missesRemote } = runs[0].region;
    expect(Math.abs(missesRemote / (missesLocal + missesRemote) - share)).toBeLessThan(0.01);
  });

  it('of a server moves its threads where a run says so', async () => {
    const { out } = await mof(
      'run',
      'gen:server:size=4MiB:rows=40000',
      'default+task=1:1@event:"move 1:"',
      '--json',
      '-',
    );
    const { runs } = JSON.parse(out) as { runs: { counters: Record<string, number> }[] };
    expect(runs[0].counters.mof_task_moves).toBe(1);
  });

  it('interrupted ends with 130 and leaves nothing behind', async () => {
    const place = mkdtempSync(join(folder, 'interrupt-'));
    const args = ['trace', 'generate', 'updates', '--rows', '1e9', '-o', join(place, 'out.parquet')];
    const { child, ended } = startMof(args);
    while (readdirSync(place).length < 2) await sleep(5); // both temporary files are there
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(readdirSync(place)).toEqual([]);
  });
});
