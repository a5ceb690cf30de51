import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { findFile } from '../find-file.js';
import { loadMachine } from '../load-machine.js';
import { talk } from '../memtoy-terminal.js';
import { drive, takeLines } from '../memtoy-batch.js';
import { oneOf, wholeNumber } from '../option-values.js';
import type { Console, Shell } from '../shell.js';
import { reserveTraceLog, TRACE_OPTION } from '../trace-log-option.js';
import { openTraceLog, PROFILES, VARIANTS, type RuleNames, type Watcher } from '../../engine/index.js';
import { MmError, nearestName } from '../../errors.js';
import { runScript, startMemtoy, type Host } from '../../memtoy/index.js';

/** Four nodes, as memtoy's own tests assume them. */
const DEFAULT_MACHINE = 'opteron-8347he-quad';
const VERSION = 'memtoy 0.16, as migrate-on-fault has it';
const USAGE = `Usage: mof memtoy [-v] [-V] [-h|-x] [-l N] [SCRIPT]
  -v     print each command of a script
  -V     print the version
  -h -x  print this
  -l N   carry out what stands behind #loop N times
  mof memtoy --help has everything.
`;

interface Flags {
  readonly v?: true;
  readonly V?: true;
  readonly h?: true;
  readonly x?: true;
  readonly l?: number;
  readonly machine: string;
  readonly profile: string;
  readonly rule: Partial<RuleNames>;
  readonly trace?: string;
}

/** `mof memtoy [SCRIPT]`: memory, places and policies by hand, or by a script. */
export function addMemtoy(program: Command, shell: Shell): void {
  const profiles = PROFILES.map(({ name }) => name);
  program
    .command('memtoy')
    .description('talk to a machine in the language of memtoy, or give it a script')
    .argument('[SCRIPT]', 'a file of commands; without one they are read from standard input')
    .helpOption('--help', 'everything about this command')
    .option('-v', 'print each command of a script before it is carried out')
    .option('-V', 'print the version')
    .option('-h', 'print the usage, as memtoy does; exit code 1')
    .option('-x', 'the same')
    .option(
      '-l <N>',
      'the lines behind a line #loop are carried out N times, and quit is left out',
      wholeNumber('-l', 1),
    )
    .option('--machine <NAME|FILE>', 'a bundled machine (mof machine list) or the file of one', DEFAULT_MACHINE)
    .option('--profile <NAME>', `whose rules hold: ${profiles.join(', ')}`, oneOf('--profile', profiles), 'mof')
    .option('--rule <NAME=VARIANT>', 'another variant of one rule (docs/profiles.md); repeatable', ruleOf, {})
    .option(...TRACE_OPTION)
    .addHelpText('after', MORE_HELP)
    .action(async (script: string | undefined, flags: Flags) => {
      const err = program.configureOutput().writeErr ?? shell.out;
      if (flags.V) shell.out(`${VERSION}\n`);
      if (flags.V) return;
      if (flags.h || flags.x) {
        err(USAGE);
        shell.exitCode = 1;
        return;
      }
      const text = script === undefined ? null : readScript(script);
      const host: Host = { out: shell.out, err, findFile };
      const log = flags.trace === undefined ? null : reserveTraceLog(flags.trace);
      const watcher = log === null ? null : openTraceLog(log.part(0, script ?? 'memtoy'));
      try {
        shell.exitCode = await run(text, flags, host, shell.console, watcher);
      } finally {
        watcher?.close();
      }
      log?.finish();
    });
}

async function run(
  text: string | null,
  flags: Flags,
  host: Host,
  console: Console | null,
  watcher: Watcher | null,
): Promise<number> {
  const { profile, rule: rules, l: loops } = flags;
  const session = await startMemtoy(
    { machine: await loadMachine(flags.machine), profile, rules, ...(watcher !== null && { watcher }) },
    host,
  );
  const options = { isVerbose: flags.v === true, ...(loops !== undefined && { loops }) };
  if (text !== null) return drive(runScript(session, text, options), console);
  if (console === null) return drive(runScript(session, '', options), null);
  if (console.input.isTTY) return talk(session, console);
  return takeLines(session, options, console);
}

function readScript(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new MmError('NO_SUCH_FILE', `no script ${path}`);
    throw new MmError('NO_SUCH_FILE', `cannot read script ${path}: ${code ?? String(error)}`);
  }
}

/** `NAME=VARIANT`, added to what earlier `--rule` options gave. */
function ruleOf(text: string, earlier: Partial<RuleNames>): Partial<RuleNames> {
  const [, name = '', variant = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const rules = Object.keys(VARIANTS) as (keyof RuleNames)[];
  const rule = rules.find((known) => known === name);
  if (rule === undefined) {
    const near = nearestName(name, rules);
    const hint = near === undefined ? `. Rules: ${rules.join(', ')}` : `; did you mean "${near}"?`;
    throw new MmError('BAD_OPTION', `--rule is "${text}"; expected NAME=VARIANT with the name of a rule${hint}`);
  }
  if (!(variant in VARIANTS[rule])) {
    const known = Object.keys(VARIANTS[rule]).join(', ');
    throw new MmError('BAD_OPTION', `--rule ${name} is "${variant}"; expected ${known}`);
  }
  return { ...earlier, [rule]: variant };
}

const MORE_HELP = `
The language is that of memtoy 0.16, with a few commands about the machine itself: say help in it, or see docs/memtoy.md.
At a terminal there are a history, completion with Tab, and Ctrl-C for the command that runs.

Exit codes:
  0    the end of the script, quit, or Ctrl-D
  1    -h or -x
  2    a mistake on this command line
  4    a mistake in a script: it ends there
  137  the machine had no memory left for the program
  130  interrupted

Examples:
  mof memtoy
  mof memtoy --profile linux-6.1 move.mt
  echo "numa" | mof memtoy -v`;
