import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mof, startMof } from '../support/built-mof.js';

let folder: string;
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mof-cli-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Mistakes: the command line, and what its one line says. */
const MISTAKES: readonly (readonly [string, string])[] = [
  ['compar', 'unknown command "compar"; did you mean "compare"? See: mof --help'],
  ['trace inf x', 'unknown command "inf"; did you mean "info"? See: mof trace --help'],
  ['compare --demo --jsn x', 'unknown option "--jsn"; did you mean "--json"? See: mof compare --help'],
  ['compare', 'no TRACE is given; try --demo'],
  ['trace info', 'missing required argument "TRACE". See: mof trace info --help'],
  ['trace info a b', 'too many arguments for "info"'],
  ['run --demo default stay', 'run takes one RUN, not 2; for several: mof compare'],
  ['compare no-such-file.parquet', 'no such file: no-such-file.parquet'],
  ['compare src', 'src is a folder; expected a trace, NAME.parquet with NAME.json beside it'],
  [
    'compare --demo --from row:9999999',
    '--from: there is no row 9999999; the trace has 540746 (row:540746 is its end)',
  ],
  ['trace info no-such-file.parquet', 'no such file: no-such-file.parquet'],
  [
    'compare --demo default+lasy@threads',
    'cannot read run "default+lasy@threads": at character 9: unknown word "lasy"; did you mean "lazy"?',
  ],
  ['compare no-such-file.parquet default+lasy', 'cannot read run "default+lasy"'],
  ['run --demo default+profile=mof-2006+thp=always', 'a kernel before 2.6.38, which has no transparent huge pages'],
  ['run --demo default+migrate=0:7', 'node 7 is not on this machine'],
  ['run --demo default+swapout+swap=off', 'swapout needs swap slots for anonymous pages; leave out swap=off'],
  ['compare --demo interleaf=all', 'did you mean "interleave"?'],
  ['policy show interleaf', 'did you mean "interleave"?'],
  ['compare --demo bind=7', 'node 7 is not on this machine'],
  ['compare --demo --machine cascadelake', 'no machine "cascadelake"'],
  ['machine show cascadelake-8269cx', 'did you mean "cascadelake-8269cy"?'],
  ['compare --demo --machine ./no-such.json', 'no machine file ./no-such.json'],
  ['compare --demo --memory 5:1G', '--memory names node 5, but cascadelake-8269cy has nodes 0 to 1'],
  ['compare --demo --memory 1G', '--memory is "1G"; expected NODE:SIZE'],
  ['compare --demo --repeat 0', '--repeat is "0"'],
  ['bench --kinds swap-cache-misplace', 'no kind of fault "swap-cache-misplace"; did you mean "swap-cache-misplaced"?'],
  ['bench --pages 12', '--pages is "12"; expected a whole number, at least 4096'],
  ['bench --order up', '--order is "up"; expected random, page or both'],
  ['bench --threads 500', '--threads is "500"; expected at most 128'],
  ['bench --pages 4096,4096', '--pages is "4096,4096"; expected each value once'],
  ['bench default+lazy', '"default+lazy": expected a policy alone'],
  ['bench interleave=all+hooks=on', '"interleave=all+hooks=on": expected a policy alone'],
  ['bench interleaf=all', 'did you mean "interleave"?'],
  ['bench bind=7', 'node 7 is not on this machine'],
  ['compare --demo --seed x', '--seed is "x"; expected a whole number'],
  ['compare --demo --seed', 'option "--seed <N>" argument missing'],
  ['compare --demo --jobs 0', '--jobs is "0"; expected a whole number, at least 1'],
  ['run --demo --jobs 2', 'unknown option "--jobs"'],
  ['compare --demo --order row', '--order is "row"; expected rows or clocks'],
  ['compare --demo --mlp 0', '--mlp is "0"'],
  [
    'compare --demo --from evnt:x',
    'cannot read --from "evnt:x": at character 1: unknown moment "evnt:x"; did you mean "event"?',
  ],
  ['conformance no-such.json', 'cannot read recording no-such.json: ENOENT; expected a JSON file'],
  ['conformance package.json', 'package.json is no recording: expected "format": "numa-placement-conformance-1"'],
  ['conformance README.md', 'README.md is not JSON: '],
  [
    'conformance --profile linux-7 test/fixtures/recordings/linux-6.12-onenode.json',
    'no profile "linux-7". Known: mof, mof-2006,',
  ],
  ['compare --demo --json /no-such-folder/x.json', 'cannot write /no-such-folder/x.json: ENOENT'],
];

describe('a mistake on the command line', () => {
  it.each(MISTAKES)('mof %s ends with 2 and one line: %s', async (words, line) => {
    const { code, out, err } = await mof(...words.split(' '));
    expect(err).toMatch(/^mof: .*\n$/);
    expect(err).toContain(line);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it('with an empty name for --json is refused before anything runs', async () => {
    const { code, err } = await mof('compare', '--demo', '--json', '');
    expect({ code, err }).toEqual({
      code: 2,
      err: 'mof: --json is ""; expected the name of a file, or - for standard output\n',
    });
  });

  it('in a very long word is quoted with its middle left out', async () => {
    const { code, err } = await mof('compare', '--demo', `bind=${Array.from({ length: 500 }, (_, i) => i).join(',')}`);
    expect(code).toBe(2);
    expect(err.length).toBeLessThan(500);
    expect(err).toContain('…');
    expect(err).toContain('on this machine');
  });

  it('in a machine file names file and field', async () => {
    const machine = (distance: unknown) =>
      JSON.stringify({
        name: 'm',
        nodes: [
          { cpus: 1, memory: '1GiB' },
          { cpus: 1, memory: '1GiB' },
        ],
        distance,
      });
    const path = file('machine.json', machine([[10, 20]]));
    const { code, err } = await mof('machine', 'show', path);
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`^mof: ${path}: distance .*\n$`));
  });
});

describe('a command', () => {
  it.each([
    '',
    'compare',
    'run',
    'trace',
    'trace info',
    'machine',
    'machine list',
    'machine show',
    'policy',
    'policy list',
    'policy show',
  ])('mof %s explains itself with --help', async (words) => {
    const { code, out, err } = await mof(...words.split(' ').filter(Boolean), '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: mof ${words}`.trimEnd());
    expect(err).toBe('');
  });

  it('--version prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await mof('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('without words shows its help on stderr and ends with 2', async () => {
    const { code, out, err } = await mof();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: mof');
  });

  it.each(['machine list', 'machine show cascadelake-8269cy', 'policy list', 'policy show bind'])(
    'mof %s gives text, and JSON with --json',
    async (words) => {
      const text = await mof(...words.split(' '));
      expect(text.code).toBe(0);
      expect(text.out.length).toBeGreaterThan(100);
      const json = await mof(...words.split(' '), '--json');
      expect(JSON.parse(json.out)).toBeTruthy();
    },
  );
});

describe('mof compare --demo', () => {
  it('without RUNs takes the four policies, lazy, and the hooks as the trace maps a file', async () => {
    const { code, out } = await mof('compare', '--demo', '--json', '-');
    expect(code).toBe(0);
    const { runs } = JSON.parse(out) as { runs: { run: string }[] };
    expect(runs.map(({ run }) => run)).toEqual([
      'default',
      'bind=all',
      'interleave=all',
      'preferred=all',
      'default+lazy@threads',
      'default+hooks=on',
    ]);
  });

  it('writes the same file twice, and its table ends with a verdict', async () => {
    const [first, second] = [join(folder, 'first.json'), join(folder, 'second.json')];
    const { code, out } = await mof('compare', '--demo', 'default', 'interleave=all', '--json', first);
    expect(code).toBe(0);
    expect(out).toContain('Best of what you can have: ');
    expect(out).toMatch(/On a real machine: numactl .* -- PROGRAM/);
    await mof('compare', '--demo', 'default', 'interleave=all', '--json', second);
    expect(readFileSync(second, 'utf8')).toBe(readFileSync(first, 'utf8'));
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('leaves the other runs alone when a plug-in throws or ends its thread, names it, and ends with 1', async () => {
    const throws = file('throws.mjs', plugin(`throw new Error('place is missing')`));
    const exits = file('exits.mjs', plugin('process.exit(3)'));
    const { code, out } = await mof('compare', '--demo', throws, 'default', exits);
    expect(code).toBe(1);
    expect(out).toContain('Best of what you can have: default');
    expect(out).toMatch(
      /Cannot win: .*throws\.mjs: failed: policy .*throws\.mjs \("mine"\): place of page \d+ \(.*\) threw Error: place is missing/,
    );
    expect(out).toMatch(
      /Cannot win: .*exits\.mjs: failed: policy .*exits\.mjs: place of page \d+ \(.*\) ended its thread with code 3/,
    );
  });

  it('interrupted ends with 130 and leaves no file behind', async () => {
    const place = mkdtempSync(join(folder, 'interrupt-'));
    const { child, ended } = startMof(['compare', '--demo', '--repeat', '1000', '--json', join(place, 'out.json')]);
    while (readdirSync(place).length === 0) await sleep(5); // the temporary file is there: the runs begin
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(readdirSync(place)).toEqual([]);
  });
});

describe('the process', () => {
  it('ends quietly when its reader goes away', async () => {
    const { child, ended } = startMof(['compare', '--help']);
    child.stdout.destroy();
    const { code, err } = await ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('has no colours in a pipe, FORCE_COLOR brings them, NO_COLOR takes them away', async () => {
    const colours = async (env: Record<string, string>) =>
      (await startMof(['policy', 'list'], env).ended).out.includes('\x1b[');
    expect(await colours({ FORCE_COLOR: '', NO_COLOR: '' })).toBe(false);
    expect(await colours({ FORCE_COLOR: '1', NO_COLOR: '' })).toBe(true);
    expect(await colours({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
  });

  it('gives the exit code of a mistake to the one who called it', async () => {
    const { child, ended } = startMof(['compare', 'no-such-file.parquet']);
    await once(child, 'close');
    expect((await ended).code).toBe(2);
  });
});

/** A policy whose `place` does `what`; plain JavaScript, so that it needs nothing else. */
function plugin(what: string): string {
  return `export default {
    name: 'mine', about: 'a policy that fails', nodes: 'none', fallback: 'any', rebind: 'keep',
    create: () => ({ place: () => { ${what}; }, misplaced: () => -1 }),
  };\n`;
}
