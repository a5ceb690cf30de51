import { cpSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Build step, run from dist/src/cli after tsc: brings along what tsc leaves out, everything in src/data but its TypeScript. */
const root = new URL('../../../', import.meta.url);
const place = (path: string): string => fileURLToPath(new URL(path, root));

cpSync(place('src/data'), place('dist/src/data'), { recursive: true, filter: (source) => extname(source) !== '.ts' });
