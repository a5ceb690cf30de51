/**
 * Which terms add up to what something takes: one access, one fault, one move of pages. Computed from the machine alone, at the
 * prices that the engine pays for the same.
 */
export { explainAccess } from './access.js';
export { EXPLAINED_FAULTS, explainFault, type ExplainedFault } from './fault.js';
export { copySpeedup, explainMigration, MOVERS, writesNs, type Mover } from './migration.js';
export type { Explanation } from './term.js';
