import { expect, it } from 'vitest';
import { checkPrograms, reportOf } from '../support/random/check-programs.js';
import { Coverage } from '../support/random/coverage.js';

// The random programs of this repository, with an eye on memory that goes away and comes back among all else.

it('INV-1..18 hold and contents equal the shadow copy while memory of nodes goes away and comes back (HR-9, HR-11, HR-24)', () => {
  const coverage = new Coverage();
  const found = checkPrograms({ seed: 31, programs: 12 }, coverage);
  expect(found === null ? '' : reportOf(found)).toBe('');
  const seen = ['memory went away', 'memory stayed: not all could leave', 'bring memory of a node back'];
  expect(coverage.missing(seen, 10)).toBe('');
  expect(coverage.timesOf('left a node that lost memory')).toBeGreaterThan(200);
}, 60_000);
