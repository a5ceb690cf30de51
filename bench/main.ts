import Table from 'cli-table3';
import { MmError } from '../src/errors.js';
import { discardOutputFiles, reserveOutputFile } from '../src/cli/output-file.js';
import { CASES, FIRST_CASES } from './cases/index.js';
import { kernelFaults, measure, type KernelFault, type Measured } from './measure.js';
import { readOptions, USAGE, type BenchOptions } from './options.js';
import type { BenchCase } from './question.js';
import { buildNative, type Native } from './reference/build.js';

/** The benchmarks: bench/README.md says what they ask and how to read the answers. */
process.on('exit', discardOutputFiles);
process.on('SIGINT', () => process.exit(130));
try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof MmError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}

async function main(options: BenchOptions): Promise<void> {
  if (options.wants === 'help') {
    console.log(USAGE);
    return;
  }
  const cases = chosen(options);
  if (options.wants === 'list') {
    console.log(cases.map(({ name }) => name).join('\n'));
    return;
  }
  const out = options.json === null ? null : reserveOutputFile(options.json);
  const native = await buildNative();
  try {
    const rows = await measureAll(cases, options, native);
    const kernel = native === null ? null : await kernelFaults(native.kernelFaults, options.isSmoke);
    print(rows, options, native);
    if (kernel !== null) printKernel(kernel);
    out?.write(`${JSON.stringify({ ...record(rows, options, native), kernel }, null, 2)}\n`);
  } finally {
    await native?.remove();
  }
}

function chosen({ only, pages, isSmoke }: BenchOptions): BenchCase[] {
  const named = (isSmoke && only.length === 0 ? FIRST_CASES : CASES).filter(
    ({ name }) => only.length === 0 || only.some((text) => name.includes(text)),
  );
  if (named.length === 0)
    throw new MmError(
      'BAD_OPTION',
      `--only ${only.join(',')}: no case has that in its name. See: npm run bench -- --list`,
    );
  return named.filter(({ maxPages = Infinity }) => pages <= maxPages);
}

async function measureAll(cases: readonly BenchCase[], options: BenchOptions, native: Native | null) {
  const rows: Measured[] = [];
  for (const [i, wanted] of cases.entries()) {
    progress(`${String(i + 1)}/${String(cases.length)} ${wanted.name}`);
    rows.push(await measure(wanted, { ...options, reference: native?.reference ?? null }));
  }
  progress('');
  return rows;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function print(rows: readonly Measured[], { pages, rounds }: BenchOptions, native: Native | null): void {
  const head = ['case', 'per', 'ns', '25 %', '75 %', 'rounds', 'C, ns', '× C'];
  const table = new Table({
    ...{ head, style: { head: [], border: [], compact: true } },
    colAligns: ['left', 'left', ...head.slice(2).map(() => 'right' as const)],
  });
  const shown = (ns: number) => ns.toFixed(ns < 1000 ? 1 : 0);
  for (const row of rows) {
    const spread = `${shown(Math.min(...row.rounds))}–${shown(Math.max(...row.rounds))}`;
    const ofReference = row.referenceNs === null ? '' : shown(row.referenceNs);
    table.push([
      ...[row.name, row.unit, shown(row.ns), shown(row.p25), shown(row.p75), spread],
      ...[ofReference, row.ratio?.toFixed(2) ?? ''],
    ]);
  }
  console.log(table.toString());
  console.log(`medians of ${String(rounds)} processes; ${String(pages)} pages; Node ${process.version}`);
  console.log(
    native === null ? 'no C compiler (cc, gcc, clang) was found: there are no ratios' : `C: ${native.compiler}`,
  );
}

function printKernel(kinds: readonly KernelFault[]): void {
  const each = kinds.map(({ kind, ns }) => `${kind} ${ns.toFixed(0)}`);
  console.log(`faults of this machine's own kernel, ns per page: ${each.join(', ')}`);
}

function record(rows: readonly Measured[], { pages, rounds, timeMs }: BenchOptions, native: Native | null) {
  return {
    ...{ node: process.version, compiler: native?.compiler ?? null, pages, rounds, timeMs },
    cases: rows,
  };
}
