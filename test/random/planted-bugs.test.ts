import { describe, expect, it } from 'vitest';
import { checkPrograms, reportOf } from '../support/random/check-programs.js';
import { Coverage } from '../support/random/coverage.js';
import { PLANTED_BUGS } from '../support/random/planted.js';
import { replaySteps } from '../support/random/run-program.js';
import { shrink } from '../support/random/shrink.js';

/** Programs and steps within which every bug has to be found. */
const TRIAL = { seed: 11, programs: 40, stepsPerProgram: 300 };

const invariantOf = (message: string): string => /^INV-\d+/.exec(message)?.[0] ?? message;

describe('random programs', () => {
  it('find nothing while no bug is planted', () => {
    const coverage = new Coverage();
    expect(checkPrograms(TRIAL, coverage)).toBeNull();
    expect(coverage.steps).toBe(TRIAL.programs * TRIAL.stepsPerProgram);
  });

  it.each(PLANTED_BUGS.map((bug) => [bug.name, bug.breaks.join(' or '), bug] as const))(
    'find %s, as %s',
    (_name, _breaks, { breaks, plant }) => {
      const found = checkPrograms({ ...TRIAL, plant }, new Coverage());
      expect(found).not.toBeNull();
      expect(breaks).toContain(invariantOf(found!.failure.message));
    },
  );

  it('are tried with a bug for each of INV-1..18', () => {
    const broken = new Set(PLANTED_BUGS.flatMap(({ breaks }) => breaks));
    expect([...broken].sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)))).toEqual(
      Array.from({ length: 18 }, (_, i) => `INV-${String(i + 1)}`),
    );
  });

  it('leave the same counters behind each time they are run', () => {
    const runs = [new Coverage(), new Coverage()];
    for (const coverage of runs) checkPrograms({ ...TRIAL, programs: 3 }, coverage);
    expect(runs[0]).toEqual(runs[1]);
  });
});

describe('a failure', () => {
  const { plant } = PLANTED_BUGS.find(({ name }) => name.startsWith('a fork that forgets'))!;
  const found = checkPrograms({ ...TRIAL, plant }, new Coverage())!;

  it('shrinks to a few steps that fail in the same way, and pass without the bug', () => {
    const { setup } = found.program;
    const { steps, message } = shrink(setup, found.failure, plant);
    expect(steps.length).toBeLessThan(15);
    expect(invariantOf(message)).toBe('INV-7');
    expect(replaySteps(setup, steps, plant)?.message).toBe(message);
    expect(replaySteps(setup, steps)).toBeNull();
  });

  it('names the command that runs it again, and its seed and path do', () => {
    const [, seed, path] = /^again: npm run soak -- --seed (\d+) --path ([\d:]+)$/m.exec(reportOf(found, plant))!;
    const again = checkPrograms({ ...TRIAL, plant, seed: Number(seed), path }, new Coverage());
    expect(again).toEqual(found);
  });
});
