import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  BADLY_PLACED,
  COMPARED,
  figuresRow,
  MACHINES,
  MLP,
  placedRow,
  placedRuns,
  rangesRow,
  tablesIn,
  tableWith,
  VARIED,
  type Comparison,
} from './verdicts.js';

/**
 * `npm run verdicts -- TRACE.parquet…`: carries the comparisons of docs/verdicts.md out on these traces, and writes their rows, one
 * trace after the other. Rows of other traces stay as they are, and so does what was written by hand.
 */
const MOF = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../../docs/verdicts.md', import.meta.url));
const LARGEST = 2 ** 30;

function compare(...words: string[]): Comparison {
  const { stdout, status } = spawnSync(process.execPath, [MOF, 'compare', ...words, '--json', '-'], {
    encoding: 'utf8',
    maxBuffer: LARGEST,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout) as Comparison;
}

for (const path of process.argv.slice(2)) {
  const trace = basename(path, '.parquet');
  const perMachine = MACHINES.map((machine) => compare(path, ...COMPARED, '--machine', machine));
  const varied = compare(path, ...VARIED, '--machine', MACHINES[0], '--sensitivity');
  const placed = BADLY_PLACED.includes(trace)
    ? MACHINES.flatMap((machine) =>
        MLP.map((mlp) =>
          placedRow(trace, machine, mlp, compare(path, ...placedRuns(machine), '--machine', machine, '--mlp', mlp)),
        ),
      )
    : [];
  const text = readFileSync(DOCUMENT, 'utf8');
  const [figures, ranges, bad] = tablesIn(text);
  const why = ranges.rows.find(([name]) => name === trace)?.[2] ?? '';
  const written = text
    .replace(figures.text, () => tableWith(figures, [figuresRow(trace, perMachine)], [0, 1, 7]))
    .replace(ranges.text, () => tableWith(ranges, [rangesRow(trace, varied, why)], [0, 1, 2]))
    .replace(bad.text, () => tableWith(bad, placed, [0]));
  writeFileSync(DOCUMENT, written);
  process.stdout.write(`${trace}: ${varied.verdict.best ?? 'none'}\n`);
}
