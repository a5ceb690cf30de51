import type { OptionSpec, OptionValues } from '../contract.js';

/** The controls of /sys/kernel/debug/sched/numa_balancing and of kernel.numa_balancing_promote_rate_limit_MBps (section 1). */
export interface NumaSettings {
  scanDelayMs: number;
  scanPeriodMinMs: number;
  scanPeriodMaxMs: number;
  scanSizeMb: number;
  hotThresholdMs: number;
  promoteRateLimitMbps: number;
}

const number = (about: string, initial: number): OptionSpec => ({ about, kind: 'number', initial });

/** The same as options of a run. */
export const SCAN_OPTIONS = {
  'scan-delay': number('ms before a new process, and a new area, is scanned', 1000),
  'scan-min': number('ms that covering a whole process takes at least', 1000),
  'scan-max': number('… and at most', 60_000),
  'scan-size': number('MB marked per scan', 256),
} as const satisfies Record<string, OptionSpec>;

export const TIERING_OPTIONS = {
  'hot-threshold': number('ms between mark and use up to which a slow page is hot', 1000),
  'rate-limit': number('MB per second promoted to a node', 65_536),
} as const satisfies Record<string, OptionSpec>;

export function settingsOf(options: OptionValues): NumaSettings {
  const value = (name: string, least: number, otherwise: number) =>
    Math.max(least, Math.floor(Number(options[name] ?? otherwise)));
  return {
    scanDelayMs: value('scan-delay', 0, 1000),
    scanPeriodMinMs: value('scan-min', 1, 1000),
    scanPeriodMaxMs: value('scan-max', 1, 60_000),
    scanSizeMb: value('scan-size', 1, 256),
    hotThresholdMs: value('hot-threshold', 1, 1000),
    promoteRateLimitMbps: value('rate-limit', 0, 65_536),
  };
}

/** The kernel's names of the controls. */
const CONTROLS: Readonly<Record<string, keyof NumaSettings>> = {
  'numa_balancing/scan_delay_ms': 'scanDelayMs',
  'numa_balancing/scan_period_min_ms': 'scanPeriodMinMs',
  'numa_balancing/scan_period_max_ms': 'scanPeriodMaxMs',
  'numa_balancing/scan_size_mb': 'scanSizeMb',
  'numa_balancing/hot_threshold_ms': 'hotThresholdMs',
  'kernel.numa_balancing_promote_rate_limit_MBps': 'promoteRateLimitMbps',
};

export function writeSetting(settings: NumaSettings, name: string, value: number): boolean {
  const key = Object.hasOwn(CONTROLS, name) ? CONTROLS[name] : undefined;
  if (key === undefined) return false;
  settings[key] = value;
  return true;
}
