import { MmError, nearestName } from '../../errors.js';
import { isFile, type FileRegion, type Region, type Sidecar } from '../../trace/index.js';

/** Page cache, or private memory of a process? */
export function isFileRegion(region: Region): region is FileRegion {
  return isFile(region.kind);
}

/** A word of a run names a region by its name, its kind or its id. */
export function regionMatches(region: Region, word: string): boolean {
  return region.name === word || region.kind === word || String(region.id) === word;
}

/** Regions that a word of a run names. @throws MmError BAD_RUN if there are none, with the nearest name */
export function regionsNamed(sidecar: Sidecar, word: string): Region[] {
  const found = sidecar.regions.filter((region) => regionMatches(region, word));
  if (found.length > 0) return found;
  const names = [...new Set(sidecar.regions.flatMap((region) => [region.kind, region.name]))];
  const near = nearestName(word, names);
  throw new MmError(
    'BAD_RUN',
    `the trace has no region "${word}"${near === undefined ? '.' : `; did you mean "${near}"?`} Ids 0-${String(sidecar.regions.length - 1)}, kinds ${[...new Set(sidecar.regions.map((region) => region.kind))].join(', ')}; names: mof trace info`,
  );
}
