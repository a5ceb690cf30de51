import { describe, expect, it } from 'vitest';
import { watermarks2616, watermarks61, watermarks612, type Watermarks } from '../../src/mm/index.js';

const GIB_KIB = 2 ** 20;
const normal = { managed: 1048576, movable: false };
const movable = { managed: 2097152, movable: true };
const two = [normal, normal];
const marks = ({ min, low, high, promo }: Watermarks) => [min, low, high, promo];

describe('RC-1 watermarks', () => {
  // L in GiB, min_free_kbytes of 6.x and of 2.6.16
  const X1 = [
    [1, 4096, 4096],
    [8, 11585, 11585],
    [16, 16384, 16384],
    [1024, 131072, 65536],
    [8192, 262144, 65536],
  ] as const;

  it('X1: has five sizes', () => {
    expect(X1).toHaveLength(5);
  });

  it.each(X1)('X1: %i GiB of low memory keep %i KiB free, %i in 2.6.16', (gib, kib6, kib2616) => {
    expect(watermarks612.minFreeKbytes(gib * GIB_KIB)).toBe(kib6);
    expect(watermarks61.minFreeKbytes(gib * GIB_KIB)).toBe(kib6);
    expect(watermarks2616.minFreeKbytes(gib * GIB_KIB)).toBe(kib2616);
  });

  it('X2: two nodes of 4 GiB have marks 1448/2496/3544/4592, and 1448/1810/2172 in 2.6.16', () => {
    for (const rule of [watermarks61, watermarks612]) {
      expect(rule.marks(two, false).map(marks)).toEqual([
        [1448, 2496, 3544, 4592],
        [1448, 2496, 3544, 4592],
      ]);
    }
    expect(watermarks2616.marks(two, false).map(marks)).toEqual([
      [1448, 1810, 2172, 2172],
      [1448, 1810, 2172, 2172],
    ]);
  });

  it('X3: a movable node of 8 GiB beside them has a token minimum in 6.12 and a share in 6.1', () => {
    expect(marks(watermarks612.marks([...two, movable], false)[2])).toEqual([128, 2225, 4322, 6419]);
    expect(marks(watermarks61.marks([...two, movable], false)[2])).toEqual([1448, 3545, 5642, 7739]);
  });

  it('X4: with huge pages enabled the two nodes of X2 keep 45056 KiB, marks 5632/7040/8448/9856; 2.6.16 has none', () => {
    for (const rule of [watermarks61, watermarks612]) {
      expect(rule.marks(two, true).map(marks)).toEqual([
        [5632, 7040, 8448, 9856],
        [5632, 7040, 8448, 9856],
      ]);
    }
    expect(watermarks2616.marks(two, true)).toEqual(watermarks2616.marks(two, false));
  });

  it('RC-2: on a small machine a twentieth of its memory, and never less than the administrator asks for', () => {
    const small = { managed: 10000, movable: false };
    expect(watermarks612.marks([small], true)[0].min).toBe(500);
    expect(watermarks612.marks([small], true, 4000)[0].min).toBe(1000);
  });
});
