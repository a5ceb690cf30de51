import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { openTraceLog, profileNamed } from '../../engine/index.js';
import { MmError } from '../../errors.js';
import {
  parseRecording,
  profileOf,
  replayRecordings,
  type ConformanceReport,
  type RecordingFile,
  type StepMismatch,
  type Tally,
} from '../../prove/index.js';
import { formatCount, stableJson, tableText } from '../../report/index.js';
import { EXIT } from '../exit-codes.js';
import { reserveOutputFile } from '../output-file.js';
import { expectTwoFiles, reserveTraceLog, TRACE_OPTION } from '../trace-log-option.js';
import type { Shell } from '../shell.js';

/** Cases that differ, and counters that differ, shown in full. */
const SHOWN = 20;
const COUNTERS_SHOWN = 3;
/** A recording is held in memory as a whole; one of 11 MB is a thousand cases. */
const MAX_MEGABYTES = 256;
/** Between two looks at the terminal, ms: Ctrl-C works, and the progress line moves. */
const INTERVAL_MS = 100;
const CLEAR_LINE = '\r\x1b[K';

interface ConformanceOptions {
  readonly json?: string;
  readonly profile?: string;
  readonly trace?: string;
}

/** `mof conformance FILE…`: recordings of real kernels, replayed and compared. */
export function addConformance(program: Command, shell: Shell): void {
  program
    .command('conformance')
    .description('replay system calls recorded on real kernels, and compare what the model answers')
    .argument('<FILE...>', 'recordings (JSON)')
    .option('--json <FILE>', 'write all results as JSON')
    .option('--profile <NAME>', "replay under this profile instead of the one of the recording's kernel")
    .option(...TRACE_OPTION)
    .addHelpText(
      'after',
      '\nA step counts only if all earlier steps of its case matched. Counters are compared on touch steps that match, and\ngiven beside. Exit code 1 if any step differs.\n\nExample:\n  mof conformance linux-6.12-handwritten.json --json out.json',
    )
    .action(async (files: readonly string[], options: ConformanceOptions) => {
      const { json, profile, trace } = options;
      expectTwoFiles(options);
      const output = json === undefined ? null : reserveOutputFile(json);
      const recordings = files.map((file) => readRecording(file, profile));
      const log = trace === undefined ? null : reserveTraceLog(trace);
      const watcherOf = (name: string, index: number) => (log === null ? null : openTraceLog(log.part(index, name)));
      const report = await replayRecordings(recordings, progress(recordings, shell), watcherOf);
      shell.terminal?.(CLEAR_LINE);
      log?.finish();
      output?.write(stableJson(report));
      shell.out(reportText(report, shell));
      if (report.matched < report.total) shell.exitCode = EXIT.runFailed;
    });
}

function readRecording(path: string, given: string | undefined): RecordingFile {
  const recording = parseRecording(read(path), path);
  const profile = given === undefined ? profileOf(recording.kernel.version, path) : profileNamed(given).name;
  return { file: basename(path), recording, profile };
}

function read(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_MEGABYTES * 2 ** 20) {
      const megabytes = String(Math.round(size / 2 ** 20));
      throw new MmError(
        'BAD_TRACE',
        `${path} has ${megabytes} MiB; expected at most ${String(MAX_MEGABYTES)}: split its cases over several recordings`,
      );
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof MmError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new MmError('NO_SUCH_FILE', `cannot read recording ${path}: ${code}; expected a JSON file`);
  }
}

/** Says how far it is, and lets signals in. */
function progress(recordings: readonly RecordingFile[], { terminal }: Shell): (done: number) => Promise<void> | void {
  const cases = recordings.reduce((n, { recording }) => n + recording.cases.length, 0);
  let looked = performance.now();
  return (done) => {
    if (performance.now() - looked < INTERVAL_MS) return;
    looked = performance.now();
    terminal?.(`${CLEAR_LINE}${formatCount(done)} of ${formatCount(cases)} cases`);
    return new Promise((resolve) => setImmediate(resolve));
  };
}

function reportText(report: ConformanceReport, { paint }: Shell): string {
  const { counters, mismatches, counterMismatches } = report;
  const sections = [
    tableText(
      {
        title: 'Steps and cases that match, by category',
        head: ['category', 'steps', 'cases'],
        rows: [...[...byCategory(report)].map(([name, tally]) => row(name, tally)), row('all', report)],
      },
      paint,
    ),
    `Counters: ${formatCount(counters.matched)} of ${formatCount(counters.total)} touch steps agree.`,
    ...mismatches.slice(0, SHOWN).map(mismatchText),
    ...(mismatches.length > SHOWN
      ? [`… and ${formatCount(mismatches.length - SHOWN)} more cases (--json has all)`]
      : []),
    ...counterMismatches.slice(0, COUNTERS_SHOWN).map((one) => `Counters only: ${mismatchText(one)}`),
    ...(counterMismatches.length > COUNTERS_SHOWN
      ? [`… and counters of ${formatCount(counterMismatches.length - COUNTERS_SHOWN)} more steps (--json has all)`]
      : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

function byCategory(
  report: ConformanceReport,
): ReadonlyMap<string, Pick<Tally, 'matched' | 'total' | 'cases' | 'casesMatched'>> {
  const sums = new Map<string, { matched: number; total: number; casesMatched: number; cases: number }>();
  for (const file of report.files) {
    for (const [name, tally] of Object.entries(file.categories)) {
      const sum = sums.get(name) ?? { matched: 0, total: 0, casesMatched: 0, cases: 0 };
      sum.matched += tally.matched;
      sum.total += tally.total;
      sum.casesMatched += tally.casesMatched;
      sum.cases += tally.cases;
      sums.set(name, sum);
    }
  }
  return sums;
}

const row = (name: string, tally: Pick<Tally, 'matched' | 'total' | 'cases' | 'casesMatched'>) => [
  name,
  `${formatCount(tally.matched)} / ${formatCount(tally.total)}`,
  `${formatCount(tally.casesMatched)} / ${formatCount(tally.cases)}`,
];

function mismatchText({ file, case: name, step, call, mismatches }: StepMismatch): string {
  const lines = mismatches.map(
    ({ what, expected, got, rule }) =>
      `    ${what}: expected ${JSON.stringify(expected) ?? 'nothing'}, got ${JSON.stringify(got) ?? 'nothing'} (${rule})`,
  );
  return [`${file}: ${name}, step ${String(step)}: ${JSON.stringify(call)}`, ...lines].join('\n');
}
