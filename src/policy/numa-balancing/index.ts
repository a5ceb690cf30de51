/**
 * NUMA balancing and memory tiering of Linux, as parts that balancers put together: when a task scans, what a scan marks, whether
 * a page may follow, what the faults of a task say, and how promotions are limited (NB- and TI- rules).
 *
 * On nothing but the contract: a balancer of your own can take them. `numaBalancing` is all of it together.
 */
export { numaBalancing, type NumaModes } from './numa-balancing.js';
export { passesFilter } from './filter.js';
export { Promotion } from './promotion.js';
export { AreaScanner } from './scanner.js';
export { nextScanPeriod, scanPeriodMax, scanPeriodMin, scanPeriodStart, scanWindows } from './scan-period.js';
export { SCAN_OPTIONS, settingsOf, TIERING_OPTIONS, type NumaSettings } from './settings.js';
export { FaultGroup, PRIVATE, SHARED, TaskFaults } from './task-faults.js';
export { accessorOf } from './accessor.js';
