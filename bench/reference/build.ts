import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The sources stay where they are; what is built of them goes to a temporary folder. */
const SOURCES = fileURLToPath(new URL('../../../bench/reference/', import.meta.url));
const COMPILERS = ['cc', 'gcc', 'clang'];
const FLAGS = ['-O3', '-march=native', '-std=gnu11'];

const execute = promisify(execFile);

/** Programs in C, built; they go when this process ends. */
export interface Native {
  /** First line of what the compiler says about itself, and the flags. */
  readonly compiler: string;
  readonly reference: string;
  readonly kernelFaults: string;
}

/** @returns null if there is no compiler; what a compiler says that is there and fails is thrown */
export async function buildNative(): Promise<Native | null> {
  for (const compiler of COMPILERS) {
    const version = await execute(compiler, ['--version']).catch(() => null);
    if (version === null) continue;
    const folder = await mkdtemp(join(tmpdir(), 'mof-bench-'));
    process.once('exit', () => {
      rmSync(folder, { recursive: true, force: true });
    });
    const [reference, kernelFaults] = ['reference', 'kernel-faults'].map((name) => join(folder, name));
    await execute(compiler, [...FLAGS, '-o', reference, join(SOURCES, 'reference.c')]);
    await execute(compiler, [...FLAGS, '-o', kernelFaults, join(SOURCES, 'kernel-faults.c')]);
    return { compiler: `${version.stdout.split('\n')[0]}, ${FLAGS.join(' ')}`, reference, kernelFaults };
  }
  return null;
}
