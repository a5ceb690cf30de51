import type { Command } from 'commander';
import { fileName } from '../option-values.js';
import { reserveOutputFile } from '../output-file.js';
import { progressBar } from '../progress.js';
import type { Shell } from '../shell.js';
import { MmError } from '../../errors.js';
import { formatPages } from '../../hardware/index.js';
import { formatCount, stableJson, tableText } from '../../report/index.js';
import { pageCount } from '../../trace/index.js';
import { KINDS, generatorWords, optionsOf, type GeneratorKind } from '../../trace/generators/index.js';
import { openTrace } from '../../trace/readers/index.js';
import { parquetBytes } from '../../trace/writers/index.js';

const SUFFIX = '.parquet';

/** `mof trace generate KIND`: a trace that is made, as a file. Its help and its options are those of the generators. */
export function addGenerate(trace: Command, shell: Shell): void {
  const generate = trace
    .command('generate')
    .description('make a trace: a kind of program of any size, with any number of threads and processes')
    .usage('KIND [options] -o FILE.parquet')
    .addHelpText('after', `\n${WITHOUT_FILE}`);
  generate
    .command('list')
    .description('the kinds, their options and what holds for each')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: true }) => {
      shell.out(json ? stableJson(KINDS.map(plainOf)) : `${KINDS.map((kind) => listText(kind, shell)).join('\n\n')}\n`);
    });
  for (const kind of KINDS) {
    const command = generate
      .command(kind.name)
      .description(kind.about)
      .requiredOption(
        '-o, --out <FILE>',
        'where the rows go; what they mean goes to FILE.json beside it',
        fileName('-o'),
      )
      .addHelpText('after', `\n${WITHOUT_FILE}`)
      .action(async (given: Record<string, string>) => {
        const { out, ...options } = given;
        await writeTrace(generatorWords(kind, options), out, shell);
      });
    for (const [name, { about, initial }] of Object.entries(optionsOf(kind)))
      command.option(`--${name} <VALUE>`, `${about} (default: ${initial})`);
  }
}

const WITHOUT_FILE = `Without a file: wherever a TRACE is taken, gen:KIND:OPTION=VALUE… is one that is made while it is read.

Examples:
  mof trace generate stream --size 1GiB --threads 8 -o stream.parquet
  mof compare gen:stream:size=1GiB:threads=8
  mof trace info gen:zipf:theta=1.2`;

async function writeTrace(words: string, path: string, shell: Shell): Promise<void> {
  if (!path.endsWith(SUFFIX)) throw new MmError('BAD_OPTION', `-o is "${path}"; expected NAME${SUFFIX}`);
  const source = await openTrace(words);
  const rowsFile = reserveOutputFile(path);
  const sidecarFile = reserveOutputFile(`${path.slice(0, -SUFFIX.length)}.json`);
  const bar = progressBar(shell.terminal, source.rows);
  try {
    const bytes = parquetBytes(source, (rows) => {
      bar.onProgress(0, rows);
    });
    await rowsFile.writePieces(bytes, shell.signal);
  } finally {
    bar.end();
  }
  sidecarFile.write(stableJson(source.sidecar));
  const { rows, sidecar } = source;
  shell.out(
    `${path}: ${formatCount(rows)} rows, threads: ${formatCount(sidecar.threads.length)}, processes: ${formatCount(sidecar.processes.length)}, memory: ${formatPages(pageCount(sidecar))}. The same without a file: ${words}\n`,
  );
}

function plainOf(kind: GeneratorKind) {
  const options = Object.entries(optionsOf(kind)).map(([name, { about, initial, expected }]) => ({
    ...{ name, about, initial, expected },
  }));
  return { name: kind.name, about: kind.about, options };
}

function listText(kind: GeneratorKind, { paint }: Shell): string {
  const rows = Object.entries(optionsOf(kind)).map(([name, { about, initial }]) => [name, initial, about]);
  const head = ['option', 'default', ''];
  return tableText({ title: `${kind.name}: ${kind.about}`, head, rows, wordColumns: [0, 1, 2] }, paint);
}
