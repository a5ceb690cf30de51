/**
 * What acts over time: automatic migration, where a task's pages follow it when the scheduler moves it to another node,
 * khugepaged, which makes huge pages of small ones, and what
 * balancers ask for: marks for hint faults, moves, unmapping.
 *
 * Decides when something is due and which pages it concerns; moving them is migrate/'s. engine/ tells it of the scheduler's
 * moves and calls it at the moments the kernel would (on the way back to user space). Always holds: nothing happens between
 * those calls, there is no thread and no timer here; a task that nothing is pending for costs one test of a flag.
 */
export { makeAutoMigrate, type AutoMigrate, type AutoMigrateSettings } from './auto-migrate.js';
export { makeKhugepaged, type Khugepaged, type KhugepagedSettings } from './khugepaged.js';
export { makeBalancing, type Balancing } from './balancing.js';
export { tiersOf } from './tiers.js';
