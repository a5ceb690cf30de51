/**
 * What everything takes, in ns of virtual time: accesses by distance and load, walks, faults, copies, migrations,
 * shootdowns, I/O.
 *
 * The engine, fault/, migrate/ and reclaim/ ask; nothing here knows pages or policies. `CostModel` is the contract, which
 * an embedding program may bind anew; `LoadedLatency` is the default, made from a machine's CostDescription; `Meter` is the clock that pays. Always
 * holds: no answer is negative, no access is cheaper under load than idle, and the same calls give the same answers.
 */
export { autonumaCost } from './autonuma-cost.js';
export { FaultKind, type CostModel } from './cost-model.js';
export { DeviceQueue } from './device-queue.js';
export { contendedFaultRate } from './fault-contention.js';
export * from './explain/index.js';
export { loadFactor, settledFactor } from './load-curve.js';
export { COST_ASSUMPTIONS, LoadedLatency, type CostOptions } from './loaded-latency.js';
export {
  ACCOUNT_BACKGROUND,
  ACCOUNT_FAULT,
  ACCOUNT_MIGRATION,
  ACCOUNT_REFAULT,
  Meter,
  PRICE,
  type PriceName,
  type Prices,
} from './meter.js';
export { copySpeedupOf, migrationTime, type MigrationTime } from './migration-time.js';
export { makeMeter, pricesOf } from './prices.js';
export { factorAt, inFlightToFill, settledLoad } from './settled-load.js';
