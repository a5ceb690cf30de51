import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { MmError } from '../../errors.js';
import { type ConformanceReport, parseRecording, replayRecordings, type Tally } from '../../prove/index.js';
import { formatCount, stableJson, tableText } from '../../report/index.js';
import { EXIT } from '../exit-codes.js';
import { reserveOutputFile } from '../output-file.js';
import type { Shell } from '../shell.js';

const SHOWN = 20;

/** `mof conformance FILE…`: recordings of real kernels, replayed and compared. */
export function addConformance(program: Command, shell: Shell): void {
  program
    .command('conformance')
    .description('replay system calls recorded on real kernels, and compare what the model answers')
    .argument('<FILE...>', 'recordings (JSON)')
    .option('--json <FILE>', 'write all results as JSON')
    .addHelpText(
      'after',
      '\nA step counts only if all earlier steps of its case matched. Exit code 1 if any differ.\n\nExample:\n  mof conformance linux-6.12-handwritten.json --json out.json',
    )
    .action(async (files: readonly string[], { json }: { json?: string }) => {
      const output = json === undefined ? null : reserveOutputFile(json);
      const recordings = files.map((file) => ({ file: basename(file), recording: parseRecording(read(file), file) }));
      const cases = recordings.reduce((n, { recording }) => n + recording.cases.length, 0);
      const report = await replayRecordings(recordings, (done) => {
        shell.terminal?.(`\r${String(done)} of ${String(cases)} cases`);
      });
      shell.terminal?.('\r');
      output?.write(stableJson(report));
      shell.out(reportText(report, shell));
      if (report.matched < report.total) shell.exitCode = EXIT.runFailed;
    });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new MmError(
      'NO_SUCH_FILE',
      `cannot read recording ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
}

function reportText(report: ConformanceReport, { paint }: Shell): string {
  const categories: Record<string, Tally> = {};
  for (const file of report.files) {
    for (const [name, tally] of Object.entries(file.categories)) {
      const sum = (categories[name] ??= { matched: 0, total: 0, casesMatched: 0, cases: 0 });
      sum.matched += tally.matched;
      sum.total += tally.total;
      sum.casesMatched += tally.casesMatched;
      sum.cases += tally.cases;
    }
  }
  const row = (name: string, tally: Tally) => [
    name,
    `${formatCount(tally.matched)} / ${formatCount(tally.total)}`,
    `${formatCount(tally.casesMatched)} / ${formatCount(tally.cases)}`,
  ];
  const sections = [
    tableText(
      {
        title: 'Steps and cases that match, by category',
        head: ['category', 'steps', 'cases'],
        rows: [...Object.entries(categories).map(([name, tally]) => row(name, tally)), row('all', report)],
      },
      paint,
    ),
    ...report.mismatches.slice(0, SHOWN).map(mismatchText),
  ];
  if (report.mismatches.length > SHOWN) {
    sections.push(`… and ${String(report.mismatches.length - SHOWN)} more cases (--json has them all)`);
  }
  return `${sections.join('\n\n')}\n`;
}

function mismatchText({ file, case: name, step, call, mismatches }: ConformanceReport['mismatches'][number]): string {
  const lines = mismatches.map(
    ({ what, expected, got }) => `    ${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
  );
  return [`${file}: ${name}, step ${String(step)}: ${JSON.stringify(call)}`, ...lines].join('\n');
}
