/**
 * Which terms add up to what something takes: one access, one fault, one move of pages. Computed from the machine alone, at the
 * prices that the engine pays for the same.
 */
export { explainAccess, type AccessRequest } from './access.js';
export { EXPLAINED_FAULTS, explainFault, type ExplainedFault, type FaultRequest } from './fault.js';
export { copySpeedup, explainMigration, MOVERS, writesNs, type MigrationRequest, type Mover } from './migration.js';
export type { Explanation, Term } from './term.js';
