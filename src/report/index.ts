/**
 * Reports: RunResult[] in, text out.
 *
 * One file per form (compare-report, run-report, json) over parts they share (sections, table, numbers) and the verdict: the
 * best run that a user can have and how to have it. Called by cli/. Always holds: the same results give the same
 * text; colours come only from the painter handed in; a run that cannot be had never wins, and each assumption is listed once.
 */
export { compareReport, type ReportContext } from './compare-report.js';
export { comparisonJson, stableJson } from './json.js';
export { formatCount, formatNs, formatRatio, formatShare } from './numbers.js';
export { pageLifeReport } from './page-life-report.js';
export { plain, type Paint } from './paint.js';
export { runReport } from './run-report.js';
export { tableText } from './table.js';
export { attainableRuns, thinkableRuns, TIE, verdictOf, verdictText } from './verdict.js';
