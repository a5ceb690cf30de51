import { describe, expect, it } from 'vitest';
import { timed } from './results.js';
import { sensitivitySection, sensitivitySentences } from '../../src/report/sensitivity-text.js';
import { verdictOf, verdictText } from '../../src/report/index.js';
import type { ConstantStudy, RankingChange, Sensitivity } from '../../src/sensitivity/index.js';

const change = (part: Partial<RankingChange>): RankingChange => ({
  of: 'attainable',
  when: 'below',
  at: 1.6234,
  leader: 'interleave=all',
  to: 'default',
  ...part,
});

function constant(name: string, unit: string, changes: readonly RankingChange[]): ConstantStudy {
  const at = (value: number, best: number) => ({
    value,
    standings: [{ of: 'attainable' as const, first: 'interleave=all', second: 'default', lead: 10 / best }],
    times: [
      { run: 'default', timeNs: 10 },
      { run: 'interleave=all', timeNs: best },
    ],
  });
  const range = { used: 2, from: 1, until: 4 };
  return { name, unit, ...range, basis: 'measured', tried: [at(1, 9), at(4, 7)], changes };
}

const studied = (...constants: ConstantStudy[]): Sensitivity => ({
  runs: 12,
  rankings: [{ of: 'attainable', leader: 'interleave=all', runs: ['interleave=all', 'default'] }],
  constants,
  notVaried: [{ name: 'page copy', why: 'no run moves pages' }],
});

describe('the sentences of a sensitivity study', () => {
  it('say that the best run stays the best, and how far it is ahead', () => {
    expect(sensitivitySentences(studied(constant('fault', 'ns', []), constant('--mlp', '', [])), 'default')).toEqual([
      'interleave=all stays the best, or within 1 % of it, over the ranges of all 2 constants that were varied, one at a time.',
      'Over these ranges it takes 0.70 to 0.900 times as long as default.',
    ]);
  });

  it('name who leads instead, and from which values on', () => {
    const study = studied(
      constant('latency', '', [change({})]),
      constant('fault', 'ns', [change({ when: 'above', at: 1234.5 }), change({ to: 'bind=0', at: 120 })]),
    );
    expect(sensitivitySentences(study, null)).toEqual([
      'interleave=all stays the best, or within 1 % of it, over the ranges of all 2 constants that were varied, one at a time, except that ' +
        'default leads with latency 1.62 or less or fault 1235 ns or more; bind=0 leads with fault 120 ns or less.',
    ]);
  });

  it('take the place of the estimate in the verdict', () => {
    const study = studied(constant('fault', 'ns', []));
    const runs = [timed('default', 10), timed('interleave=all', 8)];
    const text = verdictText(verdictOf(runs, { hitNs: 1, mlp: 2 }, study));
    expect(text).toContain('  interleave=all stays the best, or within 1 % of it, over the ranges');
    expect(text).not.toContain('estimated, one varied at a time');
    expect(verdictText(verdictOf(runs, { hitNs: 1, mlp: 2 }))).toContain('estimated, one varied at a time');
  });
});

describe('the table of a sensitivity study', () => {
  it('has each constant with its range, who leads at both ends by how much, and where that changes', () => {
    const study = studied(constant('fault', 'ns', [change({})]), constant('--mlp', '', []));
    expect(sensitivitySection(study)).toBe(
      [
        'Sensitivity: the best run, interleave=all, when one constant is another',
        '  constant   used  from  until  best at the lower end            best at the upper end            changes',
        '  fault, ns     2     1      4  interleave=all (default × 1.11)  interleave=all (default × 1.43)  ≤ 1.62: default',
        '  --mlp         2     1      4  interleave=all (default × 1.11)  interleave=all (default × 1.43)  none',
        '',
        '  Ranges',
        '    - fault: measured',
        '    - --mlp: measured',
        '    - page copy: not varied, no run moves pages',
        '  12 runs were carried out for it.',
      ].join('\n'),
    );
  });
});
