import { formatCount } from '../report/index.js';
import type { Progress } from '../run/index.js';

const WIDTH = 24;
/** Redrawn at most this often, ms. */
const INTERVAL_MS = 100;
const CLEAR_LINE = '\r\x1b[K';

export interface ProgressBar {
  readonly onProgress: Progress;
  /** Wipes the bar away. */
  end(): void;
}

/** What the bar reads time from, ms. */
export type Clock = () => number;

/**
 * A bar of the rows of all runs together, with their rate and the time left, on `write` (null: no terminal, no bar).
 *
 * @param totalRows rows of all runs; null if nobody can know (a region replayed for some seconds): then only the rate
 */
export function progressBar(
  write: ((text: string) => void) | null,
  totalRows: number | null,
  now: Clock = () => performance.now(),
): ProgressBar {
  if (!write) return { onProgress: () => undefined, end: () => undefined };
  const start = now();
  const placeOfRun: number[] = [];
  let rows = 0;
  let drawnAt = -Infinity;
  return {
    onProgress(run, rowsDone) {
      // A region that is replayed begins again at an earlier row: what lies behind stays counted.
      rows += Math.max(0, rowsDone - (placeOfRun[run] ?? 0));
      placeOfRun[run] = rowsDone;
      const time = now();
      if (time - drawnAt < INTERVAL_MS) return;
      drawnAt = time;
      write(`${CLEAR_LINE}${progressLine(rows, totalRows, (time - start) / 1000)}`);
    },
    end() {
      if (drawnAt > -Infinity) write(CLEAR_LINE);
    },
  };
}

/** `[######            ]  25 %  5.2 M rows/s  12 s left`. */
export function progressLine(rows: number, totalRows: number | null, seconds: number): string {
  const rate = seconds > 0 ? rows / seconds : 0;
  const rateText = `${formatCount(rate)} rows/s`;
  if (totalRows === null) return `${formatCount(rows)} rows  ${rateText}`;
  const share = totalRows === 0 ? 1 : Math.min(1, rows / totalRows);
  const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH);
  const left = rate > 0 ? `  ${timeText((totalRows - rows) / rate)} left` : '';
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${rateText}${left}`;
}

function timeText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${String(whole)} s` : `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
}
