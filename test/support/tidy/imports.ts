import { LAYERS, layerOf, rankOf } from './layers.js';
import { importsOf, type ImportRef, type Rule, type Source } from './source.js';

const FRONT_DOOR = 'src/index.ts';
const CONTRACT = 'src/policy/index.ts';
const COMPOSITION_ROOT = 'src/engine/compose.ts';

/** Imports point down (.layers.json), and each part of the tree sees only what it may. */
export const arrows: Rule = (source) =>
  importsOf(source).flatMap((ref) => {
    const what = arrowOffence(source.path, ref);
    return what === null ? [] : [`${source.path}:${ref.line}: ${what}`];
  });

function arrowOffence(from: string, { specifier, target, typeOnly }: ImportRef): string | null {
  if (from.startsWith('policies/'))
    return target === CONTRACT ? null : `a policy imports ${CONTRACT} alone, not ${specifier}`;
  if (target === null)
    return from.startsWith('src/policy/') ? `the policy contract needs no package: ${specifier}` : null;
  if (target.startsWith('test/') && !from.startsWith('test/')) return `imports a test: ${target}`;
  if (!from.startsWith('src/')) return null;
  if (!target.startsWith('src/')) return `imports from outside src/: ${target}`;
  if (target === FRONT_DOOR) return `${FRONT_DOOR} is for embedding programs: import the folder instead`;
  if (from === FRONT_DOOR) return layerOf(target) === 'cli' ? `${FRONT_DOOR} does not open the command line` : null;
  if (from.startsWith('src/policy/') && !/^src\/(policy\/|units\.ts$)/.test(target)) {
    return `the policy contract imports units.ts and itself, not ${target}`;
  }
  return upwardOffence(layerOf(from) ?? '', layerOf(target) ?? '', target, typeOnly);
}

function upwardOffence(from: string, to: string, target: string, typeOnly: boolean): string | null {
  for (const layer of [from, to]) if (rankOf(layer) < 0) return `${layer} is not in .layers.json`;
  if (rankOf(to) <= rankOf(from)) return null;
  if (LAYERS.typesFromAbove[from]?.includes(target)) {
    return typeOnly ? null : `${from} takes only types from ${target}: write \`import type\``;
  }
  return `${from} imports ${target}, which lies above it: answer the caller instead`;
}

/** Two folders of one layer do not import each other both ways. Looks at all files together. */
export function mutualNeighbours(sources: readonly Source[]): string[] {
  const edges = new Map<string, string>();
  for (const source of sources) {
    for (const { target, line } of importsOf(source)) {
      const [from, to] = [layerOf(source.path), target === null ? null : layerOf(target)];
      if (from !== null && to !== null && from !== to && rankOf(from) === rankOf(to)) {
        edges.set(`${from} ${to}`, `${source.path}:${line}`);
      }
    }
  }
  return [...edges].flatMap(([edge, where]) => {
    const [from, to] = edge.split(' ');
    const back = edges.get(`${to} ${from}`);
    return back !== undefined && from < to ? [`${from} and ${to} import each other: ${where}, ${back}`] : [];
  });
}

/** inversify is known to compose.ts and to plug-ins under test, to nobody else. */
export const oneCompositionRoot: Rule = (source) => {
  if (source.path === COMPOSITION_ROOT || source.path.startsWith('test/')) return [];
  return importsOf(source)
    .filter(({ specifier }) => /^(inversify|reflect-metadata)(\/|$)|^@inversifyjs\//.test(specifier))
    .map(({ specifier, line }) => `${source.path}:${line}: only ${COMPOSITION_ROOT} imports ${specifier}`);
};
