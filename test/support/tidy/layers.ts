import { readText } from './source.js';

interface LayersFile {
  /** Lowest first; what stands in one list is one layer. */
  readonly layers: readonly (readonly string[])[];
  /** Layer → files above it that it may `import type`. */
  readonly typesFromAbove: Readonly<Record<string, readonly string[]>>;
  readonly mayUseNode: { readonly fromLayer: string; readonly folders: readonly string[] };
  readonly packagesThatNeedNode: readonly string[];
}

export const LAYERS = JSON.parse(readText('.layers.json')) as LayersFile;

/** `src/mm/lru.ts` → `mm`, `src/units.ts` → `units`; null outside src/. */
export function layerOf(path: string): string | null {
  return /^src\/([^/]+?)(?:\.ts)?(?:\/|$)/.exec(path)?.[1] ?? null;
}

/** Place in the order of layers; -1 if the name is not in .layers.json. */
export function rankOf(layer: string): number {
  return LAYERS.layers.findIndex((names) => names.includes(layer));
}

export function mayUseNode(path: string): boolean {
  if (path.startsWith('policies/')) return false;
  if (LAYERS.mayUseNode.folders.some((folder) => path.startsWith(`${folder}/`))) return true;
  const layer = layerOf(path);
  return layer === null || layer === 'index' || rankOf(layer) >= rankOf(LAYERS.mayUseNode.fromLayer);
}
