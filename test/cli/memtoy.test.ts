import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN, mof, startMof } from '../support/built-mof.js';
import { temporaryDirectory } from '../support/tmp-dir.js';

const folder = await temporaryDirectory();
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('mof memtoy with a script', () => {
  it('prints what comes out, and ends with 0', async () => {
    const script = file('fine.mt', 'anon a 8p\nmap a\nmbind a pref 1\ntouch a w\nmigrate 2\nwhere a\n');
    const { code, out, err } = await mof('memtoy', script);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^memtoy pid: {2}100\n/);
    expect(out).toContain('           0:    2   2   2   2   2   2   2   2\nmemtoy EOF on stdin\n');
  });

  it('ends with 4 at a mistake in it', async () => {
    const { code, out, err } = await mof('memtoy', '-v', file('wrong.mt', 'pid\nfrobnicate\npid\n'));
    expect(out).toBe('memtoy pid:  100\nmemtoy>pid\nmemtoy:  pid = 100\nmemtoy>frobnicate\n');
    expect({ code, err }).toEqual({ code: 4, err: 'memtoy:  unrecognized command frobnicate\n' });
  });

  it('takes sizes from real files, and leaves them alone', async () => {
    const path = file('zeros', '\0'.repeat(8192));
    const script = file('file.mt', `file ${path} shared\nmap zeros\ntouch zeros w\nshow zeros\n`);
    const { code, out } = await mof('memtoy', script);
    expect(code).toBe(0);
    expect(out).toContain(`0x000000002000 0x000000000000  rw- shared  ${path}\n`);
    expect(spawnSync('cat', [path]).stdout.every((byte) => byte === 0)).toBe(true);
  });

  it('repeats it behind #loop with -l, and takes --profile, --rule and --machine', async () => {
    const script = file('loop.mt', 'anon a 8p\nmap a\n#loop\ntouch a w\nquit\n');
    const { code, out } = await mof('memtoy', '-l', '4', '--profile', 'mof-2006', '--rule', 'swapIn=read-only', script);
    expect(code).toBe(0);
    expect(out.match(/touched 8 pages/g)).toHaveLength(4);
    const numa = await mof('memtoy', '--machine', 'hp-rx8620', file('numa.mt', 'numa\n'));
    expect(numa.out.match(/^ {4}\d {2}/gm)).toHaveLength(5);
  });
});

describe('mof memtoy on its command line', () => {
  it.each([
    ['memtoy no-such.mt', 'no script no-such.mt'],
    ['memtoy --profile linux-5', '--profile is "linux-5"; expected mof or mof-2006'],
    [
      'memtoy --rule swapin=x',
      '--rule is "swapin=x"; expected NAME=VARIANT with the name of a rule; did you mean "swapIn"?',
    ],
    ['memtoy --rule swapIn=x', '--rule swapIn is "x"; expected writable, read-only'],
    ['memtoy -l none x', '-l is "none"; expected a whole number'],
    ['memtoy a b', 'too many arguments for "memtoy"'],
    ['memtoy --machine four', 'no machine "four"'],
  ])('%s: one line, and 2', async (words, line) => {
    const { code, out, err } = await mof(...words.split(' '));
    expect(err).toMatch(/^mof: .*\n$/);
    expect(err).toContain(line);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it('-V prints the version, -h and -x the usage with 1, --help everything', async () => {
    const version = await mof('memtoy', '-V');
    expect(version.out).toMatch(/^memtoy 0\.16/);
    expect(version.code).toBe(0);
    for (const flag of ['-h', '-x']) {
      const usage = await mof('memtoy', flag);
      expect(usage.err).toMatch(/^Usage: mof memtoy/);
      expect(usage.code).toBe(1);
    }
    const { code, out } = await mof('memtoy', '--help');
    expect(code).toBe(0);
    expect(out).toContain('--profile <NAME>');
  });
});

describe('mof memtoy on standard input', () => {
  it('takes commands from a pipe, one by one', async () => {
    const { child, ended } = startMof(['memtoy']);
    const answers: string[] = [];
    child.stdout.on('data', (text: string) => answers.push(text));
    const seen = async (text: string) => {
      while (!answers.join('').includes(text)) await new Promise((resolve) => child.stdout.once('data', resolve));
    };
    await seen('memtoy pid:  100\n');
    child.stdin.write('pid\n');
    await seen('memtoy:  pid = 100\n'); // answered while the pipe is still open
    child.stdin.end('pause\npid');
    expect(await ended).toEqual({
      ...{ code: 0, err: '' },
      out: 'memtoy pid:  100\nmemtoy:  pid = 100\nmemtoy:  pid = 100\nmemtoy EOF on stdin\n',
    });
  });

  it('ends with 4 at a mistake, though more would come', async () => {
    const { child, ended } = startMof(['memtoy']);
    child.stdin.on('error', () => undefined); // it does not read the rest
    child.stdin.write('m\npid\n');
    expect(await ended).toEqual({ code: 4, out: 'memtoy pid:  100\n', err: 'memtoy:  ambiguous command:  m\n' });
  });
});

/** A terminal of util-linux's `script`: what is written is typed, what comes back is the screen. */
function terminal() {
  const command = `'${process.execPath}' '${MAIN}' memtoy`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, TERM: 'xterm' } });
  let screen = '';
  let read = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
  const code = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    code,
    type: (keys: string) => child.stdin.write(keys),
    /** Waits until the screen shows something that it did not show before. */
    async sees(text: string): Promise<void> {
      while (!screen.slice(read).includes(text)) {
        await Promise.race([
          new Promise((resolve) => child.stdout.once('data', resolve)),
          code.then(() => {
            if (!screen.slice(read).includes(text)) throw new Error(`ended without "${text}" in: ${screen}`);
          }),
        ]);
      }
      read += screen.slice(read).indexOf(text) + text.length;
    },
  };
}

describe('mof memtoy at a terminal', () => {
  const hasScript = String(spawnSync('script', ['--version']).stdout).includes('util-linux');

  it('has a prompt, goes on after mistakes, completes, remembers, and ends with Ctrl-D', async ({ skip }) => {
    if (!hasScript) skip("util-linux's script is not here: there is no other way to a terminal");
    const { type, sees, code } = terminal();
    await sees('memtoy pid:  100');
    await sees('memtoy>');
    type('m\r');
    await sees('memtoy:  ambiguous command:  m');
    await sees('memtoy>');
    type('anon foobar 8p\r');
    await sees('memtoy>');
    type('map foo');
    await sees('map foo');
    type('\t');
    await sees('bar ');
    type('\r');
    await sees('memtoy>');
    type('touch foobar w\r');
    await sees('touched 8 pages');
    await sees('memtoy>');
    type('\u001b[A\r'); // the arrow upwards
    await sees('touched 8 pages');
    await sees('memtoy>');
    type('help touch\r');
    await sees('touch NAME [OFFSET LENGTH]');
    await sees('memtoy>');
    type('\u0004');
    expect(await code).toBe(0);
  });

  it('gives Ctrl-C to the command that runs, or drops the line, and lives on', async ({ skip }) => {
    if (!hasScript) skip("util-linux's script is not here: there is no other way to a terminal");
    const { type, sees, code } = terminal();
    await sees('memtoy>');
    type('pause\r');
    await sees('pause');
    await new Promise((resolve) => setTimeout(resolve, 300));
    type('\u0003');
    await sees('memtoy>');
    type('frobnicate');
    await sees('frobnicate');
    type('\u0003');
    await sees('^C');
    await sees('memtoy>');
    type('pid\r');
    await sees('memtoy:  pid = 100');
    await sees('memtoy>');
    type('quit\r');
    expect(await code).toBe(0);
  });
});
