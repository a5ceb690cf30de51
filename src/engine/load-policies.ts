import { access, readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { MmError, nearestName } from '../errors.js';
import { enter, leave, type Asked, type PolicyDefinition } from '../policy/index.js';
import { guardPolicy } from './guard-policy.js';

/** Where the bundled policies lie: beside `src` in the sources and in the built package alike. */
const FOLDER = new URL('../../policies/', import.meta.url);
export const OWN_EXTENSION = extname(fileURLToPath(import.meta.url));

let bundled: Promise<PolicyDefinition[]> | undefined;

/** Every policy of the folder, found because its file is there; sorted by name. */
export function bundledPolicies(): Promise<PolicyDefinition[]> {
  return (bundled ??= loadFolder());
}

async function loadFolder(): Promise<PolicyDefinition[]> {
  const files = (await readdir(FOLDER)).filter((file) => extname(file) === OWN_EXTENSION && !file.endsWith('.d.ts'));
  const names = files.map((file) => basename(file, OWN_EXTENSION)).sort();
  return Promise.all(
    names.map(async (name) => {
      const url = new URL(`${name}${OWN_EXTENSION}`, FOLDER).href;
      return definitionIn((await import(url)) as PolicyModule, `policies/${name}`);
    }),
  );
}

/**
 * A policy by name, by path (`./mine.ts`, TypeScript included), from a folder, or from an npm package; the package
 * `mof-policy-NAME` is found as `NAME` too.
 *
 * @param cwd folder that paths and packages are looked up from
 * @throws MmError BAD_POLICY with the nearest name, or with what is wrong in the file
 */
export async function loadPolicy(name: string, cwd: string): Promise<PolicyDefinition> {
  if (isPath(name)) return loadFile(await entryOf(isAbsolute(name) ? name : resolve(cwd, name), name), name);
  const policies = await bundledPolicies();
  const found = policies.find((policy) => policy.name === name);
  if (found !== undefined) return found;
  for (const packageName of [name, `${PACKAGE_PREFIX}${name}`]) {
    const path = packageEntry(packageName, cwd);
    if (path !== null) return loadFile(path, packageName);
  }
  const near = nearestName(
    name,
    policies.map((policy) => policy.name),
  );
  throw new MmError(
    'BAD_POLICY',
    `no policy "${name}"${near === undefined ? `, nor a package of that name or ${PACKAGE_PREFIX}${name}.` : `; did you mean "${near}"?`} See: mof policy list`,
  );
}

/** How packages with policies are called. */
const PACKAGE_PREFIX = 'mof-policy-';

/**
 * The same, and each answer of a policy that is not bundled is looked at (guard-policy.ts).
 *
 * @param which number of the policy among those of its run
 */
export async function loadGuarded(
  name: string,
  cwd: string,
  which: number,
  asked: Asked | null,
): Promise<PolicyDefinition> {
  if (asked !== null) enter(asked, which, 'loading', null);
  const definition = await loadPolicy(name, cwd);
  if (asked !== null) leave(asked);
  const isBundled = (await bundledPolicies()).includes(definition);
  return isBundled ? definition : guardPolicy(definition, { file: name, which, asked });
}

/**
 * The policy files that a word means: those of a folder that is no package, each; else the word itself.
 * @param cwd folder that paths are looked up from
 */
export async function policiesNamed(word: string, cwd: string): Promise<string[]> {
  if (!isPath(word)) return [word];
  const folder = resolve(cwd, word);
  if (!(await isFolder(folder)) || (await packagedEntry(folder)) !== null) return [word];
  const files = await policyFiles(folder);
  if (files.length === 0) throw new MmError('BAD_POLICY', `folder "${word}" has no policy: no file NAME.ts or NAME.js`);
  return files.map((file) => `${word.replace(/\/+$/, '')}/${file}`);
}

export const isPath = (name: string): boolean => name.startsWith('.') || isAbsolute(name) || /\.[cm]?[jt]s$/.test(name);

export interface PolicyModule {
  readonly default?: unknown;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true;
}

/** Files of a folder that can be policies: no tests, no declarations, no settings of tools. */
async function policyFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files.filter((file) => /^[a-z0-9-]+\.[cm]?[jt]s$/.test(file)).sort();
}

/** The file that a path means: itself, the entry of a package, or the only policy of a folder. */
async function entryOf(path: string, given: string): Promise<string> {
  if (!(await isFolder(path))) return path;
  const entry = await packagedEntry(path);
  if (entry !== null) return entry;
  const files = await policyFiles(path);
  if (files.length === 1) return resolve(path, files[0]);
  const has = files.length === 0 ? 'no policy' : `more than one policy: ${files.join(', ')}`;
  throw new MmError('BAD_POLICY', `folder "${given}" has ${has}; expected a package, or one file`);
}

/** What a folder with a package.json exports, or null if it has none. */
async function packagedEntry(folder: string): Promise<string | null> {
  const text = await readFile(resolve(folder, 'package.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  let name: unknown;
  try {
    ({ name } = JSON.parse(text) as { name?: unknown });
  } catch (error) {
    throw new MmError('BAD_POLICY', `${folder}/package.json is no JSON: ${(error as Error).message}`);
  }
  return typeof name === 'string' ? packageEntry(name, folder) : null; // a package may name itself
}

async function loadFile(path: string, given: string): Promise<PolicyDefinition> {
  try {
    await access(path);
  } catch {
    throw new MmError('BAD_POLICY', `no policy file "${given}" (looked for ${path})`);
  }
  return definitionIn(await importing(() => importFile(path), given), given);
}

export function importFile(path: string): Promise<PolicyModule> {
  const url = pathToFileURL(path).href;
  const alias = {
    'migrate-on-fault/policy': fileURLToPath(new URL(`../policy/index${OWN_EXTENSION}`, import.meta.url)),
  };
  const jiti = createJiti(import.meta.url, { interopDefault: false, alias });
  return jiti.import<PolicyModule>(url);
}

/** The file behind the name of a package as `cwd` sees it, or null. */
function packageEntry(name: string, cwd: string): string | null {
  try {
    const url = createJiti(pathToFileURL(resolve(cwd, 'from.js')).href).esmResolve(name, { try: true });
    return url?.startsWith('file:') === true ? fileURLToPath(url) : null;
  } catch {
    return null;
  }
}

/** Trouble while loading somebody's file is theirs: one line with the place. */
export async function importing(load: () => Promise<PolicyModule>, given: string): Promise<PolicyModule> {
  try {
    return await load();
  } catch (error) {
    const lines = error instanceof Error ? error.message.split('\n') : [String(error)];
    const reason = lines
      .slice(0, 2)
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join(' '); // the second has the place
    throw new MmError('BAD_POLICY', `policy "${given}" cannot be loaded: ${reason}`);
  }
}

function definitionIn(module: PolicyModule, given: string): PolicyDefinition {
  const definition = module.default as Partial<PolicyDefinition> | undefined;
  const lacks = (what: string): never => {
    throw new MmError('BAD_POLICY', `policy "${given}" ${what}; expected: export default definePolicy({ … })`);
  };
  if (typeof definition !== 'object') return lacks('has no default export');
  if (typeof definition.name !== 'string' || definition.name === '') return lacks('has no name');
  if (typeof definition.create !== 'function') return lacks('has no create function');
  if (!['none', 'optional', 'some'].includes(definition.nodes ?? '')) {
    return lacks(`says nodes: ${JSON.stringify(definition.nodes)}, not 'none', 'optional' or 'some'`);
  }
  if (!['any', 'within', 'within-then-any'].includes(definition.fallback ?? '')) {
    return lacks(`says fallback: ${JSON.stringify(definition.fallback)}, not 'any', 'within' or 'within-then-any'`);
  }
  return { about: '', rebind: 'remap', ...definition } as PolicyDefinition;
}
