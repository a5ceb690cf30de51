import { access, readdir } from 'node:fs/promises';
import { basename, extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { MmError, nearestName } from '../errors.js';
import type { PolicyDefinition } from '../policy/index.js';

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
 * A policy by name, by path (`./mine.ts`, TypeScript included), or from an npm package.
 *
 * @param cwd folder that paths and packages are looked up from
 * @throws MmError BAD_POLICY with the nearest name, or with what is wrong in the file
 */
export async function loadPolicy(name: string, cwd: string): Promise<PolicyDefinition> {
  if (isPath(name)) return loadFile(isAbsolute(name) ? name : resolve(cwd, name), name);
  const policies = await bundledPolicies();
  const found = policies.find((policy) => policy.name === name);
  if (found !== undefined) return found;
  const fromPackage = await loadPackage(name, cwd);
  if (fromPackage !== undefined) return fromPackage;
  const near = nearestName(
    name,
    policies.map((policy) => policy.name),
  );
  throw new MmError(
    'BAD_POLICY',
    `no policy "${name}"${near === undefined ? '.' : `; did you mean "${near}"?`} See: mof policy list`,
  );
}

export const isPath = (name: string): boolean => name.startsWith('.') || isAbsolute(name) || /\.[cm]?[jt]s$/.test(name);

export interface PolicyModule {
  readonly default?: unknown;
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

async function loadPackage(name: string, cwd: string): Promise<PolicyDefinition | undefined> {
  let url: string | undefined;
  try {
    url = createJiti(pathToFileURL(resolve(cwd, 'from.js')).href).esmResolve(name, { try: true });
  } catch {
    return undefined;
  }
  if (url?.startsWith('file:') !== true) return undefined;
  const found = url;
  return definitionIn(await importing(() => import(found) as Promise<PolicyModule>, name), name);
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
