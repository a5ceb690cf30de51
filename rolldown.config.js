import { dirname, relative, resolve } from 'node:path';
import { defineConfig } from 'rolldown';

/**
 * Last step of the build: the thread of a run becomes one module, in place. V8 loads a constant that another module exports
 * anew at each use, through a cell, and folds one of the same module into the code: a fault takes a quarter less (bench/README.md).
 * It also starts faster. Everything else stays as tsc leaves it, a file for a file.
 *
 * The bundle lies where its entry lay; what a module finds relative to itself it finds relative to where it was.
 */
const keepPlaces = (file) => ({
  name: 'keep-places',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null;
    const place = `new URL(${JSON.stringify(relative(dirname(file), id))}, import.meta.url).href`;
    return code.replaceAll('import.meta.url', place);
  },
});

const thread = (file) =>
  defineConfig({
    input: file,
    platform: 'node',
    external: [/^[^./]/],
    plugins: [keepPlaces(resolve(file))],
    output: { file, format: 'esm', codeSplitting: false },
  });

export default ['dist/src/run/worker.js', 'dist/src/cli/bench/worker.js', 'dist/bench/worker.js'].map(thread);
