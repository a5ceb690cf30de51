/**
 * Traces that are made and not recorded: a kind of program (kinds/), its options, a seed.
 *
 * Called by trace/readers/, which opens `gen:KIND:OPTION=VALUE…` like a file, and by `mof trace generate`. What always holds:
 * a row is a function of its number, so a pass can begin anywhere, nothing is stored and no array grows with the pages or
 * the rows; the same words give the same rows and the same sidecar on every machine, whether they are replayed at once or
 * written to a file first.
 */
export { GENERATOR_PREFIX, generatorWords, openGenerated, optionsOf } from './generator-words.js';
export { KINDS } from './kinds/index.js';
export type { GeneratorKind } from './kind.js';
