/**
 * How far a comparison rests on constants that nobody has measured: over which range of each the same run stays the best.
 *
 * `constants.ts` says what is varied, over which range, and where the range comes from; `studyRanking` carries the runs out
 * again with each constant at a few values of its range, one varied at a time, and looks for the value at which the ranking
 * changes. Called by cli/, which hands in how runs are carried out and who can win; report/ prints what comes of it.
 * Always holds: a constant is changed in what a run is given (machine, options, misses of the trace), never in the engine;
 * the same runs give the same study, however many are carried out at once.
 */
export { studyRanking } from './study.js';
export type { ConstantStudy, RankingChange, RankingOf, Sensitivity, Standing } from './sensitivity.js';
