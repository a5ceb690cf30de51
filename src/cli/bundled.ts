import { fileURLToPath } from 'node:url';

/** What comes with the program: `src/data` beside the sources, copied to `dist/src/data` by the build. */
const dataPath = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

export const MACHINES_FILE = dataPath('machines.json');
export const FIGURES_FILE = dataPath('figures.json');
/** 4 threads, one of them initialises: small enough for a demonstration of seconds. */
export const DEMO_TRACE = dataPath('traces/mini-stream-4t.parquet');
