import type { NumaSettings } from './settings.js';

/** All times in ms, all divisions whole, as the kernel's (NB-1). */
const PAGES_PER_MB = 256;
/** At most so many MB of entries a second and thread. */
const MAX_SCAN_MB = 2560;
const SLOTS = 10;
const SLOT_THRESHOLD = 7;

/** What a group adds: threads in it, and its decayed faults of each kind (NB-2). */
export interface GroupFaults {
  readonly tasks: number;
  readonly shared: number;
  readonly private: number;
}

export function scanWindows({ scanSizeMb }: NumaSettings, residentPages: number): number {
  return Math.max(1, Math.ceil(residentPages / (scanSizeMb * PAGES_PER_MB)));
}

/** NB-1. Kernel: task_scan_min() */
export function scanPeriodMin(settings: NumaSettings, residentPages: number): number {
  const { scanSizeMb, scanPeriodMinMs } = settings;
  const floor = scanSizeMb < MAX_SCAN_MB ? Math.floor(1000 / Math.floor(MAX_SCAN_MB / scanSizeMb)) : 1000;
  return Math.max(floor, Math.floor(scanPeriodMinMs / scanWindows(settings, residentPages)));
}

/** NB-2: the more is shared, the longer. */
function stretched(period: number, group: GroupFaults | null): number {
  if (group === null) return period;
  return Math.floor((period * group.tasks * (group.shared + 1)) / (group.private + group.shared + 1));
}

/** NB-1, NB-2. Kernel: task_scan_max() */
export function scanPeriodMax(settings: NumaSettings, residentPages: number, group: GroupFaults | null): number {
  const most = Math.floor(settings.scanPeriodMaxMs / scanWindows(settings, residentPages));
  return Math.max(scanPeriodMin(settings, residentPages), most, stretched(most, group));
}

/** NB-2. Kernel: task_scan_start() */
export function scanPeriodStart(settings: NumaSettings, residentPages: number, group: GroupFaults | null): number {
  const least = scanPeriodMin(settings, residentPages);
  return Math.max(least, stretched(least, group));
}

/** Pages that faulted since the last placement. */
export interface Locality {
  local: number;
  remote: number;
  failed: number;
}

/** NB-80: nothing to learn from, or moving fails: scan more slowly. */
export function mustSlowDown({ local, failed }: Locality, shared: number): boolean {
  return local + shared === 0 || failed > 0;
}

/** NB-80, NB-81: the next period. Kernel: update_task_scan_period() */
export function nextScanPeriod(
  period: number,
  { min, max }: { readonly min: number; readonly max: number },
  locality: Locality,
  faults: { readonly shared: number; readonly private: number },
): number {
  if (mustSlowDown(locality, faults.shared)) return Math.min(max, period * 2);
  const slot = Math.ceil(period / SLOTS);
  const local = Math.floor((SLOTS * locality.local) / (locality.local + locality.remote));
  const own = Math.floor((SLOTS * faults.private) / (faults.private + faults.shared));
  const slots =
    own >= SLOT_THRESHOLD
      ? Math.max(1, own - SLOT_THRESHOLD)
      : local >= SLOT_THRESHOLD
        ? Math.max(1, local - SLOT_THRESHOLD)
        : Math.max(local, own) - SLOT_THRESHOLD;
  return Math.min(max, Math.max(min, period + slots * slot));
}
