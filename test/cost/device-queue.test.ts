import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { ACCOUNT_FAULT, DeviceQueue, Meter, PRICE, type PriceName, type Prices } from '../../src/cost/index.js';
import { endOf } from './end-of.js';

const READ = 1000;
const NEXT = 60;
const prices = Object.fromEntries(Object.keys(PRICE).map((name) => [name, 0])) as Record<PriceName, number>;
const device = (atOnce: number) => {
  const meter = new Meter(
    { ...prices, deviceRead: READ, deviceWrite: READ, deviceNext: NEXT } satisfies Prices,
    [[0]],
    1,
  );
  return { meter, queue: new DeviceQueue(meter, atOnce) };
};

test('a read of an idle device takes its time, and whoever makes it waits for it', () => {
  const { meter, queue } = device(1);
  meter.nowNs = 500;
  queue.read(ACCOUNT_FAULT, 7);
  expect([meter.nowNs, meter.spent(ACCOUNT_FAULT)]).toEqual([1500, READ]);
});

test('a disk serves one after the other: reads and writes wait for each other', () => {
  const { meter, queue } = device(1);
  expect(endOf(queue, PRICE.deviceWrite, 10)).toBe(1000);
  expect(endOf(queue, PRICE.deviceWrite, 20)).toBe(2000);
  queue.read(ACCOUNT_FAULT, 30);
  expect([meter.nowNs, meter.spent(ACCOUNT_FAULT)]).toEqual([3000, 3000]);
});

test('flash serves so many at once, and the next waits for the first of them', () => {
  const { meter, queue } = device(3);
  expect([1, 2, 3].map((at) => endOf(queue, PRICE.deviceRead, at))).toEqual([1000, 1000, 1000]);
  meter.nowNs = 200;
  expect([4, 5].map((at) => endOf(queue, PRICE.deviceRead, at))).toEqual([2000, 2000]);
  meter.nowNs = 5000;
  expect(endOf(queue, PRICE.deviceRead, 6)).toBe(6000);
});

test('a neighbour that waits at a disk needs no seek; one that comes later, or lies elsewhere, does', () => {
  const { meter, queue } = device(1);
  expect([8, 9, 10].map((at) => endOf(queue, PRICE.deviceWrite, at))).toEqual([1000, 1060, 1120]);
  expect(endOf(queue, PRICE.deviceWrite, 10)).toBe(2120);
  meter.nowNs = 3000;
  expect(endOf(queue, PRICE.deviceRead, 11)).toBe(4000);
  expect(endOf(device(2).queue, PRICE.deviceRead, 1)).toBe(1000);
});

property.prop([
  fc.integer({ min: 2, max: 8 }),
  fc.array(fc.record({ wait: fc.nat(1500), at: fc.nat(20) }), { minLength: 1, maxLength: 60 }),
])(
  'never serves more at once than it can, nobody sooner than alone, and nobody later than it must',
  (atOnce, requests) => {
    const { meter, queue } = device(atOnce);
    const begun = requests.map(({ wait, at }) => {
      meter.nowNs += wait;
      return { madeNs: meter.nowNs, beginNs: endOf(queue, PRICE.deviceRead, at) - READ };
    });
    for (const { madeNs, beginNs } of begun) {
      expect(beginNs).toBeGreaterThanOrEqual(madeNs);
      const servedThen = begun.filter((other) => other.beginNs <= beginNs && beginNs < other.beginNs + READ);
      expect(servedThen.length).toBeLessThanOrEqual(atOnce);
      const servedBefore = begun.filter((other) => other.beginNs < beginNs && beginNs <= other.beginNs + READ);
      if (beginNs > madeNs) expect(servedBefore.length).toBe(atOnce);
    }
  },
);
