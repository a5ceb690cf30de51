/** What a machine takes for moving pages: the terms of T = B + n (o + k·w + bytes / (bw · s)). */
export interface MigrationConstants {
  /** B: a call, whatever it moves. */
  readonly callNs: number;
  /** o: control work per folio. */
  readonly folioNs: number;
  /** w: the same per page-table entry of a folio that is mapped by small entries; 0 where one entry maps it whole. */
  readonly entryNs: number;
  /** bw: one thread copying, GB/s. */
  readonly copyGbs: number;
  /** s: how many times as fast several threads copy. */
  readonly copySpeedup: number;
}

export interface MigrationRequest {
  readonly calls: number;
  readonly folios: number;
  readonly folioBytes: number;
  /** k: small page-table entries per folio; 0 if the folio is mapped as a whole. */
  readonly entries: number;
}

export interface MigrationTime {
  readonly callNs: number;
  readonly controlNs: number;
  readonly copyNs: number;
  readonly totalNs: number;
}

/**
 * Time of moving folios by system calls, in its parts. More copy threads shorten the copy alone, so small folios gain little:
 * Amdahl's law.
 *
 * The form fits Z. Yan's move_pages times on Haswell and POWER8 (2017) and S. Garg's rates on EPYC Zen 3 by size of folio (2025).
 */
export function migrationTime(constants: MigrationConstants, request: MigrationRequest): MigrationTime {
  const { calls, folios, folioBytes, entries } = request;
  const callNs = calls * constants.callNs;
  const controlNs = folios * (constants.folioNs + entries * constants.entryNs);
  const copyNs = (folios * folioBytes) / (constants.copyGbs * constants.copySpeedup);
  return { callNs, controlNs, copyNs, totalNs: callNs + controlNs + copyNs };
}

/** s, from the rate at which folios move that one entry maps: what is left after the control work is the copy. */
export function copySpeedupOf(
  constants: Pick<MigrationConstants, 'folioNs' | 'copyGbs'>,
  folioBytes: number,
  movedGbs: number,
): number {
  return folioBytes / constants.copyGbs / (folioBytes / movedGbs - constants.folioNs);
}
