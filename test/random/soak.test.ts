import { expect, it } from 'vitest';
import { soak } from '../support/random/soak.js';

function soaked(...args: string[]) {
  let [out, ms] = ['', 0];
  const code = soak(args, { write: (text) => (out += text), now: () => (ms += 30_000), anySeed: 5 });
  return { code, out };
}

it('a soak runs as many programs as it is asked for, from the seed it is given', () => {
  const { code, out } = soaked('--seed', '77', '--programs', '12');
  expect(code).toBe(0);
  expect(out).toContain('seed 77: 10 programs, 20000 steps');
  expect(out).toContain('seed 78: 12 programs, 24000 steps');
  expect(out).toContain('no failure');
});

it('a soak without a seed takes any, and ends when its time is over', () => {
  const { code, out } = soaked('--minutes', '0.5', '--table');
  expect(code).toBe(0);
  expect(out).toContain('seed 5: 10 programs');
  expect(out).not.toContain('seed 6:');
  expect(out).toMatch(/^mof_migrate_done +\d+$/m);
});

it('a soak of one path runs that program alone', () => {
  expect(soaked('--seed', '77', '--path', '3').out).toContain('seed 77: 1 programs, 2000 steps');
});

it.each([['--seed', 'x'], ['--minutes', '-1'], ['--fast'], ['again']])('a soak does not know %s %s', (...args) => {
  expect(soaked(...args)).toEqual({ code: 2, out: expect.stringContaining('npm run soak -- [--seed N]') as string });
});
