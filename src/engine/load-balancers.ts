import { readdir } from 'node:fs/promises';
import { basename, extname, isAbsolute, resolve } from 'node:path';
import { MmError, nearestName } from '../errors.js';
import type { BalancerDefinition, OptionValues } from '../policy/index.js';
import { importFile, importing, isPath, OWN_EXTENSION, type PolicyModule } from './load-policies.js';
import { optionsFor } from './replay/policy-request.js';

const FOLDER = new URL('../../policies/balancers/', import.meta.url);

let bundled: Promise<BalancerDefinition[]> | undefined;

/** Every balancer of the folder, found because its file is there; sorted by name. */
function bundledBalancers(): Promise<BalancerDefinition[]> {
  return (bundled ??= loadFolder());
}

async function loadFolder(): Promise<BalancerDefinition[]> {
  const files = (await readdir(FOLDER)).filter((file) => extname(file) === OWN_EXTENSION && !file.endsWith('.d.ts'));
  const names = files.map((file) => basename(file, OWN_EXTENSION)).sort();
  return Promise.all(
    names.map(async (name) => {
      const module = (await import(new URL(`${name}${OWN_EXTENSION}`, FOLDER).href)) as PolicyModule;
      return definitionIn(module, `policies/balancers/${name}`);
    }),
  );
}

/**
 * A balancer by name or by path (`./mine.ts`, TypeScript included).
 *
 * @param cwd folder that paths are looked up from
 * @throws MmError BAD_POLICY with the nearest name, or with what is wrong in the file
 */
export async function loadBalancer(name: string, cwd: string): Promise<BalancerDefinition> {
  if (isPath(name)) {
    const path = isAbsolute(name) ? name : resolve(cwd, name);
    return definitionIn(await importing(() => importFile(path), name), name);
  }
  const balancers = await bundledBalancers();
  const found = balancers.find((balancer) => balancer.name === name);
  if (found !== undefined) return found;
  const names = balancers.map((balancer) => balancer.name);
  const near = nearestName(name, names);
  throw new MmError(
    'BAD_POLICY',
    `no balancer "${name}"${near === undefined ? `; there are off, ${names.join(', ')}, or a file like ./mine.ts` : `; did you mean "${near}"?`}`,
  );
}

/** The balancer that a run asks for, with its options checked; null: none. */
export async function balancerRequest(
  spec: { readonly name: string; readonly options: Readonly<Record<string, string>> } | null,
  cwd: string,
): Promise<{ definition: BalancerDefinition; options: OptionValues } | null> {
  if (spec === null) return null;
  const definition = await loadBalancer(spec.name, cwd);
  return { definition, options: optionsFor(spec, definition) };
}

function definitionIn(module: PolicyModule, given: string): BalancerDefinition {
  const definition = module.default as Partial<BalancerDefinition> | undefined;
  const lacks = (what: string): never => {
    throw new MmError('BAD_POLICY', `balancer "${given}" ${what}; expected: export default defineBalancer({ … })`);
  };
  if (typeof definition !== 'object') return lacks('has no default export');
  if (typeof definition.name !== 'string' || definition.name === '') return lacks('has no name');
  if (typeof definition.create !== 'function') return lacks('has no create function');
  return { about: '', source: '', ...definition } as BalancerDefinition;
}
