/** Numbers as a reader takes them in: the same text on every machine, whatever its locale. */

/** `544,715`, from ten million on `104.8 M`, from ten thousand million on `16.4 G`. */
export function formatCount(count: number): string {
  if (Math.abs(count) >= 1e10) return `${(count / 1e9).toFixed(1)} G`;
  if (Math.abs(count) >= 1e7) return `${(count / 1e6).toFixed(1)} M`;
  return withThousands(Math.round(count));
}

/** Three significant digits or more and a unit: `812 ns`, `12.3 µs`, `4.05 ms`, `123 s`. */
export function formatNs(ns: number): string {
  if (ns === 0) return '0';
  const units = ['ns', 'µs', 'ms', 's'];
  let value = ns;
  let unit = 0;
  // 999.5 would be printed as 1000: go on to the next unit.
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${digits === 0 ? withThousands(Math.round(value)) : value.toFixed(digits)} ${units[unit]}`;
}

/** 0.3445 → `34.45 %`. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** A ratio of times: `0.82`, near one with more digits: `0.997`. */
export function formatRatio(ratio: number): string {
  return Math.abs(ratio - 1) < 0.1 ? ratio.toFixed(3) : ratio.toFixed(2);
}

function withThousands(whole: number): string {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ',');
}
