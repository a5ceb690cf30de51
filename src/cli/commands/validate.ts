import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { MmError } from '../../errors.js';
import { parseFigures, validateFigures, type Figure } from '../../prove/index.js';
import { stableJson } from '../../report/index.js';
import { FIGURES_FILE } from '../bundled.js';
import { EXIT } from '../exit-codes.js';
import { bundledMachines } from '../load-machine.js';
import { fileName } from '../option-values.js';
import { reserveOutputFile } from '../output-file.js';
import type { Shell } from '../shell.js';
import { kindsText, validationText } from '../validation-report.js';

interface ValidateFlags {
  readonly json?: string;
  readonly verbose?: true;
  readonly kinds?: true;
}

/** `mof validate [FILE…]`: published figures, recomputed from the model and compared. */
export function addValidate(program: Command, shell: Shell): void {
  program
    .command('validate')
    .description('recompute published figures from the model, and print model, published value and error')
    .argument('[FILE...]', 'figures (JSON, docs/figures.md); the bundled ones if left out')
    .option('--json <FILE|->', 'every row with the values it was computed from, as JSON', fileName('--json'))
    .option('--verbose', 'every row, and not the worst of each figure alone')
    .option('--kinds', 'list the kinds of figures, their parameters and units, and what x and y mean')
    .addHelpText(
      'after',
      '\nFigures that calibrate prove nothing and stand apart. What no kind computes is listed with the reason and is no failure.\nTolerance unless the figure has its own: grade A 5 %, counts exact; B 20 %; C is reported and not judged.\nExit code 1 if a figure of grade A that validates is outside its tolerance.\n\nExamples:\n  mof validate\n  mof validate mine.json --verbose\n  mof validate --json out.json',
    )
    .action(async (files: readonly string[], flags: ValidateFlags) => {
      if (flags.kinds) {
        shell.out(kindsText(shell.paint));
        return;
      }
      const { json } = flags;
      const output = json === undefined || json === '-' ? null : reserveOutputFile(json);
      const { machines } = await bundledMachines();
      const bundled = parseFigures(await readFile(FIGURES_FILE, 'utf8'), 'figures.json');
      const figures = files.length === 0 ? bundled : await readFigures(files);
      const report = await validateFigures(figures, bundled, machines);
      const document = stableJson(report);
      output?.write(document);
      shell.out(json === '-' ? document : validationText(report, flags.verbose === true, shell.paint));
      if (report.failed.length > 0) shell.exitCode = EXIT.runFailed;
    });
}

/** @throws MmError; also where two files have a figure of one name */
async function readFigures(files: readonly string[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const file of files) {
    for (const figure of parseFigures(await readText(file), file)) {
      const same = figures.find(({ id }) => id === figure.id);
      if (same !== undefined)
        throw new MmError('BAD_FIGURE', `${figure.where}: id is that of ${same.where} too; expected another`);
      figures.push(figure);
    }
  }
  return figures;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new MmError('NO_SUCH_FILE', `cannot read figures ${file}: ${code}; expected a JSON file`);
  }
}
