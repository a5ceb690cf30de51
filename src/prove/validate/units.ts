/** What a published number measures. Base units: ns, GB/s (10⁹ bytes), per second, 1, 1. */
export type Dimension = 'time' | 'bandwidth' | 'rate' | 'ratio' | 'count';

export interface Unit {
  readonly dimension: Dimension;
  /** Base units per unit. */
  readonly scale: number;
}

const TIME: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9 };
const BYTES: Readonly<Record<string, number>> = {
  ...{ 'kB/s': 1e-6, 'KB/s': 1e-6, 'MB/s': 1e-3, 'GB/s': 1, 'TB/s': 1e3 },
  ...{ 'KiB/s': 2 ** 10 / 1e9, 'MiB/s': 2 ** 20 / 1e9, 'GiB/s': 2 ** 30 / 1e9 },
};
const RATIO: Readonly<Record<string, number>> = { ratio: 1, fraction: 1, factor: 1, '%': 0.01 };

/**
 * The unit of a figure as it is written: `us`, `GiB/s`, `faults/s (wall)`, `%`. What stands in parentheses is left out, `ns/page` is a
 * time, `faults/s` a rate; a word that is none of the known ones counts things.
 *
 * @param ghz makes a time of `cycles`
 */
export function readUnit(text: string, ghz: number | null = null): Unit {
  const word = text.replace(/\(.*\)/, '').trim();
  if (word in BYTES) return { dimension: 'bandwidth', scale: BYTES[word] };
  if (word in RATIO) return { dimension: 'ratio', scale: RATIO[word] };
  const [above, below] = word.split('/').map((part) => part.trim());
  if (above === 'cycles' && ghz !== null) return { dimension: 'time', scale: 1 / ghz };
  if (above in TIME) return { dimension: 'time', scale: TIME[above] };
  if (below !== undefined && /(^| )s$/.test(below)) return { dimension: 'rate', scale: 1 };
  return { dimension: 'count', scale: 1 };
}

export const UNIT_EXAMPLES: Readonly<Record<Dimension, string>> = {
  time: 'ns, us, ms or s',
  bandwidth: 'GB/s, GiB/s, MB/s or MiB/s',
  rate: 'faults/s',
  ratio: 'ratio, fraction or %',
  count: 'pages, count',
};
