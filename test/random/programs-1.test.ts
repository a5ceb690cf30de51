import { expect, it } from 'vitest';
import { QUARTER_STEPS, runQuarter } from '../support/random/quarter.js';

it('INV-1..18 hold after each step of random programs, contents equal their shadow copy, everything occurs (1 of 4)', () => {
  expect(runQuarter(1)).toEqual({ failure: '', steps: QUARTER_STEPS, tooRare: '' });
}, 600_000);
