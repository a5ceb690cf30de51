import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const COMPILERS = ['cc', 'gcc', 'clang'];
const FLAGS = ['-O3', '-march=native', '-std=gnu11'];
const KERNEL_FAULTS = fileURLToPath(new URL('../../data/kernel-faults.c', import.meta.url));

const execute = promisify(execFile);

/** Programs in C, built. They go when this process ends. */
export interface Native {
  /** First line of what the compiler says about itself, and the flags. */
  readonly compiler: string;
  readonly programs: readonly string[];
}

/** @returns null if there is no compiler; what a compiler says that is there and fails is thrown */
export async function buildNative(sources: readonly string[]): Promise<Native | null> {
  for (const compiler of COMPILERS) {
    const version = await execute(compiler, ['--version']).catch(() => null);
    if (version === null) continue;
    const folder = await mkdtemp(join(tmpdir(), 'mof-bench-'));
    process.once('exit', () => {
      rmSync(folder, { recursive: true, force: true });
    });
    const programs = sources.map((_, i) => join(folder, `program-${String(i)}`));
    for (const [i, source] of sources.entries()) await execute(compiler, [...FLAGS, '-o', programs[i], source]);
    return { compiler: `${version.stdout.split('\n')[0]}, ${FLAGS.join(' ')}`, programs };
  }
  return null;
}

/** A kind of fault of this machine's own kernel, ns per page: kernel-faults.c. */
export interface KernelFault {
  readonly kind: string;
  readonly ns: number;
  readonly least: number;
  /** 1, or the figure means nothing. */
  readonly faultsPerPage: number;
}

/**
 * Lets this machine's kernel take its own faults.
 * @returns null if there is no compiler to build what provokes them
 */
export async function measureKernel(
  pages: number,
  repeats: number,
  signal?: AbortSignal,
): Promise<KernelFault[] | null> {
  const native = await buildNative([KERNEL_FAULTS]);
  if (native === null) return null;
  const args = [String(pages), String(repeats)];
  const { stdout } = await execute(native.programs[0], args, signal === undefined ? {} : { signal });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as KernelFault);
}
