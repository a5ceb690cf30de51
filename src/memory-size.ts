import { PAGE_BYTES } from './units.js';

const FACTORS: Readonly<Record<string, number>> = {
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

/**
 * A size of memory as people write it: `16GiB`, `512M`, `1.5 TiB`, `8GB`, `4096 pages`. K, M, G, T alone are binary
 * like KiB to TiB; kB to TB are powers of ten; upper and lower case are the same.
 *
 * @returns 4 KiB pages, rounded down; undefined if the text is no size (also: no unit, negative)
 */
export function parseMemorySize(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text);
  if (match === null) return undefined;
  const [amount, unit] = [Number(match[1]), match[2].toLowerCase()];
  if (unit === 'pages' || unit === 'page') return Math.floor(amount);
  const factor = FACTORS[unit];
  return factor === undefined ? undefined : Math.floor((amount * factor) / PAGE_BYTES);
}

/** `96 GiB`, `511 MiB`, `32 KiB`: the largest binary unit that holds at least one, at most one decimal. */
export function formatPages(pages: number): string {
  const bytes = pages * PAGE_BYTES;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${String(Math.round((bytes / 1024 ** power) * 10) / 10)} ${units[power]}`;
}
