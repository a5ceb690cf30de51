import { MmError } from '../src/errors.js';
import { measureKernel } from '../src/cli/bench/native.js';
import { discardOutputFiles, reserveOutputFile, type OutputFile } from '../src/cli/output-file.js';
import { openBase, ownCommit } from './base.js';
import { ASKED_CASES, CASES, FIRST_CASES } from './cases/index.js';
import { compareBuilds, compareRecorded, type Compared } from './compare.js';
import { measure, type Measured } from './measure.js';
import { readOptions, USAGE, type BenchOptions } from './options.js';
import { printCompared, printMeasured } from './print.js';
import type { BenchCase } from './question.js';
import { buildReference } from './reference/build.js';

/** The benchmarks: bench/README.md says what they ask and how to read the answers. */
process.once('exit', discardOutputFiles);
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
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
  await (options.compare === null ? measureAll(cases, options, out) : compareAll(cases, options, options.compare, out));
}

function chosen({ only, pages, isSmoke }: BenchOptions): BenchCase[] {
  const unasked = isSmoke ? FIRST_CASES : CASES;
  const named =
    only.length === 0
      ? unasked
      : [
          ...CASES.filter(({ name }) => only.some((text) => name.includes(text))),
          ...ASKED_CASES.filter(({ name }) => only.some((text) => text.startsWith('scale') && name.includes(text))),
        ];
  if (named.length === 0)
    throw new MmError(
      'BAD_OPTION',
      `--only ${only.join(',')}: no case has that in its name. See: npm run bench -- --list`,
    );
  return named.filter(({ maxPages = Infinity }) => pages <= maxPages);
}

async function measureAll(cases: readonly BenchCase[], options: BenchOptions, out: OutputFile | null): Promise<void> {
  const native = await buildReference();
  const reference = native?.program ?? null;
  const rows: Measured[] = [];
  await eachInTurn(cases, async (asked) => void rows.push(await measure(asked, { ...options, reference })));
  const kernel = options.isSmoke ? await measureKernel(4096, 3) : await measureKernel(65_536, 9);
  printMeasured(rows, options, native, kernel);
  write(out, { ...(await context(options)), compiler: native?.compiler ?? null, cases: rows, kernel });
}

async function compareAll(
  cases: readonly BenchCase[],
  options: BenchOptions,
  word: string,
  out: OutputFile | null,
): Promise<void> {
  const base = await openBase(word);
  if (base.kind === 'recorded' && base.recorded.pages !== options.pages) {
    const { pages } = base.recorded;
    throw new MmError(
      'BAD_OPTION',
      `--compare ${word}: it was measured with --pages ${String(pages)}, this would be with ${String(options.pages)}; give --pages ${String(pages)}`,
    );
  }
  const native = base.kind === 'recorded' ? await buildReference() : null;
  const reference = native?.program ?? null;
  const rows: Compared[] = [];
  await eachInTurn(cases, async (asked) => {
    const row =
      base.kind === 'built'
        ? await compareBuilds(asked.name, base, options)
        : compareRecorded(await measure(asked, { ...options, reference }), base);
    if (row !== null) rows.push(row);
  });
  if (rows.length === 0) throw new MmError('BAD_OPTION', `--compare ${word}: it has none of these cases`);
  printCompared(rows, base, options);
  write(out, { ...(await context(options)), base: base.title, isOneRun: base.kind === 'built', compared: rows });
}

async function eachInTurn(cases: readonly BenchCase[], measureOne: (asked: BenchCase) => Promise<void>): Promise<void> {
  const tell = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);
  for (const [i, asked] of cases.entries()) {
    tell(`${String(i + 1)}/${String(cases.length)} ${asked.name}`);
    await measureOne(asked);
  }
  tell('');
}

async function context({ pages, rounds, timeMs }: BenchOptions) {
  return { ...(await ownCommit()), node: process.version, pages, rounds, timeMs };
}

function write(out: OutputFile | null, record: Readonly<Record<string, unknown>>): void {
  out?.write(`${JSON.stringify(record, null, 2)}\n`);
}
