import { fileURLToPath } from 'node:url';
import { buildNative, type Native } from '../../src/cli/bench/native.js';

const SOURCE = fileURLToPath(new URL('../../../bench/reference/reference.c', import.meta.url));

/** The reference program; null if there is no compiler. */
export async function buildReference(): Promise<{ compiler: Native['compiler']; program: string } | null> {
  const native = await buildNative([SOURCE]);
  return native === null ? null : { compiler: native.compiler, program: native.programs[0] };
}
