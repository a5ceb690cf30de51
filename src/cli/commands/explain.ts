import type { Command } from 'commander';
import { plan, traceAndRuns } from '../carry-out.js';
import { reserveOutputFile } from '../output-file.js';
import { addReplayFlags, type ReplayFlags } from '../replay-flags.js';
import { runHelp } from '../run-help.js';
import { wholeNumber } from '../option-values.js';
import type { Shell } from '../shell.js';
import { replayTrace, watchPage } from '../../engine/index.js';
import { MmError } from '../../errors.js';
import { pageLifeReport, stableJson } from '../../report/index.js';
import { parseRun } from '../../run/index.js';
import { pageCount } from '../../trace/index.js';
import { openTrace } from '../../trace/readers/index.js';

interface ExplainFlags extends ReplayFlags {
  readonly page: number;
}

/** `mof explain TRACE RUN --page N`: the life of one page. */
export function addExplain(program: Command, shell: Shell): void {
  const command = program
    .command('explain')
    .description('the life of one page in a run: who used it, what the policy answered, why it moved or stayed')
    .usage('TRACE [RUN] --page N [options]')
    .argument('[words...]', 'TRACE (a file, its name without .parquet, or gen:KIND…), then one RUN (none: default)')
    .requiredOption('--page <N>', 'the page, by its number in the trace (mof trace info)', wholeNumber('--page', 0));
  addReplayFlags(command)
    .addHelpText('after', () => runHelp(EXAMPLES))
    .action(async (words: string[], flags: ExplainFlags) => {
      await explain(words, flags, shell);
    });
}

async function explain(words: readonly string[], flags: ExplainFlags, shell: Shell): Promise<void> {
  const { tracePath, runs } = traceAndRuns(words, flags);
  if (runs.length > 1) throw new MmError('BAD_OPTION', `explain takes one RUN, not ${String(runs.length)}`);
  const [run = 'default'] = runs;
  parseRun(run); // a slip here should not wait for the trace
  const file = flags.json === undefined || flags.json === '-' ? null : reserveOutputFile(flags.json);
  const ready = await plan(tracePath, () => [run], flags);
  await checkPage(tracePath, flags.page);
  const watcher = watchPage(flags.page);
  await replayTrace(ready.requests[0], () => undefined, watcher);
  const life = watcher.life();
  if (life.rows === 0) {
    throw new MmError('BAD_OPTION', `--page ${String(flags.page)}: no row of ${ready.context.trace} touches this page`);
  }
  const json = stableJson({ run, machine: ready.context.machine, trace: ready.context.trace, ...life });
  shell.out(flags.json === '-' ? json : pageLifeReport(life, run, shell.paint));
  file?.write(json);
}

async function checkPage(tracePath: string, page: number): Promise<void> {
  const trace = await openTrace(tracePath);
  trace.close();
  const pages = pageCount(trace.sidecar);
  if (page < pages) return;
  throw new MmError(
    'BAD_OPTION',
    `--page ${String(page)}: trace ${trace.name} has pages 0 to ${String(pages - 1)}; see: mof trace info`,
  );
}

const EXAMPLES = `Examples:
  mof explain --demo default+lazy@threads --page 600
  mof explain app.parquet interleave=all+hooks=on --page 4711 --json -`;
