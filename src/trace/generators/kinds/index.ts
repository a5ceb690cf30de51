/**
 * One kind of program per file: what its data is and who does what with it, as phases (`../phase.ts`).
 *
 * A new kind: one file here and one line below; `stream.ts` is the template. What always holds: `write` depends on nothing but
 * the turn that it is given, allocates nothing, and writes rows that are the same wherever a batch is cut.
 */
import { chase } from './chase.js';
import { files } from './files.js';
import { heap } from './heap.js';
import { server } from './server.js';
import { stencil } from './stencil.js';
import { stream } from './stream.js';
import { updates } from './updates.js';
import { zipf } from './zipf.js';
import type { GeneratorKind } from '../kind.js';

export const KINDS: readonly GeneratorKind[] = [stream, updates, zipf, chase, stencil, files, server, heap];
