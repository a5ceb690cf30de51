import type { Command } from 'commander';
import { carryOut, plan, traceAndRuns } from '../carry-out.js';
import { wholeNumber } from '../option-values.js';
import { addReplayFlags, type ReplayFlags } from '../replay-flags.js';
import { TRACE_OPTION } from '../trace-log-option.js';
import { runHelp } from '../run-help.js';
import type { Shell } from '../shell.js';
import { compareReport } from '../../report/index.js';
import { defaultRuns, parseRun } from '../../run/index.js';

/** `mof compare TRACE [RUN…]`: the main job. Several runs side by side, and an honest verdict. */
export function addCompare(program: Command, shell: Shell): void {
  const command = program
    .command('compare')
    .description('run policies over a trace, side by side, and say which to use')
    .usage('TRACE [RUN…] [options]')
    .argument(
      '[words...]',
      'TRACE (a file, its name without .parquet, or gen:KIND…), then RUNs (none: the four policies and lazy)',
    );
  addReplayFlags(command)
    .option(...TRACE_OPTION)
    .option('--jobs <N>', 'runs at once, at most (default: the cores there are)', wholeNumber('--jobs', 1))
    .option(
      '--sensitivity',
      'carry the runs out again with other values of what is assumed, and say where the best run changes',
    )
    .addHelpText('after', () => runHelp(EXAMPLES))
    .action(async (words: string[], flags: ReplayFlags) => {
      shell.exitCode = await compare(words, flags, shell);
    });
}

async function compare(words: readonly string[], flags: ReplayFlags, shell: Shell): Promise<number> {
  const { tracePath, runs } = traceAndRuns(words, flags);
  runs.forEach(parseRun); // a slip here should not wait for the trace
  const ready = await plan(
    tracePath,
    ({ file_mappings }) => (runs.length > 0 ? runs : defaultRuns({ mapsFiles: file_mappings.length > 0 })),
    flags,
  );
  return carryOut(ready, flags, shell, (results, context) => compareReport(results, context, shell.paint));
}

const EXAMPLES = `Examples:
  mof compare --demo
  mof compare app.parquet default interleave=all bind=0-1 default+lazy@threads
  mof compare app.parquet default 'default+lazy@event:"init done"' oracle --machine epyc-zen3-2s --json out.json
  mof compare app.parquet default default+move@threads default+swapout@50% default+cpuset=1:stay@50%
  mof compare app.parquet --sensitivity
  mof compare app.parquet default ./mine.ts=0-1:stride=4 --memory 0:50%`;
