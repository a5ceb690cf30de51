import type { Command } from 'commander';
import { carryOut, plan, traceAndRuns } from '../carry-out.js';
import { addReplayFlags, type ReplayFlags } from '../replay-flags.js';
import { TRACE_OPTION } from '../trace-log-option.js';
import { runHelp } from '../run-help.js';
import type { Shell } from '../shell.js';
import { MmError } from '../../errors.js';
import { runReport } from '../../report/index.js';
import { parseRun } from '../../run/index.js';

/** `mof run TRACE [RUN]`: one run, with every counter. */
export function addRun(program: Command, shell: Shell): void {
  const command = program
    .command('run')
    .description('one run over a trace, with all its counters')
    .usage('TRACE [RUN] [options]')
    .argument('[words...]', 'TRACE (a file, its name without .parquet, or gen:KIND…), then one RUN (none: default)');
  addReplayFlags(command)
    .option(...TRACE_OPTION)
    .addHelpText('after', () => runHelp(EXAMPLES))
    .action(async (words: string[], flags: ReplayFlags) => {
      shell.exitCode = await runOne(words, flags, shell);
    });
}

async function runOne(words: readonly string[], flags: ReplayFlags, shell: Shell): Promise<number> {
  const { tracePath, runs } = traceAndRuns(words, flags);
  if (runs.length > 1)
    throw new MmError('BAD_OPTION', `run takes one RUN, not ${String(runs.length)}; for several: mof compare`);
  const [run = 'default'] = runs;
  parseRun(run); // a slip here should not wait for the trace
  const ready = await plan(tracePath, () => [run], flags);
  return carryOut(ready, flags, shell, (results) => runReport(results[0], ready.context, shell.paint));
}

const EXAMPLES = `Examples:
  mof run --demo
  mof run app.parquet interleave=all
  mof run app.parquet default+task=3:1@row:90000 --json -
  mof run app.parquet default+task=all:1@50%+automigrate=lazy
  mof run app.parquet default+migrate=0:1@50%       # another process moves the pages; its view of numa_maps is in the JSON`;
