import { describe, expect, it } from 'vitest';
import {
  cutToSamePercentage,
  inactiveIsLow,
  inactiveRatio,
  isCacheTrim,
  isFileTiny,
  roundOf,
  SCAN_ALL,
  SCAN_ANON,
  SCAN_FILE,
  SCAN_FRACTIONS,
  scanAmount,
  scanBalance,
  scanFractions,
  type Amounts,
} from '../../src/reclaim/scan-amounts.js';

describe('RC-21 an inactive list is low', () => {
  const X11 = [
    { inactive: 100000, active: 200000, ratio: 3, low: false },
    { inactive: 50000, active: 200000, ratio: 1, low: true },
    { inactive: 600000, active: 16177216, ratio: 25, low: true },
  ];

  it('X11: has three rows', () => {
    expect(X11).toHaveLength(3);
  });

  it.each(X11)('X11: $inactive of inactive and $active of active pages: ratio $ratio, low: $low', (row) => {
    expect(inactiveRatio(row.inactive, row.active)).toBe(row.ratio);
    expect(inactiveIsLow(row.inactive, row.active)).toBe(row.low);
  });
});

describe('RC-22 which lists are scanned', () => {
  const ROWS = [
    {
      name: 'no slot and no demotion',
      canSwap: false,
      priority: 12,
      swappiness: 60,
      tiny: true,
      trim: true,
      expected: SCAN_FILE,
    },
    { name: 'priority 0', canSwap: true, priority: 0, swappiness: 60, tiny: true, trim: true, expected: SCAN_ALL },
    {
      name: 'priority 0, swappiness 0',
      canSwap: true,
      priority: 0,
      swappiness: 0,
      tiny: true,
      trim: true,
      expected: SCAN_ANON,
    },
    { name: 'file tiny', canSwap: true, priority: 3, swappiness: 60, tiny: true, trim: true, expected: SCAN_ANON },
    { name: 'cache trim', canSwap: true, priority: 3, swappiness: 60, tiny: false, trim: true, expected: SCAN_FILE },
    { name: 'else', canSwap: true, priority: 3, swappiness: 60, tiny: false, trim: false, expected: SCAN_FRACTIONS },
  ];

  it('has six rows: five matches in order, the second with and without swappiness', () => {
    expect(ROWS).toHaveLength(6);
  });

  it.each(ROWS)('$name: balance $expected', ({ canSwap, priority, swappiness, tiny, trim, expected }) => {
    expect(scanBalance(canSwap, priority, swappiness, tiny, trim)).toBe(expected);
  });

  function amounts(size: number, anonCost: number, fileCost: number): number[] {
    const { anon, file } = scanFractions(60, anonCost, fileCost);
    return [anon, file].map((share, i) => scanAmount(size, 4, i === 1, SCAN_FRACTIONS, share, anon + file));
  }

  it('X9: without costs swappiness 60 scans 300 anonymous pages and 700 file pages of a thousand each', () => {
    expect(amounts(16000, 0, 0)).toEqual([300, 700]);
  });

  it('X10: costs of 300 and 100 make it 233 and 766', () => {
    expect(scanFractions(60, 300, 100)).toEqual({ anon: 102, file: 335 });
    expect(amounts(16000, 300, 100)).toEqual([233, 766]);
  });

  it('takes all of a list, or nothing, when no fractions are asked for', () => {
    expect(scanAmount(100, 0, false, SCAN_ALL, 0, 1)).toBe(100);
    expect(scanAmount(100, 1, false, SCAN_ANON, 0, 1)).toBe(50);
    expect(scanAmount(100, 1, true, SCAN_ANON, 0, 1)).toBe(0);
    expect(scanAmount(100, 1, false, SCAN_FILE, 0, 1)).toBe(0);
    expect(scanAmount(100, 2, true, SCAN_FILE, 0, 1)).toBe(25);
  });
});

describe('RC-23 few file pages, many file pages', () => {
  const view = { inactiveAnon: 4096, activeAnon: 0, inactiveFile: 10, activeFile: 10, free: 30, high: 50 };

  it('file pages are tiny if they and the free ones do not pass the high mark, and anonymous pages are there to take', () => {
    expect(isFileTiny(view, 12, false)).toBe(true);
    expect(isFileTiny({ ...view, free: 31 }, 12, false)).toBe(false);
    expect(isFileTiny({ ...view, inactiveAnon: 4095 }, 12, false)).toBe(false);
    expect(isFileTiny(view, 12, true)).toBe(false);
  });

  it('the cache is trimmed if inactive file pages are there to take and none has to be made inactive first', () => {
    expect(isCacheTrim({ ...view, inactiveFile: 16 }, 4, false)).toBe(true);
    expect(isCacheTrim({ ...view, inactiveFile: 15 }, 4, false)).toBe(false);
    expect(isCacheTrim({ ...view, inactiveFile: 16 }, 4, true)).toBe(false);
  });
});

describe('RC-25 rounds and the end of a pass', () => {
  it('a round takes 32 pages of a list', () => {
    expect([0, 31, 32, 33].map(roundOf)).toEqual([0, 31, 32, 32]);
  });

  it('with the target reached the type with less left stops and the other is cut to the same percentage', () => {
    // 200 anonymous pages planned, 160 left: 79 % are unfinished (of 201). File: 21 % of 1000 and 500 are to be done.
    const left: Amounts = [100, 60, 960, 460];
    expect(cutToSamePercentage(left, [120, 80, 1000, 500])).toBe(true);
    expect(left).toEqual([0, 0, 170, 65]);
  });

  it('on a tie it is the file pages that stop', () => {
    const left: Amounts = [50, 0, 50, 0];
    expect(cutToSamePercentage(left, [100, 0, 100, 0])).toBe(true);
    expect(left).toEqual([1, 0, 0, 0]); // 49 % of 101 unfinished, so 51 of 100 are to be done, and 50 are
  });

  it('a type that is through ends the pass', () => {
    const left: Amounts = [0, 0, 500, 0];
    expect(cutToSamePercentage(left, [32, 0, 1000, 0])).toBe(false);
  });
});
