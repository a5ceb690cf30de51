import { describe, expect, it } from 'vitest';
import { memoryOf, repeatOf, wholeNumber, decimalNumber, oneOf } from '../../src/cli/option-values.js';
import { painterFor } from '../../src/cli/painter.js';
import { progressBar, progressLine } from '../../src/cli/progress.js';
import { runHelp } from '../../src/cli/run-help.js';
import { MmError } from '../../src/errors.js';
import { ACTIONS, FLAGS, MOMENTS, PROFILES, SWITCHES } from '../../src/run/index.js';

describe('the value of an option', () => {
  it('of --repeat is a number of times or seconds of virtual time', () => {
    expect(repeatOf('3')).toEqual({ times: 3 });
    expect(repeatOf('10s')).toEqual({ seconds: 10 });
    expect(repeatOf('0.5s')).toEqual({ seconds: 0.5 });
  });

  it('of --memory is a size or a share of one node, and the last for a node holds', () => {
    const first = memoryOf('1:512M', []);
    expect(first).toEqual([{ node: 1, pages: 131072 }]);
    expect(memoryOf('0:50%', first)).toEqual([
      { node: 1, pages: 131072 },
      { node: 0, share: 0.5 },
    ]);
    expect(memoryOf('1:12.5%', first)).toEqual([{ node: 1, share: 0.125 }]);
  });

  const REFUSED: readonly (readonly [string, () => unknown])[] = [
    ['--repeat is "0"', () => repeatOf('0')],
    ['--repeat is "1.5"', () => repeatOf('1.5')],
    ['--repeat is "0s"', () => repeatOf('0s')],
    ['--repeat is "10m"', () => repeatOf('10m')],
    ['--memory is "512M"', () => memoryOf('512M', [])],
    ['--memory is "1:512"', () => memoryOf('1:512', [])],
    ['--memory is "1:0%"', () => memoryOf('1:0%', [])],
    ['--memory is "1:1B"', () => memoryOf('1:1B', [])],
    ['--seed is "x"; expected a whole number, at least 0', () => wholeNumber('--seed', 0)('x')],
    ['--seed is "-1"', () => wholeNumber('--seed', 0)('-1')],
    ['--mlp is "0.5"; expected a number, at least 1', () => decimalNumber('--mlp', 1)('0.5')],
    ['--order is "row"; expected rows or clocks', () => oneOf('--order', ['rows', 'clocks'])('row')],
  ];
  it.each(REFUSED)('is refused in one line: %s', (line, read) => {
    expect(read).toThrow(MmError);
    expect(read).toThrow(line);
  });
});

describe('the help of a run', () => {
  it('has every action, switch, flag, profile and moment there is, and says which are not there yet', () => {
    const help = runHelp('');
    for (const { syntax, about } of [...ACTIONS, ...SWITCHES, ...FLAGS, ...MOMENTS]) {
      expect(help).toContain(syntax);
      expect(help).toContain(about);
    }
    for (const { name } of PROFILES) expect(help).toContain(name);
    expect(help).toContain('reclaim demotes to a slower node (not there yet)');
  });
});

describe('colours', () => {
  const red = '\x1b[31m';
  it('are for terminals, unless NO_COLOR says no or FORCE_COLOR yes', () => {
    const painted = (isTTY: boolean, env: Record<string, string>) =>
      painterFor({ isTTY }, env)('bad', 'x').includes(red);
    expect(painted(true, {})).toBe(true);
    expect(painted(false, {})).toBe(false);
    expect(painted(true, { NO_COLOR: '1' })).toBe(false);
    expect(painted(true, { TERM: 'dumb' })).toBe(false);
    expect(painted(false, { FORCE_COLOR: '1' })).toBe(true);
    expect(painted(true, { FORCE_COLOR: '0' })).toBe(false);
  });
});

describe('the progress bar', () => {
  it('shows the rows of all runs together, their rate and the time left', () => {
    expect(progressLine(250, 1000, 2)).toBe('[######                  ]  25 %  125 rows/s  6 s left');
    expect(progressLine(20_000_000, 2_000_000_000, 1)).toContain('  1 %  20.0 M rows/s  1 min 39 s left');
    expect(progressLine(5000, null, 2)).toBe('5,000 rows  2,500 rows/s');
  });

  it('goes on when a region is replayed', () => {
    const written: string[] = [];
    let time = 0;
    const bar = progressBar(
      (text) => written.push(text),
      200,
      () => (time += 1000),
    );
    for (const row of [50, 100, 20, 100]) bar.onProgress(0, row);
    expect(written.map((text) => /(\d+) %/.exec(text)?.[1])).toEqual(['25', '50', '50', '90']);
  });

  it('is drawn at most ten times a second, wiped away at the end, and absent without a terminal', () => {
    const written: string[] = [];
    let time = 0;
    const bar = progressBar(
      (text) => written.push(text),
      100,
      () => time,
    );
    for (; time < 1000; time += 10) bar.onProgress(1, time / 20);
    expect(written).toHaveLength(10);
    bar.end();
    expect(written[10]).toBe('\r\x1b[K');
    progressBar(null, 100).onProgress(0, 5);
    expect(written).toHaveLength(11);
  });
});
