import { defineConfig } from 'rolldown';

/**
 * Last step of the build: the thread of a run becomes one module, in place. V8 loads a constant that another module exports
 * anew at each use, through a cell, and folds one of the same module into the code: a fault takes a quarter less (bench/README.md).
 * It also starts faster. Everything else stays as tsc leaves it, a file for a file.
 *
 * The bundle lies where its entry lay, as deep as src/engine, so that what is found relative to import.meta.url is found.
 */
const thread = (file) =>
  defineConfig({
    input: file,
    platform: 'node',
    external: [/^[^./]/],
    output: { file, format: 'esm', sourcemap: true, codeSplitting: false },
  });

export default [thread('dist/src/run/worker.js')];
