import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadMachine } from '../../src/cli/load-machine.js';
import { DEFAULT_MACHINE } from '../../src/hardware/index.js';
import type { Sensitivity } from '../../src/sensitivity/index.js';
import { mof, startMof, type Outcome } from '../support/built-mof.js';
import { temporaryDirectory } from '../support/tmp-dir.js';
import { requestFor } from '../engine/replay/replays.js';
import { study, writeTwoReaders } from '../sensitivity/studies.js';

const dir = await temporaryDirectory();
const trace = await writeTwoReaders(dir);
// Few, as each is carried out some thirty times.
const RUNS = ['bind=0', 'bind=1'];

describe('mof compare --sensitivity', () => {
  let text: Outcome;
  let json: { sensitivity: Sensitivity; verdict: { sensitivity?: string[]; best: string } };
  beforeAll(async () => {
    const path = join(dir, 'out.json');
    text = await mof('compare', trace, ...RUNS, '--sensitivity', '--jobs', '3', '--json', path);
    json = JSON.parse(readFileSync(path, 'utf8')) as typeof json;
  }, 120_000);

  it('says in the verdict over which ranges it holds, and how many runs it took', () => {
    expect(text.code).toBe(0);
    const [best] = /Best of what you can have: (\S+),/.exec(text.out)!.slice(1);
    expect(text.out).toContain(`Sensitivity: the best run, ${best}, when one constant is another`);
    expect(text.out).toMatch(
      new RegExp(`\n {2}${best} stays the best, or within 1 % of it, over the ranges of all \\d+ constants`),
    );
    expect(text.out).toMatch(/\n {2}\d+ runs were carried out for it\.\n/);
    expect(text.out).toContain('remote / local latency: measured on this machine; measured between two sockets');
    expect(text.out).not.toContain('estimated, one varied at a time');
  });

  it('comes to what the same runs come to one after the other', async () => {
    const machine = await loadMachine(DEFAULT_MACHINE);
    expect(json.sensitivity).toEqual(await study(RUNS.map((run) => requestFor(trace, run, { machine }))));
  });

  it('adds its figures and its sentences to the JSON, and leaves the rest as it is', async () => {
    const { sensitivity, verdict, ...rest } = json;
    expect(sensitivity.rankings[0]).toMatchObject({ of: 'attainable', leader: verdict.best });
    for (const { from, until, used, basis, tried } of sensitivity.constants) {
      expect([tried[0].value, tried[tried.length - 1].value]).toEqual([from, until]);
      expect(from <= used && used <= until && basis !== '').toBe(true);
    }
    const { sensitivity: sentences, ...verdictWithout } = verdict;
    expect(text.out).toContain(sentences![0]);
    const without = JSON.parse((await mof('compare', trace, ...RUNS, '--json', '-')).out) as object;
    expect({ ...rest, verdict: verdictWithout }).toEqual(without);
  });

  it('has nothing to vary with one run', async () => {
    const { code, out } = await mof('compare', trace, 'default', '--sensitivity');
    expect(code).toBe(0);
    expect(out).toContain('There is nothing to vary: it takes two runs');
  });

  it.each([
    ['run --demo default --sensitivity', 'unknown option "--sensitivity"'],
    ['compare --demo --sensitivty', 'did you mean "--sensitivity"?'],
    ['compare no-such-file.parquet --sensitivity', 'no such file: no-such-file.parquet'],
    ['compare --demo --sensitivity default bind=7', 'node 7 is not on this machine'],
  ])('mof %s is one line and ends with 2', async (words, line) => {
    const { code, err, out } = await mof(...words.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(line);
    expect(err).toMatch(/^mof: .*\n$/);
  });

  it('interrupted ends with 130 and leaves no file behind', async () => {
    const place = mkdtempSync(join(dir, 'interrupt-'));
    const words = ['compare', trace, ...RUNS, '--sensitivity', '--json', join(place, 'out.json')];
    const { child, ended } = startMof(words);
    while (readdirSync(place).length === 0) await sleep(5);
    await sleep(500); // well within the runs with other values, or the first
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(readdirSync(place)).toEqual([]);
  });
});
