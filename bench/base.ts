import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MmError } from '../src/errors.js';

const execute = promisify(execFile);
/** The checkout that this was built from. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a run of the benchmarks wrote, as far as it is read again. */
export interface Recorded {
  readonly commit?: string | null;
  readonly isModified?: boolean;
  readonly pages: number;
  readonly node: string;
  readonly cases: readonly { readonly name: string; readonly ns: number; readonly ratio: number | null }[];
}

/** What is compared with: a build of another commit, or what was written down. */
export type Base =
  | { readonly kind: 'built'; readonly title: string; readonly worker: string; readonly names: ReadonlySet<string> }
  | { readonly kind: 'recorded'; readonly title: string; readonly why: string; readonly recorded: Recorded };

const git = async (...args: readonly string[]): Promise<string> =>
  (await execute('git', ['-C', ROOT, ...args])).stdout.trim();

/** The commit this was built from, as far as git knows. */
export async function ownCommit(): Promise<{ commit: string | null; isModified: boolean }> {
  try {
    return { commit: await git('rev-parse', 'HEAD'), isModified: (await git('status', '--porcelain')) !== '' };
  } catch {
    return { commit: null, isModified: false };
  }
}

/**
 * @param word a file that `--json` wrote, or a commit
 * @throws MmError BAD_OPTION if it is neither, or a commit that cannot be built or measured
 */
export async function openBase(word: string): Promise<Base> {
  if (!existsSync(word)) return build(await resolve(word), word);
  const recorded = await readRecorded(word);
  const { commit, isModified } = recorded;
  const instead = (why: string): Base => ({ kind: 'recorded', title: word, why, recorded });
  if (typeof commit !== 'string') return instead('no commit is written in it');
  if (isModified === true) return instead('it was measured with changes that were not committed');
  try {
    return await build(await resolve(commit), word);
  } catch (error) {
    if (!(error instanceof MmError)) throw error;
    return instead(error.message);
  }
}

async function readRecorded(path: string): Promise<Recorded> {
  const bad = (what: string) =>
    new MmError(
      'BAD_OPTION',
      `--compare ${path}: ${what}; expected a file that npm run bench -- --json wrote, or a commit`,
    );
  let recorded: Partial<Recorded> | null;
  try {
    recorded = JSON.parse(await readFile(path, 'utf8')) as Partial<Recorded> | null;
  } catch (error) {
    throw bad(error instanceof Error ? error.message.split('\n')[0] : String(error));
  }
  const { cases, pages } = recorded ?? {};
  if (typeof pages !== 'number' || !Array.isArray(cases)) throw bad('it has no "pages" and "cases"');
  for (const [i, { name, ns }] of (cases as readonly Partial<Recorded['cases'][number]>[]).entries())
    if (typeof name !== 'string' || typeof ns !== 'number') throw bad(`cases[${String(i)}] has no "name" and "ns"`);
  return recorded as Recorded;
}

async function resolve(word: string): Promise<string> {
  try {
    return await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${word}^{commit}`);
  } catch {
    throw new MmError('BAD_OPTION', `--compare ${word}: neither a file nor a commit of this repository`);
  }
}

/** Checks the commit out into a temporary folder, which goes when this process ends, with the packages that are installed here, and builds it. */
async function build(commit: string, word: string): Promise<Base> {
  const folder = await mkdtemp(join(tmpdir(), 'mof-base-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
    execFileSync('git', ['-C', ROOT, 'worktree', 'prune']);
  });
  try {
    await git('worktree', 'add', '--quiet', '--detach', folder, commit);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await execute('npm', ['run', '--silent', 'build'], { cwd: folder });
    const { stdout } = await execute(process.execPath, [join('dist', 'bench', 'main.js'), '--list'], { cwd: folder });
    const names = new Set(stdout.trim().split('\n'));
    return {
      kind: 'built',
      title: `${word} (${commit.slice(0, 10)})`,
      worker: join(folder, 'dist', 'bench', 'worker.js'),
      names,
    };
  } catch (error) {
    const { stdout = '', message } = error as Error & { stdout?: string };
    const [line] = (stdout === '' ? message : stdout).split('\n');
    throw new MmError(
      'BAD_OPTION',
      `--compare ${word}: commit ${commit.slice(0, 10)} cannot be built here and asked for its cases: ${line}`,
    );
  }
}
