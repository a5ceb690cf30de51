import { expect, test } from 'vitest';
import { ACCOUNT_FAULT, ACCOUNT_MIGRATION, FaultKind, LoadedLatency, makeMeter, PRICE } from '../../src/cost/index.js';
import { asNodeId } from '../../src/units.js';

const model = new LoadedLatency({
  latencyNs: [
    [100, 200],
    [160, 100],
  ],
  bandwidthGbs: [
    [64, 32],
    [32, 64],
  ],
  minorFaultNs: 2000,
  majorFaultNs: 50_000,
  writebackNs: 40_000,
  pageCopyGbs: 4,
  migrateBaseNs: 60_000,
  migratePerPageNs: 1000,
  migratePerFolioNs: 800,
  ipiNs: 2500,
  ipiFurtherNs: 1000,
  deviceAtOnce: 2,
  deviceNextNs: 30_000,
  walkNs: 25,
});

test('a meter pays what the cost model says, to the account named', () => {
  const meter = makeMeter(model, 2);
  meter.pay(ACCOUNT_FAULT, PRICE.anonFault);
  meter.pay(ACCOUNT_MIGRATION, PRICE.movePage);
  meter.payTimes(ACCOUNT_MIGRATION, PRICE.shootdown, 3);
  meter.payTimes(ACCOUNT_MIGRATION, PRICE.shootdownFurther, 2);
  meter.payCopy(ACCOUNT_MIGRATION, 0, 1);
  expect(meter.spent(ACCOUNT_FAULT)).toBe(2000);
  expect(meter.spent(ACCOUNT_MIGRATION)).toBe(1000 + 7500 + 2000 + model.copyNs(asNodeId(0), asNodeId(1)));
  expect(meter.nowNs).toBe(meter.spent(ACCOUNT_FAULT) + meter.spent(ACCOUNT_MIGRATION));
});

test('a meter copies in the direction asked for', () => {
  const meter = makeMeter(model, 2);
  meter.payCopy(ACCOUNT_MIGRATION, 1, 0);
  expect(meter.nowNs).toBe(model.copyNs(asNodeId(1), asNodeId(0)));
  expect(meter.nowNs).not.toBe(model.copyNs(asNodeId(0), asNodeId(1)));
});

test('a move whose unmapping was paid pays the rest: together the control work of the machine', () => {
  const meter = makeMeter(model, 2);
  meter.pay(ACCOUNT_MIGRATION, PRICE.unmapPage);
  meter.pay(ACCOUNT_MIGRATION, PRICE.restOfMove);
  expect(meter.nowNs).toBeCloseTo(1000, 9);
  meter.pay(ACCOUNT_MIGRATION, PRICE.unmapPage);
  meter.pay(ACCOUNT_MIGRATION, PRICE.restOfHugeMove);
  expect(meter.nowNs).toBeCloseTo(1800, 9);
});

test('every price of a meter is set, and a swap-in is the fault and the device apart', () => {
  const meter = makeMeter(model, 2);
  for (const price of Object.values(PRICE)) expect(meter.price(price)).toBeGreaterThan(0);
  expect(meter.price(PRICE.deviceRead) + model.faultNs(FaultKind.major)).toBe(50_000);
});
